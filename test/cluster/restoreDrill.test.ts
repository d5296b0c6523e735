import * as assert from "assert";
import { PostgresAppArgs } from "../../index";
import { inOrder } from "../support/inOrder";
import { Namespace } from "../support/kubectl";
import { adminSecret, getJson, notes, postJson, psql } from "../support/notes";
import { Outcome, TestStack } from "../support/stack";

const succeeded = (outcome: Outcome) => {
  assert.ok(outcome.ok, outcome.output);
  return outcome;
};

const claim = { claimName: "backups", subPath: "notes" };
const embedded = { version: 17, storage: "1Gi" };

/** From a backup to the same application in a database of its own, after everything else is gone. */
describe("a restore drill", function () {
  this.timeout(300_000);
  inOrder(this);
  let namespace: Namespace;
  let stack: TestStack;
  let backup: string;
  let sums: string;

  const up = (more: Partial<PostgresAppArgs> = {}) => stack.up(notes(namespace, "1.0.0", more));
  /** Every table with its number of rows and a checksum of them. */
  const checksums = async () => {
    const { password } = await adminSecret(namespace);
    const one = "SELECT count(*) || ' ' || coalesce(md5(string_agg(t::text, '|' ORDER BY t::text)), '-') FROM";
    const tables = (
      await psql(namespace, "postgres", password, "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
    ).stdout
      .trim()
      .split("\n");
    const lines = [];
    for (const table of tables)
      lines.push(`${table} ${(await psql(namespace, "postgres", password, `${one} \\"${table}\\" t`)).stdout.trim()}`);
    return lines.join("\n");
  };

  before(async () => {
    namespace = await Namespace.create("drill");
    stack = await TestStack.create("drill");
    await namespace.apply({
      apiVersion: "v1",
      kind: "PersistentVolumeClaim",
      metadata: { name: "backups", namespace: namespace.name },
      spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
    });
    const stringData = { AWS_ACCESS_KEY_ID: "any", AWS_SECRET_ACCESS_KEY: "any" };
    await namespace.apply({
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "keys", namespace: namespace.name },
      stringData,
    });
  });
  after(async () => {
    await stack?.remove();
    await namespace?.delete();
  });

  it("is told at the first deployment that backups could not be written, and by which argument", async () => {
    const s3 = { endpoint: "http://nowhere.invalid:9000", bucket: "backups", secretName: "keys" };
    const { ok, output } = await up({
      database: { embedded, backups: { schedule: "0 0 1 1 *", destination: { s3 } }, onDelete: "delete" },
    });
    assert.ok(!ok, output);
    assert.match(
      output,
      /upload: nothing can be written to s3:\/\/backups, so no backup could be: .* the Secret of database\.backups\.destination\.s3/,
    );
  });

  it("backs up what the application has written, by the schedule's own Job", async () => {
    const backups = { schedule: "0 0 1 1 *", destination: { claim } };
    succeeded(await up({ database: { embedded, backups, onDelete: "delete" } }));
    for (let n = 1; n <= 20; n++)
      await postJson(namespace, "/api/threads", { title: `thread ${n} — “ünïcode”`, body: "x".repeat(n * 100) });
    sums = await checksums();
    assert.match(sums, /^threads 20 /m, sums);
    await namespace.kubectl(["create", "job", "--from=cronjob/notes-db-backup", "now"]);
    await namespace.kubectl(["wait", "--for=condition=complete", "job/now", "--timeout=120s"], { seconds: 130 });
    const log = await namespace.kubectl(["logs", "job/now"]);
    [, backup] = /^backup=(\S+) bytes=\d+ sha256=[0-9a-f]{64} seconds=\d+$/m.exec(log) ?? assert.fail(log);
  });

  it("loses the database, volume and all, because onDelete says so", async () => {
    succeeded(await stack.destroy());
    const claims = async () => (await namespace.items("pvc")).map((found) => found.metadata.name);
    const begun = Date.now();
    while ((await claims()).includes("data-notes-db-0")) {
      assert.ok(Date.now() - begun < 60_000, "waited 60 s for the claim to be deleted");
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
    assert.deepStrictEqual(await claims(), ["backups"]);
  });

  it("comes up from the backup with every row, before the migration, and the application goes on", async () => {
    const database = { embedded, restoreFrom: { claim, backup } };
    succeeded(await up({ database }));
    assert.strictEqual(await checksums(), sums);
    const { threads } = await getJson(namespace, "/api/threads");
    assert.strictEqual(threads.length, 20);
    await postJson(namespace, "/api/threads", { title: "after the restore", body: "written by the new login" });
    assert.deepStrictEqual(succeeded(await up({ database })).changes, [], "restoreFrom may stay in the program");
  });
});
