import * as pulumi from "@pulumi/pulumi";
import { PostgresApp } from "pulumi-postgres-app";

// `pulumi config set image …` deploys another version: its migrations run first, and its pods start when they are through.
const config = new pulumi.Config();

const notes = new PostgresApp("notes", {
  image: config.get("image") ?? "docker.io/local/notes:1.0.0",
  port: 3000,
  replicas: 2,
  database: { embedded: { version: 17, storage: "1Gi" } },
  migration: { command: ["sequelize-cli", "db:migrate"] },
  probes: { liveness: { httpPath: "/health" }, readiness: { httpPath: "/ready" } },
});

export const url = notes.url;
export const namespace = notes.namespace;
export const migrationJob = notes.migrationJobName;
export const connectionSecret = notes.connectionSecretName;
// What `pulumi destroy` leaves: `pulumi destroy --diff` shows it with the outputs that go.
export const keptData = notes.keptData;
