import * as pulumi from "@pulumi/pulumi";
import { PostgresApp, PostgresAppArgs } from "pulumi-postgres-app";

// One stack, an install of the same application for each team: database, secrets and migration of its own. None waits for another: what
// fails or takes long for one does not hold the others.
interface Team {
  version?: string;
  replicas?: number;
  /** One that is there already. */
  namespace?: string;
}
const teams = new pulumi.Config().getObject<Record<string, Team>>("teams") ?? {
  physics: {},
  history: { version: "1.1.0" },
  library: { replicas: 2 },
};

const notes = ({ version = "1.0.0", replicas, namespace }: Team): PostgresAppArgs => ({
  image: `docker.io/local/notes:${version}`,
  port: 3000,
  replicas,
  namespace,
  database: { embedded: { version: 17, storage: "1Gi" } },
  migration: { command: ["sequelize-cli", "db:migrate"] },
  probes: { liveness: { httpPath: "/health" }, readiness: { httpPath: "/ready" } },
});

export const urls = Object.fromEntries(
  Object.entries(teams).map(([team, settings]) => [team, new PostgresApp(team, notes(settings)).url]),
);
