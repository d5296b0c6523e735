import * as assert from "assert";
import { MigrationJob, MigrationJobArgs } from "../../index";
import { mutableTag } from "../../components/migration/knownImages";
import { graph } from "../support/graph";

const JOB = "kubernetes:batch/v1:Job";
const migrate = { image: "registry.example.org/notes:1.0.0", command: ["migrate"], connectionSecretName: "db" };

async function pods(more: Partial<MigrationJobArgs> = {}) {
  const { resources } = await graph(() => new MigrationJob("m", { ...migrate, ...more }));
  const pod = (name: string) => resources.get(`${JOB}::${name}`)!.inputs.spec.template.spec;
  return { migration: pod("m"), start: pod("m-start"), files: resources.get("kubernetes:core/v1:ConfigMap::m-scripts")!.inputs };
}

const refusal = (more: Partial<MigrationJobArgs>) =>
  pods(more).then(
    () => "",
    (error) => error.message as string,
  );

describe("a migration's Job", () => {
  it("never requests more than the limits, and what is given exactly", async () => {
    const resources = async (more: MigrationJobArgs["resources"]) =>
      (await pods({ resources: more })).migration.containers.at(-1).resources;
    assert.deepStrictEqual((await resources({ limits: { memory: "100Mi", cpu: "1" } })).requests, {
      cpu: "100m",
      memory: "100Mi",
    });
    assert.deepStrictEqual((await resources({ limits: { memory: "1Gi", cpu: "50m" } })).requests, {
      cpu: "50m",
      memory: "128Mi",
    });
    assert.deepStrictEqual((await resources({ requests: { cpu: "2" }, limits: { cpu: "1" } })).requests, { cpu: "2" });
  });

  it("has a way back by hand only with a backup, which names everything that the restore needs", async () => {
    assert.strictEqual((await pods()).files.data["restore.json"], undefined);
    const { files, migration } = await pods({ backup: { claim: { claimName: "backups" } } });
    const { metadata, spec } = JSON.parse(files.data["restore.json"]);
    assert.strictEqual(metadata.generateName, "m-restore-");
    const [restore] = spec.template.spec.containers;
    assert.deepStrictEqual(restore.command.slice(-2), ["/etc/postgres-app/scripts/restore.sh", "replace"]);
    const env = Object.fromEntries(restore.env.map(({ name, value }: any) => [name, value]));
    assert.deepStrictEqual([env.BACKUP, env.FOLDER, env.TIMEOUT_SECONDS], ["BACKUP_NAME", "/backups", "3600"]);
    for (const file of ["restore.sh", "replace.sh", "replace.sql", "backup-lib.sh"]) assert.ok(files.data[file], file);
    assert.strictEqual(migration.securityContext.fsGroup, 999);
  });

  it("uploads as the user that dumps, whatever the user of the image that uploads is", async () => {
    const { migration } = await pods({ backup: { s3: { bucket: "backups", secretName: "s3" } } });
    const user = (name: string) =>
      migration.containers.find((container: any) => container.name === name).securityContext.runAsUser;
    assert.deepStrictEqual([user("upload"), user("guard")], [999, 999]);
  });

  it("refuses ways back that contradict each other or have nothing to go back to", async () => {
    assert.match(await refusal({ restoreOnFailure: true }), /restoreOnFailure: needs backup/);
    const both = { restoreOnFailure: true, rollbackCommand: ["undo"], backup: { claim: { claimName: "backups" } } };
    assert.match(await refusal(both), /restoreOnFailure: and rollbackCommand would both undo the migration: keep one of the two/);
  });

  it("refuses a connection by which the lock cannot be had, unless it is not wanted", async () => {
    const connectionKeys = { password: "p" };
    const connectionEnv = { PGPASSWORD: "password" };
    assert.match(await refusal({ connectionKeys, connectionEnv }), /connectionKeys: has neither the uri nor host, dbname, user/);
    assert.strictEqual(await refusal({ connectionKeys, connectionEnv, lock: false }), "");
  });

  it("is warned of tags that are pushed again, by whatever name the registry goes", () => {
    for (const image of ["notes", "notes:latest", "registry.example.org:5000/team/notes", "registry.example.org/notes:main"])
      assert.match(
        mutableTag(image) ?? "",
        /is usually pushed again, which Pulumi cannot see: .* Name a version, best with a digest/,
        image,
      );
    const digest = `@sha256:${"0".repeat(64)}`;
    for (const image of ["notes:1.0.0", "registry.example.org:5000/notes:2.13.1", `notes:latest${digest}`, `notes${digest}`])
      assert.strictEqual(mutableTag(image), undefined, image);
  });
});
