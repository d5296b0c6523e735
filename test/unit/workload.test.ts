import * as assert from "assert";
import * as pulumi from "@pulumi/pulumi";
import { Validation } from "../../components/common/validation";
import { MigrationJob, PostgresApp, PostgresAppArgs, PostgresDatabase } from "../../index";
import { graph, Registered } from "../support/graph";
import { refusal } from "../support/refusal";

const image = "registry.example.org/notes:1.0.0";
const STATEFUL_SET = "kubernetes:apps/v1:StatefulSet::notes";
const DEPLOYMENT = "kubernetes:apps/v1:Deployment::notes";
const ACCOUNT = "kubernetes:core/v1:ServiceAccount::notes";
const AUTOSCALER = "kubernetes:autoscaling/v2:HorizontalPodAutoscaler::notes";
const BUDGET = "kubernetes:policy/v1:PodDisruptionBudget::notes";
const JOB = "kubernetes:batch/v1:Job";
const MIGRATION = [`${JOB}::notes-migration`, `${JOB}::notes-migration-start`];

type Resources = Map<string, Registered>;
const made = async (more: Partial<PostgresAppArgs> = {}): Promise<Resources> =>
  (await graph(() => new PostgresApp("notes", { image, migration: { command: ["migrate"] }, ...more }))).resources;
const specOf = (resources: Resources, key: string) => resources.get(key)!.inputs.spec;
const podOf = (resources: Resources, key: string) => specOf(resources, key).template.spec;
/** Specs of everything that makes pods, by key; CronJobs' too. */
const pods = (resources: Resources): [string, any][] =>
  [...resources].flatMap(([key, { inputs }]) => {
    const template = inputs.spec?.template ?? inputs.spec?.jobTemplate?.spec.template;
    return template?.spec?.containers ? [[key, template.spec] as [string, any]] : [];
  });

