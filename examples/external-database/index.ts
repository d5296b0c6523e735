import * as pulumi from "@pulumi/pulumi";
import { PostgresApp } from "pulumi-postgres-app";

// A server that is there already: role, logins and database are made by its administrator, with generated passwords.
const config = new pulumi.Config();
const ca = config.get("ca"); // the provider's bundle, in PEM

const notes = new PostgresApp("notes", {
  image: config.get("image") ?? "docker.io/local/notes:1.0.0",
  port: 3000,
  replicas: 2,
  database: {
    external: {
      host: config.require("host"),
      admin: { user: config.get("adminUser") ?? "postgres", password: config.requireSecret("adminPassword") },
      tls: { ca },
    },
    credentials: {
      rotation: config.getNumber("rotation") ?? 0, // raise it for new passwords: no request fails
      separateMigrator: true, // the application reads and writes rows, migrations make tables
    },
    backups: { schedule: "30 2 * * *", destination: { claim: { claimName: config.get("backupClaim") ?? "backups" } } },
  },
  migration: { command: ["sequelize-cli", "db:migrate"] },
  probes: { liveness: { httpPath: "/health" }, readiness: { httpPath: "/ready" } },
});

export const url = notes.url;
export const connectionSecret = notes.connectionSecretName;
