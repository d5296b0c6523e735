import * as assert from "assert";
import { inOrder } from "../support/inOrder";
import { Namespace, until } from "../support/kubectl";
import { Load } from "../support/load";
import { metricsServer } from "../support/metricsServer";
import { succeeded } from "../support/migrations";
import { notes } from "../support/notes";
import { changesNothing, TestStack } from "../support/stack";
import { turn } from "../support/turn";

/** With what counts in clusters: the kubelet's metrics, metrics-server, the autoscaler of the controller manager, load. */
describe("an application whose number of pods the load decides", function () {
  this.timeout(300_000);
  inOrder(this);
  let namespace: Namespace;
  let stack: TestStack;
  let load: Load;
  let remove: (() => Promise<void>) | undefined;
  const app = (version: string) =>
    notes(namespace, version, {
      autoscaling: { minReplicas: 1, maxReplicas: 3, targetCpuPercent: 50 },
      resources: { requests: { cpu: "50m", memory: "128Mi" } },
    });
  const replicas = async () => (await namespace.get("statefulset/notes")).spec.replicas as number;

  // Pods that are measured are a reason to scale for every autoscaler that there is.
  const network = turn("network", { shared: true });
  before(network.begin);
  const measures = turn("measures");
  before(measures.begin);
  before(async () => {
    remove = await metricsServer();
    namespace = await Namespace.create("autoscaling");
    stack = await TestStack.create("autoscaling");
    succeeded(await stack.up(app("1.0.0")));
  });
  after(async () => {
    await stack?.remove();
    await namespace?.delete();
    await remove?.();
  });
  after(network.end);
  after(measures.end);

  it("has one at rest", async () => {
    await until("the autoscaler's first look", 120, async () =>
      (await namespace.get("horizontalpodautoscaler/notes")).status?.conditions?.some(
        ({ type, status }: any) => type === "ScalingActive" && status === "True",
      ),
    );
    assert.strictEqual(await replicas(), 1);
  });

  it("has more under load, which no `pulumi up` takes back", async () => {
    load = await Load.start(namespace, "load", 100);
    await until("the third pod", 240, async () => (await replicas()) === 3);
    changesNothing(await stack.preview(app("1.0.0"), { refresh: true }));
    succeeded(await stack.up(app("1.1.0")));
    assert.strictEqual(await replicas(), 3);
    assert.deepStrictEqual((await load.stop()).failures, {});
  });
});
