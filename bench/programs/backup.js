// A database with backups to a claim, of which no run is due while the benchmark lasts.
"use strict";
require("./usage");
const { PostgresDatabase } = require("pulumi-postgres-app");

new PostgresDatabase("db", {
  namespace: process.env.BENCH_NAMESPACE,
  databaseName: "notes",
  user: "notes",
  embedded: { version: 17, storage: "4Gi" },
  backups: { schedule: "0 0 29 2 *", destination: { claim: { claimName: "backups" } } },
});
