// A migration of a database that is there, with or without its rehearsal.
"use strict";
require("./usage");
const { MigrationJob, PostgresDatabase } = require("pulumi-postgres-app");

const namespace = process.env.BENCH_NAMESPACE;
const database = new PostgresDatabase("db", {
  namespace,
  databaseName: "notes",
  user: "notes",
  embedded: { version: 17, storage: "4Gi", tls: "off" },
});
const rerun = process.env.BENCH_RUN;
if (rerun)
  new MigrationJob(
    "m",
    {
      namespace,
      image: "docker.io/library/postgres:17",
      runAsUser: 999,
      command: ["psql", "-X", "-q", "-c", "SELECT 1"],
      connectionSecretName: database.migrationSecretName,
      rerun,
      ...(process.env.BENCH_REHEARSAL ? { rehearsal: {} } : {}),
    },
    { dependsOn: database.ready },
  );
