import * as assert from "assert";
import * as pulumi from "@pulumi/pulumi";
import { PostgresApp, PostgresAppArgs } from "../../index";
import { graph, Registered } from "../support/graph";

const SECRET = "kubernetes:core/v1:Secret";
const CONFIG = "kubernetes:core/v1:ConfigMap";
const SERVICE = "kubernetes:core/v1:Service";
const STATEFUL_SET = "kubernetes:apps/v1:StatefulSet";
const CLAIM = "kubernetes:core/v1:PersistentVolumeClaim";
const JOB = "kubernetes:batch/v1:Job";
const PASSWORD = "random:index/randomPassword:RandomPassword";

const args: PostgresAppArgs = {
  image: "registry.example.org/notes:1.0.0",
  env: { LOG_LEVEL: "info" },
  secretEnv: { SESSION_SECRET: "not to be seen" },
  migration: { command: ["migrate"] },
};
const notes =
  (more: Partial<PostgresAppArgs> = {}, opts?: pulumi.ComponentResourceOptions) =>
  () =>
    new PostgresApp("notes", { ...args, ...more }, opts);

/** Whatever has to be there before it, and before that. */
function allBefore(key: string, resources: Map<string, Registered>): Set<string> {
  const own = resources.get(key)?.dependencies ?? [];
  return new Set([...own, ...own.flatMap((one) => [...allBefore(one, resources)])]);
}

