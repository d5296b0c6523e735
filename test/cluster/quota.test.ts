import * as assert from "assert";
import { PostgresAppArgs } from "../../index";
import { inOrder } from "../support/inOrder";
import { Namespace, run } from "../support/kubectl";
import { failed, onlyMigration, succeeded, TestStack } from "../support/migrations";
import { changesNothing } from "../support/stack";
import { image, notes } from "../support/notes";

const limits = { cpu: "1", memory: "512Mi" };
/** As of a namespace's range on OpenShift; no image knows it. */
const uid = 1000650000;
const claim = { claimName: "backups" };

describe("a namespace whose quota asks every container for limits", function () {
  this.timeout(280_000);
  inOrder(this);
  let namespace: Namespace;
  const stacks: TestStack[] = [];
  before(async () => {
    namespace = await Namespace.create("quota");
    const named = (name: string) => ({ name, namespace: namespace.name });
    await namespace.apply(
      {
        apiVersion: "v1",
        kind: "ResourceQuota",
        metadata: named("compute"),
        spec: { hard: { "limits.cpu": "20", "limits.memory": "10Gi" } },
      },
      {
        apiVersion: "v1",
        kind: "PersistentVolumeClaim",
        metadata: named(claim.claimName),
        spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
      },
    );
  });
  after(async () => {
    await Promise.all(stacks.map((stack) => stack.remove()));
    await namespace?.delete();
  });
  const newStack = async (name: string) => {
    const stack = await TestStack.create(name);
    stacks.push(stack);
    return stack;
  };

  it("lets a Job have no pod, which is said at once in Kubernetes' words, and at the end with the way out", async () => {
    const stack = await newStack("forbidden");
    const args = { image: image("1.0.0"), command: ["true"], connectionSecretName: "none", namespace: namespace.name };
    const output = failed(await stack.up(onlyMigration({ ...args, timeoutSeconds: 15 })));
    const words =
      /m-start creating \((\d+)s\) warning: FailedCreate: Error creating: pods "\S+" is forbidden: failed quota: compute: must specify limits\.cpu for: \S+; limits\.memory for: /;
    assert.match(output, words);
    assert.ok(Number(words.exec(output)![1]) < 10, "it was not said at once");
    const said = output.slice(output.lastIndexOf("Diagnostics:"));
    assert.match(said, /the migration could not begin: no node took its pod in time: .* or the cluster let no pod be made/);
    assert.match(said, /limits for a quota \(jobs\.limits\)/);
    const [, command] = /`(kubectl get events .+?)`/.exec(said)!;
    assert.match((await run("sh", ["-c", command])).stdout, /must specify limits\.cpu/);
  });

  const obeying: Partial<PostgresAppArgs> = {
    runAsUser: uid,
    resources: { limits },
    database: {
      embedded: { version: 17, storage: "1Gi", runAsUser: uid, resources: { limits } },
      backups: { schedule: "30 2 * * *", destination: { claim } },
    },
    migration: { command: ["sequelize-cli", "db:migrate"], timeoutSeconds: 120, backup: { claim } },
    generatedSecrets: { APP_KEY: {} },
    jobs: { limits, runAsUser: uid, labels: { team: "shop" }, annotations: { "sidecar.istio.io/inject": "false" } },
  };

  it("lets everything come up that has them, a new version too, as a user of the namespace's range", async () => {
    const stack = await newStack("obeying");
    succeeded(await stack.up(notes(namespace, "1.0.0", obeying)));
    succeeded(await stack.up(notes(namespace, "1.1.0", obeying)));
    changesNothing(await stack.preview(notes(namespace, "1.1.0", obeying)));
    const pods = await namespace.items("pods");
    const parts = new Set(pods.map(({ metadata }) => metadata.labels["app.kubernetes.io/component"]));
    for (const part of ["app", "database", "setup", "backup", "keys", "migration", "migration-start"])
      assert.ok(parts.has(part), part);
    for (const { metadata, spec } of pods) {
      const ofJob = metadata.ownerReferences.some(({ kind }: any) => kind === "Job");
      assert.strictEqual(metadata.labels.team, ofJob ? "shop" : undefined, metadata.name);
      assert.strictEqual(metadata.annotations?.["karpenter.sh/do-not-disrupt"], ofJob ? "true" : undefined, metadata.name);
      assert.strictEqual(metadata.annotations?.["sidecar.istio.io/inject"], ofJob ? "false" : undefined, metadata.name);
      assert.strictEqual(spec.securityContext.fsGroup ?? uid, uid, metadata.name);
      for (const { name, resources, securityContext } of [...spec.containers, ...(spec.initContainers ?? [])]) {
        const where = `${metadata.name}: ${name}`;
        assert.deepStrictEqual(resources.limits, limits, where);
        assert.strictEqual(securityContext.runAsUser ?? spec.securityContext.runAsUser, uid, where);
      }
    }
  });
});
