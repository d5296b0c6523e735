import * as assert from "assert";
import * as core from "@pulumi/kubernetes/core/v1";
import { PostgresAppArgs } from "../../index";
import { restrictedContainer, restrictedPod } from "../../components/common/security";
import { untilGone } from "../../components/migration/awaitFormerPods";
import { inOrder } from "../support/inOrder";
import { Namespace, sleep } from "../support/kubectl";
import { failed, succeeded } from "../support/migrations";
import { image, notes } from "../support/notes";
import { TestStack } from "../support/stack";

/** A worker that takes its time to end, as Sidekiq does with the jobs at hand. */
const slow = `process.on("SIGTERM", () => setTimeout(() => process.exit(0), 15000)); setInterval(() => 0, 1000);`;
const EVERYTHING = "app.kubernetes.io/instance in (notes, notes-post-deploy)";

describe("what has to come after the former version", function () {
  this.timeout(240_000);
  inOrder(this);
  let namespace: Namespace;
  let stack: TestStack;
  const app = (version: string, more: Partial<PostgresAppArgs> = {}) =>
    notes(namespace, version, {
      kind: "Deployment",
      preStopSeconds: 20,
      workers: { queue: { command: ["node", "-e", slow], minReadySeconds: 0 } },
      migration: {
        command: ["sequelize-cli", "db:migrate"],
        timeoutSeconds: 120,
        postDeploy: { command: ["node", "-e", "console.log('contracted')"] },
      },
      ...more,
    });
  const jobs = async (component: string, instance = "notes") =>
    namespace.items("jobs", "-l", `app.kubernetes.io/component=${component},app.kubernetes.io/instance=${instance}`);

  before(async () => {
    namespace = await Namespace.create("former");
    stack = await TestStack.create("former");
    succeeded(await stack.up(app("1.0.0")));
  });
  after(async () => {
    await stack?.remove();
    await namespace?.delete();
  });

  it("begins after its last pod is gone, a worker's too", async () => {
    /** Each pod of 1.0.0, and those of the contract, when they were first and last seen. */
    const seen = new Map<string, { former: boolean; first: number; last: number }>();
    let going = true;
    const watching = (async () => {
      while (going) {
        for (const { metadata, spec } of await namespace.items("pods", "-l", EVERYTHING)) {
          const component = metadata.labels["app.kubernetes.io/component"];
          if (component === "former-pods" || component === "canary") continue;
          const former = spec.containers[0].image === image("1.0.0") && /^(app|worker)$/.test(component);
          const contract = metadata.labels["app.kubernetes.io/instance"] === "notes-post-deploy";
          if (!former && !contract) continue;
          if (contract && spec.containers.every((one: any) => one.image === image("1.0.0"))) continue;
          const at = Date.now();
          seen.set(metadata.name, { former, first: seen.get(metadata.name)?.first ?? at, last: at });
        }
        await sleep(300);
      }
    })();
    const { outputs } = succeeded(await stack.up(app("1.1.0")));
    going = false;
    await watching;

    const all = [...seen.entries()];
    const former = all.filter(([, { former }]) => former);
    assert.ok(former.some(([name]) => name.startsWith("notes-queue-")) && former.length >= 2, JSON.stringify(all));
    const { metadata } = await namespace.get(`job/${outputs.postDeployJob}`);
    const begun = Date.parse(metadata.creationTimestamp);
    for (const [name, { last }] of former)
      assert.ok(last < begun + 1000, `${name} was there at ${last}, the contract began at ${begun}`);
    const [gate] = (await jobs("former-pods")).slice(-1);
    const waited = (Date.parse(gate.status.completionTime) - Date.parse(gate.status.startTime)) / 1000;
    assert.ok(waited > 5, `it waited ${waited} s: nothing of the former version was there any more`);
  });

  it("does not run again for a new setting, which is waited for all the same, nor for nothing", async () => {
    const { changes } = succeeded(await stack.up(app("1.1.0", { env: { LOG_LEVEL: "info" }, preStopSeconds: 1 })));
    const ran = changes.filter((change) => change.includes("batch/v1:Job::"));
    assert.ok(ran.length > 0 && ran.every((change) => change.endsWith("::notes-former-pods")), ran.join());
    const again = succeeded(await stack.up(app("1.1.0", { env: { LOG_LEVEL: "info" }, preStopSeconds: 1 })));
    assert.deepStrictEqual(again.changes, []);
  });

  it("is refused together with taking out what has pods still, before anything is changed", async () => {
    const kind = await stack.preview(app("1.1.0", { kind: "StatefulSet" }));
    assert.strictEqual(kind.ok, false, kind.output);
    assert.match(kind.output, /kind: is "StatefulSet", and the pods of the Deployment go at the end of `pulumi up`/);
    const worker = await stack.preview(app("1.1.0", { workers: {} }));
    assert.match(worker.output, /workers\.queue: is left out, and its pods go at the end .* deploy it once with replicas 0/);
  });

  it("says which pods it waited for in vain", async () => {
    const other = await TestStack.create("former-stuck");
    const program = async () => {
      const labels = { "app.kubernetes.io/instance": "stuck", "app.kubernetes.io/component": "worker" };
      const former = new core.Pod("former", {
        metadata: { namespace: namespace.name, labels },
        spec: {
          terminationGracePeriodSeconds: 0,
          securityContext: restrictedPod(1000),
          containers: [{ name: "old", image: image("1.0.0"), command: ["sleep", "600"], securityContext: restrictedContainer() }],
        },
      });
      const client = { image: "docker.io/library/postgres:17", uid: 999, rules: {} };
      const pods = { name: "stuck", marks: ["today"], client, placement: {}, seconds: 10 };
      untilGone(pods, namespace.name, { dependsOn: former });
    };
    try {
      const output = failed(await other.up(program));
      assert.match(
        output,
        /migration\.postDeploy was not begun: 10 s after the rollout there are pods of the former version still/,
      );
    } finally {
      await other.remove();
    }
  });
});
