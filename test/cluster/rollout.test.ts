import * as assert from "assert";
import { PostgresAppArgs } from "../../index";
import { inOrder } from "../support/inOrder";
import { Namespace } from "../support/kubectl";
import { Load } from "../support/load";
import { failed, succeeded } from "../support/migrations";
import { getJson, notes, watchVersion } from "../support/notes";
import { TestStack } from "../support/stack";

/** A line of JavaScript in the application's image. */
const node = (script: string) => ["node", "-e", script];
const answers = (version: string) =>
  node(
    `fetch("http://localhost:3000/api/version").then((r) => r.json()).then(({ version }) => {
      console.log("the canary is " + version);
      process.exit(version === "${version}" ? 0 : 4);
    })`,
  );
const sql = (statement: string) =>
  node(
    `const { sequelize } = require("./db"); sequelize.query("${statement}").then(([rows]) => console.log(JSON.stringify(rows))).finally(() => sequelize.close())`,
  );
/** What the former version needs of the column that the new one brings: it does not write it. */
const contract = sql("ALTER TABLE threads ALTER COLUMN pinned DROP DEFAULT");

describe("a rollout", function () {
  this.timeout(180_000);
  inOrder(this);
  let namespace: Namespace;
  let stack: TestStack;
  let ids: string[];
  const app = (version: string, more: Partial<PostgresAppArgs> = {}) =>
    notes(namespace, version, { command: ["node", "server.js"], replicas: 2, rollout: { canary: {} }, ...more });
  const pods = () => namespace.items("pods", "-l", "app.kubernetes.io/component=app");
  const podIds = async () => (await pods()).map((pod) => pod.metadata.uid).sort();
  const completedAt = (job: any) => Date.parse(job.status.completionTime);

  before(async () => {
    namespace = await Namespace.create("rollout");
    stack = await TestStack.create("rollout");
    succeeded(await stack.up(app("1.0.0")));
    ids = await podIds();
  });
  after(async () => {
    await stack?.remove();
    await namespace?.delete();
  });

  describe("with a canary", () => {
    it("starts it after the migration and before the first pod, and gives it no requests", async () => {
      const [job] = await namespace.items("jobs", "-l", "app.kubernetes.io/component=canary");
      const [migration] = await namespace.items(
        "jobs",
        "-l",
        "app.kubernetes.io/instance=notes-migration,app.kubernetes.io/component=migration",
      );
      const created = (await pods()).map((pod) => Date.parse(pod.metadata.creationTimestamp));
      assert.ok(completedAt(migration) <= Date.parse(job.metadata.creationTimestamp), "after the migration");
      assert.ok(
        created.every((at) => completedAt(job) <= at),
        "before the pods",
      );
      const slices = await namespace.items("endpointslices");
      const addressed = slices.flatMap(({ endpoints }) => (endpoints ?? []).map((e: any) => e.targetRef?.name));
      assert.ok(addressed.length > 0);
      assert.ok(!addressed.some((name) => /canary/.test(name)), addressed.join());
    });

    const untouched = async () => {
      assert.deepStrictEqual(await podIds(), ids, "pods were replaced");
      assert.strictEqual((await getJson(namespace, "/api/version")).version, "1.0.0");
    };

    it("stops at one that crashes, at once and with its last words; the running version is not touched", async () => {
      const begun = Date.now();
      const output = failed(await stack.up(app("1.0.0", { command: node("console.error('no such setting'); process.exit(3)") })));
      assert.match(output, /no such setting/);
      assert.match(output, /canary: "node" ended with exit code 3; the running version was not touched/);
      assert.match(output, /kubectl logs --namespace \S+ notes-canary-\S+ --container app/);
      assert.ok(Date.now() - begun < 60_000, `${Date.now() - begun} ms`);
      await untouched();
    });

    it("stops at one that does not get ready in time", async () => {
      const canary = { timeoutSeconds: 15 };
      const output = failed(
        await stack.up(
          app("1.0.0", { command: node("console.log('thinking'); setInterval(() => 0, 1000)"), rollout: { canary } }),
        ),
      );
      assert.match(output, /thinking/);
      assert.match(output, /canary: it was not ready after 15 s, rollout.canary.timeoutSeconds/);
      await untouched();
    });

    it("stops at a check that fails", async () => {
      const output = failed(await stack.up(app("1.0.0", { rollout: { canary: { command: answers("9.9.9") } } })));
      assert.match(output, /the canary is 1\.0\.0/);
      assert.match(output, /canary: "node" failed with exit code 4; the running version was not touched/);
      await untouched();
    });
  });

  describe("in two steps, expand before and contract after", () => {
    it("serves both versions without a failed request, and contracts when the former one is gone", async () => {
      const load = await Load.start(namespace, "upgrade", 10);
      const watch = watchVersion(namespace, 500);
      const { outputs } = succeeded(
        await stack.up(
          app("1.1.0", {
            migration: { command: ["sequelize-cli", "db:migrate"], timeoutSeconds: 120, postDeploy: { command: contract } },
            rollout: { canary: { command: answers("1.1.0") } },
          }),
        ),
      );
      const seen = (await watch.stop()).map(({ version, error }) => version ?? error);
      const { failed: failures, acknowledged, failures: why } = await load.stop();
      assert.strictEqual(failures, 0, JSON.stringify(why));
      assert.ok(acknowledged > 0);
      assert.deepStrictEqual([...new Set(seen)].sort(), ["1.0.0", "1.1.0"]);

      const job = await namespace.get(`job/${outputs.postDeployJob}`);
      for (const { metadata, spec, status } of await pods()) {
        const ready = status.conditions.find((c: any) => c.type === "Ready" && c.status === "True");
        assert.strictEqual(spec.containers[0].image, "docker.io/local/notes:1.1.0");
        assert.ok(Date.parse(ready.lastTransitionTime) <= Date.parse(job.metadata.creationTimestamp), metadata.name);
      }
      const query =
        "SELECT column_default FROM information_schema.columns WHERE table_name = 'threads' AND column_name = 'pinned'";
      const { stdout } = await namespace.exec("notes-0", sql(query));
      assert.match(stdout, /\[\{"column_default":null\}\]/);
    });

    it("lets nothing be destroyed after the rollout that would not be before it", async () => {
      const columns = "SELECT count(*) FROM information_schema.columns WHERE table_name = 'threads' AND column_name = 'former'";
      const former = async () => (await namespace.exec("notes-0", sql(columns))).stdout.trim();
      await namespace.exec("notes-0", sql("ALTER TABLE threads ADD COLUMN former text"));
      await namespace.apply({
        apiVersion: "v1",
        kind: "PersistentVolumeClaim",
        metadata: { name: "backups", namespace: namespace.name },
        spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
      });
      const pending = ["echo", "drop threads.former"];
      const gated = (approval: string, rehearsal?: object) =>
        app("1.1.0", {
          migration: {
            ...{ command: ["sequelize-cli", "db:migrate"], timeoutSeconds: 120 },
            ...{ backup: { claim: { claimName: "backups" } }, rehearsal: {} },
            postDeploy: { command: sql("ALTER TABLE threads DROP COLUMN former"), pending, approval, rehearsal },
          },
        });
      const output = failed(await stack.up(gated("")));
      assert.match(
        output,
        /postDeploy did not begin, and the new version goes on: the migration destroys data, .*\n +DROP COLUMN former of public\.threads \(text\)\n +set migration\.postDeploy\.rehearsal\.allowDestructive to true/,
      );
      assert.match(
        output,
        /not approved; pending with docker\.io\/local\/notes:1\.1\.0:\n +drop threads\.former\n +set migration\.postDeploy\.approval to "\w+" .*set approvedContract \w+$/m,
      );
      assert.match(await former(), /"count":"1"/);

      const [, hash] = /set approvedContract (\w+)/.exec(output)!;
      const { outputs } = succeeded(await stack.up(gated(hash, { allowDestructive: true })));
      assert.match(await former(), /"count":"0"/);
      const guard = await namespace.kubectl(["logs", `job/${outputs.postDeployJob}`, "--container", "guard"]);
      assert.match(guard, new RegExp(`^backup=notes-\\S+\\.${outputs.postDeployJob}\\.dump `, "m"));
    });
  });
});
