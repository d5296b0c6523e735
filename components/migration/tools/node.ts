import * as pulumi from "@pulumi/pulumi";
import { flag, given, MigrationTool, optionsOf } from "./tool";

/** Where an application's image has a tool of npm, seen from its working directory: needs no npm, no cache and no PATH. */
const installed = (name: string) => [`node_modules/.bin/${name}`];

/** npx keeps what it fetches in npm's cache, by default below HOME, which is read-only in the Job; /tmp is writable unless said otherwise. */
const fetched = (name: string, version: string) => ["npx", "--yes", "--cache", "/tmp/.npm", `${name}@${version}`];

function npmTool(name: string, { program, version }: { program?: string[]; version?: string }): string[] {
  if (program !== undefined && version !== undefined)
    throw new pulumi.RunError(`${name}: program and version are two answers: leave one out`);
  if (version !== undefined) return fetched(name, given("version", version));
  return program === undefined ? installed(name) : given("program", program);
}

/** Where sequelize-cli finds what it needs. */
export interface SequelizeOptions {
  /** Path of the configuration, for images without .sequelizerc. Defaults to what that says, else config/config.json. */
  config?: string;
  /** Directory of the migrations. Defaults to what .sequelizerc says, else migrations. */
  migrationsPath?: string;
  /** Section of the configuration. Defaults to the image's NODE_ENV, else "development". */
  env?: string;
  /**
   * Version to fetch with npx at each run, such as "6.6.5", for images without sequelize-cli: it is often a development dependency.
   * Needs the registry. Defaults to the one in the image.
   */
  version?: string;
  /** Words that start the tool, such as ["yarn", "backend", "sequelize"]. Defaults to ["node_modules/.bin/sequelize-cli"]. */
  program?: string[];
}

/** Sequelize's CLI. It has no lock (sequelize/umzug#144), and the note of a migration is not in the migration's transaction. */
export function sequelize(options: SequelizeOptions = {}): MigrationTool {
  options = optionsOf("sequelize", "SequelizeOptions", options);
  const words = (command: string) => [
    ...npmTool("sequelize-cli", options),
    command,
    ...flag("config", "--config", options.config),
    ...flag("migrationsPath", "--migrations-path", options.migrationsPath),
    ...flag("env", "--env", options.env),
  ];
  return {
    migrate: words("db:migrate"),
    status: words("db:migrate:status"),
    rollback: words("db:migrate:undo"),
    locksItself: false,
  };
}

/** Where Prisma's CLI finds what it needs. */
export interface PrismaOptions {
  /** Path of the schema; the migrations are beside it. Defaults to what the configuration says, else prisma/schema.prisma. */
  schema?: string;
  /** Path of prisma.config.ts, in which Prisma 7 wants the URL. Defaults to the one in the working directory, if any. */
  config?: string;
  /**
   * Version to fetch with npx at each run, such as "7.10.1", for images without Prisma's CLI. Needs the registry, and binaries.prisma.sh for
   * the engine. Defaults to the one in the image.
   */
  version?: string;
  /** Words that start the tool. Defaults to ["node_modules/.bin/prisma"]. */
  program?: string[];
}

/**
 * Prisma Migrate. It takes an advisory lock; a second run waits for 10 seconds and then fails with P1002 (prisma.io, "Advisory locking").
 * `status` ends with 1 when something is pending. There is no way back: `migrate deploy` only goes forward.
 */
export function prisma(options: PrismaOptions = {}): MigrationTool {
  options = optionsOf("prisma", "PrismaOptions", options);
  const words = (command: string) => [
    ...npmTool("prisma", options),
    "migrate",
    command,
    ...flag("schema", "--schema", options.schema),
    ...flag("config", "--config", options.config),
  ];
  return { migrate: words("deploy"), status: words("status"), locksItself: true };
}

/** Where knex' CLI finds what it needs. */
export interface KnexOptions {
  /** Path of the knexfile, whose directory becomes the working directory. Defaults to the knexfile in the working directory. */
  knexfile?: string;
  /** Section of the knexfile. Defaults to the image's NODE_ENV, else "development". */
  env?: string;
  /** Words that start the tool. Defaults to ["node_modules/.bin/knex"]. */
  program?: string[];
}

/**
 * knex. Its lock is a row (knex_migrations_lock), taken in the transaction of all pending migrations: a second run waits. If one of them opts
 * out of transactions, the lock is committed: a second run fails at once, and so does each run after one that was killed, until
 * `knex migrate:unlock` (knex: lib/migrations/migrate/Migrator.js). `rollback` is migrate:down, one migration; migrate:rollback would
 * take back all of the last run.
 */
export function knex(options: KnexOptions = {}): MigrationTool {
  options = optionsOf("knex", "KnexOptions", options);
  const words = (command: string) => [
    ...npmTool("knex", options),
    command,
    ...flag("knexfile", "--knexfile", options.knexfile),
    ...flag("env", "--env", options.env),
  ];
  return { migrate: words("migrate:latest"), status: words("migrate:list"), rollback: words("migrate:down"), locksItself: true };
}

/** Where TypeORM's CLI finds what it needs. */
export interface TypeormOptions {
  /** Path of the compiled file that exports the DataSource, such as "dist/data-source.js". It has to list the migrations. */
  dataSource: string;
  /** Words that start the tool. Defaults to ["node_modules/.bin/typeorm"]. */
  program?: string[];
}

/** TypeORM. It has no lock (typeorm/typeorm#4588). All pending migrations are one transaction, unless the DataSource says otherwise. */
export function typeorm(options: TypeormOptions): MigrationTool {
  options = optionsOf("typeorm", "TypeormOptions", options);
  const words = (command: string) => [
    ...npmTool("typeorm", options),
    command,
    "--dataSource",
    given("dataSource", options.dataSource),
  ];
  return {
    migrate: words("migration:run"),
    status: words("migration:show"),
    rollback: words("migration:revert"),
    locksItself: false,
  };
}

/** Where drizzle-kit finds what it needs. */
export interface DrizzleOptions {
  /** Path of the configuration. Defaults to drizzle.config.ts or .js in the working directory. */
  config?: string;
  /** Words that start the tool. Defaults to ["node_modules/.bin/drizzle-kit"]. */
  program?: string[];
}

/** drizzle-kit. It has no lock (drizzle-team/drizzle-orm#874), cannot say what is pending and takes nothing back. */
export function drizzle(options: DrizzleOptions = {}): MigrationTool {
  options = optionsOf("drizzle", "DrizzleOptions", options);
  return {
    migrate: [...npmTool("drizzle-kit", options), "migrate", ...flag("config", "--config", options.config)],
    locksItself: false,
  };
}
