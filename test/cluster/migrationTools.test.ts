import * as assert from "assert";
import { alembic, django, drizzle, golangMigrate, goose, knex, MigrationTool, prisma, sequelize, typeorm } from "../../index";
import { until } from "../support/kubectl";
import { installTools, ToolPlace, toolPlace } from "../support/migrationTools";
import { ahead } from "../support/ahead";
import { leftBehind } from "../support/leftBehind";
import { OutsidePostgres, startPostgres } from "../support/outsidePostgres";

/** Migrations of test/fixtures/tools: the first makes a table, the second waits at a gate, writes a row and adds a column. */
const GATE = 4711;

interface Case {
  tool: MigrationTool;
  /** What the status names as pending. */
  pending?: RegExp;
  /** What the status exits with when something is pending, where that is not 0. */
  exitCodeOfPending?: number;
  /** Takes the note of the second migration away, where the tool itself cannot take it back. */
  forget?: string;
  /** What a run that is killed leaves in the database so that no other one begins, and the command that releases it. */
  left?: { sql: string; release: string[] };
  /** Whether the release before fails on the database of the newer one, whose files it does not have. */
  refusesToGoBack?: boolean;
  /** Two runs at once: how many began the migration, how often it is in the database, and how many of the two failed. */
  twoAtOnce: { began: number; rows: number; failed: number };
}

const twice = { began: 2, rows: 2, failed: 0 };
const waits = { began: 1, rows: 1, failed: 0 };

const cases: Record<string, Case> = {
  sequelize: {
    tool: sequelize({ config: "sequelize/config.js", migrationsPath: "sequelize/migrations", env: "production" }),
    pending: /^down (.+)$/gm,
    twoAtOnce: { ...twice, failed: 1 }, // at the note of it, which is after it and not in its transaction
  },
  prisma: {
    tool: prisma({ config: "prisma/prisma.config.js" }),
    pending: /^(\d{14}_\w+)$/gm,
    exitCodeOfPending: 1,
    forget: `DELETE FROM _prisma_migrations WHERE migration_name LIKE '%_body'`,
    left: {
      sql: "UPDATE _prisma_migrations SET finished_at = NULL WHERE migration_name LIKE '%_body'",
      release: ["node_modules/.bin/prisma", "migrate", "resolve", "--config", "prisma/prisma.config.js", "--applied"],
    },
    twoAtOnce: waits,
  },
  knex: {
    tool: knex({ knexfile: "knex/knexfile.js", env: "production" }),
    refusesToGoBack: true,
    pending: /(?<=Pending Migration file[^]*)^(\d{14}_\w+\.js)$/gm,
    left: {
      sql: "UPDATE knex_migrations_lock SET is_locked = 1",
      release: ["node_modules/.bin/knex", "migrate:unlock", "--knexfile", "knex/knexfile.js", "--env", "production"],
    },
    twoAtOnce: waits,
  },
  typeorm: {
    tool: typeorm({ dataSource: "typeorm/dataSource.js" }),
    pending: /^\[ \] (.+)$/gm,
    twoAtOnce: twice,
  },
  drizzle: {
    tool: drizzle({ config: "drizzle/drizzle.config.js" }),
    forget: `DELETE FROM drizzle.__drizzle_migrations WHERE created_at = 1767225600002`,
    twoAtOnce: twice,
  },
  alembic: {
    tool: alembic({ config: "alembic/alembic.ini" }),
    refusesToGoBack: true,
    pending: /-> (\w+)(?: \(head\))?, *$/gm,
    twoAtOnce: { began: 2, rows: 1, failed: 1 }, // one transaction with the note of it, which the second finds changed
  },
  django: {
    tool: django({ program: ["python", "django/manage.py"], rollbackTo: ["notes", "0001"] }),
    pending: /^(notes\.\w+)$/gm,
    twoAtOnce: twice,
  },
  goose: {
    tool: goose({ dir: "goose" }),
    pending: /Pending +-- (.+)$/gm,
    twoAtOnce: twice,
  },
  golangMigrate: {
    tool: golangMigrate({ path: "golang-migrate" }),
    refusesToGoBack: true,
    left: {
      sql: "UPDATE schema_migrations SET dirty = true",
      release: ["migrate", "-path", "golang-migrate", "-database", "$(DATABASE_URL)", "force", "2"],
    },
    twoAtOnce: waits,
  },
};

