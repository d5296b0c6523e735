import * as assert from "assert";
import { fingerprint } from "../../components/database/keysJob";
import { applyScripts, BackupServer, startPods } from "../support/backupServer";
import { Namespace, Ran } from "../support/kubectl";

const key = (variable: string, value: string, rotation = 0) => `${variable} ${fingerprint(variable, value)} ${rotation}\n`;

/** The script that compares keys, against the oldest server and psql at hand. */
describe("keys.sh", function () {
  this.timeout(240_000);
  let namespace: Namespace;
  let server: BackupServer;

  // Complaints come in the same stream as the rest.
  const script = async (file: string, database: string, env: Record<string, string>, user = "app"): Promise<Ran> => {
    const all = { PGHOST: "127.0.0.1", PGUSER: user, PGDATABASE: database, CONNECT_TIMEOUT_SECONDS: "30", ...env };
    const variables = Object.entries(all).map(([name, value]) => `${name}='${value}'`);
    const ran = await server.sh(`${variables.join(" ")} sh /scripts/${file}`);
    return { ...ran, stderr: ran.stdout + ran.stderr };
  };
  const compare = (database: string, keys: string, kept = "kept-1", env: Record<string, string> = {}, user?: string) =>
    script("keys.sh", database, { KEYS: keys, APPLICATION: "notes", NAMESPACE: "here", KEPT_SECRET: kept, ...env }, user);
  const record = (database: string) =>
    server.sql("SELECT name, rotation, kept_in FROM postgres_app.keys ORDER BY name", { database });

  before(async () => {
    namespace = await Namespace.create("keys");
    await namespace.apply({
      apiVersion: "v1",
      kind: "PersistentVolumeClaim",
      metadata: { name: "backups", namespace: namespace.name },
      spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
    });
    await applyScripts(namespace);
    server = new BackupServer(namespace, 15);
    await startPods(namespace, server.pod);
    await server.createRoles();
    await server.createDatabase("notes");
  });
  after(() => namespace?.delete());

  it("records what comes first, and takes the same again, as the owner's", async () => {
    const first = await compare("notes", key("A", "one") + key("B_KEY", "two", 3));
    assert.strictEqual(
      first.stdout,
      "A is recorded as a key of this data\nB_KEY is recorded as a key of this data\n",
      first.stderr,
    );
    assert.strictEqual(
      (await compare("notes", key("A", "one"), "kept-2")).stdout,
      "A is the one that the data was written with\n",
    );
    assert.strictEqual(await record("notes"), "A|0|here/kept-2\nB_KEY|3|here/kept-1");
    const owner = "SELECT tableowner FROM pg_tables WHERE schemaname = 'postgres_app'";
    assert.strictEqual(await server.sql(owner, { database: "notes" }), "owner");
  });

  it("refuses another value, and then records nothing at all", async () => {
    for (const rotation of [0, 2, 3]) {
      const { code, stderr } = await compare("notes", key("A", "other", 1) + key("B_KEY", "other", rotation) + key("C", "three"));
      assert.strictEqual(code, 1);
      assert.match(stderr, /^keys: stopped before migration and application, which could not read what is stored\.$/m);
      assert.match(stderr, /^The data was written with another value of B_KEY \(since \d{4}-\d\d-\d\d\)\.$/m);
      assert.match(stderr, /^ {2}kubectl get secret -n here kept-1 -o go-template='{{\.data\.B_KEY \| base64decode}}' \| pulumi config set --secret bKey$/m); // prettier-ignore
      assert.match(stderr, /^ {2}generatedSecrets: { B_KEY: { value: config.getSecret\("bKey"\) } }$/m);
      assert.match(stderr, /^ {2}generatedSecrets: { B_KEY: { rotation: 4 } }$/m);
    }
    assert.strictEqual(await record("notes"), "A|0|here/kept-2\nB_KEY|3|here/kept-1");
  });

  it("takes another value whose rotation is higher, and the former one with any rotation", async () => {
    const rotated = await compare("notes", key("B_KEY", "other", 4), "kept-3");
    assert.strictEqual(rotated.stdout, "B_KEY is another one than before, on purpose (rotation)\n", rotated.stderr);
    assert.strictEqual((await compare("notes", key("B_KEY", "other", 0), "kept-4")).code, 0);
    assert.strictEqual(await record("notes"), "A|0|here/kept-2\nB_KEY|4|here/kept-4");
  });

  describe("with keys in Secrets that were there before", () => {
    const former = (...lines: string[]) => ({ FORMER_KEYS: lines.map((line) => `${line}\n`).join("") });
    const ODD = 'of "two" lines,\n$ and \\ among them\n';

    it("compares their values with those that are generated, and records where each is", async () => {
      await server.createDatabase("former");
      assert.strictEqual((await compare("former", key("A", "one") + key("B_KEY", ODD, 3) + key("C", "three"))).code, 0);
      const env = { ...former("A 0 kept-8", "B_KEY 3 kept-9"), KEY_A: "one", KEY_B_KEY: ODD };
      const { code, stdout, stderr } = await compare("former", key("C", "three"), "kept-10", env);
      assert.strictEqual(code, 0, stderr);
      assert.deepStrictEqual(
        stdout.trim().split("\n"),
        ["A", "B_KEY", "C"].map((name) => `${name} is the one that the data was written with`),
      );
      assert.strictEqual(await record("former"), "A|0|here/kept-8\nB_KEY|3|here/kept-9\nC|0|here/kept-10");
      const other = await compare("former", "", "kept-10", { ...env, KEY_A: "other" });
      assert.match(other.stderr, /^The data was written with another value of A \(since/m);
    });

    it("says which of them is gone, and what to write, before anything is compared", async () => {
      const env = { ...former("A 0 kept-8", "B_KEY 3 kept-9"), KEY_A: "one" };
      const { code, stderr } = await compare("former", "", "kept-10", env);
      assert.strictEqual(code, 1);
      assert.match(stderr, /^The Secret is gone that has the value of B_KEY \(Secret kept-9\), or the value in it\.$/m);
      assert.match(stderr, /^ {2}generatedSecrets: { B_KEY: { value: config\.getSecret\("bKey"\) } }$/m);
      assert.match(stderr, /^ {2}generatedSecrets: { B_KEY: { rotation: 4 } }$/m);
      assert.doesNotMatch(stderr, /is the one that the data was written with/);
    });
  });

  it("fits into what Kubernetes shows of a log, for four keys with long names", async () => {
    const variables = ["ACTIVE_RECORD_ENCRYPTION_PRIMARY_KEY", "ACTIVE_RECORD_ENCRYPTION_SALT", "SECRET_KEY_BASE", "APP_KEY"];
    const kept = "long-name-of-an-application-kept-secrets-0123abcd";
    await server.createDatabase("long");
    const keys = (value: string) => variables.map((variable) => key(variable, value)).join("");
    assert.strictEqual((await compare("long", keys("one"), kept, { NAMESPACE: "long-name-of-a-namespace" })).code, 0);
    const { stderr } = await compare("long", keys("two"), kept, { APPLICATION: "long-name-of-an-application" });
    assert.ok(stderr.replace(/command terminated.*\n/, "").length < 2048, String(stderr.length));
  });

  it("says what to grant where the login may not make the schema, and works in one that was made for it", async () => {
    await server.sql(`CREATE DATABASE theirs; CREATE ROLE "Guest" LOGIN`);
    const { code, stderr } = await compare("theirs", key("A", "one"), "kept", {}, "Guest");
    assert.strictEqual(code, 1);
    const [, grant] = /(CREATE SCHEMA postgres_app AUTHORIZATION "Guest")$/m.exec(stderr) ?? assert.fail(stderr);
    await server.sql(grant, { database: "theirs" });
    assert.strictEqual((await compare("theirs", key("A", "one"), "kept", {}, "Guest")).code, 0);
  });

  it("keeps its record from everybody but the owner, whatever the owner lets others do with its tables", async () => {
    await server.createDatabase("shared");
    await server.sql(
      `CREATE ROLE runtime LOGIN; ALTER DEFAULT PRIVILEGES FOR ROLE owner GRANT ALL ON TABLES TO runtime;
       ALTER DEFAULT PRIVILEGES FOR ROLE owner GRANT ALL ON SCHEMAS TO runtime`,
      { database: "shared" },
    );
    assert.strictEqual((await compare("shared", key("A", "one"))).code, 0);
    const runtime = { database: "shared", user: "runtime" };
    await assert.rejects(server.sql("DELETE FROM postgres_app.keys", runtime), /permission denied for table keys/);
    await assert.rejects(server.sql("CREATE TABLE postgres_app.more ()", runtime), /permission denied for schema postgres_app/);
    // One that has lost them by a grant on everything has them back the next time.
    await server.sql("GRANT ALL ON ALL TABLES IN SCHEMA postgres_app TO runtime", { database: "shared", user: "app" });
    await server.sql("UPDATE postgres_app.keys SET rotation = rotation", runtime);
    assert.strictEqual((await compare("shared", key("A", "one"))).code, 0);
    await assert.rejects(server.sql("DELETE FROM postgres_app.keys", runtime), /permission denied for table keys/);
    assert.strictEqual(await record("shared"), "A|0|here/kept-1");
  });

  it("guards what was restored: its record comes with the backup, in place of that of the empty database", async () => {
    await server.createDatabase("moved");
    assert.strictEqual((await compare("moved", key("B_KEY", "of the new stack"), "kept-new")).code, 0);
    await server.sql("CREATE TABLE written AS SELECT 1 AS id", { database: "notes", user: "app" });
    await server.ok("mkdir -p /claim/keys");
    const where = { FOLDER: "/claim/keys", WHERE: "claim backups", RETENTION_DAYS: "14", TIMEOUT_SECONDS: "60" };
    const backup = await script("backup.sh", "notes", where);
    assert.strictEqual(backup.code, 0, backup.stderr);
    for (const restored of ["moved", "fresh"]) {
      if (restored === "fresh") await server.createDatabase(restored);
      const { code, stderr } = await script("restore.sh", restored, where);
      assert.strictEqual(code, 0, stderr);
      assert.strictEqual(await record(restored), await record("notes"));
      assert.strictEqual(await server.sql("SELECT * FROM written", { database: restored }), "1");
      assert.match((await compare(restored, key("B_KEY", "of the new stack"))).stderr, /kubectl get secret -n here kept-4 /);
      assert.strictEqual((await compare(restored, key("B_KEY", "other"))).code, 0);
    }
  });
});
