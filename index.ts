export { AppProbeArgs, AppProbesArgs } from "./components/app/probes";
export { ContainerResourcesArgs } from "./components/common/resources";
export { ConnectionKey } from "./components/database/connection";
export { EmbeddedPostgresArgs } from "./components/database/embedded";
export { PostgresDatabase, PostgresDatabaseArgs } from "./components/database/postgresDatabase";
export { MigrationArgs, MigrationJobArgs } from "./components/migration/migrationArgs";
export { MigrationJob } from "./components/migration/migrationJob";
export { PostgresApp } from "./components/postgresApp";
export { AppDatabaseArgs, PostgresAppArgs } from "./components/postgresAppArgs";