describe("the migration tools' commands, run by the tools themselves", function () {
  this.timeout(120_000);
  let installed: string;
  let postgres: OutsidePostgres;

  before(async function () {
    this.timeout(480_000); // the first time everything is fetched, and goose compiled
    installed = await installTools();
    postgres = await startPostgres(17);
  });
  after(() => postgres?.stop());

  for (const [name, each] of Object.entries(cases)) {
    const { tool, pending, exitCodeOfPending = 0, forget, left, refusesToGoBack = false, twoAtOnce } = each;
    describe(name, () => {
      let place: ToolPlace;
      let sql: (text: string) => Promise<string>;
      before(async () => {
        place = await toolPlace(postgres, installed, `tool_${name.toLowerCase()}`);
        sql = (text) => postgres.sql(text, place.database);
      });
      after(() => place?.remove());

      const command = async (words: string[], exitCode = 0) => {
        const { code, stdout, stderr } = await place.run(words);
        assert.strictEqual(code, exitCode, `${words.join(" ")}\n${stdout}${stderr}`);
        for (const form of [place.password, encodeURIComponent(place.password)])
          assert.ok(!`${stdout}${stderr}`.includes(form), `${words.join(" ")} prints the password`);
        return `${stdout}${stderr}`;
      };
      const columns = () =>
        sql(`SELECT string_agg(column_name, ' ' ORDER BY ordinal_position) FROM information_schema.columns
          WHERE table_schema = 'public' AND table_name = 'notes'`);
      const rows = async () => Number(await sql("SELECT count(*) FROM notes"));
      /** Nothing to see where the tool has no status. */
      const saysPending = async (count: number) => {
        if (!tool.status || !pending) return;
        const said = await command(tool.status, count ? exitCodeOfPending : 0);
        assert.strictEqual([...said.matchAll(pending)].length, count, said);
      };
      const takeBack = async () => {
        if (tool.rollback) await command(tool.rollback);
        else await sql(`${forget}; TRUNCATE notes; ALTER TABLE notes DROP COLUMN body`);
      };

      it("say what is pending, migrate, and take the last one back", async () => {
        await saysPending(2);
        assert.strictEqual(await columns(), "", "the status changed the schema");
        await command(tool.migrate);
        assert.deepStrictEqual([await columns(), await rows()], ["title body", 1]);
        await saysPending(0);
        await command(tool.migrate);
        assert.strictEqual(await rows(), 1, "a second run migrated again");
        await takeBack();
        assert.deepStrictEqual([await columns(), await rows()], ["title", 0]);
        await saysPending(1);
      });

      it(`${refusesToGoBack ? "refuse" : "let pass"} the release before on the database of a newer one`, async () => {
        const former = await toolPlace(postgres, installed, `back_${name.toLowerCase()}`);
        try {
          const { code: newer, stdout } = await former.run(tool.migrate);
          assert.strictEqual(newer, 0, stdout);
          await former.withoutNewest();
          const ran = await former.run(tool.migrate);
          const said = ran.stdout + ran.stderr;
          assert.strictEqual(ran.code !== 0, refusesToGoBack, said);
          assert.strictEqual(/set migration\.goBackTo to its image$/.test(ahead(said)), refusesToGoBack, said);
          const query =
            "SELECT string_agg(column_name, ' ' ORDER BY ordinal_position) FROM information_schema.columns WHERE table_name = 'notes'";
          assert.strictEqual(await postgres.sql(query, former.database), "title body");
        } finally {
          await former.remove();
        }
      });

      it(`lock ${tool.locksItself ? "" : "nothing "}when two run at once`, async () => {
        const open = await closedGate(sql);
        let ended = 0;
        const migrate = () => place.run(tool.migrate).finally(() => ended++);
        const runs = [migrate()];
        await until("the first run to be in the migration", 12, async () => (await waiting(sql, "gate")) === 1);
        runs.push(migrate());
        const settled = async () => ended > 0 || (await waiting(sql, "anything")) === 2;
        await until("the second run to be in the migration, to wait for a lock or to end", 14, settled);
        const began = await waiting(sql, "gate");
        await open();
        const said = await Promise.all(runs);
        const seen = { began, rows: await rows(), failed: said.filter(({ code }) => code !== 0).length };
        assert.deepStrictEqual(seen, twoAtOnce, said.map(({ stdout, stderr }) => stdout + stderr).join("\n"));
        assert.strictEqual(tool.locksItself, began === 1);
        assert.strictEqual(await columns(), "title body");
      });

      if (left)
        it("say what a killed run left, in words that the failure's text knows, and release it", async () => {
          await sql(left.sql);
          const { code, stdout, stderr } = await place.run(tool.migrate);
          assert.notStrictEqual(code, 0, stdout + stderr);
          assert.match(leftBehind(stdout + stderr), / (own lock|notes a) /);
          const named =
            name === "prisma" ? await sql("SELECT migration_name FROM _prisma_migrations ORDER BY 1 DESC LIMIT 1") : "";
          await command([...left.release, ...(named ? [named] : [])]);
          await command(tool.migrate);
        });
    });
  }
});

/** How many sessions of the database wait for a lock: for the gate's, or for any. */
const waiting = async (sql: (text: string) => Promise<string>, what: "gate" | "anything") =>
  Number(
    await sql(`SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted ${what === "gate" ? `AND objid = ${GATE}` : ""}
      AND pid IN (SELECT pid FROM pg_stat_activity WHERE datname = current_database())`),
  );

/** Holds the lock that the second migration waits for; gives what opens the gate. */
async function closedGate(sql: (text: string) => Promise<string>): Promise<() => Promise<void>> {
  const holder = `pid FROM pg_locks WHERE granted AND locktype = 'advisory' AND objid = ${GATE}`;
  const held = sql(`SELECT pg_advisory_lock(${GATE}), pg_sleep(28)`).catch(() => undefined); // longer than the waits above; ended below
  await until("the gate to be closed", 10, () => sql(`SELECT ${holder}`));
  return async () => {
    await sql(`SELECT pg_terminate_backend(holder) FROM (SELECT ${holder} AND mode = 'ExclusiveLock') AS gate (holder)`);
    await held;
  };
}
