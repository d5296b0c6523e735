import * as assert from "assert";
import { gatesAfter } from "../../components/migration/strategy";
import { PostgresApp, PostgresAppArgs } from "../../index";
import { graph, Registered } from "../support/graph";
import { refusal } from "../support/refusal";

const image = "registry.example.org/notes:1.0.0";
const known = "docker.io/mitre/heimdall2:2.13.1";
const start = ["node", "server.js"];
const STATEFUL_SET = "kubernetes:apps/v1:StatefulSet::notes";
const JOB = "kubernetes:batch/v1:Job";

const registered = async (args: Partial<PostgresAppArgs>) => {
  const { resources, result } = await graph(() => new PostgresApp("notes", { image, ...args }));
  const jobs = [...resources.keys()].filter((key) => key.startsWith(JOB)).map((key) => key.split("::")[1]);
  return { resources, result, jobs, workload: resources.get(STATEFUL_SET)! };
};
const template = ({ inputs }: Registered) => inputs.spec.template;

describe("migration.strategy", () => {
  it("Job, the default: a Job, and pods that know nothing of it", async () => {
    for (const migration of [{ command: ["migrate"] }, { command: ["migrate"], strategy: "Job" as const }]) {
      const { jobs, workload } = await registered({ migration });
      assert.deepStrictEqual(jobs.sort(), ["notes-db-setup", "notes-db-trial", "notes-migration", "notes-migration-start"]);
      assert.strictEqual(workload.inputs.spec.podManagementPolicy, "Parallel");
      assert.strictEqual(template(workload).spec.initContainers, undefined);
      assert.deepStrictEqual(workload.options.customTimeouts, { create: "300s", update: "300s", delete: "" });
    }
  });

  it("Startup: no Job, one pod by itself and then the others, each with the time that its migration may take", async () => {
    const { jobs, workload } = await registered({
      migratesAtStart: true,
      migration: { strategy: "Startup", timeoutSeconds: 900 },
    });
    assert.deepStrictEqual(jobs, ["notes-db-trial", "notes-db-setup"]);
    assert.strictEqual(workload.inputs.spec.replicas, undefined);
    const { startupProbe } = template(workload).spec.containers[0];
    assert.deepStrictEqual([startupProbe.periodSeconds, startupProbe.failureThreshold], [1, 1200]);
    assert.deepStrictEqual(workload.options.customTimeouts, { create: "1200s", update: "1200s", delete: "" });
    assert.ok(workload.dependencies.includes(`${JOB}::notes-db-setup`));
  });

  it("Startup counts the startup probe's noes by its period", async () => {
    const { workload } = await registered({
      image: known,
      migration: { strategy: "Startup" },
      probes: { startup: { periodSeconds: 7 } },
    });
    assert.strictEqual(template(workload).spec.containers[0].startupProbe.failureThreshold, Math.ceil(900 / 7));
  });

  it("InitContainer: tools, a guard that lives on, the migration, in each pod", async () => {
    const { jobs, workload, resources } = await registered({
      env: { LOG_LEVEL: "info" },
      database: { credentials: { separateMigrator: true } },
      migration: { strategy: "InitContainer", command: ["migrate"], env: { A: "1" }, secretEnv: { B: "not to be seen" } },
    });
    assert.deepStrictEqual(jobs, ["notes-db-trial", "notes-db-setup"]);
    assert.strictEqual(workload.inputs.spec.podManagementPolicy, "Parallel");
    const { initContainers, containers, volumes } = template(workload).spec;
    assert.deepStrictEqual(
      initContainers.map(({ name, restartPolicy }: any) => [name, restartPolicy]),
      [
        ["tools", undefined],
        ["guard", "Always"],
        ["migrate", undefined],
      ],
    );
    const [, guard, migrate] = initContainers;
    for (const { env } of [guard, migrate])
      assert.strictEqual(
        env.find(({ name }: any) => name === "PGPASSWORD").valueFrom.secretKeyRef.name,
        "notes-db-migration-connection",
      );
    assert.deepStrictEqual(migrate.envFrom, [{ secretRef: { name: "notes-init-env-0123abcd" } }]);
    assert.deepStrictEqual(migrate.command.slice(-3), ["migrate", "1", "migrate"]);
    assert.doesNotMatch(JSON.stringify(migrate), /LOG_LEVEL|notes-env/);
    assert.strictEqual(containers.length, 1);
    const names = volumes.map(({ name }: any) => name);
    assert.strictEqual(new Set(names).size, names.length, names.join());
    for (const { volumeMounts } of [...initContainers, ...containers])
      for (const { name } of volumeMounts) assert.ok(names.includes(name), name);
    assert.match(JSON.stringify(resources.get("kubernetes:core/v1:ConfigMap::notes-init-scripts")!.inputs.data), /SIDECAR=yes/);
    assert.deepStrictEqual(workload.options.customTimeouts, { create: "900s", update: "900s", delete: "" });
    for (const each of ["ConfigMap::notes-init-scripts", "Secret::notes-init-env"])
      assert.ok(workload.dependencies.includes(`kubernetes:core/v1:${each}`), each);
  });

  it("rolls pods that migrate when the data becomes other data, and no others", async () => {
    const annotated = async (args: Partial<PostgresAppArgs>) =>
      Object.keys(template((await registered(args)).workload).metadata.annotations ?? {});
    assert.deepStrictEqual(await annotated({ migration: { strategy: "InitContainer", command: ["migrate"] } }), [
      "pulumi-postgres-app/data",
    ]);
    assert.deepStrictEqual(await annotated({ migration: { strategy: "Startup" }, migratesAtStart: true }), [
      "pulumi-postgres-app/data",
    ]);
    assert.deepStrictEqual(await annotated({ migration: { command: ["migrate"] } }), []);
  });

  it("None: nothing migrates", async () => {
    const { jobs, workload } = await registered({ migration: { strategy: "None" } });
    assert.deepStrictEqual(jobs, ["notes-db-trial", "notes-db-setup"]);
    assert.strictEqual(template(workload).spec.initContainers, undefined);
  });

  it("is one of four", async () =>
    assert.match(
      await refusal({ image, migration: { strategy: "job" } }),
      /^ {2}migration.strategy: is "job": write one of "Job", "Startup", "InitContainer", "None"$/m,
    ));

  it("other than Job refuses what belongs to a Job, each with its path", async () => {
    const everything = {
      ...{
        command: ["a"],
        image,
        env: { A: "1" },
        secretEnv: { B: "2" },
        backoffLimit: 1,
        rerun: "1",
        resources: {},
        lock: true,
      },
      ...{ backup: { claim: {} }, verify: ["b"], rollbackCommand: ["c"], restoreOnFailure: false, postDeploy: {} },
    };
    const refused = async (strategy: string, more: object) => {
      const message = await refusal({
        image,
        migratesAtStart: strategy === "Startup",
        migration: { ...everything, strategy, ...more },
      });
      return [...message.matchAll(/^ {2}migration\.(\w+): does not apply to strategy "(\w+)": .*: leave it out, or /gm)]
        .map(([, name, which]) => (assert.strictEqual(which, strategy), name))
        .sort();
    };
    const all = Object.keys(everything).sort();
    assert.deepStrictEqual(await refused("Startup", { timeoutSeconds: 9 }), all);
    assert.deepStrictEqual(await refused("None", { timeoutSeconds: 9 }), [...all, "timeoutSeconds"].sort());
    assert.deepStrictEqual(await refused("InitContainer", { timeoutSeconds: 9 }), [
      ...["backup", "postDeploy", "rerun", "restoreOnFailure", "rollbackCommand"],
    ]);
  });

  it("InitContainer is nothing without the lock, and needs a command", async () => {
    const message = await refusal({ image, migration: { strategy: "InitContainer", lock: false } });
    assert.match(message, /^ {2}migration.lock: is what keeps pods that start together from migrating together: leave it out/m);
    assert.match(message, /^ {2}migration.command: is missing: /m);
  });

  describe("in exactly one place", () => {
    it("refuses an image that migrates when it starts beside InitContainer and None too", async () => {
      const second =
        /^ {2}image: ".*" migrates when it starts, and migration.command would migrate a second time: set command to/m;
      assert.match(await refusal({ image: known, migration: { strategy: "InitContainer", command: ["migrate"] } }), second);
      assert.match(
        await refusal({ image: known, migration: { strategy: "None" } }),
        /^ {2}image: ".*" migrates when it starts, and migration.strategy "None" says that nothing migrates here: set command to .*, or use migration.strategy "Startup"$/m,
      );
      assert.match(
        await refusal({ image, migratesAtStart: true, migration: { strategy: "None" } }),
        /^ {2}migratesAtStart: the image migrates when it starts, and migration.strategy "None" says that nothing migrates here: /m,
      );
      assert.strictEqual(
        await refusal({ image: known, command: ["yarn", "backend", "start"], migration: { strategy: "None" } }),
        "",
      );
    });

    it("refuses Startup for an image of which nothing says that it migrates", async () => {
      const migration = { strategy: "Startup" };
      assert.match(
        await refusal({ image, migration }),
        /^ {2}image: nothing says that "registry.example.org\/notes:1.0.0" migrates when it starts, to which migration.strategy "Startup" leaves it: set migratesAtStart to true if it does, or use migration.strategy "Job" with the command that migrates$/m,
      );
      assert.match(
        await refusal({ image, migration, migratesAtStart: false }),
        /^ {2}migratesAtStart: is false, and migration.strategy "Startup" leaves it to the image: nobody would migrate: use/m,
      );
      assert.match(
        await refusal({ image: known, migration, command: ["yarn", "backend", "start"] }),
        /^ {2}image: "docker.io\/mitre\/heimdall2:2.13.1" migrates in the start command that command replaces, so nobody would: leave command out, or/m,
      );
      assert.strictEqual(await refusal({ image: known, migration }), "");
      assert.strictEqual(await refusal({ image: known, migration, migratesAtStart: true, command: ["start.sh"] }), "");
    });

    it("refuses a startup probe that would end a pod which migrates", async () => {
      const probes = { startup: { periodSeconds: 2, failureThreshold: 60 } };
      assert.match(
        await refusal({ image: known, probes, migration: { strategy: "Startup", timeoutSeconds: 121 } }),
        /^ {2}probes.startup.failureThreshold: 60 noes, one every 2 s, would end a pod that still migrates: allow the 121 s of migration.timeoutSeconds, or leave it out$/m,
      );
      assert.strictEqual(await refusal({ image: known, probes, migration: { strategy: "Startup", timeoutSeconds: 120 } }), "");
    });
  });
});

