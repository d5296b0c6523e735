import * as assert from "assert";
import { inOrder } from "../support/inOrder";
import { Namespace } from "../support/kubectl";
import { adminSecret, getJson, notes, postJson, psql, secret, watchVersion } from "../support/notes";
import { changesNothing, Outcome, TestStack } from "../support/stack";

const succeeded = (outcome: Outcome) => {
  assert.ok(outcome.ok, outcome.output);
  return outcome;
};

/** `make nightly` has 100. */
const CYCLES = Number(process.env.CYCLES || 3);

/** The whole life of one application, each test going on from where the one before ended. */
describe("the deploy story", function () {
  this.timeout(300_000);
  inOrder(this);
  let namespace: Namespace;
  let stack: TestStack;
  const pods = () => namespace.items("pods", "-l", "app.kubernetes.io/component=app");
  const podIds = async () => (await pods()).map((pod) => pod.metadata.uid).sort();
  const jobs = () => namespace.items("jobs", "-l", "app.kubernetes.io/component=migration");
  const threads = async () => (await getJson(namespace, "/api/threads")).threads;
  const completedAt = (job: any) => Date.parse(job.status.completionTime);
  const createdAt = (object: any) => Date.parse(object.metadata.creationTimestamp);

  before(async () => {
    namespace = await Namespace.create("story");
    stack = await TestStack.create("story");
  });
  after(async () => {
    await stack?.remove();
    await namespace?.delete();
  });

  describe("first install", () => {
    before(async () => void succeeded(await stack.up(notes(namespace, "1.0.0"))));

    it("completes the migration Job before the first pod of the application is created", async () => {
      const [job] = await jobs();
      assert.ok(job.status.conditions.some((c: any) => c.type === "Complete" && c.status === "True"));
      for (const pod of await pods())
        assert.ok(completedAt(job) <= createdAt(pod), `${job.status.completionTime} ${pod.metadata.creationTimestamp}`);
    });

    it("has applied 11 migrations, and the application answers", async () => {
      const { version, migrations } = await getJson(namespace, "/api/version");
      assert.strictEqual(version, "1.0.0");
      assert.strictEqual(migrations.length, 11);
      const thread = await postJson(namespace, "/api/threads", { title: "Before the upgrade", body: "A row to be found again" });
      assert.ok((await threads()).some((t: any) => t.id === thread.id));
    });

    it("makes a role that owns its database and is nothing more", async () => {
      const { user, password } = await secret(namespace, (await stack.up(notes(namespace, "1.0.0"))).outputs.connectionSecret);
      const sql =
        "SELECT rolsuper, rolcreatedb, rolcreaterole, rolreplication, rolbypassrls, (SELECT datdba = r.oid FROM pg_database WHERE datname = 'notes') FROM pg_roles r WHERE rolname = current_user";
      assert.strictEqual((await psql(namespace, user, password, sql)).stdout.trim(), "f|f|f|f|f|t");
    });
  });

  // In a group of their own: mocha runs the tests of a group before the groups in it.
  describe("with nothing changed", () => {
    it("changes nothing with the same program: neither up nor preview, nor a preview that looks at the cluster first", async () => {
      changesNothing(await stack.up(notes(namespace, "1.0.0")));
      changesNothing(await stack.preview(notes(namespace, "1.0.0")));
      changesNothing(await stack.preview(notes(namespace, "1.0.0"), { refresh: true }));
    });

    it("shows no password anywhere: state, diff, pods, Jobs, ConfigMaps", async () => {
      const names = (await namespace.items("secrets")).map((s) => s.metadata.name);
      const values = (await Promise.all(names.map((name) => secret(namespace, name))))
        .flatMap(({ password, uri, pgpass }) => [password, uri, pgpass])
        .filter(Boolean);
      assert.ok(values.length >= 4, "there are passwords to look for");
      const places = {
        state: await stack.state(),
        "preview of everything anew": (
          await stack.preview(
            notes(namespace, "1.1.0", { env: { A: "b" }, database: { credentials: { rotation: 1, adminRotation: 1 } } }),
          )
        ).output,
        objects: JSON.stringify(await namespace.items("pods,jobs,statefulsets,configmaps,services")),
        logs: await namespace.kubectl(["logs", "notes-db-0"]),
      };
      for (const [place, text] of Object.entries(places)) {
        assert.ok(text.length > 500, `${place} is there`);
        for (const value of values) {
          assert.ok(!text.includes(value), `${place} shows a password`);
          assert.ok(!text.includes(Buffer.from(value).toString("base64")), `${place} shows a password in base64`);
        }
      }
    });

    it("previews an upgrade as the Job's replacement and the StatefulSet's update, nothing else", async () => {
      const { changes } = succeeded(await stack.preview(notes(namespace, "1.1.0")));
      assert.deepStrictEqual(changes.filter((c) => !/replacement|replaced/.test(c)).sort(), [
        "replace kubernetes:batch/v1:Job::notes-migration",
        "replace kubernetes:batch/v1:Job::notes-migration-start",
        "update kubernetes:apps/v1:StatefulSet::notes",
      ]);
    });
  });

  describe("a migration that fails", () => {
    let ids: string[];
    let outcome: Outcome;
    before(async () => {
      ids = await podIds();
      outcome = await stack.up(notes(namespace, "1.1.0-broken"));
    });

    it("fails the deployment with the tool's own last lines", () => {
      assert.strictEqual(outcome.ok, false);
      assert.match(outcome.output, /ERROR: column "\w+" does not exist/);
    });

    it("leaves the old pods untouched and serving, and nothing half-applied", async () => {
      assert.deepStrictEqual(await podIds(), ids);
      const { version, migrations } = await getJson(namespace, "/api/version");
      assert.deepStrictEqual([version, migrations.length], ["1.0.0", 11]);
    });

    it("runs again with the same program, and fails again", async () => {
      const before = (await jobs()).map((job) => job.metadata.name);
      const again = await stack.up(notes(namespace, "1.1.0-broken"));
      assert.strictEqual(again.ok, false);
      assert.match(again.output, /ERROR: column "\w+" does not exist/);
      const fresh = (await jobs()).filter((job) => !before.includes(job.metadata.name));
      assert.strictEqual(fresh.length, 1, "a new Job");
      assert.deepStrictEqual(await podIds(), ids);
    });

    it("is given up with the former program, which replaces no pod", async () => {
      const { changes } = succeeded(await stack.up(notes(namespace, "1.0.0")));
      assert.ok(!changes.some((change) => /StatefulSet|canary/.test(change)), changes.join());
      assert.deepStrictEqual(await podIds(), ids);
    });
  });

  describe("the fix", () => {
    it("upgrades after the fix: the Job completes before any pod of the new version starts, the old one serves until then", async () => {
      const watch = watchVersion(namespace);
      const begun = Date.now();
      const { outputs } = succeeded(await stack.up(notes(namespace, "1.1.0")));
      const seen = await watch.stop();
      const events = await namespace.kubectl(["get", "events", "--sort-by=.lastTimestamp"]);
      const job = await namespace.get(`job/${outputs.migrationJob}`);
      for (const pod of await pods()) {
        assert.strictEqual(pod.spec.containers[0].image, "docker.io/local/notes:1.1.0");
        assert.ok(completedAt(job) <= createdAt(pod), "a pod of the new version is older than the migration's end");
      }
      const until = seen.filter(({ at }) => at > begun && at < completedAt(job));
      assert.ok(until.length > 0, "requests were made while the migration ran");
      const failed = until.filter(({ version }) => version !== "1.0.0");
      assert.ok(failed.length === 0, `not served by the old version: ${JSON.stringify(failed)} of ${until.length}\n${events}`);
      const { version, migrations } = await getJson(namespace, "/api/version");
      assert.deepStrictEqual([version, migrations.length], ["1.1.0", 12]);
      assert.ok((await threads()).some((thread: any) => thread.title === "Before the upgrade"));
      assert.strictEqual((await jobs()).length, 1, "the failed Jobs are gone");
    });
  });

  describe("destroy, then up on the volume that stayed", () => {
    for (let cycle = 1; cycle <= CYCLES; cycle++) {
      it(`lets the Secret win, time ${cycle} of ${CYCLES}`, async () => {
        const [{ metadata }] = (await namespace.items("secrets")).filter((s) => /^notes-db-connection-/.test(s.metadata.name));
        const oldLogin = await secret(namespace, metadata.name);
        const oldAdmin = await adminSecret(namespace);
        await postJson(namespace, "/api/threads", { title: `Written before cycle ${cycle}`, body: "A row to be found again" });
        const claim = (await namespace.get("pvc/data-notes-db-0")).metadata.uid;

        succeeded(await stack.destroy());
        assert.deepStrictEqual(await namespace.items("secrets,pods,statefulsets,jobs"), [], "all but the volume is gone");

        const { outputs } = succeeded(await stack.up(notes(namespace, "1.1.0")));
        const login = await secret(namespace, outputs.connectionSecret);
        const admin = await adminSecret(namespace);
        assert.strictEqual((await namespace.get("pvc/data-notes-db-0")).metadata.uid, claim, "the same volume");
        assert.notStrictEqual(login.password, oldLogin.password);
        assert.notStrictEqual(admin.password, oldAdmin.password);
        // In the database, because the application lists no more than a page of them.
        const sql = "SELECT count(*) FROM threads WHERE title LIKE 'Written before cycle %' OR title = 'Before the upgrade'";
        assert.strictEqual((await psql(namespace, login.user, login.password, sql)).stdout.trim(), String(cycle + 1));
        assert.match((await psql(namespace, login.user, oldLogin.password, "SELECT 1")).stderr, /password authentication failed/);
        assert.match((await psql(namespace, "postgres", oldAdmin.password, "SELECT 1")).stderr, /password authentication failed/);
        assert.strictEqual((await psql(namespace, "postgres", admin.password, "SELECT 1")).stdout.trim(), "1");
      });
    }
  });
});
