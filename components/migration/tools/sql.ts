import { flag, fromVariable, given, MigrationTool, optionsOf } from "./tool";

/** Where Flyway finds what it needs. */
export interface FlywayOptions {
  /** Where the migrations are, such as "filesystem:/flyway/sql". Defaults to what the configuration says. */
  locations?: string;
  /** Paths of configurations, separated by commas. Defaults to those that Flyway finds. */
  configFiles?: string;
  /** Words that start the tool. Defaults to ["flyway"]. */
  program?: string[];
}

/**
 * Flyway. It wants `connectionEnv: { FLYWAY_URL: "jdbc-uri" }`. It takes an advisory lock; a second run tries 50 times, a second apart
 * (flyway: PostgreSQLAdvisoryLockTemplate.java, lockRetryCount). No way back: undo is not in the free edition.
 */
export function flyway(options: FlywayOptions = {}): MigrationTool {
  const { locations, configFiles, program = ["flyway"] } = optionsOf("flyway", "FlywayOptions", options);
  const setting = (option: string, value: string | undefined) =>
    value === undefined ? [] : [`-${option}=${given(option, value)}`];
  const words = (command: string) => [
    ...given("program", program),
    ...setting("configFiles", configFiles),
    ...setting("locations", locations),
    command,
  ];
  return { migrate: words("migrate"), status: words("info"), locksItself: true };
}

/** Where Liquibase finds what it needs. */
export interface LiquibaseOptions {
  /** Path of the changelog, below `searchPath`. It is part of each change's identity: with another path all run again. */
  changelogFile: string;
  /** Directories, separated by commas. Defaults to what the configuration says, else the working directory. */
  searchPath?: string;
  /** Words that start the tool. Defaults to ["liquibase"]. */
  program?: string[];
}

/**
 * Liquibase. It wants `connectionEnv: { LIQUIBASE_COMMAND_URL: "jdbc-uri" }`. Its lock is a row (databasechangeloglock): a second run waits for
 * 5 minutes and fails, and so does each run after one that was killed, until `liquibase release-locks`. `rollback` takes back one
 * changeset, which has to say how where it is SQL.
 */
export function liquibase(options: LiquibaseOptions): MigrationTool {
  const { changelogFile, searchPath, program = ["liquibase"] } = optionsOf("liquibase", "LiquibaseOptions", options);
  const words = (...command: string[]) => [
    ...given("program", program),
    ...flag("searchPath", "--search-path", searchPath),
    "--changelog-file",
    given("changelogFile", changelogFile),
    ...command,
  ];
  return {
    migrate: words("update"),
    status: words("status", "--verbose"),
    rollback: words("rollback-count", "--count", "1"),
    locksItself: true,
  };
}

/** Where goose finds what it needs. */
export interface GooseOptions {
  /** Directory of the migrations. */
  dir: string;
  /** Environment variable with the connection's URL. Defaults to "DATABASE_URL". */
  urlVariable?: string;
  /** Words that start the tool. Defaults to ["goose"]. */
  program?: string[];
}

/**
 * goose. Its command takes no lock, only its library can (pressly/goose#1015). The URL is a word of the command, by `fromVariable`, and so it
 * can be seen in the container's list of processes.
 */
export function goose(options: GooseOptions): MigrationTool {
  const { dir, urlVariable = "DATABASE_URL", program = ["goose"] } = optionsOf("goose", "GooseOptions", options);
  const url = fromVariable(given("urlVariable", urlVariable));
  const words = (command: string) => [...given("program", program), "-dir", given("dir", dir), "postgres", url, command];
  return { migrate: words("up"), status: words("status"), rollback: words("down"), locksItself: false };
}

/** Where golang-migrate finds what it needs. */
export interface GolangMigrateOptions {
  /** Directory of the migrations. */
  path: string;
  /** Environment variable with the connection's URL. Defaults to "DATABASE_URL". */
  urlVariable?: string;
  /** Words that start the tool. Defaults to ["migrate"]. */
  program?: string[];
}

/**
 * golang-migrate. It takes an advisory lock; a second run fails after 15 seconds (golang-migrate: migrate.go, DefaultLockTimeout). It cannot
 * say what is pending: `version` says only how far it is, and fails on an empty database. After a migration that failed each run
 * fails ("Dirty database version") until somebody has looked and said `force`. The URL is a word of the command, as with goose.
 */
export function golangMigrate(options: GolangMigrateOptions): MigrationTool {
  const {
    path,
    urlVariable = "DATABASE_URL",
    program = ["migrate"],
  } = optionsOf("golangMigrate", "GolangMigrateOptions", options);
  const url = fromVariable(given("urlVariable", urlVariable));
  const words = (...command: string[]) => [
    ...given("program", program),
    ...["-path", given("path", path), "-database", url],
    ...command,
  ];
  return { migrate: words("up"), rollback: words("down", "1"), locksItself: true };
}
