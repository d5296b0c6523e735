import * as assert from "assert";
import * as pulumi from "@pulumi/pulumi";
import { PostgresApp, PostgresAppArgs } from "../../index";
import { asked, explanation, Workload } from "../../components/app/explainRollout";
import { graph } from "../support/graph";
import { refusal } from "../support/refusal";

const image = "registry.example.org/notes:1.0.0";
const STATEFUL_SET = "kubernetes:apps/v1:StatefulSet::notes";
const PATCH = "kubernetes:apps/v1:StatefulSetPatch::notes-replicas";

const registered = async (args: Partial<PostgresAppArgs>) => {
  const { resources } = await graph(() => new PostgresApp("notes", { image, ...args }));
  return { resources, workload: resources.get(STATEFUL_SET)! };
};

describe("rollout.timeoutSeconds", () => {
  const seconds = async (args: Partial<PostgresAppArgs>) => {
    const { create, update } = (await registered(args)).workload.options.customTimeouts!;
    assert.strictEqual(create, update);
    return create;
  };

  it("bounds the workload, with a minute for each further pod, and is no change of it", async () => {
    assert.strictEqual(await seconds({}), "300s");
    assert.strictEqual(await seconds({ replicas: 4 }), "480s");
    assert.strictEqual(await seconds({ replicas: 4, rollout: { timeoutSeconds: 20 } }), "20s");
    // What the pods take to stop, where the next one begins only then.
    assert.strictEqual(await seconds({ preStopSeconds: 20 }), "315s");
    assert.strictEqual(await seconds({ replicas: 4, terminationGracePeriodSeconds: 90 }), "720s");
    assert.strictEqual(await seconds({ replicas: 2, rollout: { minReadySeconds: 10 } }), "380s");
    const spec = async (args: Partial<PostgresAppArgs>) => (await registered(args)).workload.inputs.spec;
    assert.deepStrictEqual(await spec({ rollout: { timeoutSeconds: 20 } }), await spec({}));
  });

  it("is known where what it follows from is an output: the workload says it, and its options do not", async () => {
    const { workload, resources } = await registered({
      replicas: pulumi.output(4),
      preStopSeconds: pulumi.output(20),
      workers: { queue: { command: ["work"], replicas: pulumi.output(3) } },
    });
    const WAIT = "pulumi.com/timeoutSeconds";
    assert.strictEqual(workload.inputs.metadata.annotations[WAIT], "540");
    assert.strictEqual(workload.options.customTimeouts?.create || undefined, undefined);
    const worker = resources.get("kubernetes:apps/v1:Deployment::notes-queue")!.inputs;
    assert.strictEqual(worker.metadata.annotations[WAIT], "420");
    assert.strictEqual(worker.spec.progressDeadlineSeconds, 480);
    const given = await registered({ replicas: pulumi.output(4), rollout: { timeoutSeconds: 50 } });
    assert.strictEqual(given.workload.options.customTimeouts!.create, "50s");
    assert.ok(!(WAIT in given.workload.inputs.metadata.annotations));
    const alone = await registered({ replicas: pulumi.output(4), migratesAtStart: true, migration: { strategy: "Startup" } });
    assert.strictEqual(alone.resources.get(PATCH)!.inputs.metadata.annotations[WAIT], "1080");
  });

  it("counts the stopping of a StatefulSet's pods only: a Deployment does not wait for it", async () => {
    const { resources } = await registered({ kind: "Deployment", replicas: 4, terminationGracePeriodSeconds: 90 });
    assert.strictEqual(resources.get("kubernetes:apps/v1:Deployment::notes")!.options.customTimeouts!.create, "480s");
  });

  it("leaves the time that probes.startup allows, and that pods which migrate need", async () => {
    const startup = { periodSeconds: 5, failureThreshold: 120 };
    assert.strictEqual(await seconds({ probes: { startup } }), "660s");
    const migration = { strategy: "Startup" as const, timeoutSeconds: 900 };
    assert.strictEqual(await seconds({ migratesAtStart: true, migration }), "1200s");
    assert.strictEqual(await seconds({ migratesAtStart: true, migration, rollout: { timeoutSeconds: 30 } }), "930s");
    assert.match(
      await refusal({ image, probes: { startup }, rollout: { timeoutSeconds: 599 } }),
      /^ {2}rollout.timeoutSeconds: 599 s would be over before probes.startup, which allows a pod 600 s: raise this one, or lower that$/m,
    );
    assert.match(await refusal({ image, rollout: { timeoutSeconds: 0 } }), /^ {2}rollout.timeoutSeconds: 0 is out of range/m);
  });
});

describe("a strategy whose pods migrate when they start", () => {
  it("starts one pod, and says how many there are when it is ready", async () => {
    const { resources, workload } = await registered({
      replicas: 3,
      migratesAtStart: true,
      migration: { strategy: "Startup" },
    });
    assert.strictEqual(workload.inputs.spec.replicas, undefined);
    assert.strictEqual(workload.inputs.spec.podManagementPolicy, "Parallel");
    const patch = resources.get(PATCH)!;
    assert.deepStrictEqual(patch.inputs.spec, { replicas: 3 });
    assert.strictEqual(patch.inputs.metadata.name, "notes");
    assert.ok(patch.dependencies.includes(STATEFUL_SET));
    assert.ok(!(await registered({ replicas: 3 })).resources.has(PATCH));
  });
});

