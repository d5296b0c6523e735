import * as pulumi from "@pulumi/pulumi";
import { PostgresApp } from "pulumi-postgres-app";

// Both versions serve during a rollout. So the migration before it may only add (expand); what the former version still needs is taken
// away when its last pod is gone (contract).
const version = new pulumi.Config().get("version") ?? "1.0.0";

/** By version, what only the one before it needed. 1.0.0 inserts threads without "pinned", so that this needs its default until then. */
const contracts: Record<string, string> = { "1.1.0": "ALTER TABLE threads ALTER COLUMN pinned DROP DEFAULT" };

/** One statement, with what the application's image has. */
const statement = (sql: string) => [
  "node",
  "-e",
  `const { sequelize } = require("./db"); sequelize.query(process.argv[1]).then(() => sequelize.close())`,
  sql,
];

const notes = new PostgresApp("notes", {
  image: `docker.io/local/notes:${version}`,
  command: ["node", "server.js"], // the canary has to know it
  port: 3000,
  replicas: 2,
  migration: {
    command: ["sequelize-cli", "db:migrate"],
    postDeploy: version in contracts ? { command: statement(contracts[version]) } : undefined,
  },
  // One pod of the new version against the expanded schema, before any of the running ones is replaced.
  rollout: { canary: {} },
  probes: { liveness: { httpPath: "/health" }, readiness: { httpPath: "/ready" } },
});

export const url = notes.url;
export const migrationJob = notes.migrationJobName;
export const contractJob = notes.postDeployJobName;