describe("the registered graph", () => {
  it("is exactly these resources, each a child of its part", async () => {
    const { resources } = await graph(notes());
    const parents = Object.fromEntries([...resources].map(([key, { parent }]) => [key, parent]));
    const app = "pulumi-postgres-app:index:PostgresApp::notes";
    const database = "pulumi-postgres-app:index:PostgresDatabase::notes-db";
    const migration = "pulumi-postgres-app:index:MigrationJob::notes-migration";
    assert.deepStrictEqual(parents, {
      [app]: "",
      [database]: app,
      [migration]: app,
      ["pulumi-postgres-app:index:RolledOutRotation::notes-db-rotation"]: app,
      ["random:index/randomUuid:RandomUuid::notes-db-engines"]: database,
      ["random:index/randomUuid:RandomUuid::notes-db-ends"]: database,
      ["random:index/randomUuid:RandomUuid::notes-db-embedded-whereabouts"]: database,
      ["random:index/randomUuid:RandomUuid::notes-db-embedded-first"]: database,
      ["random:index/randomUuid:RandomUuid::notes-db-embedded-names"]: database,
      ["pulumi-postgres-app:index:HeldNames::notes-db-embedded-names"]: database,
      [`${PASSWORD}::notes-db-admin-password`]: database,
      [`${PASSWORD}::notes-db-password-a`]: database,
      [`${PASSWORD}::notes-db-password-b`]: database,
      ["tls:index/privateKey:PrivateKey::notes-db-ca-key"]: database,
      ["tls:index/selfSignedCert:SelfSignedCert::notes-db-ca"]: database,
      ["tls:index/privateKey:PrivateKey::notes-db-server-key"]: database,
      ["tls:index/certRequest:CertRequest::notes-db-server"]: database,
      ["tls:index/locallySignedCert:LocallySignedCert::notes-db-server"]: database,
      [`${SECRET}::notes-db-admin`]: database,
      [`${SECRET}::notes-db-server-certificate`]: database,
      [`${SECRET}::notes-db-ca`]: database,
      [`${SECRET}::notes-db-logins`]: database,
      [`${SECRET}::notes-db-connection`]: database,
      [`${SECRET}::notes-db-migration-connection`]: database,
      [`${CLAIM}Patch::notes-db-storage`]: database,
      [`${CONFIG}::notes-db-start`]: database,
      [`${CONFIG}::notes-db-setup`]: database,
      [`${SERVICE}::notes-db`]: database,
      [`${JOB}::notes-db-trial`]: database,
      [`${STATEFUL_SET}::notes-db`]: database,
      [`${JOB}::notes-db-setup`]: database,
      [`${CONFIG}::notes-migration-scripts`]: migration,
      [`${JOB}::notes-migration-start`]: migration,
      [`${JOB}::notes-migration`]: migration,
      [`${CONFIG}::notes-env`]: app,
      [`${SECRET}::notes-secret-env`]: app,
      [`${SERVICE}::notes-pods`]: app,
      [`${SERVICE}::notes`]: app,
      [`${STATEFUL_SET}::notes`]: app,
      ["kubernetes:core/v1:ServiceAccount::notes"]: app,
    });
  });

  it("orders database, setup, migration and application by dependencies of the children themselves", async () => {
    const { resources } = await graph(notes());
    const depends = (key: string) => resources.get(key)!.dependencies;
    assert.deepStrictEqual(
      depends(`${STATEFUL_SET}::notes-db`).filter((key) => key.startsWith("kubernetes:")),
      [
        `${JOB}::notes-db-trial`,
        `${CONFIG}::notes-db-setup`, // which tells the namespace
        `${CONFIG}::notes-db-start`,
        `${SECRET}::notes-db-admin`,
        `${SECRET}::notes-db-server-certificate`,
        `${SERVICE}::notes-db`,
      ],
    );
    assert.ok(depends(`${JOB}::notes-db-setup`).includes(`${STATEFUL_SET}::notes-db`), "setup after the database");
    assert.ok(depends(`${JOB}::notes-migration`).includes(`${JOB}::notes-db-setup`), "migration after setup");
    assert.ok(depends(`${STATEFUL_SET}::notes`).includes(`${JOB}::notes-migration`), "application after the migration");
  });

  it("finds out whether the migration's image starts while the database is still being made", async () => {
    const { resources } = await graph(notes());
    const before = allBefore(`${JOB}::notes-migration-start`, resources);
    assert.ok(before.has(`${SECRET}::notes-db-ca`), "after the Secret that its pod mounts");
    for (const later of [`${STATEFUL_SET}::notes-db`, `${JOB}::notes-db-setup`]) assert.ok(!before.has(later), later);
    const { containers } = resources.get(`${JOB}::notes-migration-start`)!.inputs.spec.template.spec;
    const references = containers[0].env.flatMap(({ valueFrom }: any) => valueFrom?.secretKeyRef ?? []);
    assert.ok(references.length > 0);
    for (const { name, key, optional } of references) assert.ok(optional, `${key} of ${name}, which may come later`);
    assert.ok(resources.get(`${JOB}::notes-migration`)!.dependencies.includes(`${JOB}::notes-migration-start`));
  });

  it("changes what the running version's backups and migrations log in with only when the server has taken its settings", async () => {
    const { resources } = await graph(notes());
    assert.ok(allBefore(`${SECRET}::notes-db-migration-connection`, resources).has(`${STATEFUL_SET}::notes-db`));
  });

  it("does not find that out before the Secrets of others are known to be there", async () => {
    const secret = { name: "theirs", passwordKey: "password" };
    const external = { host: "postgres.example.org", secret };
    const generatedSecrets = { KEY: { encryptsData: true, migration: true } };
    const cases: [Partial<PostgresAppArgs>, string][] = [
      [{ database: { databaseName: "notes", user: "notes", external } }, "notes-db-setup"],
      [{ database: { cloudNativePg: {} } }, "notes-db-setup"],
      [{ generatedSecrets }, "notes-keys"],
    ];
    for (const [more, before] of cases) {
      const { resources } = await graph(notes(more));
      assert.ok(resources.get(`${JOB}::notes-migration-start`)!.dependencies.includes(`${JOB}::${before}`), before);
    }
  });

  it("starts the application only when a slow migration has ended", async () => {
    const events: string[] = [];
    await graph(notes(), {
      onRegister: async (key) => {
        events.push(`begin ${key}`);
        if (key === `${JOB}::notes-migration`) await new Promise((resolve) => setTimeout(resolve, 200));
        events.push(`end ${key}`);
      },
    });
    assert.ok(events.indexOf(`begin ${STATEFUL_SET}::notes`) > events.indexOf(`end ${JOB}::notes-migration`), events.join("\n"));
  });

  it("creates nothing inside an apply: in a preview that knows no value, all resources are there", async () => {
    const { resources, late } = await graph(notes(), { preview: true });
    assert.deepStrictEqual(late, []);
    assert.strictEqual(resources.size, 40);
  });

  it("passes what the component depends on to every child", async () => {
    const { resources } = await graph(() => {
      const first = new PostgresApp("first", args);
      return new PostgresApp("notes", args, { dependsOn: first.workload });
    });
    for (const [key, { dependencies, name }] of resources) {
      if (name.startsWith("notes")) assert.ok(dependencies.includes(`${STATEFUL_SET}::first`), `${key} does not depend on it`);
    }
  });

  it("has no migration Job without a migration, and the application after the setup then", async () => {
    const { resources } = await graph(notes({ migration: undefined }));
    assert.ok(!resources.has(`${JOB}::notes-migration`));
    assert.ok(resources.get(`${STATEFUL_SET}::notes`)!.dependencies.includes(`${JOB}::notes-db-setup`));
  });
});

