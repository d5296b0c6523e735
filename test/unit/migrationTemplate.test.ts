import * as assert from "assert";
import { readFileSync } from "fs";
import { join } from "path";
import { MigrationJob, MigrationJobArgs } from "../../index";
import { graph } from "../support/graph";

const JOB = "kubernetes:batch/v1:Job::m";
const args: MigrationJobArgs = {
  image: "registry.example.org/notes:1.0.0",
  command: ["sequelize-cli", "db:migrate"],
  connectionSecretName: "connection",
  clientImage: "docker.io/library/postgres:17",
};
const template = async (more: Partial<MigrationJobArgs> = {}, key = JOB) => {
  const { resources } = await graph(() => new MigrationJob("m", { ...args, ...more }));
  return resources.get(key)!.inputs.spec.template;
};

describe("the pod template of a migration", () => {
  /**
   * A change of this file migrates again in every stack that uses this package, at its next `pulumi up`: Pulumi replaces a Job whose
   * template has changed. So it is changed with a major version or not at all; scripts and settings go into the ConfigMap.
   */
  it("is the one that has been released", async () => {
    const released = JSON.parse(readFileSync(join(__dirname, "migrationTemplate.json"), "utf8"));
    assert.deepStrictEqual(JSON.parse(JSON.stringify(await template())), released);
  });

  const harmless: Partial<MigrationJobArgs>[] = [
    { timeoutSeconds: 30 },
    { backoffLimit: 3 },
    { lock: false },
    { partOf: "shop" },
  ];
  for (const more of harmless)
    it(`is the same with ${JSON.stringify(more)}`, async () => {
      assert.deepStrictEqual(await template(more), await template());
      assert.deepStrictEqual(await template(more, `${JOB}-start`), await template({}, `${JOB}-start`));
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
  ];
  for (const more of identity)
    it(`is another one with ${JSON.stringify(more)}`, async () => {
      assert.notDeepStrictEqual(await template(more), await template());
    });
});
