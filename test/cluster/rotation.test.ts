import * as assert from "assert";
import { DatabaseCredentialsArgs, PostgresAppArgs } from "../../index";
import { inOrder } from "../support/inOrder";
import { Namespace, sleep, until } from "../support/kubectl";
import { Load, LoadSummary } from "../support/load";
import { getJson, notes, secret } from "../support/notes";
import { Outcome, TestStack } from "../support/stack";

const succeeded = (outcome: Outcome) => {
  assert.ok(outcome.ok, outcome.output);
  return outcome;
};

/** What an operation does in the cluster: a replacement is one change, reading is none, and components only record their arguments. */
const changed = ({ changes }: Outcome) =>
  changes
    .filter((change) => !/^(create-replacement|delete-replaced|read) |pulumi-postgres-app:/.test(change))
    .map((change) => change.replace(/ (kubernetes|random):\S+:(\w+::)/, " $2"))
    .sort();

/** The changes of a rotation, which gives one of the two logins a new password. */
const rotationOf = (slot: "a" | "b") => [
  "replace Job::notes-db-setup",
  `replace RandomPassword::notes-db-password-${slot}`,
  "replace Secret::notes-db-connection",
  "replace Secret::notes-db-logins",
  "replace Secret::notes-db-migration-connection",
  "update StatefulSet::notes",
];

const ADMIN_ROTATION = [
  "replace Job::notes-db-setup",
  "replace RandomPassword::notes-db-admin-password",
  "replace Secret::notes-db-admin",
  "update StatefulSet::notes-db",
];

/** An application in a namespace and a stack of its own, and what is asked about it here. */
class Deployed {
  private constructor(
    readonly namespace: Namespace,
    readonly stack: TestStack,
    private readonly more: Partial<PostgresAppArgs>,
  ) {}

  static async create(purpose: string, more: Partial<PostgresAppArgs> = {}): Promise<Deployed> {
    return new Deployed(await Namespace.create(purpose), await TestStack.create(purpose), more);
  }

  async remove(): Promise<void> {
    await this.stack.remove();
    await this.namespace.delete();
  }

  program(credentials: DatabaseCredentialsArgs, version = "1.0.0") {
    const embedded = { version: 17, storage: "1Gi", parameters: { log_connections: "on" } };
    return notes(this.namespace, version, { database: { embedded, credentials }, ...this.more });
  }

  async up(credentials: DatabaseCredentialsArgs, version?: string): Promise<Outcome> {
    return succeeded(await this.stack.up(this.program(credentials, version)));
  }

  pods = (component: string) => this.namespace.items("pods", "-l", `app.kubernetes.io/component=${component}`);

  /** Which pods and migration Jobs there are, and how often their containers were started again. */
  async running(component: "app" | "database" | "migration"): Promise<string[]> {
    const found = component === "migration" ? await this.namespace.items("jobs", "-l", MIGRATION) : await this.pods(component);
    return found
      .map(({ metadata, status }) => `${metadata.name} ${metadata.uid} ${status.containerStatuses?.[0].restartCount}`)
      .sort();
  }

  async secretName(name: string): Promise<string> {
    const names = (await this.namespace.items("secrets")).map(({ metadata }) => metadata.name as string);
    const found = names.filter((each) => new RegExp(`^notes-db-${name}(-[0-9a-f]{8})?$`).test(each));
    assert.strictEqual(found.length, 1, `one Secret ${name} of ${names}`);
    return found[0];
  }

  async secret(name: string): Promise<Record<string, string>> {
    return secret(this.namespace, await this.secretName(name));
  }

  /** Of all who can log in. */
  async passwords(): Promise<Record<string, string>> {
    return { ...(await this.secret("logins")), admin: (await this.secret("admin")).password };
  }

  /** What a login gets for its SQL: rows, or what the server says against it. */
  async sql(user: string, password: string, statements: string, database = "notes"): Promise<string> {
    const line = `IFS= read -r PGPASSWORD; export PGPASSWORD; exec psql -X -q -A -t -v ON_ERROR_STOP=1 -h 127.0.0.1 -U ${user} -d ${database}`;
    const { code, stdout, stderr } = await this.namespace.exec("notes-db-0", ["sh", "-c", line], {
      input: `${password}\n${statements}\n`,
    });
    return (code === 0 ? stdout : stderr).trim();
  }

  async admin(statements: string): Promise<string> {
    return this.sql("postgres", (await this.secret("admin")).password, statements);
  }

  async current(statements: string): Promise<string> {
    const { user, password } = await this.secret("connection");
    return this.sql(user, password, statements);
  }

