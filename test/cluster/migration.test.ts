import * as assert from "assert";
import { Namespace, until } from "../support/kubectl";
import { failed, MigratedDatabase, migrations, NOTES, onlyMigration, succeeded, TestStack } from "../support/migrations";
import { diagnostics } from "../support/stack";

describe("a migration", function () {
  this.timeout(180_000);
  let namespace: Namespace;
  let database: MigratedDatabase;
  let stack: TestStack;
  /** In a stack of its own, beside the other tests: it takes its time. */
  let long: TestStack;
  let progress: Promise<string>;
  const seconds = Number(process.env.LONG ?? 26);

  /** What the guard of a long migration had said when the migration had not come to its end yet. */
  async function followed(): Promise<string> {
    await database.make("long");
    await database.sql("CREATE TABLE big AS SELECT n FROM generate_series(1, 100) AS n", "long");
    await database.sql(
      `CREATE FUNCTION slow(int) RETURNS int IMMUTABLE PARALLEL UNSAFE LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(${(seconds - 11) / 100}); RETURN $1; END'`,
      "long",
    );
    long = await TestStack.create("long");
    const statements = ["SELECT pg_sleep(11) , 'not for the log'", "CREATE INDEX slow_index ON big (slow(n))"];
    const command = ["psql", "-X", "-v", "ON_ERROR_STOP=1", ...statements.flatMap((sql) => ["-c", sql])];
    const up = long.up(
      onlyMigration(database.command(command, { connectionSecretName: "long", timeoutSeconds: seconds + 60 }), "long"),
    );
    const text = await until("progress of an index", seconds + 90, async () => {
      const [job] = await jobs("long");
      const said = job && (await log(job, "guard"));
      return said && /building index/.test(said) && said;
    });
    assert.strictEqual(await database.rows("SELECT count(*) FROM pg_indexes WHERE indexname = 'slow_index'", "long"), "0");
    succeeded(await up);
    return text;
  }

  before(async () => {
    namespace = await Namespace.create("migration");
    database = await MigratedDatabase.start(namespace);
    await database.sql("CREATE TABLE runs (n serial, what text DEFAULT 'run')");
    stack = await TestStack.create("migration");
    progress = followed();
    progress.catch(() => undefined); // its test says so
  });
  after(async () => {
    await Promise.all([stack?.remove(), long?.remove()]);
    await database?.server.stop();
    await namespace?.delete();
  });

  const runs = async (what = "run") => Number(await database.rows(`SELECT count(*) FROM runs WHERE what = '${what}'`));
  const insert = (what: string) => ["psql", "-X", "-v", "ON_ERROR_STOP=1", "-c", `INSERT INTO runs (what) VALUES ('${what}')`];
  const jobs = async (name = "m") =>
    (await namespace.items("jobs", "-l", `app.kubernetes.io/instance=${name},app.kubernetes.io/component=migration`)).map(
      ({ metadata }) => metadata.name,
    );
  const log = (job: string, container = "migrate") => namespace.kubectl(["logs", `job/${job}`, "-c", container]);

  describe("and when it runs", () => {
    const program = (more: object = {}) => onlyMigration(database.command(insert("run"), more));
    let first: string;

    it("runs once, and not again while nothing of it changes", async () => {
      first = succeeded(await stack.up(program())).outputs.jobName;
      const { changes } = succeeded(
        await stack.up(program({ timeoutSeconds: 90, backoffLimit: 2, lock: false, partOf: "shop" })),
      );
      assert.deepStrictEqual(
        changes.filter((change) => /Job/.test(change) && !change.startsWith("update ")),
        [],
      );
      assert.deepStrictEqual([await runs(), await jobs()], [1, [first]]);
    });

    it("would run again with another image, command, variable, data or word", async () => {
      const others = [{ image: "docker.io/library/postgres:16" }, { env: { A: "b" } }, { dataId: "2" }];
      for (const more of others) {
        const { changes } = succeeded(await stack.preview(program(more)));
        assert.ok(changes.includes("create-replacement kubernetes:batch/v1:Job::m"), `${JSON.stringify(more)}: ${changes}`);
      }
    });

    it("keeps the log of the last that succeeded until another one has, and runs again what failed", async () => {
      const failing = onlyMigration(
        database.command([
          "sh",
          "-c",
          `${insert("failed")
            .map((word) => `"${word}"`)
            .join(" ")}; exit 1`,
        ]),
      );
      failed(await stack.up(failing));
      assert.match(await log(first), /done in/);
      assert.match(failed(await stack.up(failing)), /"sh" failed with exit code 1/);
      assert.deepStrictEqual([await runs("failed"), (await jobs()).length], [2, 3]);
      for (const job of await jobs()) assert.match(await log(job), job === first ? /done in/ : /failed with exit code 1/);
      const { jobName } = succeeded(await stack.up(program({ rerun: "fixed" }))).outputs;
      assert.deepStrictEqual([await runs(), await jobs()], [2, [jobName]]);
    });
  });

  it("tries again what may pass, as often as it is told, and nothing else", async () => {
    await database.sql("CREATE TABLE a (n int); CREATE TABLE b (n int)");
    await database.server.sql("CREATE ROLE few LOGIN PASSWORD 'not secret' CONNECTION LIMIT 2");
    const again = { backoffLimit: 2, lock: false };
    const once = (bad: string, good = "true") =>
      database.command(["sh", "-c", `[ ! -e /tmp/tried ] || exec ${good}; touch /tmp/tried; ${bad}`], again);
    const lock = (one: string, two: string) =>
      `psql -Xq -v ON_ERROR_STOP=1 -c 'BEGIN; LOCK ${one}; SELECT pg_sleep(1); LOCK ${two}; COMMIT'`;
    const program = migrations({
      refused: once("psql -X -h 127.0.0.1 -p 1 -c 'SELECT 1'", "psql -X -c 'SELECT 1'"),
      many: once(
        "for each in 1 2 3; do psql -X -U few -c 'SELECT pg_sleep(3)' & all=\"$all $!\"; done; bad=0; for each in $all; do wait $each || bad=1; done; exit $bad",
      ),
      deadlock: once(`${lock("a", "b")} & ${lock("b", "a")}; mine=$?; wait $! && exit $mine`),
      never: database.command(["sh", "-c", "echo try; psql -X -h 127.0.0.1 -p 1 -c 'SELECT 1'"], {
        lock: false,
        backoffLimit: 1,
      }),
      prisma: once("echo 'Error: P1001: Can`t reach'; exit 1"),
      other: database.psql("SELECT wrong", again),
    });
    const said = diagnostics(failed(await stack.up(program, { continueOnError: true })));
    const whole = async (name: string) => log((await jobs(name))[0]);
    assert.match(
      await whole("refused"),
      /Connection refused[^]*failed after \d+ s, connection refused: try 2 of 3 follows in 2 s[^]*done in/,
    );
    assert.match(await whole("many"), /too many connections for role[^]*, too many connections: try 2 of 3[^]*done in/);
    assert.match(await whole("deadlock"), /deadlock detected[^]*, another session was in the way: try 2 of 3[^]*done in/);
    assert.match(await whole("prisma"), /no answer: try 2 of 3[^]*done in/);
    assert.match(await whole("never"), /try 2 of 2 follows[^]*failed with exit code 2/);
    assert.doesNotMatch(await whole("other"), /follows/);
    assert.deepStrictEqual(Object.keys(said).sort(), ["migration-test", "never", "other"]);
  });

  it("is verified, and taken back where that is asked for", async () => {
    await Promise.all(["success", "failure", "verified", "memory", "worse"].map((name) => database.make(name)));
    for (const name of ["success", "failure", "verified", "memory", "worse"])
      await database.sql("CREATE TABLE runs (what text)", name);
    const on = (name: string, command: string[], more: object) =>
      database.command(command, { connectionSecretName: name, rollbackCommand: insert("taken back"), ...more });
    const query = (sql: string) => ["psql", "-X", "-v", "ON_ERROR_STOP=1", "-c", sql];
    const eat = "const all = []; for (;;) all.push(Buffer.alloc(1 << 20, 1));";
    const verified = on("verified", insert("run"), { verify: query("SELECT 1 / count(*) FROM runs WHERE what = 'ready'") });
    const program = migrations({
      success: on("success", insert("run"), { verify: query("SELECT 1") }),
      failure: on("failure", query("SELECT wrong"), {}),
      verified,
      memory: on("memory", ["node", "-e", eat], {
        ...NOTES,
        resources: { requests: { memory: "64Mi" }, limits: { memory: "64Mi" } },
        rollbackCommand: ["node", "-e", "console.log('taken back')"],
      }),
      worse: on("worse", ["sh", "-c", "exit 2"], { rollbackCommand: ["sh", "-c", "echo even worse; exit 5"] }),
    });
    const said = diagnostics(failed(await stack.up(program, { continueOnError: true })));
    const rows = (name: string) => database.rows("SELECT string_agg(what, ', ') FROM runs", name);
    assert.deepStrictEqual(Object.keys(said).sort(), ["failure", "memory", "migration-test", "verified", "worse"]);
    assert.strictEqual(await rows("success"), "run");
    assert.strictEqual(await rows("failure"), "taken back");
    assert.match(said.failure, /failed: "psql" failed with exit code 1, after \d+ s\n +rollbackCommand: done in \d+ s/);
    assert.strictEqual(await rows("verified"), "run, taken back");
    assert.match(said.verified, /failed: the migration is done, but it was not verified: "psql" failed with exit code 1/);
    assert.match(said.verified, /division by zero/);
    assert.match(said.memory, /failed: it took more memory than it may[^\n]*\n +rollbackCommand: done in \d+ s/);
    assert.match(await log((await jobs("memory"))[0], "rollback"), /taken back\nrollback: done/);
    assert.match(
      said.worse,
      /failed: "sh" failed with exit code 2, after \d+ s\n +rollbackCommand: "sh" failed with exit code 5/,
    );
    assert.match(said.worse, /even worse\n/);

    await database.sql("INSERT INTO runs VALUES ('ready')", "verified");
    succeeded(await stack.up(migrations({ verified })));
    assert.strictEqual(await rows("verified"), "run, taken back, ready, run");
  });

  describe("that takes long", () => {
    it("shows in its log how far it is while it runs, and nothing secret", async function () {
      this.timeout((seconds + 120) * 1000);
      assert.match(await progress, /migrating, \d+ s; SELECT pg_sleep\(\d+\) , … for \d+ s\n/);
      assert.match(await progress, /migrating, \d+ s; CREATE INDEX slow_index ON big \(slow\(n\)\) for \d+ s, building index/);
      assert.doesNotMatch(await progress, /not for the log|not secret/);
    });
  });
});
