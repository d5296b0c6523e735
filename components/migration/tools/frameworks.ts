import { flag, given, MigrationTool, optionsOf } from "./tool";

/** How Rails is started. */
export interface RailsOptions {
  /**
   * Whether `migrate` is db:prepare, which also makes and seeds a new database and may run the application's own tasks, rather than
   * db:migrate. Defaults to false.
   */
  prepare?: boolean;
  /** Words that start Rails, such as ["bundle", "exec", "rails"]. Defaults to ["bin/rails"]. */
  program?: string[];
}

/**
 * Rails. It takes an advisory lock; a second run fails at once with ConcurrentMigrationError (activerecord: lib/active_record/migration.rb,
 * with_advisory_lock). A pooler in transaction mode breaks the lock (rails/rails#31190). `status` ends with 1 where no migration has
 * ever run: "Schema migrations table does not exist yet."
 */
export function rails(options: RailsOptions = {}): MigrationTool {
  const { prepare = false, program = ["bin/rails"] } = optionsOf("rails", "RailsOptions", options);
  const words = (task: string) => [...given("program", program), task];
  return {
    migrate: words(prepare ? "db:prepare" : "db:migrate"),
    status: words("db:migrate:status"),
    rollback: words("db:rollback"),
    locksItself: true,
  };
}

/** Where Alembic finds what it needs. */
export interface AlembicOptions {
  /** Path of alembic.ini. Defaults to the one in the working directory. */
  config?: string;
  /** Words that start the tool, such as ["python", "-m", "alembic"]. Defaults to ["alembic"]. */
  program?: string[];
}

/**
 * Alembic. It has no lock. On Postgres all pending migrations are one transaction, so a second run at once fails at its note of the first one
 * and leaves nothing behind, except of what is done outside of the transaction (autocommit_block). `status` lists the revisions from the
 * current one to the newest.
 */
export function alembic(options: AlembicOptions = {}): MigrationTool {
  const { config, program = ["alembic"] } = optionsOf("alembic", "AlembicOptions", options);
  const words = (...command: string[]) => [...given("program", program), ...flag("config", "--config", config), ...command];
  return {
    migrate: words("upgrade", "head"),
    status: words("history", "--rev-range", "current:head", "--indicate-current"),
    rollback: words("downgrade", "-1"),
    locksItself: false,
  };
}

/** Where Django finds what it needs. */
export interface DjangoOptions {
  /** Module of the settings, such as "shop.settings.production". Defaults to what manage.py or DJANGO_SETTINGS_MODULE says. */
  settings?: string;
  /** Application and migration to go back to, such as ["shop", "0041"]; Django has no "the one before". Defaults to no way back. */
  rollbackTo?: [app: string, migration: string];
  /** Words that start the management commands, such as ["shop-admin"]. Defaults to ["python", "manage.py"]. */
  program?: string[];
}

/** Django. It has no lock (django: core/management/commands/migrate.py). Each migration is a transaction, unless it says otherwise. */
export function django(options: DjangoOptions = {}): MigrationTool {
  const { settings, rollbackTo, program = ["python", "manage.py"] } = optionsOf("django", "DjangoOptions", options);
  const words = (...command: string[]) => [...given("program", program), ...command, ...flag("settings", "--settings", settings)];
  return {
    migrate: words("migrate", "--noinput"),
    status: words("migrate", "--plan"),
    ...(rollbackTo === undefined ? {} : { rollback: words("migrate", "--noinput", ...given("rollbackTo", [...rollbackTo])) }),
    locksItself: false,
  };
}