  async assertRefused(user: string, password: string, why = /password authentication failed/): Promise<void> {
    assert.match(await this.sql(user, password, "SELECT 1", "postgres"), why);
  }

  async assertWorks(user: string, password: string): Promise<void> {
    assert.strictEqual(await this.sql(user, password, "SELECT count(*) > 0 FROM categories;"), "t");
  }

  ownerOf = (table: string) => this.admin(`SELECT tableowner FROM pg_tables WHERE tablename = '${table}';`);
}

const MIGRATION = "app.kubernetes.io/component=migration";

/** Fails when a text shows one of the values, without showing it once more. */
function assertShowsNone(what: string, text: string, values: string[]): void {
  assert.ok(values.length > 0 && values.every((value) => value.length >= 32), "there are passwords to look for");
  for (const value of values) {
    assert.ok(!text.includes(value), `${what} shows a password`);
    assert.ok(!text.includes(Buffer.from(value).toString("base64")), `${what} shows a password in base64`);
  }
}

/** Logs in again and again and reads, until `stop`, which returns how often it went well and what it was told otherwise. */
async function logInAgainAndAgain(app: Deployed) {
  const { user, password } = await app.secret("connection");
  const line = `IFS= read -r PGPASSWORD; export PGPASSWORD; rm -f /tmp/stop
    well=0; until [ -e /tmp/stop ]; do
      if said=$(psql -X -q -A -t -h 127.0.0.1 -U ${user} -d notes -c 'SELECT count(*) FROM threads' 2>&1)
      then well=$((well + 1)); else echo "$said"; fi
    done; echo "well: $well"`;
  const done = app.namespace.exec("notes-db-0", ["sh", "-c", line], { input: `${password}\n`, seconds: 120 });
  return async () => {
    await app.namespace.exec("notes-db-0", ["touch", "/tmp/stop"]);
    const said = (await done).stdout.trim().split("\n");
    return { well: Number(said.pop()?.replace("well: ", "")), refused: said };
  };
}

const DENIED = /permission denied|must be owner/;

/** Rows of the tables, and nothing that changes the schema. */
async function assertReadsAndWritesRowsOnly(app: Deployed, ...more: { table: string; column: string }[]): Promise<void> {
  const { user, password } = await app.secret("connection");
  for (const { table, column } of [{ table: "categories", column: "position" }, ...more]) {
    const rows = `BEGIN; SELECT count(*) >= 0 FROM ${table}; UPDATE ${table} SET ${column} = ${column}; DELETE FROM ${table} WHERE false;
      SELECT nextval(pg_get_serial_sequence('${table}', 'id')) > 0; ROLLBACK;`;
    assert.strictEqual(await app.sql(user, password, rows), "t\nt", table);
    for (const forbidden of [
      `ALTER TABLE ${table} ADD COLUMN more int`,
      `DROP TABLE ${table}`,
      `TRUNCATE ${table}`,
      `CREATE INDEX ON ${table} (${column})`,
    ])
      assert.match(await app.sql(user, password, `${forbidden};`), DENIED, forbidden);
  }
  const written = await app.sql(
    user,
    password,
    "INSERT INTO users (username) VALUES ('by-hand') ON CONFLICT DO NOTHING; SELECT 1;",
  );
  assert.strictEqual(written, "1");
  for (const forbidden of ["CREATE TABLE made (id int)", "CREATE SCHEMA made", "CREATE SEQUENCE made", "SET ROLE notes"])
    assert.match(await app.sql(user, password, `${forbidden};`), DENIED, forbidden);
}

