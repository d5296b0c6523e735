// The example application: what is measured. Its settings are the version and the number that gives it another password.
"use strict";
require("./usage");
const pulumi = require("@pulumi/pulumi");
const { PostgresApp } = require("pulumi-postgres-app");

const config = new pulumi.Config();

new PostgresApp("notes", {
  image: `docker.io/local/notes:${config.get("version") ?? "1.0.0"}`,
  port: 3000,
  replicas: 2,
  namespace: process.env.BENCH_NAMESPACE,
  database: {
    embedded: { version: 17, storage: "1Gi" },
    credentials: { rotation: config.getNumber("rotation") ?? 0 },
  },
  migration: { command: ["sequelize-cli", "db:migrate"], timeoutSeconds: 120 },
  probes: { liveness: { httpPath: "/health" }, readiness: { httpPath: "/ready" } },
});
