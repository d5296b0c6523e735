import * as assert from "assert";
import { PostgresAppArgs } from "../../index";
import { inOrder } from "../support/inOrder";
import { Namespace, run, until } from "../support/kubectl";
import { Load } from "../support/load";
import { succeeded } from "../support/migrations";
import { getJson, notes } from "../support/notes";
import { changesNothing, TestStack } from "../support/stack";
import { turn } from "../support/turn";

const worker = `console.log("worker with", process.env.LOG_LEVEL, process.env.QUEUE, Boolean(process.env.DATABASE_URL));
  process.on("SIGTERM", () => process.exit(0)); setInterval(() => 0, 1000);`;

/** One application, each group going on from where the one before ended. Nothing measures the use of CPU: people and limits scale. */
describe("a workload", function () {
  this.timeout(180_000);
  inOrder(this);
  let namespace: Namespace;
  let stack: TestStack;
  const app = (more: Partial<PostgresAppArgs> = {}) =>
    notes(namespace, "1.0.0", {
      env: { LOG_LEVEL: "info" },
      imagePullSecrets: ["registry"],
      preStopSeconds: 2,
      workers: { queue: { command: ["node", "-e", worker], env: { QUEUE: "mail" }, minReadySeconds: 1 } },
      ...more,
    });
  const autoscaling = { minReplicas: 2, maxReplicas: 4 };
  const up = async (more: Partial<PostgresAppArgs>) => {
    const { changes } = succeeded(await stack.up(app(more)));
    return changes.filter((change) => !change.includes("pulumi-postgres-app:index")).sort();
  };
  const podsOf = (component: string) => namespace.items("pods", "-l", `app.kubernetes.io/component=${component}`);
  const idsOf = async (component: string) => (await podsOf(component)).map(({ metadata }) => metadata.uid).sort();
  const replicas = async (what = "statefulset/notes") => (await namespace.get(what)).spec.replicas;
  const scale = (count: number) => namespace.kubectl(["scale", "statefulset/notes", `--replicas=${count}`]);
  const readyPods = (count: number) =>
    until(`${count} ready pods`, 60, async () => {
      const ready = (await podsOf("app")).filter(({ metadata, status }) => {
        const isReady = status.conditions?.some((c: any) => c.type === "Ready" && c.status === "True");
        return isReady && !metadata.deletionTimestamp;
      });
      return ready.length === count && (await podsOf("app")).length === count && ready;
    });

  const network = turn("network", { shared: true });
  before(network.begin);
  const measures = turn("measures");
  before(measures.begin);
  before(async () => {
    namespace = await Namespace.create("workload");
    const stringData = { ".dockerconfigjson": '{"auths":{"registry.example.org":{"auth":"bm9ib2R5Om5vdGhpbmc="}}}' };
    await namespace.apply({
      apiVersion: "v1",
      kind: "Secret",
      type: "kubernetes.io/dockerconfigjson",
      metadata: { name: "registry", namespace: namespace.name },
      stringData,
    });
    stack = await TestStack.create("workload");
  });
  after(async () => {
    await stack?.remove();
    await namespace?.delete();
  });
  after(network.end);
  after(measures.end);

  describe("that is scaled by its use", () => {
    it("begins with the fewest pods, all ready when up ends", async () => {
      await up({ autoscaling });
      const { spec, status } = await namespace.get("statefulset/notes");
      assert.deepStrictEqual([spec.replicas, status.readyReplicas], [2, 2]);
      await until("the autoscaler at work", 60, async () => {
        const { status } = await namespace.get("hpa/notes");
        return status.conditions?.some((c: any) => c.type === "AbleToScale" && c.status === "True");
      });
    });

    it("gives every pod the pull secrets, and none a token; the application has an account of its own", async () => {
      const pods = await namespace.items("pods");
      const parts = new Set(pods.map(({ metadata }) => metadata.labels["app.kubernetes.io/component"]));
      for (const part of ["app", "worker", "database", "setup", "migration", "migration-start"]) assert.ok(parts.has(part), part);
      for (const { metadata, spec } of pods) {
        assert.deepStrictEqual(spec.imagePullSecrets, [{ name: "registry" }], metadata.name);
        const mounts = spec.containers.flatMap((container: any) => container.volumeMounts ?? []);
        assert.ok(!mounts.some(({ mountPath }: any) => mountPath.includes("serviceaccount")), metadata.name);
        const own = ["app", "worker"].includes(metadata.labels["app.kubernetes.io/component"]);
        assert.strictEqual(spec.serviceAccountName, own ? "notes" : "default", metadata.name);
      }
    });

    it("starts workers after the migration, with the application's settings and their own, and sends them nothing", async () => {
      const [job] = await namespace.items("jobs", "-l", "app.kubernetes.io/component=migration");
      const [pod] = await podsOf("worker");
      assert.ok(Date.parse(job.status.completionTime) <= Date.parse(pod.metadata.creationTimestamp));
      assert.match(await namespace.kubectl(["logs", pod.metadata.name]), /^worker with info mail true$/m);
      const slices = await namespace.items("endpointslices", "-l", "kubernetes.io/service-name=notes");
      const behind = slices.flatMap(({ endpoints }) => (endpoints ?? []).map((e: any) => e.targetRef.name)).sort();
      assert.deepStrictEqual(behind, (await podsOf("app")).map(({ metadata }) => metadata.name).sort());
    });

    it("is left at its number by previews and updates; a new setting replaces nobody but those who have it", async () => {
      await scale(3);
      await readyPods(3);
      changesNothing(await stack.preview(app({ autoscaling })));
      const database = await idsOf("database");
      const migration = await idsOf("migration");
      const before = [...(await idsOf("app")), ...(await idsOf("worker"))];
      await up({ autoscaling, env: { LOG_LEVEL: "debug" } });
      assert.strictEqual(await replicas(), 3);
      const after = [...(await idsOf("app")), ...(await idsOf("worker"))];
      assert.ok(after.length === 4 && !after.some((id) => before.includes(id)), "application and worker have the new setting");
      assert.deepStrictEqual(
        [await idsOf("database"), await idsOf("migration")],
        [database, migration],
        "nobody else was touched",
      );
    });
  });

  describe("with a number of pods that is given", () => {
    const env = { LOG_LEVEL: "debug" };
    let ids: string[];
    before(async () => void (ids = await idsOf("app")));

    it("has it at once, also where it is the number that it once began with", async () => {
      const changes = await up({ env, replicas: 2 });
      assert.deepStrictEqual(changes, [
        "delete kubernetes:autoscaling/v2:HorizontalPodAutoscaler::notes",
        "update kubernetes:apps/v1:StatefulSet::notes",
      ]);
      assert.strictEqual(await replicas(), 2);
      const left = (await readyPods(2)).map(({ metadata }) => metadata.uid);
      assert.ok(
        left.every((id) => ids.includes(id)),
        "no pod was replaced",
      );
      ids = left.sort();
    });

    it("overrules whoever scaled by hand, and a change of it replaces no pod", async () => {
      await scale(1);
      await readyPods(1);
      const [first] = await idsOf("app");
      assert.deepStrictEqual(await up({ env, replicas: 3 }), ["update kubernetes:apps/v1:StatefulSet::notes"]);
      assert.strictEqual(await replicas(), 3);
      ids = await idsOf("app");
      assert.ok(ids.includes(first));
    });

    it("hands it over to the autoscaler as it is", async () => {
      await up({ env, autoscaling });
      assert.strictEqual(await replicas(), 3);
      assert.deepStrictEqual(await idsOf("app"), ids);
      changesNothing(await stack.preview(app({ env, autoscaling })));
    });
  });

  describe("that becomes a Deployment", () => {
    const env = { LOG_LEVEL: "debug" };
    it("has its new pods ready before the former ones go, and loses no request, nor with the next version", async () => {
      const load = await Load.start(namespace, "kind", 10);
      const changes = await up({ env, autoscaling, kind: "Deployment" });
      assert.deepStrictEqual(changes, [
        "create kubernetes:apps/v1:Deployment::notes",
        "delete kubernetes:apps/v1:StatefulSet::notes",
        "delete kubernetes:core/v1:Service::notes-pods",
        "update kubernetes:autoscaling/v2:HorizontalPodAutoscaler::notes",
      ]);
      await load.phase("upgrade");
      await up({ env: { LOG_LEVEL: "info" }, autoscaling, kind: "Deployment" });
      const { failed, acknowledged, phases, failures } = await load.stop();
      assert.strictEqual(failed, 0, JSON.stringify(failures));
      assert.ok(acknowledged > 0 && phases.kind.ok > 0 && phases.upgrade.ok > 0, JSON.stringify(phases));
      assert.deepStrictEqual([await replicas("deployment/notes"), (await readyPods(2)).length], [2, 2]);
      assert.strictEqual((await getJson(namespace, "/api/version")).version, "1.0.0");
    });

    it("has one pod evicted at a time", async () => {
      const [one, other] = (await readyPods(2)).map(({ metadata }) => metadata.name);
      const evict = (name: string) => {
        const eviction = { apiVersion: "policy/v1", kind: "Eviction", metadata: { name, namespace: namespace.name } };
        const path = `/api/v1/namespaces/${namespace.name}/pods/${name}/eviction`;
        return run("kubectl", ["create", "--raw", path, "-f", "-"], { input: JSON.stringify(eviction) });
      };
      assert.strictEqual((await evict(one)).code, 0);
      const second = await evict(other);
      assert.notStrictEqual(second.code, 0);
      assert.match(second.stderr, /disruption budget/);
      await readyPods(2);
    });
  });
});