describe("rotation of the logins", function () {
  this.timeout(300_000);
  inOrder(this);
  let app: Deployed;
  let untouched: string[];
  const databaseAndMigration = async () => [...(await app.running("database")), ...(await app.running("migration"))];

  before(async () => {
    app = await Deployed.create("rotation", { replicas: 2 });
    await app.up({});
    untouched = await databaseAndMigration();
    // As many threads as a list shows, so that one request is worth another from the beginning.
    await app.current(
      "INSERT INTO threads (category_id, title) SELECT (SELECT min(id) FROM categories), 'full' FROM generate_series(1, 100);",
    );
  });
  after(() => app?.remove());

  describe("under load", () => {
    let summary: LoadSummary;
    const outcomes: Outcome[] = [];
    const passwords: Record<string, string>[] = [];

    it("is previewed with all it will change, and no password", async () => {
      passwords.push(await app.passwords());
      const preview = succeeded(await app.stack.preview(app.program({ rotation: 1 })));
      assert.deepStrictEqual(changed(preview), rotationOf("b"));
      for (const name of ["notes-db-password-b", "notes-db-connection", "notes-db-setup"])
        assert.ok(preview.output.includes(name), `the preview names ${name}`);
      assertShowsNone("the preview", preview.output, Object.values(passwords[0]));
    });

    it("fails no request, from before the first rotation until after the second", async () => {
      const load = await Load.start(app.namespace, "before");
      await sleep(10_000);
      for (const rotation of [1, 2]) {
        await load.phase(`rotation ${rotation}`);
        outcomes.push(await app.up({ rotation }));
        await load.phase("after");
        passwords.push(await app.passwords());
        if (rotation === 1) {
          // What pods with the former login would do if they were still there.
          await app.assertWorks("notes_a", passwords[0].a);
          await app.assertWorks("notes_b", passwords[1].b);
          await app.sql("notes_a", passwords[0].a, "CREATE TABLE made_by_a (id int);");
          await app.sql("notes_b", passwords[1].b, "CREATE TABLE made_by_b (id int);");
        }
        await sleep(2000);
      }
      summary = await load.stop();
      console.log(`      ${JSON.stringify(summary.phases)}`);
      assert.deepStrictEqual(summary.failures, {});
      assert.strictEqual(summary.ok, summary.sent);
      assert.ok(
        summary.phases["rotation 1"].sent > 250 && summary.phases["rotation 2"].sent > 250,
        JSON.stringify(summary.phases),
      );
    });

    it("keeps every row that was acknowledged, and no other", async () => {
      assert.ok(summary.acknowledged > 100, `${summary.acknowledged} rows`);
      const rows = await app.current("SELECT count(*), count(DISTINCT title) FROM threads WHERE title LIKE 'load %';");
      assert.strictEqual(rows, `${summary.acknowledged}|${summary.acknowledged}`);
    });

    it("changes one password, the Secrets, the setup Job and the application, nothing else", async () => {
      assert.deepStrictEqual(outcomes.map(changed), [rotationOf("b"), rotationOf("a")]);
      assert.deepStrictEqual(await databaseAndMigration(), untouched);
      const [before, first, second] = passwords;
      assert.ok(before.a === first.a && before.b !== first.b, "the first rotation is b's");
      assert.ok(first.a !== second.a && first.b === second.b, "the second rotation is a's");
      assert.ok(before.admin === second.admin, "the administrator's password stays");
    });

    it("refuses the old password after the second rotation", async () => {
      await app.assertRefused("notes_a", passwords[0].a);
      await app.assertWorks("notes_a", passwords[2].a);
      assert.strictEqual((await app.secret("connection")).user, "notes_a");
    });

    it("refuses, at preview, a number that would change the password of running pods, and not the one before", async () => {
      const { ok, output } = await app.stack.preview(app.program({ rotation: 4 }));
      assert.strictEqual(ok, false, output);
      assert.match(
        output,
        /database\.credentials\.rotation: is 4, and pods run with the login of rotation 2, .* Write 3, and let/,
      );
      const back = succeeded(await app.stack.preview(app.program({ rotation: 1 })));
      assert.ok(changed(back).includes("update StatefulSet::notes"), back.output);
    });

    it("leaves tables that either login has made to the owner", async () => {
      assert.deepStrictEqual([await app.ownerOf("made_by_a"), await app.ownerOf("made_by_b")], ["notes", "notes"]);
    });

    it("shows no password in what it prints, in pods, Jobs and logs", async () => {
      const values = passwords.flatMap((each) => Object.values(each));
      outcomes.forEach(({ output }) => assertShowsNone("up", output, values));
      assertShowsNone("an object", JSON.stringify(await app.namespace.items("pods,jobs,statefulsets,configmaps")), values);
      assertShowsNone("the database's log", await app.namespace.kubectl(["logs", "notes-db-0"]), values);
      assertShowsNone(
        "the setup's log",
        await app.namespace.kubectl(["logs", "-l", "app.kubernetes.io/component=setup"]),
        values,
      );
    });
  });

  describe("a login that is locked", () => {
    it("is out at once, with the sessions that it has, and the application stays", async () => {
      const { b } = await app.passwords();
      const pods = await app.running("app");
      const session = app.sql("notes_b", b, "SELECT pg_sleep(100);");
      await until(
        "a session of the former login",
        20,
        async () => (await app.admin("SELECT count(*) FROM pg_stat_activity WHERE usename = 'notes_b';")) === "1",
      );
      assert.deepStrictEqual(changed(await app.up({ rotation: 2, lockFormerLogin: true })), ["replace Job::notes-db-setup"]);
      assert.match(await session, /terminating connection/);
      await app.assertRefused("notes_b", b, /is not permitted to log in/);
      assert.deepStrictEqual(await app.running("app"), pods);
      assert.ok((await getJson(app.namespace, "/api/threads")).threads.length > 0);
    });
  });

  describe("the administrator's password", () => {
    let old: string;
    let kept: string[];
    const applicationAndMigration = async () => [...(await app.running("app")), ...(await app.running("migration"))];

    it("is previewed as a restart of the database", async () => {
      // Some pools reset their sessions completely. What one then makes is its login's, until the next setup; what follows DISCARD ALL
      // is so on some versions of Postgres only.
      await app.current(
        "DISCARD ALL; CREATE TABLE made_after_discard (id serial); SET ROLE NONE; CREATE TABLE made_by_login (id serial);",
      );
      assert.strictEqual(await app.ownerOf("made_by_login"), "notes_a");
      old = (await app.passwords()).admin;
      kept = await applicationAndMigration();
      const preview = succeeded(await app.stack.preview(app.program({ rotation: 2, adminRotation: 1 })));
      assert.deepStrictEqual(changed(preview), ADMIN_ROTATION);
    });

    it("changes with a restart of the database, and of nothing else", async () => {
      const database = await app.running("database");
      assert.deepStrictEqual(changed(await app.up({ rotation: 2, adminRotation: 1 })), ADMIN_ROTATION);
      assert.notDeepStrictEqual(await app.running("database"), database);
      assert.deepStrictEqual(await applicationAndMigration(), kept);
      await app.assertRefused("postgres", old);
      assert.strictEqual(await app.admin("SELECT current_user;"), "postgres");
      await until("the application with its database", 30, () => getJson(app.namespace, "/ready").then(({ ready }) => ready));
    });

    it("is followed by a setup, which gives the owner what a session made that had reset itself", async () => {
      const owners = [await app.ownerOf("made_by_login"), await app.ownerOf("made_after_discard")];
      assert.deepStrictEqual(owners, ["notes", "notes"]);
    });

    it("is followed by a setup, which lets a login in again that is no longer locked", async () => {
      await app.assertWorks("notes_b", (await app.passwords()).b);
    });
  });

  describe("a migrator of its own, for a database that is there", () => {
    it("takes the application's right to change the schema, and no request meanwhile", async () => {
      // As data from before Postgres 15 has it.
      await app.admin("GRANT CREATE ON SCHEMA public TO PUBLIC;");
      const stop = await logInAgainAndAgain(app);
      const outcome = await app.up({ rotation: 2, adminRotation: 1, separateMigrator: true });
      const { well, refused } = await stop();
      assert.deepStrictEqual([refused, well > 10], [[], true]);
      assert.deepStrictEqual(changed(outcome), [
        "create RandomPassword::notes-db-password-migrator",
        "replace Job::notes-db-setup",
        "replace Secret::notes-db-logins",
        "replace Secret::notes-db-migration-connection",
      ]);
      await assertReadsAndWritesRowsOnly(app, { table: "made_by_login", column: "id" });
    });

    it("makes tables that belong to the owner and that the application reaches", async () => {
      const { user, password } = await app.secret("migration-connection");
      assert.strictEqual(user, "notes_migrator");
      await app.sql(user, password, "CREATE TABLE made_by_migrator (id serial, title text);");
      assert.strictEqual(await app.ownerOf("made_by_migrator"), "notes");
      await assertReadsAndWritesRowsOnly(app, { table: "made_by_migrator", column: "title" });
    });
  });

  describe("destroy, then up on the volume that stayed", () => {
    it("lets the new passwords win, for every login", async () => {
      const old = await app.passwords();
      const { user: migrator } = await app.secret("migration-connection");
      succeeded(await app.stack.destroy());
      await app.up({ rotation: 3 });
      const { user, password } = await app.secret("connection");
      assert.strictEqual(user, "notes_b");
      const now = await app.passwords();
      assert.ok(password === now.b);
      for (const slot of ["a", "b"] as const) {
        await app.assertRefused(`notes_${slot}`, old[slot]);
        await app.assertWorks(`notes_${slot}`, now[slot]);
      }
      await app.assertRefused("postgres", old.admin);
      // The migrator is none any more.
      await app.assertRefused(migrator, old.migrator, /is not permitted to log in|password authentication failed/);
      assert.strictEqual(await app.current("CREATE TABLE made_at_last (id int); DROP TABLE made_at_last; SELECT 1;"), "1");
      assert.ok((await getJson(app.namespace, "/api/threads")).threads.length > 0);
    });
  });
});

