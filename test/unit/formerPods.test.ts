import * as assert from "assert";
import * as pulumi from "@pulumi/pulumi";
import { PostgresApp, PostgresAppArgs } from "../../index";
import { explanation } from "../../components/migration/formerPods";
import { leftBehind } from "../../components/migration/rolledOutPods";
import { graph } from "../support/graph";

const APP = "kubernetes:apps/v1:Deployment::notes";
const WORKER = "kubernetes:apps/v1:Deployment::notes-queue";
const GATE = "kubernetes:batch/v1:Job::notes-former-pods";
const MARK = "pulumi-postgres-app/template";

const args: PostgresAppArgs = {
  image: "registry.example.org/notes:1.0.0",
  kind: "Deployment",
  workers: { queue: { command: ["work"] } },
  migration: { command: ["migrate"], postDeploy: {} },
};
const made = async (more: Partial<PostgresAppArgs> = {}) =>
  (await graph(() => new PostgresApp("notes", { ...args, ...more }))).resources;
type Resources = Awaited<ReturnType<typeof made>>;

const template = (resources: Resources, key: string) => resources.get(key)!.inputs.spec.template;
const mark = (resources: Resources, key: string) => template(resources, key).metadata.labels[MARK];

describe("the pods of the former version, before a contract", () => {
  it("are told from those of today by a label, which changes with the rest of the template and never by itself", async () => {
    const now = await made();
    const again = await made({
      replicas: 3,
      migration: { command: ["other"], rerun: "2", postDeploy: { command: ["contract"] } },
    });
    const setting = await made({ preStopSeconds: 20 });
    const worker = await made({ workers: { queue: { command: ["work", "harder"] } } });
    const marks = (resources: Resources) => [mark(resources, APP), mark(resources, WORKER)];
    for (const one of marks(now)) assert.match(one, /^[0-9a-f]{12}$/);
    assert.deepStrictEqual(marks(again), marks(now));
    assert.notStrictEqual(mark(setting, APP), mark(now, APP));
    assert.strictEqual(mark(worker, APP), mark(now, APP));
    assert.notStrictEqual(mark(worker, WORKER), mark(now, WORKER));
  });

  it("are not marked where nothing has to come after them", async () => {
    const resources = await made({ migration: { command: ["migrate"] } });
    for (const key of [APP, WORKER]) assert.strictEqual(mark(resources, key), undefined);
    assert.ok(!resources.has(GATE));
    const { selector } = (await made()).get(APP)!.inputs.spec;
    assert.ok(!(MARK in selector.matchLabels));
  });

  it("are waited for by the scheduler, with no right in the cluster", async () => {
    const resources = await made({ terminationGracePeriodSeconds: 90, priorityClassName: "low", nodeSelector: { pool: "web" } });
    const { spec, metadata } = resources.get(GATE)!.inputs;
    assert.strictEqual(metadata.annotations["pulumi.com/replaceUnready"], "true");
    assert.deepStrictEqual(spec, {
      backoffLimit: 0,
      podFailurePolicy: { rules: [{ action: "Ignore", onPodConditions: [{ type: "DisruptionTarget", status: "True" }] }] },
      activeDeadlineSeconds: 390,
      template: {
        metadata: {
          labels: {
            "app.kubernetes.io/instance": "notes",
            "app.kubernetes.io/component": "former-pods",
            "app.kubernetes.io/name": "notes",
            "app.kubernetes.io/part-of": "notes",
            "app.kubernetes.io/managed-by": "pulumi",
          },
          annotations: { "karpenter.sh/do-not-disrupt": "true", "cluster-autoscaler.kubernetes.io/safe-to-evict": "false" },
        },
        spec: {
          restartPolicy: "Never",
          automountServiceAccountToken: false,
          enableServiceLinks: false,
          nodeSelector: { pool: "web" },
          priorityClassName: "low",
          securityContext: { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } },
          affinity: {
            podAntiAffinity: {
              requiredDuringSchedulingIgnoredDuringExecution: [
                {
                  topologyKey: "kubernetes.io/os",
                  labelSelector: {
                    matchLabels: { "app.kubernetes.io/instance": "notes" },
                    matchExpressions: [
                      { key: "app.kubernetes.io/component", operator: "In", values: ["app", "worker"] },
                      { key: MARK, operator: "NotIn", values: [mark(resources, APP), mark(resources, WORKER)] },
                    ],
                  },
                },
              ],
            },
          },
          containers: [
            {
              name: "gone",
              image: "docker.io/library/postgres:17",
              command: ["true"],
              resources: { requests: { cpu: "10m", memory: "16Mi" } },
              securityContext: {
                allowPrivilegeEscalation: false,
                readOnlyRootFilesystem: true,
                capabilities: { drop: ["ALL"] },
                runAsUser: 999,
                runAsGroup: 999,
              },
              terminationMessagePolicy: "FallbackToLogsOnError",
            },
          ],
        },
      },
    });
    assert.deepStrictEqual(resources.get(GATE)!.options.customTimeouts, { create: "450s", update: "450s", delete: "" });
  });

  it("have the longest time that anything may take to stop", async () => {
    const seconds = async (more: Partial<PostgresAppArgs>) => (await made(more)).get(GATE)!.inputs.spec.activeDeadlineSeconds;
    assert.strictEqual(await seconds({ workers: { queue: { command: ["work"], terminationGracePeriodSeconds: 600 } } }), 900);
    assert.strictEqual(await seconds({ preStopSeconds: 120 }), 445);
    const { inputs, options } = (await made({ preStopSeconds: pulumi.output(120) })).get(GATE)!;
    const said = inputs.metadata.annotations["pulumi.com/timeoutSeconds"];
    assert.deepStrictEqual([inputs.spec.activeDeadlineSeconds, said], [445, "505"]);
    assert.strictEqual(options.customTimeouts?.create || undefined, undefined);
  });

  describe("that nothing takes away before the end", () => {
    const before = { name: "notes", namespace: "shop", kind: "StatefulSet", workers: { queue: true, idle: false } };
    const refused: [string, object, string, RegExp][] = [
      [
        "another kind",
        { kind: "Deployment" },
        "kind",
        /is "Deployment", and the pods of the StatefulSet go at the end.*deploy once without/,
      ],
      ["another namespace", { namespace: "other" }, "namespace", /is "other", and the pods in "shop" go at the end/],
      ["another name", { name: "posts" }, "name", /is "posts", and the pods of "notes" go at the end/],
      ["a worker that is left out", { workers: { idle: false } }, "workers.queue", /is left out.*deploy it once with replicas 0/],
    ];
    for (const [what, now, path, reason] of refused)
      it(`${what}: is refused`, () => {
        const problem = leftBehind(before, { ...before, ...now });
        assert.strictEqual(problem?.path, path);
        assert.match(problem!.reason, reason);
      });

    const allowed: [string, object][] = [
      ["nothing", {}],
      ["a worker without pods", { workers: { queue: true } }],
      ["a worker that loses its pods", { workers: { queue: false, idle: false } }],
      ["one more worker", { workers: { queue: true, idle: true, more: true } }],
      ["a namespace that is not known", { namespace: undefined }],
    ];
    for (const [what, now] of allowed)
      it(`${what}: is no problem`, () => assert.strictEqual(leftBehind(before, { ...before, ...now }), undefined));
  });

  it("are named where they do not go", () => {
    const pods = { name: "notes", seconds: 330, namespace: "shop" };
    const stuck = explanation(["* [DeadlineExceeded] Job was active longer than specified deadline"], pods);
    assert.match(
      stuck,
      /^migration.postDeploy was not begun: 330 s after the rollout there are pods of the former version still/,
    );
    assert.match(stuck, /kubectl --namespace shop get pods --selector app.kubernetes.io\/instance=notes --label-columns/);
    assert.match(stuck, /deploy once without migration.postDeploy/);
    assert.match(explanation(["[Pod shop/x]: [ErrImagePull]"], pods), /did not run.*\n {2}kubectl --namespace shop get events/);
    assert.match(explanation(["operation was cancelled for x"], pods), /cancelled before migration.postDeploy/);
  });
});
