import * as assert from "assert";
import { MigrationJob, MigrationJobArgs } from "../../index";
import { Namespace } from "./kubectl";
import { image } from "./notes";
import { OutsidePostgres, startOutsidePostgres } from "./outsidePostgres";
import { Outcome, TestStack } from "./stack";

const PARTS = ["host", "port", "dbname", "user", "password", "sslmode"];

/** An image with Node.js, and without Postgres' programs. */
export const NOTES = { image: image("1.0.0"), runAsUser: undefined };

/** A database outside of the stacks under test, and migrations of it whose commands are psql's. */
export class MigratedDatabase {
  private constructor(
    readonly namespace: Namespace,
    readonly server: OutsidePostgres,
  ) {}

  static async start(namespace: Namespace): Promise<MigratedDatabase> {
    const server = await startOutsidePostgres(namespace, 17);
    await server.sql("CREATE ROLE app LOGIN PASSWORD 'not secret'");
    const database = new MigratedDatabase(namespace, server);
    await database.make("app");
    return database;
  }

  /** One more database, and a Secret of its name for logging in. */
  async make(name: string): Promise<void> {
    await this.server.sql(`CREATE DATABASE ${name} OWNER app`);
    await this.server.sql("ALTER SCHEMA public OWNER TO app", name);
    const stringData = {
      ...{ host: this.server.host, port: String(this.server.port), dbname: name },
      ...{ user: "app", password: "not secret", sslmode: "require" },
    };
    await this.namespace.apply({
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name, namespace: this.namespace.name },
      stringData,
    });
  }

  /** Arguments of a migration with a statement, or more. */
  psql(sql: string, more: Partial<MigrationJobArgs> = {}): MigrationJobArgs {
    return this.command(["psql", "-X", "-v", "ON_ERROR_STOP=1", "-c", sql], more);
  }

  command(command: string[], more: Partial<MigrationJobArgs> = {}): MigrationJobArgs {
    return {
      command,
      image: "docker.io/library/postgres:17",
      runAsUser: 999,
      namespace: this.namespace.name,
      connectionSecretName: "app",
      connectionKeys: this.keysWithout(),
      connectionEnv: {
        ...{ PGHOST: "host", PGPORT: "port", PGDATABASE: "dbname", PGUSER: "user", PGPASSWORD: "password", PGSSLMODE: "sslmode" },
      },
      timeoutSeconds: 60,
      ...more,
    };
  }

  /** Names of the keys of the Secret, by themselves. */
  keysWithout(...left: string[]): Record<string, string> {
    return Object.fromEntries(PARTS.filter((part) => !left.includes(part)).map((part) => [part, part]));
  }

  /** Statements of the migration's own role. */
  async sql(sql: string, name = "app"): Promise<void> {
    await this.server.sql(`SET ROLE app; ${sql}`, name);
  }

  /** All rows of a query as text. */
  rows(sql: string, name = "app"): Promise<string> {
    return this.server.sql(sql, name);
  }
}

/** The program of a stack that has nothing but a migration. */
export const onlyMigration = (args: MigrationJobArgs, name = "m") => {
  return async () => {
    const { jobName, backupName } = new MigrationJob(name, args);
    return { jobName, backupName };
  };
};

/** The program of a stack that has several, which do not depend on each other. */
export const migrations = (all: Record<string, MigrationJobArgs>) => async () =>
  Object.fromEntries(Object.entries(all).map(([name, args]) => [name, new MigrationJob(name, args).jobName]));

export function succeeded(outcome: Outcome): Outcome {
  assert.ok(outcome.ok, outcome.output);
  return outcome;
}

export function failed(outcome: Outcome): string {
  assert.ok(!outcome.ok, outcome.output);
  return outcome.output;
}

export { TestStack };
