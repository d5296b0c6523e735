import * as assert from "assert";
import { readFileSync } from "fs";
import { join } from "path";
import { MigrationJob, MigrationJobArgs } from "../../index";
import { graph } from "../support/graph";
import { compared } from "../support/nextRun";

const JOB = "kubernetes:batch/v1:Job::m";
const args: MigrationJobArgs = {
  image: "registry.example.org/notes:1.0.0",
  command: ["sequelize-cli", "db:migrate"],
  connectionSecretName: "connection",
  clientImage: "docker.io/library/postgres:17",
};
const job = async (more: Partial<MigrationJobArgs> = {}, key = JOB) => {
  const { resources } = await graph(() => new MigrationJob("m", { ...args, ...more }));
  return resources.get(key)!;
};
const template = async (more: Partial<MigrationJobArgs> = {}) => (await job(more)).inputs.spec.template;

/** What the engine sees of a template where another one is in the cluster. */
async function comparedWith(before: object, more: Partial<MigrationJobArgs> = {}, key = JOB) {
  const { inputs, options } = await job(more, key);
  return compared({ spec: { template: before } }, inputs, options.ignoreChanges).spec.template;
}

describe("the pod template of a migration", () => {
  const released = JSON.parse(readFileSync(join(__dirname, "migrationTemplate.json"), "utf8"));

  /**
   * A change of this file migrates again in every stack that uses this package, at its next `pulumi up`: Pulumi replaces a Job whose
   * template has changed. So it is changed with a major version or not at all; scripts and settings go into the ConfigMap, and what is
   * not what a migration does is named in `ignoreChanges`.
   */
  it("is to a Job that is there the one that has been released", async () => {
    assert.deepStrictEqual(await comparedWith(released), released);
  });

  it("keeps autoscalers away from a Job that is made", async () => {
    const { annotations } = (await template()).metadata;
    assert.strictEqual(annotations["karpenter.sh/do-not-disrupt"], "true");
    assert.strictEqual(annotations["cluster-autoscaler.kubernetes.io/safe-to-evict"], "false");
  });

  const harmless: Partial<MigrationJobArgs>[] = [
    { timeoutSeconds: 30 },
    { backoffLimit: 3 },
    { lock: false },
    { partOf: "shop" },
    { goBackTo: args.image },
  ];
  for (const more of harmless)
    it(`is the same with ${JSON.stringify(more)}`, async () => {
      assert.deepStrictEqual(await comparedWith(released, more), released);
      const before = (await job({}, `${JOB}-start`)).inputs.spec.template;
      assert.deepStrictEqual(await comparedWith(before, more, `${JOB}-start`), before);
    });

  it("is to a start Job of before the one that it was", async () => {
    const { metadata, ...rest } = (await job({}, `${JOB}-start`)).inputs.spec.template;
    const before = { metadata: { labels: metadata.labels }, ...rest };
    assert.deepStrictEqual(await comparedWith(before, {}, `${JOB}-start`), before);
  });

  const identity: Partial<MigrationJobArgs>[] = [
    { image: "registry.example.org/notes:1.1.0" },
    { command: ["migrate"] },
    { env: { LOG_LEVEL: "debug" } },
    { rerun: "2" },
    { dataId: "another database" },
    { connectionSecretName: "other" },
    { verify: ["check"] },
    { rollbackCommand: ["undo"] },
    { runAsUser: 1234 },
    { resources: { limits: { memory: "1Gi" } } },
    { imagePullPolicy: "Always" },
    { jobs: { limits: { cpu: "1", memory: "64Mi" } } },
    { jobs: { labels: { team: "shop" } } },
    { jobs: { annotations: { "sidecar.istio.io/inject": "false" } } },
    { jobs: { annotations: { "karpenter.sh/do-not-disrupt": "true" } } },
    { imagePullSecrets: ["registry"] },
    { nodeSelector: { disk: "fast" } },
    { imageRegistry: "registry.example.org/mirror", clientImage: undefined },
  ];
  for (const more of identity)
    it(`is another one with ${JSON.stringify(more)}`, async () => {
      assert.notDeepStrictEqual(await comparedWith(released, more), released);
    });
});