describe("a migrator of its own, from the beginning", function () {
  this.timeout(300_000);
  inOrder(this);
  let app: Deployed;

  before(async () => {
    app = await Deployed.create("migrator");
    await app.up({ separateMigrator: true });
  });
  after(() => app?.remove());

  it("migrates with its login", async () => {
    const [job] = await app.namespace.items("jobs", "-l", MIGRATION);
    assert.ok(JSON.stringify(job.spec).includes(await app.secretName("migration-connection")));
    const log = await app.namespace.kubectl(["logs", "notes-db-0"]);
    assert.match(log, /connection authorized: user=notes_migrator database=notes application_name=notes-migrate/);
    assert.doesNotMatch(log, /connection authorized: user=notes_[ab] database=notes application_name=notes-migrate/);
    assert.strictEqual(await app.ownerOf("threads"), "notes");
  });

  it("keeps its Secret from the application's pods", async () => {
    const pods = JSON.stringify(await app.pods("app"));
    assert.ok(pods.includes(await app.secretName("connection")));
    for (const name of ["migration-connection", "logins", "admin"])
      assert.ok(!pods.includes(await app.secretName(name)), `a pod of the application refers to ${name}`);
  });

  it("serves all routes with the application's rights", () => assertServes(app, "1.0.0", 11));

  it("lets the application read and write rows only", () => assertReadsAndWritesRowsOnly(app));

  it("upgrades: what the next migration makes is reached too", async () => {
    const { user, password } = await app.secret("migration-connection");
    await app.sql(
      user,
      password,
      "CREATE TABLE made_later (id serial, title text); CREATE VIEW seen AS SELECT * FROM made_later;",
    );
    await app.up({ separateMigrator: true }, "1.1.0");
    await assertServes(app, "1.1.0", 12);
    await assertReadsAndWritesRowsOnly(app, { table: "threads", column: "pinned" }, { table: "made_later", column: "title" });
    assert.strictEqual(await app.current("SELECT count(*) FROM seen;"), "0");
  });

  it("is switched off again without a refusal meanwhile", async () => {
    const { password } = await app.secret("migration-connection");
    const stop = await logInAgainAndAgain(app);
    await app.up({}, "1.1.0");
    const { well, refused } = await stop();
    assert.deepStrictEqual([refused, well > 10], [[], true]);
    await app.assertRefused("notes_migrator", password, /is not permitted to log in/);
    await app.current("CREATE TABLE made_by_application (id int);");
    assert.strictEqual(await app.ownerOf("made_by_application"), "notes");
    await assertServes(app, "1.1.0", 12);
  });
});

