import * as assert from "assert";
import { Namespace, run, until } from "../support/kubectl";
import { s3Pod, startPods } from "../support/backupServer";
import { failed, MigratedDatabase, NOTES, onlyMigration, succeeded, TestStack } from "../support/migrations";
import { changesNothing } from "../support/stack";

const KEYS = { AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "testtest" };
const claim = { claimName: "backups" };
const HALF = "INSERT INTO notes SELECT 'half done'; ALTER TABLE notes RENAME TO lost; CREATE TABLE left_behind (n int);";

describe("a migration with a backup before it", function () {
  this.timeout(180_000);
  let namespace: Namespace;
  let database: MigratedDatabase;
  let stack: TestStack;
  let backup: string;

  /** psql in a shell, which fails after what it did was committed. */
  const halfDone = (more = {}) => database.command(["sh", "-c", `psql -X -c "${HALF}" && echo broken >&2 && exit 3`], more);
  const notes = () => database.rows("SELECT string_agg(text, ',') FROM notes");
  const everything = () =>
    database.rows("SELECT string_agg(relname, ',' ORDER BY relname) FROM pg_class WHERE relnamespace = 'public'::regnamespace");

  before(async () => {
    namespace = await Namespace.create("gate");
    database = await MigratedDatabase.start(namespace);
    stack = await TestStack.create("gate");
    await namespace.apply(
      {
        apiVersion: "v1",
        kind: "PersistentVolumeClaim",
        metadata: { name: "backups", namespace: namespace.name },
        spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
      },
      { apiVersion: "v1", kind: "Secret", metadata: { name: "s3", namespace: namespace.name }, stringData: KEYS },
    );
    await database.rows("SET ROLE app; CREATE TABLE notes AS SELECT 'first' AS text");
  });
  after(async () => {
    await stack?.remove();
    await database?.server.stop();
    await namespace?.delete();
  });

  it("makes one under the Job's name before it begins, and says where", async () => {
    const program = onlyMigration(database.psql("INSERT INTO notes VALUES ('second')", { backup: { claim } }));
    const { outputs } = succeeded(await stack.up(program));
    assert.strictEqual(outputs.backupName, outputs.jobName);
    const log = await namespace.kubectl(["logs", `job/${outputs.jobName}`, "--container", "guard"]);
    assert.match(log, new RegExp(`^backup=app-\\d{8}T\\d{6}Z\\.${outputs.jobName}\\.dump bytes=\\d+ sha256=`, "m"));
    assert.strictEqual(await notes(), "first,second");
    changesNothing(await stack.up(program));
  });

  it("names it when the migration fails, with the command that brings it back", async () => {
    const output = failed(await stack.up(onlyMigration(halfDone({ backup: { claim } }))));
    assert.match(output, /"sh" failed with exit code 3/);
    assert.match(await everything(), /left_behind,lost/);
    const [, found, command] =
      /the backup from before: (app-\S+\.dump) in claim backups; .*\n\s*(kubectl get configmap .*)\n/.exec(output) ??
      assert.fail(output);
    backup = found;

    const made = await run("sh", ["-c", command]);
    assert.strictEqual(made.code, 0, made.stderr);
    const [, job] = /job.batch\/(\S+) created/.exec(made.stdout) ?? assert.fail(made.stdout);
    await namespace.kubectl(["wait", "--for=condition=complete", `job/${job}`, "--timeout=60s"], { seconds: 70 });
    assert.strictEqual(await everything(), "notes");
    assert.strictEqual(await notes(), "first,second");
    assert.match(await namespace.kubectl(["logs", `job/${job}`]), new RegExp(`restored=${backup}`));
  });

  describe("that is to be brought back by itself", () => {
    const undone = { backup: { claim }, restoreOnFailure: true };
    /** What is said of it, and whether with it the command for doing it by hand. */
    const told = (output: string) => {
      const [, words] = /^ +(restoreOnFailure: .*)$/m.exec(output) ?? assert.fail(output);
      return { words, byHand: /kubectl get configmap/.test(output) };
    };
    let runs = 0;
    /** A command that waits while somebody else writes a row, and does something more. */
    const meanwhile = async (shell: string, more = {}, and = () => {}) => {
      const ours = `run ${(runs += 1)}`;
      const command = `echo ${ours}; sleep 8; ${shell}`;
      const ended = stack.up(onlyMigration(database.command(["sh", "-c", command], { ...undone, ...more })));
      await until("the command to run", 90, async () => {
        const logs = await namespace.kubectl(["logs", "--selector=app.kubernetes.io/component=migration", "--container=migrate"]);
        return logs.split("\n").includes(ours);
      });
      await database.rows("SET ROLE app; INSERT INTO notes VALUES ('meanwhile')");
      and();
      return told(failed(await ended));
    };
    const psql = (sql: string) => `psql -X -v ON_ERROR_STOP=1 -c "${sql}"`;

    // What it writes by itself would be somebody else's work.
    before(() => database.rows("ALTER SYSTEM SET autovacuum = off").then(() => database.rows("SELECT pg_reload_conf()")));
    afterEach(() => database.rows("DELETE FROM notes WHERE text NOT IN ('first', 'second')"));

    it("is, and says so", async () => {
      const output = failed(await stack.up(onlyMigration(halfDone({ ...undone, rerun: "1" }))));
      assert.match(output, /"sh" failed with exit code 3/);
      const { words, byHand } = told(output);
      assert.match(words, /^restoreOnFailure: done: the database is as in app-\S+\.dump, without what was written since$/);
      assert.ok(!byHand, output);
      assert.strictEqual(await everything(), "notes");
      assert.strictEqual(await notes(), "first,second");
    });

    it("is not where nothing was changed, and costs nobody what was written meanwhile", async () => {
      const never = /^restoreOnFailure: not needed, and the database was left alone: the command never connected to anything$/;
      for (const shell of ["exit 3", "psql -X -h 127.0.0.1 -p 1 -c 'SELECT 1'"]) {
        const { words, byHand } = await meanwhile(shell);
        assert.match(words, never);
        assert.ok(!byHand);
      }
      assert.strictEqual(await notes(), "first,second,meanwhile,meanwhile");
      const rolledBack = database.psql("DELETE FROM notes; ALTER TABLE notes RENAME TO lost; SELECT wrong", undone);
      const { words } = told(failed(await stack.up(onlyMigration(rolledBack))));
      assert.match(
        words,
        /not needed, and the database was left alone: no transaction was committed on the server while it ran$/,
      );
      assert.strictEqual(await notes(), "first,second,meanwhile,meanwhile");
    });

    it("is not where it only knocked and others wrote, and the way by hand is said", async () => {
      const refused = "for i in 1 2 3; do PGPASSWORD=wrong psql -X -c 'SELECT 1'; done; exit 3";
      const { words, byHand } = await meanwhile(refused);
      assert.match(words, /^restoreOnFailure: not done: the schema is as it was, and whose rows were written meanwhile/);
      assert.ok(byHand);
      assert.strictEqual(await notes(), "first,second,meanwhile");
    });

    it("is not where the schema cannot be compared", async () => {
      const lock = () => void database.rows("BEGIN; LOCK TABLE notes; SELECT pg_sleep(100)").catch(() => {});
      const { words, byHand } = await meanwhile(`${psql("SELECT 1")}; exit 3`, { timeoutSeconds: 120 }, lock);
      assert.match(
        words,
        /^restoreOnFailure: not done: the schema could not be compared with the backup's \(.*statement timeout\)$/,
      );
      assert.ok(byHand);
      await database.rows("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE relation = 'notes'::regclass AND granted");
      assert.strictEqual(await notes(), "first,second,meanwhile");
    });

    it("is not where nothing of it is seen and others wrote, and the way by hand is said", async () => {
      // Of which a dump with data says more than one without.
      await database.sql("CREATE MATERIALIZED VIEW seen AS SELECT count(*) FROM notes");
      const { words, byHand } = await meanwhile(psql("ALTER TABLE notes RENAME TO lost; SELECT wrong"));
      assert.match(
        words,
        /^restoreOnFailure: not done: the schema is as it was, and whose rows were written meanwhile, .*, is not known$/,
      );
      assert.ok(byHand);
      assert.strictEqual(await notes(), "first,second,meanwhile");
      await database.sql("DROP MATERIALIZED VIEW seen");
    });

    it("is where something of it is seen, whatever others wrote", async () => {
      const slowly = "BEGIN; INSERT INTO notes VALUES ('third'); SELECT pg_sleep(3); COMMIT";
      const shells = [
        `${psql("CREATE TABLE left_behind (n int)")}; exit 3`,
        `${psql(slowly)}; exit 3`,
        `PGAPPNAME=tool ${psql(slowly)}; exit 3`, // known by the pod's address
      ];
      for (const shell of shells) {
        assert.match((await meanwhile(shell)).words, /^restoreOnFailure: done: /);
        assert.strictEqual(await everything(), "notes");
        assert.strictEqual(await notes(), "first,second");
      }
    });

    it("is where the command had succeeded and was not verified, whatever others wrote", async () => {
      const verify = ["sh", "-c", "echo not as it should be; exit 1"];
      assert.match((await meanwhile(psql("INSERT INTO notes VALUES ('third')"), { verify })).words, /^restoreOnFailure: done: /);
      assert.strictEqual(await notes(), "first,second");
    });

    it("is when its container was killed", async () => {
      const hungry = `const { Client } = require("pg");
        const client = new Client({ ssl: { rejectUnauthorized: false } });
        client.connect().then(() => client.query("CREATE TABLE left_behind (n int)")).then(() => {
          for (const all = []; ; ) all.push(Buffer.alloc(1 << 24, 1));
        });`;
      const args = { ...undone, ...NOTES, resources: { limits: { memory: "100Mi" } } };
      const output = failed(await stack.up(onlyMigration(database.command(["node", "-e", hungry], args))));
      assert.match(output, /OOMKilled|exit code 137/);
      assert.match(told(output).words, /^restoreOnFailure: done: /);
      assert.strictEqual(await everything(), "notes");
    });
  });

  it("does not migrate without one", async () => {
    const nowhere = { endpoint: "http://nobody.invalid", bucket: "backups", secretName: "s3" };
    const output = failed(
      await stack.up(onlyMigration(database.psql("INSERT INTO notes VALUES ('third')", { backup: { s3: nowhere } }))),
    );
    assert.match(output, /no backup, no migration/);
    assert.match(output, /cannot be listed, and nothing was uploaded/);
    assert.strictEqual(await notes(), "first,second");
  });

  it("does not migrate where it could not be brought back, and names the argument", async () => {
    const older = database.psql("INSERT INTO notes VALUES ('third')", {
      backup: { claim },
      clientImage: "docker.io/library/postgres:15",
    });
    assert.match(
      failed(await stack.up(onlyMigration(older))),
      /no backup, no migration: .*pg_dump of this image is 15, which refuses a newer server: set clientImage to an image of Postgres 17$/m,
    );
    await database.rows("CREATE TABLE theirs (n int); GRANT SELECT ON theirs TO app");
    const output = failed(
      await stack.up(onlyMigration(database.psql("INSERT INTO notes VALUES ('third')", { backup: { claim } }))),
    );
    assert.match(
      output,
      /no backup, no migration: it could not be brought back, .*\(table theirs belongs to postgres; objects in all: 1\)/,
    );
    await database.rows("DROP TABLE theirs");
    assert.strictEqual(await notes(), "first,second");
  });

  it("keeps it in a bucket, from where it can be brought back", async () => {
    await startPods(namespace, s3Pod(KEYS));
    await namespace.exec("s3", ["mkdir", "/data/backups"]);
    const address = (await namespace.get("pod/s3")).status.podIP;
    const s3 = { endpoint: `http://${address}:9000`, bucket: "backups", secretName: "s3" };
    const output = failed(await stack.up(onlyMigration(halfDone({ backup: { s3 } }))));
    const [, command] =
      /the backup from before: app-\S+\.dump in s3:\/\/backups; .*\n\s*(kubectl get configmap .*)\n/.exec(output) ??
      assert.fail(output);
    const made = await run("sh", ["-c", command]);
    const [, job] = /job.batch\/(\S+) created/.exec(made.stdout) ?? assert.fail(made.stderr);
    await namespace.kubectl(["wait", "--for=condition=complete", `job/${job}`, "--timeout=60s"], { seconds: 70 });
    assert.strictEqual(await notes(), "first,second");
  });

  it("shows no password on the way", async () => {
    const pods = JSON.stringify(await namespace.items("pods"));
    assert.ok(pods.length > 1000);
    for (const place of [pods, JSON.stringify(await namespace.items("configmaps"))]) assert.ok(!place.includes("not secret"));
  });
});