describe("what is said of a rollout that failed", () => {
  const workload: Workload = {
    metadata: { namespace: "shop" },
    spec: {
      selector: { matchLabels: { instance: "notes", component: "app" } },
      template: {
        spec: {
          initContainers: [{ name: "guard" }, { name: "migrate" }],
          containers: [
            {
              name: "app",
              image,
              ports: [{ name: "http", containerPort: 3000 }],
              readinessProbe: { httpGet: { path: "/ready", port: "http" } },
            },
          ],
        },
      },
    },
  };
  const TITLE = "'notes' timed out waiting to be Ready\n\t* 1 out of 2 replicas succeeded readiness checks\n";
  const unready = "containers with unready status: [app]";
  /** As the provider writes it. */
  const said = (...pods: [string, string][]) =>
    explanation({
      errors: [`${TITLE}${pods.map(([pod, words]) => `\t* [Pod shop/${pod}]: ${words}`).join("\n")}`],
      workload,
      seconds: 300,
    });
  const of = (words: string) => /^ {2}notes-1: (.*)$/m.exec(said(["notes-1", words]))?.[1];

  it("names each pod, and the commands for the first", () => {
    const lines = said(["notes-1", unready], ["notes-0", `${unready}[ImagePullBackOff] Back-off pulling image "${image}"`]).split(
      "\n",
    );
    assert.deepStrictEqual(lines, [
      "not every pod was ready after 300 s (rollout.timeoutSeconds):",
      `  notes-0: the image "${image}" cannot be pulled: correct it, or give the cluster access to the registry (imagePullSecrets)`,
      "  notes-1: container app was started and is not ready: probes.readiness (GET /ready on port 3000) got no yes. Or it is still being made, for an image that takes long or a volume that cannot be mounted: its events say",
      "what it was asked and answered, and what it said:",
      "  kubectl --namespace shop get events --field-selector involvedObject.name=notes-0,type=Warning",
      "the next `pulumi up` with a correction replaces such pods first",
    ]);
  });

  it("says what the end of a container means", () => {
    const ended = (reason: string, code: number) =>
      of(
        `${unready}[CrashLoopBackOff] back-off 10s restarting failed container=app pod=notes-1\ncontainer "app" terminated at 2026-01-01T00:00:00Z (${reason}: exit code ${code})\nwords`,
      );
    assert.match(ended("Error", 3)!, /^container app ended with exit code 3/);
    assert.match(ended("Completed", 0)!, /^container app ended in order \(exit code 0\)/);
    assert.match(ended("OOMKilled", 137)!, /^container app took more memory than it may/);
    assert.match(ended("Error", 137)!, /^container app was killed \(exit code 137\)/);
    assert.match(ended("Error", 143)!, /^container app was ended by probes.startup or probes.liveness/);
    assert.match(ended("Error", 127)!, /^container app: its command is not in the image/);
    assert.match(of(`${unready}container "app" completed with exit code 1`)!, /^container app ended with exit code 1/);
    const text = said(["notes-1", `${unready}container "app" terminated at 2026-01-01T00:00:00Z (Error: exit code 3)`]);
    assert.match(text, /^ {2}kubectl --namespace shop logs notes-1 --container app --prefix --tail 40 --previous$/m);
  });

  it("says what is missing, and what is waited for before the application", () => {
    assert.match(
      of(`${unready}[CreateContainerConfigError] secret "keys" not found`)!,
      /^a container could not be made \(secret "keys" not found\): correct the name/,
    );
    const init = "containers with incomplete status: [migrate][PodInitializing] ";
    assert.match(of(init)!, /^the application has not been started: before it migrate has to come to its end/);
    assert.match(said(["notes-1", init]), /^ {2}kubectl --namespace shop logs notes-1 --container migrate --prefix --tail 40$/m);
  });

  it("asks the migration, not its guard, which ends because that did", () => {
    const back = (container: string) => `[CrashLoopBackOff] back-off 10s restarting failed container=${container} pod=notes-1`;
    const end = (container: string) =>
      `container "${container}" terminated at 2026-01-01T00:00:00Z (Error: exit code 1)\nwords\n`;
    const guard = `containers with unready status: [guard app]${back("guard")}\n${end("guard")}`;
    const logs = "  kubectl --namespace shop logs notes-1 --container migrate --prefix --tail 40";
    assert.match(of(`${guard}\n${back("migrate")}\n${end("migrate")}`)!, /^container migrate ended with exit code 1/);
    assert.ok(
      said(["notes-1", `${guard}\n${back("migrate")}\n${end("migrate")}`])
        .split("\n")
        .includes(logs),
    );
    for (const words of [guard, "containers with unready status: [guard app]"]) {
      assert.match(of(words)!, /^the application has not been started: before it the migration has to come to its end/);
      assert.ok(said(["notes-1", words]).split("\n").includes(logs));
    }
  });

  it("shows how to look where nothing is known of any pod", () => {
    const text = explanation({ errors: [TITLE], workload, seconds: 300 });
    assert.match(text, /mostly no node has taken it yet/);
    assert.match(text, /^ {2}kubectl --namespace shop describe pods --selector instance=notes,component=app$/m);
    assert.match(text, /FailedCreate.*resources\.limits/);
    assert.match(text, /^ {2}kubectl --namespace shop get events --field-selector type=Warning$/m);
  });

  it("tells what readiness asks", () => {
    const asks = (readinessProbe: object) =>
      asked({ spec: { template: { spec: { containers: [{ name: "app", readinessProbe }] } } } });
    assert.strictEqual(asks({ tcpSocket: { port: 5 } }), "probes.readiness (a connection to port 5)");
    assert.strictEqual(asks({ exec: { command: ["a", "b"] } }), 'probes.readiness (["a","b"])');
  });
});
