import * as assert from "assert";
import { MigrationJob, MigrationJobArgs, PostgresApp } from "../../index";
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

  it("logs in with a client certificate alone, where the Secret has no password", async () => {
    const connectionClientCertificate = { secretName: "client" };
    const password = async (more: Partial<MigrationJobArgs>) =>
      (await pods(more)).migration.containers.map(
        ({ env }: any) => env.find(({ name }: any) => name === "PGPASSWORD")?.valueFrom.secretKeyRef.optional,
      );
    assert.deepStrictEqual(await password({ connectionClientCertificate }), [true, true]);
    assert.deepStrictEqual(await password({}), [undefined, undefined]);
    const parts = Object.fromEntries(["host", "dbname", "user"].map((part) => [part, part]));
    const connectionEnv = { PGHOST: "host" };
    const connectionKeys = parts;
    assert.strictEqual(await refusal({ connectionClientCertificate, connectionKeys, connectionEnv }), "");
    assert.match(await refusal({ connectionKeys, connectionEnv }), /connectionKeys: has neither the uri nor host/);
    assert.match(
      await refusal({ connectionClientCertificate: { secretName: "", certificateKey: "a/b" } }),
      /connectionClientCertificate\.secretName: is missing.*certificateKey: "a\/b" is not a key of a Secret/s,
    );
  });

  it("has the entries and files of existing objects wherever the user's command runs, and its own variables win", async () => {
    const envFrom = [{ configMap: "shared" }, { secret: "smtp", prefix: "SMTP_" }];
    const files = [
      { mountPath: "/etc/shop", configMap: "shop" },
      { mountPath: "/etc/ca.crt", secret: "ca", subPath: "ca.crt" },
    ];
    const { migration, start } = await pods({ envFrom, files, secretEnv: { A: "1" }, rollbackCommand: ["undo"] });
    const volumes = [
      { name: "migration-files-1", configMap: { name: "shop" } },
      { name: "migration-files-2", secret: { secretName: "ca" } },
    ];
    const containers = [...migration.containers, ...start.containers].filter(({ image }: any) => image === migrate.image);
    assert.deepStrictEqual(
      containers.map(({ name }: any) => name),
      ["rollback", "migrate", "check"],
    );
    for (const container of containers) {
      assert.deepStrictEqual(container.envFrom.slice(0, 2), [
        { configMapRef: { name: "shared" } },
        { prefix: "SMTP_", secretRef: { name: "smtp" } },
      ]);
      assert.match(container.envFrom[2].secretRef.name, /^m-env/);
      assert.deepStrictEqual(container.volumeMounts.slice(-2), [
        { name: "migration-files-1", mountPath: "/etc/shop", readOnly: true },
        { name: "migration-files-2", mountPath: "/etc/ca.crt", readOnly: true, subPath: "ca.crt" },
      ]);
    }
    for (const pod of [migration, start]) assert.deepStrictEqual(pod.volumes.slice(-2), volumes);
    assert.deepStrictEqual(
      (await pods()).migration.volumes.at(-1),
      (await pods({ envFrom: [], files: [] })).migration.volumes.at(-1),
    );
  });

  it("refuses files that name no object, two, or each other's place", async () => {
    const files = [{ mountPath: "/a" }, { mountPath: "/a", secret: "s", configMap: "c" }, { mountPath: "b", secret: "s" }];
    const message = await refusal({ files });
    assert.match(message, /files\[0\]: has to name exactly one object/);
    assert.match(message, /files\[1\]: has to name exactly one object/);
    assert.match(message, /files\[1\].mountPath: "\/a" is that of files\[0\] too: give each its own/);
    assert.match(message, /files\[2\].mountPath: "b" is not a path: begin it with \//);
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
    for (const file of ["restore.sh", "transaction.sh", "replace.sql", "backup-lib.sh"]) assert.ok(files.data[file], file);
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

  it("names arguments as they stand in the program, whoever makes the Job", async () => {
    const names = async (make: () => unknown, ...scripts: string[]) => {
      const { resources } = await graph(make);
      return scripts.map((map) => {
        const text: string = resources.get(`kubernetes:core/v1:ConfigMap::${map}`)!.inputs.data.settings;
        const of = (name: string) => new RegExp(`^${name}=(.*)$`, "m").exec(text)![1];
        return ["ARGUMENT_PREFIX", "SHARED_PREFIX", "DESTINATION_ARGUMENT", "VERSION_ARGUMENT"].map(of);
      });
    };
    assert.deepStrictEqual(await names(() => new MigrationJob("m", migrate), "m-scripts"), [["", "", "backup", "clientImage"]]);
    const { image, command } = migrate;
    const app = (client: object) => () =>
      new PostgresApp("n", {
        image,
        database: { databaseName: "notes", user: "notes", external: { host: "db", password: "x", ...client } },
        migration: { command, postDeploy: {} },
      });
    const backup = "migration.backup";
    assert.deepStrictEqual(await names(app({ version: 15 }), "n-migration-scripts", "n-post-deploy-scripts"), [
      ["migration.", "migration.", backup, "database.external.version"],
      ["migration.postDeploy.", "migration.", backup, "database.external.version"],
    ]);
    const [[, , , client]] = await names(app({ clientImage: "postgres:17" }), "n-migration-scripts");
    assert.strictEqual(client, "database.external.clientImage");
  });

  it("is not run for the release that is gone back to, and for no other", async () => {
    const settings = async (more: Partial<MigrationJobArgs>) => {
      const { files } = await pods({ pending: ["list"], ...more });
      return ["settings", "plan-settings"].map((file) => /^GO_BACK=(.*)$/m.exec(files.data[file])![1]);
    };
    assert.deepStrictEqual(await settings({ goBackTo: migrate.image }), ["yes", "yes"]);
    for (const goBackTo of [undefined, "registry.example.org/notes:0.9.0"])
      assert.deepStrictEqual(await settings({ goBackTo }), ["no", "no"]);
    assert.match(await refusal({ goBackTo: "no image" }), /goBackTo: "no image"/);
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
