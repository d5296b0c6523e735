import * as assert from "assert";
import { Namespace, run } from "../support/kubectl";
import { s3Pod, startPods } from "../support/backupServer";
import { failed, MigratedDatabase, onlyMigration, succeeded, TestStack } from "../support/migrations";

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
    assert.deepStrictEqual(succeeded(await stack.up(program)).changes, []);
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

  it("brings it back by itself, if that is asked for", async () => {
    const output = failed(await stack.up(onlyMigration(halfDone({ backup: { claim }, restoreOnFailure: true, rerun: "1" }))));
    assert.match(output, /"sh" failed with exit code 3/);
    assert.match(output, /restored=app-\S+\.dump/);
    assert.strictEqual(await everything(), "notes");
    assert.strictEqual(await notes(), "first,second");
  });

  it("brings it back too when the migration was not verified, or its container was killed", async () => {
    const undone = { backup: { claim }, restoreOnFailure: true };
    const sql = "INSERT INTO notes VALUES ('third')";
    const verify = ["sh", "-c", "echo not as it should be; exit 1"];
    const unverified = failed(await stack.up(onlyMigration(database.psql(sql, { ...undone, verify }))));
    assert.match(unverified, /not as it should be/);
    assert.match(unverified, /restored=app-/);
    assert.strictEqual(await notes(), "first,second");

    const hungry = `require("child_process"); const all = []; for (;;) all.push(Buffer.alloc(1 << 24, 1));`;
    const killed = {
      ...undone,
      image: "docker.io/local/notes:1.0.0",
      runAsUser: 1000,
      resources: { limits: { memory: "100Mi" } },
    };
    const output = failed(await stack.up(onlyMigration(database.command(["node", "-e", hungry], killed))));
    assert.match(output, /OOMKilled|exit code 137/);
    assert.match(output, /restored=app-/);
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