/** Every route of the application answers, written to and read from. */
async function assertServes(app: Deployed, version: string, migrations: number): Promise<void> {
  const script = `
    const assert = require("assert");
    const ask = async (path, status, options) => {
      const answer = await fetch("http://notes" + path, { redirect: "manual", ...options });
      const text = await answer.text();
      assert.strictEqual(answer.status, status, path + ": " + text);
      return { text, to: answer.headers.get("location"), json: () => JSON.parse(text) };
    };
    const sent = (type, body) => ({ method: "POST", headers: { "content-type": type }, body });
    const json = (value) => sent("application/json", JSON.stringify(value));
    const form = (value) => sent("application/x-www-form-urlencoded", new URLSearchParams(value).toString());
    (async () => {
      await ask("/health", 200);
      await ask("/ready", 200);
      const { version, migrations } = (await ask("/api/version", 200)).json();
      assert.deepStrictEqual([version, migrations.length], ["${version}", ${migrations}]);
      assert.ok((await ask("/api/tables", 200)).json().tables.includes("threads"));
      const { id } = (await ask("/api/threads", 201, json({ title: "By JSON", body: "text" }))).json();
      await ask("/api/threads/" + id + "/posts", 201, json({ body: "answer" }));
      assert.strictEqual((await ask("/api/threads/" + id + "/posts", 200)).json().posts.length, 2);
      assert.ok((await ask("/api/threads", 200)).json().threads.length > 0);
      const { to } = await ask("/threads", 303, form({ category: "general", title: "By form", author: "reader", body: "text" }));
      await ask(to + "/posts", 303, form({ author: "reader", body: "another" }));
      assert.match((await ask(to, 200)).text, /another/);
      assert.match((await ask("/", 200)).text, /By form/);
    })().catch((error) => { console.error(error.message); process.exitCode = 1; });`;
  const { code, stdout, stderr } = await app.namespace.exec("notes-0", ["node", "-e", script]);
  assert.strictEqual(code, 0, stdout + stderr);
}