describe("options of the children", () => {
  it("gives Jobs neither the component's protect nor its retainOnDelete", async () => {
    const { resources } = await graph(notes({}, { protect: true, retainOnDelete: true }));
    for (const job of [`${JOB}::notes-migration`, `${JOB}::notes-migration-start`, `${JOB}::notes-db-setup`]) {
      const { protect, retainOnDelete } = resources.get(job)!.options;
      assert.deepStrictEqual({ protect, retainOnDelete }, { protect: false, retainOnDelete: false }, job);
    }
    assert.strictEqual(resources.get(`${STATEFUL_SET}::notes-db`)!.options.protect, true);
  });

  it("gives the component's protect to what holds data or says where it is, and to nothing that is ever replaced", async () => {
    const guarded = async (more: Partial<PostgresAppArgs>, opts: pulumi.ComponentResourceOptions = { protect: true }) =>
      [...(await graph(notes(more, opts))).resources].filter(([, { options }]) => options.protect).map(([key]) => key);
    const all: Partial<PostgresAppArgs> = {
      ...{
        generatedSecrets: { KEY: {} },
        volumes: [{ mountPath: "/files", storage: "1Gi", accessMode: "ReadWriteMany" }],
        networkPolicy: {},
        monitoring: {},
      },
      ...{ workers: { queue: { command: ["work"] } }, autoscaling: { maxReplicas: 3 } },
      ...{ ingress: { controller: "nginx", hosts: ["notes.example.org"] }, rollout: { canary: {} }, command: ["serve"] },
    };
    const kept = [
      "kubernetes:core/v1:ConfigMapPatch::notes-kept-secrets-found",
      "kubernetes:core/v1:ConfigMapPatch::notes-kept-secrets",
    ];
    const components = ["pulumi-postgres-app:index:PostgresApp::notes", "pulumi-postgres-app:index:PostgresDatabase::notes-db"];
    assert.deepStrictEqual(
      (await guarded(all)).sort(),
      [...components, ...kept, `${STATEFUL_SET}::notes-db`, `${CLAIM}Patch::notes-files`].sort(),
    );
    assert.deepStrictEqual(
      (await guarded({ database: { cloudNativePg: {} } })).sort(),
      [...components, "kubernetes:postgresql.cnpg.io/v1:Cluster::notes-db"].sort(),
    );
    assert.deepStrictEqual(await guarded(all, {}), []);
  });

  it("makes ConfigMaps and Secrets immutable whose names Pulumi chooses, and leaves no others behind, which would be in the way", async () => {
    const { resources } = await graph(notes({ generatedSecrets: { KEY: {} } }, { retainOnDelete: true }));
    const holders = [...resources.values()].filter(({ type }) => type === CONFIG || type === SECRET);
    assert.ok(holders.length > 10);
    for (const { name, inputs, options } of holders) {
      const named = inputs.metadata.name !== undefined;
      assert.strictEqual(inputs.immutable, named ? undefined : true, name);
      assert.strictEqual(options.retainOnDelete === false, named, name);
    }
    assert.ok(holders.some(({ inputs }) => inputs.metadata.name));
  });

  it("waits longer for a Job than the Job's own deadline, from one number", async () => {
    const { resources } = await graph(notes({ migration: { command: ["migrate"], timeoutSeconds: 1800 } }));
    const job = resources.get(`${JOB}::notes-migration`)!;
    assert.strictEqual(job.inputs.spec.activeDeadlineSeconds, 1800 + 300 + 60);
    assert.deepStrictEqual(job.options.customTimeouts, { create: "2220s", update: "2220s", delete: "" });
  });

  it("makes a Job that did not complete run again, and keeps its name free for Pulumi to choose", async () => {
    const { resources } = await graph(notes());
    const { metadata } = resources.get(`${JOB}::notes-migration`)!.inputs;
    assert.strictEqual(metadata.annotations["pulumi.com/replaceUnready"], "true");
    assert.strictEqual(metadata.name, undefined);
  });

  it("never replaces the database's StatefulSet, whose name and claim are fixed", async () => {
    const { resources } = await graph(notes());
    const server = resources.get(`${STATEFUL_SET}::notes-db`)!;
    assert.strictEqual(server.inputs.metadata.name, "notes-db");
    assert.deepStrictEqual(server.options.ignoreChanges.sort(), [
      "metadata.name",
      "spec.podManagementPolicy",
      "spec.revisionHistoryLimit",
      "spec.selector",
      "spec.serviceName",
      "spec.template.metadata.labels",
      "spec.volumeClaimTemplates",
    ]);
    assert.deepStrictEqual(server.inputs.spec.persistentVolumeClaimRetentionPolicy, {
      whenDeleted: "Retain",
      whenScaled: "Retain",
    });
  });
});