describe("the workload", () => {
  let plain: Resources;
  before(async () => void (plain = await made()));

  describe("as a Deployment", () => {
    let resources: Resources;
    before(async () => void (resources = await made({ kind: "Deployment" })));

    it("takes the StatefulSet's place, and starts a pod before it stops one", () => {
      assert.ok(resources.has(DEPLOYMENT) && !resources.has(STATEFUL_SET));
      assert.ok(!resources.has("kubernetes:core/v1:Service::notes-pods"), "which only a StatefulSet needs");
      const { strategy, revisionHistoryLimit } = specOf(resources, DEPLOYMENT);
      assert.deepStrictEqual(strategy, { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } });
      assert.strictEqual(revisionHistoryLimit, 2);
    });

    it("depends on what the StatefulSet depends on, but for its Service", () => {
      const dependencies = plain.get(STATEFUL_SET)!.dependencies.filter((key) => !key.endsWith("::notes-pods"));
      assert.deepStrictEqual(resources.get(DEPLOYMENT)!.dependencies, dependencies);
    });

    it("selects none of the StatefulSet's pods, and the Service both", () => {
      const [former, now] = [specOf(plain, STATEFUL_SET), specOf(resources, DEPLOYMENT)];
      const matches = (selector: object, { metadata: { labels } }: any) =>
        Object.entries(selector).every(([name, value]) => labels[name] === value);
      for (const { template } of [former, now]) {
        assert.ok(matches(specOf(plain, "kubernetes:core/v1:Service::notes").selector, template));
        const selecting = [former, now].filter(({ selector }) => matches(selector.matchLabels, template));
        assert.strictEqual(selecting.length, 1);
      }
    });
  });

  describe("scaled by its use", () => {
    const autoscaling = { maxReplicas: 6 };
    let resources: Resources;
    before(async () => void (resources = await made({ autoscaling })));

    it("begins with the fewest pods, and its number is nobody's but the autoscaler's from then on", () => {
      const { inputs, options } = resources.get(STATEFUL_SET)!;
      assert.strictEqual(inputs.spec.replicas, 2);
      assert.deepStrictEqual(options.ignoreChanges, ["spec.replicas"]);
      assert.strictEqual(inputs.metadata.annotations, undefined);
      assert.deepStrictEqual(specOf(resources, AUTOSCALER), {
        scaleTargetRef: { apiVersion: "apps/v1", kind: "StatefulSet", name: "notes" },
        minReplicas: 2,
        maxReplicas: 6,
        metrics: [
          {
            type: "ContainerResource",
            containerResource: { container: "app", name: "cpu", target: { type: "Utilization", averageUtilization: 80 } },
          },
        ],
      });
      assert.ok(resources.get(AUTOSCALER)!.dependencies.includes(STATEFUL_SET));
    });

    it("is told by an annotation from one whose number is given, so that going back is a change", () => {
      const { inputs, options } = plain.get(STATEFUL_SET)!;
      assert.deepStrictEqual(inputs.metadata.annotations, { "pulumi.com/patchForce": "true" });
      assert.deepStrictEqual(options.ignoreChanges, []);
    });

    it("takes the targets that are given", async () => {
      const both = await made({ autoscaling: { minReplicas: 1, maxReplicas: 3, targetCpuPercent: 50, targetMemoryPercent: 70 } });
      const memory = await made({ kind: "Deployment", autoscaling: { maxReplicas: 3, targetMemoryPercent: 70 } });
      const targets = (of: Resources) =>
        specOf(of, AUTOSCALER).metrics.map(({ containerResource: { name, target } }: any) => [name, target.averageUtilization]);
      assert.deepStrictEqual(targets(both), [
        ["cpu", 50],
        ["memory", 70],
      ]);
      assert.deepStrictEqual(targets(memory), [["memory", 70]]);
      assert.strictEqual(specOf(memory, AUTOSCALER).scaleTargetRef.kind, "Deployment");
    });

    const wrong: [string, object, RegExp][] = [
      ["replicas too", { replicas: 3, autoscaling }, /^ {2}replicas: is what autoscaling decides: leave one of the two out/m],
      [
        "fewer at most than at least",
        { autoscaling: { minReplicas: 3, maxReplicas: 2 } },
        /^ {2}autoscaling.maxReplicas: is 2, less than autoscaling.minReplicas, which is 3: raise it/m,
      ],
      ["no most", { autoscaling: {} }, /^ {2}autoscaling.maxReplicas: is missing: say how many pods/m],
      ["none at least", { autoscaling: { minReplicas: 0, maxReplicas: 2 } }, /^ {2}autoscaling.minReplicas: 0 is out of range/m],
      [
        "a target of what is not requested",
        { autoscaling, resources: { requests: { memory: "1Gi" } } },
        /^ {2}resources.requests: has no cpu, in percent of which autoscaling has its target: request it/m,
      ],
    ];
    for (const [what, more, message] of wrong)
      it(`refuses ${what}`, async () => assert.match(await refusal({ image, ...more }), message));
  });

  it("has a budget for disruptions where there can be more than one pod", async () => {
    assert.ok(!plain.has(BUDGET));
    for (const more of [{ replicas: 2 }, { replicas: pulumi.output(1) }, { autoscaling: { maxReplicas: 2 } }]) {
      const { selector, ...rest } = specOf(await made(more), BUDGET);
      assert.deepStrictEqual(rest, { maxUnavailable: 1, unhealthyPodEvictionPolicy: "AlwaysAllow" });
      assert.deepStrictEqual(selector.matchLabels, specOf(plain, "kubernetes:core/v1:Service::notes").selector);
    }
  });

  it("has a pod template in which the number of pods is not", async () => {
    const templateOf = async (more: Partial<PostgresAppArgs>) => specOf(await made(more), STATEFUL_SET).template;
    const one = await templateOf({});
    assert.deepStrictEqual(await templateOf({ replicas: 3, rollout: { minReadySeconds: 10 } }), one);
    assert.deepStrictEqual(await templateOf({ autoscaling: { maxReplicas: 3 } }), one);
    assert.deepStrictEqual(
      one.spec.topologySpreadConstraints.map(({ topologyKey, whenUnsatisfiable }: any) => [topologyKey, whenUnsatisfiable]),
      [
        ["kubernetes.io/hostname", "ScheduleAnyway"],
        ["topology.kubernetes.io/zone", "ScheduleAnyway"],
      ],
    );
  });

  it("is spread as it is told", async () => {
    const resources = await made({
      kind: "Deployment",
      topologySpread: [{ topologyKey: "rack", maxSkew: 2, whenUnsatisfiable: "DoNotSchedule" }],
    });
    const labels = { "app.kubernetes.io/instance": "notes", "app.kubernetes.io/component": "app" };
    assert.deepStrictEqual(podOf(resources, DEPLOYMENT).topologySpreadConstraints, [
      {
        topologyKey: "rack",
        maxSkew: 2,
        whenUnsatisfiable: "DoNotSchedule",
        labelSelector: { matchLabels: labels },
        matchLabelKeys: ["pod-template-hash"],
        nodeTaintsPolicy: "Honor",
      },
    ]);
    assert.strictEqual(podOf(await made({ topologySpread: [] }), STATEFUL_SET).topologySpreadConstraints, undefined);
  });

  describe("stopping", () => {
    const stopping = async (more: Partial<PostgresAppArgs>) => {
      const { terminationGracePeriodSeconds, containers } = podOf(await made(more), STATEFUL_SET);
      return [containers[0].lifecycle?.preStop.sleep.seconds, terminationGracePeriodSeconds];
    };

    it("pauses before the signal to end, with time left after it", async () => {
      assert.deepStrictEqual(await stopping({}), [5, 30]);
      assert.deepStrictEqual(await stopping({ preStopSeconds: 20 }), [20, 45]);
      assert.deepStrictEqual(await stopping({ preStopSeconds: 0, terminationGracePeriodSeconds: 10 }), [undefined, 10]);
    });

    it("refuses a time that is over before the signal", async () => {
      const message = await refusal({ image, preStopSeconds: 30, terminationGracePeriodSeconds: 30 });
      assert.match(message, /^ {2}terminationGracePeriodSeconds: is 30, and 30 of them pass before the pod is told to end/m);
    });
  });

  it("compares two numbers when both are known", async () => {
    const validation = new Validation("it");
    const less = (value: number, other: number) => (value < other ? "too little" : undefined);
    const later = (value: number) => pulumi.output(value);
    const compared = (value: pulumi.Input<number>, other: pulumi.Input<number>) =>
      (pulumi.output(validation.checkBeside("max", value, other, less)) as any).promise();
    await graph(async () => undefined);
    assert.strictEqual(await compared(later(2), 1), 2);
    assert.strictEqual(await compared(2, later(1)), 2);
    await assert.rejects(compared(later(1), 2), /max: too little/);
    await assert.rejects(compared(1, later(2)), /max: too little/);
    assert.doesNotThrow(() => validation.throwIfAny());
  });

  describe("account", () => {
    it("is its own, without a token", async () => {
      assert.deepStrictEqual(
        [plain.get(ACCOUNT)!.inputs.metadata.name, plain.get(ACCOUNT)!.inputs.automountServiceAccountToken],
        ["notes", false],
      );
      const { serviceAccountName, automountServiceAccountToken } = podOf(plain, STATEFUL_SET);
      assert.deepStrictEqual([serviceAccountName, automountServiceAccountToken], ["notes", false]);
      assert.ok(plain.get(STATEFUL_SET)!.dependencies.includes(ACCOUNT));
      for (const job of MIGRATION) assert.strictEqual(podOf(plain, job).serviceAccountName, undefined);
    });

    it("with an identity is the migration's too, which starts after it; the database's pods never have it", async () => {
      const annotations = { "eks.amazonaws.com/role-arn": "arn:aws:iam::1:role/notes" };
      const resources = await made({ serviceAccount: { annotations, automountToken: true } });
      assert.deepStrictEqual(resources.get(ACCOUNT)!.inputs.metadata.annotations, annotations);
      for (const [key, { serviceAccountName, automountServiceAccountToken }] of pods(resources)) {
        const isApp = [...MIGRATION, STATEFUL_SET].includes(key);
        assert.strictEqual(serviceAccountName, isApp ? "notes" : undefined, key);
        assert.strictEqual(automountServiceAccountToken, key === STATEFUL_SET, key);
      }
      for (const job of MIGRATION) assert.ok(resources.get(job)!.dependencies.includes(ACCOUNT), job);
    });

    it("can be one that is there already, which is not made and not annotated", async () => {
      const resources = await made({ serviceAccount: { name: "shared" } });
      assert.ok(!resources.has(ACCOUNT));
      assert.strictEqual(podOf(resources, STATEFUL_SET).serviceAccountName, "shared");
      const message = await refusal({ image, serviceAccount: { name: "shared", annotations: { a: "b" } } });
      assert.match(
        message,
        /^ {2}serviceAccount.annotations: belong to the account that serviceAccount.name says is there already/m,
      );
    });
  });

  describe("placement", () => {
    const tolerations = [{ key: "dedicated", value: "notes", effect: "NoSchedule" }];
    const given = { nodeSelector: { "kubernetes.io/arch": "arm64" }, tolerations, priorityClassName: "high" };

    it("is that of all pods with the application's image, and their priority that of those that stay", async () => {
      const resources = await made({
        ...given,
        command: ["serve"],
        rollout: { canary: {} },
        workers: { queue: { command: ["work"] } },
        migration: { command: ["migrate"], pending: ["status"] },
      });
      const [CANARY, WORKER] = [`${JOB}::notes-canary`, "kubernetes:apps/v1:Deployment::notes-queue"];
      const plan = specOf(resources, "kubernetes:core/v1:Pod::notes-migration-plan");
      for (const [key, spec] of [...pods(resources), ["plan", plan] as [string, any]]) {
        const isApp = ["plan", ...MIGRATION, CANARY, WORKER, STATEFUL_SET].includes(key);
        assert.deepStrictEqual(spec.nodeSelector, isApp ? given.nodeSelector : undefined, key);
        const equal = { key: "dedicated", value: "notes", effect: "NoSchedule", operator: "Equal" };
        assert.deepStrictEqual(spec.tolerations, isApp ? [equal] : undefined, key);
        const stays = [CANARY, WORKER, STATEFUL_SET].includes(key);
        assert.strictEqual(spec.priorityClassName, stays ? "high" : undefined, key);
      }
    });

    it("refuses tolerations that Kubernetes would refuse", async () => {
      const message = await refusal({
        image,
        tolerations: [
          { key: "a", operator: "Exists", value: "b" },
          { value: "b" },
          { key: "a", effect: "NoSchedule", tolerationSeconds: 5 },
          { key: "a", effect: "Never" },
        ],
      });
      assert.match(message, /tolerations\[0\].value: does not go with the operator Exists/);
      assert.match(message, /tolerations\[1\].key: is missing: name the taint's key/);
      assert.match(message, /tolerations\[2\].tolerationSeconds: needs effect "NoExecute"/);
      assert.match(message, /tolerations\[3\].effect: is "Never": write one of "NoSchedule"/);
    });
  });

  describe("pull secrets", () => {
    const imagePullSecrets = ["registry", "mirror"];
    const claim = { claim: { claimName: "backups" } };
    const references = [{ name: "registry" }, { name: "mirror" }];

    it("reach every pod", async () => {
      const resources = await made({
        imagePullSecrets,
        command: ["serve"],
        generatedSecrets: { KEY: {} },
        rollout: { canary: {} },
        workers: { queue: { command: ["work"] } },
        database: { backups: { schedule: "30 2 * * *", destination: claim }, restoreFrom: claim },
        migration: { command: ["migrate"], pending: ["status"], backup: claim, postDeploy: {} },
      });
      const all = pods(resources);
      // Database and its trial, setup, restore, backup and its check, keys, start and migration before and after, the wait between, canary, application, worker.
      assert.strictEqual(all.length, 15, all.map(([key]) => key).join("\n"));
      const plan = specOf(resources, "kubernetes:core/v1:Pod::notes-migration-plan");
      for (const [key, spec] of [...all, ["plan", plan] as [string, any]])
        assert.deepStrictEqual(spec.imagePullSecrets, references, key);
      const byHand = JSON.parse(
        resources.get("kubernetes:core/v1:ConfigMap::notes-migration-scripts")!.inputs.data["restore.json"],
      );
      assert.deepStrictEqual(byHand.spec.template.spec.imagePullSecrets, references);
    });

    it("reach the pods of the parts that stand alone", async () => {
      const connection = { image, command: ["migrate"], connectionSecretName: "connection" };
      const { resources } = await graph(() => {
        new MigrationJob("m", { ...connection, imagePullSecrets });
        new PostgresDatabase("d", { imagePullSecrets, cloudNativePg: {} });
      });
      assert.strictEqual(pods(resources).length, 3);
      for (const [key, spec] of pods(resources)) assert.deepStrictEqual(spec.imagePullSecrets, references, key);
      const cluster = resources.get("kubernetes:postgresql.cnpg.io/v1:Cluster::d")!;
      assert.deepStrictEqual(cluster.inputs.spec.imagePullSecrets, references);
    });

    it("have to be names", async () => {
      const message = await refusal({ image, imagePullSecrets: ["Registry!"] });
      assert.match(message, /^ {2}imagePullSecrets: "Registry!" is not the name of an object/m);
    });
  });

  describe("workers", () => {
    const WORKER = "kubernetes:apps/v1:Deployment::notes-queue";
    const queue = { command: ["bundle", "exec", "sidekiq"], env: { QUEUE: "mail" }, terminationGracePeriodSeconds: 120 };

    it("have what the application has, their own settings, and nothing that is asked from outside", async () => {
      const resources = await made({
        env: { LOG_LEVEL: "info" },
        probes: { liveness: { httpPath: "/health" } },
        workers: { queue },
      });
      const { template, replicas, minReadySeconds, selector } = specOf(resources, WORKER);
      const [{ command, env, envFrom, volumeMounts, ...container }] = template.spec.containers;
      const [app] = podOf(resources, STATEFUL_SET).containers;
      assert.deepStrictEqual([replicas, minReadySeconds, template.spec.terminationGracePeriodSeconds], [1, 5, 120]);
      assert.deepStrictEqual(command, queue.command);
      assert.deepStrictEqual(env, [...app.env, { name: "QUEUE", value: "mail" }]);
      assert.deepStrictEqual([envFrom, volumeMounts], [app.envFrom, app.volumeMounts]);
      for (const none of ["ports", "startupProbe", "livenessProbe", "readinessProbe", "lifecycle"])
        assert.ok(!(none in container), none);
      const service = specOf(resources, "kubernetes:core/v1:Service::notes").selector;
      assert.ok(
        Object.entries(service).some(([name, value]) => template.metadata.labels[name] !== value),
        "the Service selects it",
      );
      assert.notStrictEqual(selector.matchLabels["pulumi-postgres-app/worker"], undefined);
      assert.deepStrictEqual(
        podOf(resources, STATEFUL_SET),
        podOf(await made({ env: { LOG_LEVEL: "info" }, probes: { liveness: { httpPath: "/health" } } }), STATEFUL_SET),
      );
    });

    it("start after the migration, after the canary, or after the pods where these migrate; what comes after the rollout waits for them", async () => {
      const workers = { queue };
      const depends = (resources: Resources, on: string) => resources.get(WORKER)!.dependencies.includes(on);
      const job = await made({ workers, migration: { command: ["migrate"], postDeploy: {} } });
      assert.ok(depends(job, MIGRATION[0]) && !depends(job, STATEFUL_SET));
      assert.ok(job.get(`${JOB}::notes-former-pods`)!.dependencies.includes(WORKER));
      const canary = await made({ workers, command: ["serve"], rollout: { canary: {} } });
      assert.ok(depends(canary, `${JOB}::notes-canary`));
      const startup = await made({ workers, migratesAtStart: true, migration: { strategy: "Startup" } });
      assert.ok(depends(startup, "kubernetes:apps/v1:StatefulSetPatch::notes-replicas")); // which comes after the first pod
      const pods = await made({ workers, migration: { strategy: "InitContainer", command: ["migrate"] } });
      assert.ok(depends(pods, STATEFUL_SET));
    });

    const wrong: [string, object, RegExp][] = [
      ["no command", { queue: {} }, /^ {2}workers.queue.command: is missing: write the words of the command/m],
      [
        "a name that cannot be one",
        { Queue_1: queue },
        /^ {2}workers.Queue_1: "Queue_1" cannot name Kubernetes objects: use at most 20/m,
      ],
      [
        "two values of a variable",
        { queue: { ...queue, env: { PGHOST: "elsewhere" } } },
        /^ {2}workers.queue.env.PGHOST: is in connectionEnv too/m,
      ],
    ];
    for (const [what, workers, message] of wrong)
      it(`refuses ${what}`, async () => assert.match(await refusal({ image, workers }), message));
  });
});