describe("migration.postDeploy", () => {
  const migration = { command: ["migrate"], env: { SKIP: "yes" }, secretEnv: { TOKEN: "t" }, rerun: "1", backup: undefined };

  it("is a Job of its own after the rollout, with the migration's command and without its env", async () => {
    const { resources, jobs } = await registered({ migration: { ...migration, verify: ["verify"], postDeploy: {} } });
    assert.deepStrictEqual(jobs.slice(-3), ["notes-former-pods", "notes-post-deploy-start", "notes-post-deploy"]);
    const job = resources.get(`${JOB}::notes-post-deploy`)!;
    assert.ok(job.dependencies.includes(`${JOB}::notes-former-pods`));
    assert.ok(resources.get(`${JOB}::notes-former-pods`)!.dependencies.includes(STATEFUL_SET));
    const migrate = (name: string) =>
      template(resources.get(`${JOB}::${name}`)!).spec.containers.find((c: any) => c.name === "migrate");
    assert.deepStrictEqual(migrate("notes-post-deploy").command.slice(-3), ["migrate", "1", "migrate"]);
    assert.strictEqual(migrate("notes-post-deploy").image, image);
    assert.doesNotMatch(JSON.stringify(job.inputs), /SKIP|verify/);
    assert.match(JSON.stringify(migrate("notes-migration").env), /SKIP/);
    assert.strictEqual(template(job).metadata.labels["app.kubernetes.io/instance"], "notes-post-deploy");
    assert.strictEqual(template(job).metadata.annotations["pulumi-postgres-app/rerun"], "1");
  });

  it("has a command, an env and a limit of its own", async () => {
    const postDeploy = { command: ["contract"], env: { AFTER: "yes" }, timeoutSeconds: 30 };
    const { resources, result } = await registered({ migration: { ...migration, postDeploy } });
    const { spec } = resources.get(`${JOB}::notes-post-deploy`)!.inputs;
    const [container] = spec.template.spec.containers.slice(-1);
    assert.deepStrictEqual(container.command.slice(-1), ["contract"]);
    assert.deepStrictEqual(
      container.env.find(({ name }: any) => name === "AFTER"),
      { name: "AFTER", value: "yes" },
    );
    assert.strictEqual(spec.activeDeadlineSeconds, 30 + 30 + 60);
    const output = new Promise((resolve) => result.postDeployJobName.apply(resolve));
    assert.strictEqual(await output, "notes-post-deploy-0123abcd");
  });

  const claim = { claim: { claimName: "backups" } };

  it("has the gates of the migration, and what allows something only where it is said of it", async () => {
    const rehearsal = { allowDestructive: true, storage: "20Gi" };
    const gated = { ...migration, backup: claim, pending: ["list"], approval: "0123456789ab", rehearsal, restoreOnFailure: true };
    const { resources } = await registered({ migration: { ...gated, postDeploy: { approval: "" } } });
    const job = template(resources.get(`${JOB}::notes-post-deploy`)!).spec;
    assert.ok(job.volumes.some(({ persistentVolumeClaim }: any) => persistentVolumeClaim?.claimName === "backups"));
    const { data } = resources.get("kubernetes:core/v1:ConfigMap::notes-post-deploy-scripts")!.inputs;
    assert.match(data.settings, /^RESTORE_ON_FAILURE=no$/m);
    const plan = resources.get("kubernetes:core/v1:Pod::notes-post-deploy-plan")!;
    assert.ok(plan.dependencies.includes(`${JOB}::notes-post-deploy-start`));
    const { initContainers } = plan.inputs.spec;
    assert.deepStrictEqual(
      initContainers.map(({ name }: any) => name),
      ["tools", "pending", "copy", "rehearse"],
    );
    const copy = initContainers.find(({ name }: any) => name === "copy");
    assert.strictEqual(copy.resources.requests["ephemeral-storage"], "20Gi");
    const gates = gatesAfter({ rehearsal: { image: "postgres:17" } }, gated);
    assert.deepStrictEqual(gates.rehearsal, { storage: "20Gi", image: "postgres:17", allowDestructive: undefined });
    assert.deepStrictEqual([gates.approval, gates.restoreOnFailure, gates.verify], [undefined, undefined, undefined]);
  });

  it("has others where they are given, and an approval of its own where the migration has one", async () => {
    const own = { claim: { claimName: "elsewhere" } };
    const postDeploy = { backup: own, restoreOnFailure: true, verify: ["check"], pending: ["more"], approval: "ba9876543210" };
    const { resources } = await registered({ migration: { ...migration, backup: claim, postDeploy } });
    const { volumes, containers } = template(resources.get(`${JOB}::notes-post-deploy`)!).spec;
    assert.ok(volumes.some(({ persistentVolumeClaim }: any) => persistentVolumeClaim?.claimName === "elsewhere"));
    assert.deepStrictEqual(containers.at(-1).command.slice(-3), ["1", "migrate", "check"]);
    const { data } = resources.get("kubernetes:core/v1:ConfigMap::notes-post-deploy-scripts")!.inputs;
    assert.match(data.settings, /^RESTORE_ON_FAILURE=yes$/m);
    assert.match(data.settings, /^DESTINATION_ARGUMENT=migration\.postDeploy\.backup$/m);

    const approved = { ...migration, pending: ["list"], approval: "" };
    assert.match(
      await refusal({ image, migration: { ...approved, postDeploy: {} } }),
      /^ {2}migration\.postDeploy\.approval: is missing: migration\.approval is that of another list/m,
    );
    const wrong = { restoreOnFailure: true, approval: "x", verify: [], rehearsal: { storage: "ten" } };
    const message = await refusal({ image, migration: { ...migration, postDeploy: wrong } });
    assert.match(message, /^ {2}migration\.postDeploy\.restoreOnFailure: needs migration\.postDeploy\.backup/m);
    assert.match(message, /^ {2}migration\.postDeploy\.approval: needs migration\.postDeploy\.pending/m);
    for (const property of ["approval", "verify", "rehearsal.storage"])
      assert.match(message, new RegExp(`^ {2}migration\\.postDeploy\\.${property}: `, "m"));
  });

  it("is checked with its paths", async () => {
    const postDeploy = { command: "contract", env: { TOKEN: "2", "1A": "3", PGHOST: "x" }, timeoutSeconds: 0 };
    const message = await refusal({ image, migration: { ...migration, postDeploy } });
    assert.match(message, /^ {2}migration.postDeploy.command: "contract" is not a command/m);
    assert.match(message, /^ {2}migration.postDeploy.env: name "1A" is not an environment variable's name/m);
    assert.match(message, /^ {2}migration.postDeploy.env.TOKEN: is in migration.secretEnv too/m);
    assert.match(message, /^ {2}migration.postDeploy.env.PGHOST: is in connectionEnv too/m);
    assert.match(message, /^ {2}migration.postDeploy.timeoutSeconds: 0 is out of range/m);
  });
});

describe("rollout.canary", () => {
  const canary = { rollout: { canary: {} }, command: start };
  const CANARY = `${JOB}::notes-canary`;

  it("is a Job between the migration and the pods", async () => {
    const { resources, workload } = await registered({ ...canary, env: { A: "1" }, migration: { command: ["migrate"] } });
    const job = resources.get(CANARY)!;
    for (const each of [`${JOB}::notes-migration`, "kubernetes:core/v1:ConfigMap::notes-env"])
      assert.ok(job.dependencies.includes(each));
    assert.ok(workload.dependencies.includes(CANARY));
    assert.deepStrictEqual(job.options.customTimeouts, { create: "720s", update: "720s", delete: "" });
  });

  it("runs the application's container as the workload does, but for its start, and is not selected by anything", async () => {
    const probes = { startup: { httpPath: "/started" }, liveness: { httpPath: "/live" }, readiness: { httpPath: "/ready" } };
    const { resources, workload } = await registered({ ...canary, args: ["--fast"], port: 3000, probes, secretEnv: { B: "b" } });
    const job = template(resources.get(CANARY)!);
    const [check, app] = job.spec.containers;
    const [own] = template(workload).spec.containers;
    for (const same of ["image", "envFrom", "startupProbe", "livenessProbe", "resources", "securityContext", "ports"])
      assert.deepStrictEqual(app[same], own[same], same);
    assert.deepStrictEqual(app.env.slice(0, own.env.length), own.env);
    assert.deepStrictEqual(app.command.slice(-4), ["app", "node", "server.js", "--fast"]);
    assert.deepStrictEqual(check.command.slice(-1), ["check"]);
    assert.deepStrictEqual(check.startupProbe.httpGet, { path: "/ready", port: 3000 });
    assert.deepStrictEqual(check.envFrom, own.envFrom);
    const selector = workload.inputs.spec.selector.matchLabels;
    assert.ok(Object.entries(selector).some(([label, value]) => job.metadata.labels[label] !== value));
    const names = job.spec.volumes.map(({ name }: any) => name);
    for (const { volumeMounts } of job.spec.containers)
      for (const { name } of volumeMounts) assert.ok(names.includes(name), name);
  });

  it("is another one when the pods are, and not when replicas or its own limit change", async () => {
    const of = async (more: Partial<PostgresAppArgs>) =>
      template((await registered({ ...canary, ...more })).resources.get(CANARY)!);
    const before = await of({});
    assert.deepStrictEqual(await of({ replicas: 5, rollout: { canary: { timeoutSeconds: 9 } } }), before);
    for (const more of [{ image: "notes:2" }, { resources: { limits: { memory: "1Gi" } } }, { args: ["x"] }, { port: 1 }])
      assert.notDeepStrictEqual(await of(more), before, JSON.stringify(more));
  });

  it("needs to know how the application starts", async () =>
    assert.match(
      await refusal({ image, rollout: { canary: {} } }),
      /^ {2}command: is missing, and rollout.canary has to know how the application starts, to be able to end it: write the image's ENTRYPOINT and CMD/m,
    ));

  it("is refused where it would migrate, or find the former schema", async () => {
    const refused = (migration: object | undefined, reason: RegExp) =>
      refusal({ image, ...canary, migratesAtStart: true, migration }).then((message) => assert.match(message, reason));
    const itself =
      /^ {2}rollout.canary: the image migrates when it starts, so the canary would be what migrates, .*: use migration.strategy "Job", or leave it out$/m;
    await refused({ strategy: "Startup" }, itself);
    await refused(undefined, itself);
    await refused(
      { strategy: "InitContainer", command: ["migrate"] },
      /^ {2}rollout.canary: the pods migrate when they start, so/m,
    );
    assert.strictEqual(await refusal({ image, ...canary, migration: { strategy: "None" } }), "");
  });

  it("is checked with its paths", async () => {
    const message = await refusal({ image, command: start, rollout: { canary: { command: "ask", timeoutSeconds: 1.5 } } });
    assert.match(message, /^ {2}rollout.canary.command: "ask" is not a command/m);
    assert.match(message, /^ {2}rollout.canary.timeoutSeconds: 1.5 is out of range/m);
  });
});