describe("what stands in the resources", () => {
  it("marks every secret, in the components' inputs too, and puts none into a pod", async () => {
    const { resources } = await graph(notes({ migration: { command: ["migrate"], secretEnv: { TOKEN: "not to be seen" } } }));
    assert.strictEqual(resources.get(`${SECRET}::notes-secret-env`)!.inputs.stringData, "[secret]");
    assert.strictEqual(resources.get(`${SECRET}::notes-db-connection`)!.inputs.stringData, "[secret]");
    for (const [key, { inputs }] of resources) assert.doesNotMatch(JSON.stringify(inputs), /not to be seen|pw-of-/, key);
  });

  it("gives the migration nothing that the application alone uses, and it stays the same when that changes", async () => {
    const template = async (more: Partial<PostgresAppArgs>) => {
      const { resources } = await graph(notes(more));
      return resources.get(`${JOB}::notes-migration`)!.inputs.spec.template;
    };
    const before = await template({});
    assert.doesNotMatch(JSON.stringify(before), /LOG_LEVEL|notes-env|notes-secret-env/);
    const unrelated = {
      env: { LOG_LEVEL: "debug" },
      secretEnv: { SESSION_SECRET: "other" },
      replicas: 3,
      resources: { limits: { memory: "1Gi" } },
    };
    assert.deepStrictEqual(await template(unrelated), before);
    assert.notDeepStrictEqual(await template({ image: "registry.example.org/notes:1.1.0" }), before);
    assert.notDeepStrictEqual(await template({ migration: { command: ["migrate"], rerun: "again" } }), before);
  });

  it("names the connection's parts as the application wants them", async () => {
    const { resources } = await graph(notes({ connectionEnv: { DB_HOST: "host", DB_PASSWORD: "password" } }));
    const [container] = resources.get(`${STATEFUL_SET}::notes`)!.inputs.spec.template.spec.containers;
    const from = (key: string) => ({ secretKeyRef: { name: "notes-db-connection-0123abcd", key } });
    assert.deepStrictEqual(container.env, [
      { name: "DB_HOST", valueFrom: from("host") },
      { name: "DB_PASSWORD", valueFrom: from("password") },
    ]);
  });

  it("gives the application and the migration a form of the connection of their own", async () => {
    const database = { connectionFormats: { npgsql: "Host={host};Password={password};SSL Mode={sslmode}" } };
    const program = notes({ database, connectionEnv: { ConnectionStrings__Default: "npgsql" } });
    const { resources } = await graph(program, { showSecrets: true });
    const from = (name: string) => [{ name: "ConnectionStrings__Default", valueFrom: { secretKeyRef: { name, key: "npgsql" } } }];
    const [container] = resources.get(`${STATEFUL_SET}::notes`)!.inputs.spec.template.spec.containers;
    assert.deepStrictEqual(container.env, from("notes-db-connection-0123abcd"));
    const { containers } = resources.get(`${JOB}::notes-migration`)!.inputs.spec.template.spec;
    const { env } = containers.find(({ name }: { name: string }) => name === "migrate");
    assert.deepStrictEqual(env.slice(0, 1), from("notes-db-migration-connection"));
    const { npgsql } = resources.get(`${SECRET}::notes-db-connection`)!.inputs.stringData;
    assert.match(npgsql, /^Host=notes-db\.default\.svc;Password=[^;]+;SSL Mode=verify-full$/);
  });

  it("has outputs for what a program goes on with", async () => {
    const { result } = await graph(notes());
    const get = <T>(output: pulumi.Output<T>) => new Promise<T>((resolve) => output.apply(resolve));
    assert.strictEqual(await get(result.url), "http://notes.default.svc");
    assert.strictEqual(await get(result.connectionSecretName), "notes-db-connection-0123abcd");
    assert.strictEqual(await get(result.migrationJobName), "notes-migration-0123abcd");
    assert.strictEqual(await get(result.database.host), "notes-db.default.svc");
  });
});
