// The example application, small: what is measured.
"use strict";
require("./peakMemory");
const { PostgresApp } = require("pulumi-postgres-app");

new PostgresApp("notes", {
  image: "docker.io/local/notes:1.0.0",
  port: 3000,
  namespace: process.env.BENCH_NAMESPACE,
  database: { embedded: { version: 17, storage: "1Gi" } },
  migration: { command: ["sequelize-cli", "db:migrate"], timeoutSeconds: 120 },
  probes: { liveness: { httpPath: "/health" }, readiness: { httpPath: "/ready" } },
});
