// As many example applications as the configuration says, in one program.
"use strict";
require("./usage");
const { Config } = require("@pulumi/pulumi");
const { PostgresApp } = require("pulumi-postgres-app");

for (let number = 1; number <= new Config().requireNumber("applications"); number++)
  new PostgresApp(`notes-${number}`, {
    image: "docker.io/local/notes:1.0.0",
    port: 3000,
    namespace: process.env.BENCH_NAMESPACE,
    database: { embedded: { version: 17, storage: "1Gi" } },
    migration: { command: ["sequelize-cli", "db:migrate"] },
    probes: { liveness: { httpPath: "/health" }, readiness: { httpPath: "/ready" } },
  });
