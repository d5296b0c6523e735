import * as assert from "assert";
import { PostgresDatabase } from "../../index";
import { Namespace } from "../support/kubectl";
import { failed, MigratedDatabase, migrations, TestStack } from "../support/migrations";
import { inSessionMode, POOLER_PORT, startPgBouncer } from "../support/pgbouncer";
import { diagnostics } from "../support/stack";

describe("a database behind a pooler (PgBouncer), without directHost", function () {
  this.timeout(180_000);
  let namespace: Namespace;
  let database: MigratedDatabase;
  let stack: TestStack;
  let host: string;

  before(async () => {
    namespace = await Namespace.create("pooler");
    database = await MigratedDatabase.start(namespace);
    await database.server.sql("CREATE ROLE boss LOGIN CREATEROLE CREATEDB PASSWORD 'not secret'");
    host = await startPgBouncer(namespace, database.server, { app: "not secret", boss: "not secret" }, ["app"]);
    const secret = (name: string, dbname: string) => ({
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name, namespace: namespace.name },
      stringData: {
        ...{ host, port: String(POOLER_PORT.strict), dbname },
        ...{ user: "app", password: "not secret", sslmode: "disable" },
      },
    });
    await namespace.apply(secret("transactions", "app"), secret("sessions", inSessionMode("app")));
    stack = await TestStack.create("pooler");
  });
  after(async () => {
    await stack?.remove();
    await database?.server.stop();
    await namespace?.delete();
  });

  it("migrates nothing under a lock that would not hold, nor dumps, and says which argument leads past it", async () => {
    const one = (connectionSecretName: string, table: string, more: object = {}) =>
      database.psql(`CREATE TABLE ${table} ()`, { connectionSecretName, ...more });
    const program = migrations({
      locked: one("transactions", "locked"),
      free: one("transactions", "free", { lock: false }),
      rehearsed: one("transactions", "rehearsed", { lock: false, rehearsal: {} }),
      kept: one("sessions", "kept"),
    });
    const said = diagnostics(failed(await stack.up(program, { continueOnError: true })));
    const advice =
      "give the host of the server itself in database\\.external\\.directHost \\(for a MigrationJob by itself: in the Secret of connectionSecretName\\)";
    assert.match(
      said.locked,
      new RegExp(
        `the migration failed: the connection goes through a pooler in transaction mode, behind which no lock holds: ${advice}\\. Where there is no way past it, set lock to false; then nothing keeps two runs apart`,
      ),
    );
    const refused = Object.values(said).find((each) => each.includes("nothing was migrated")) ?? "";
    assert.match(
      refused,
      new RegExp(`the connection goes through a pooler in transaction mode, which keeps no session: ${advice}`),
    );
    assert.strictEqual(
      await database.rows("SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_class WHERE relowner = 'app'::regrole"),
      "free kept",
    );
    assert.strictEqual(await database.rows("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"), "0");
  });

  it("makes no role with an administrator's session that is not kept, and says so", async () => {
    const external = (port: number) => ({
      host,
      port,
      admin: { user: "boss", password: "not secret" },
      tls: { mode: "disable" as const },
    });
    const output = failed(
      await stack.up(
        async () => {
          for (const [name, port] of Object.entries(POOLER_PORT))
            new PostgresDatabase(name, { namespace: namespace.name, databaseName: name, user: name, external: external(port) });
        },
        { continueOnError: true },
      ),
    );
    const who = (port: number) => `\\(boss at ${host.replace(/\./g, "\\.")}:${port}\\)`;
    const advice =
      "setup, migrations and backups need sessions of their own: give the host of the server itself in external\\.directHost";
    assert.match(output, new RegExp(`a pooler ${who(POOLER_PORT.strict)}: ${advice}`));
    assert.match(output, /unsupported startup parameter/);
    assert.match(output, new RegExp(`a pooler in transaction mode ${who(POOLER_PORT.lenient)}: ${advice}`));
    assert.strictEqual(await database.rows("SELECT count(*) FROM pg_roles WHERE rolname ~ '^(strict|lenient)'"), "0");
  });
});
