import * as assert from "assert";
import * as pulumi from "@pulumi/pulumi";
import {
  authoritySecret,
  cloudNativePgCluster,
  CloudNativePgArgs,
  cloudNativePgDatabase,
  ClusterBackup,
  ClusterRestore,
  CLOUD_NATIVE_PG_API,
  ManagedRole,
  OBJECT_STORE_API,
  ObjectDestination,
  objectStore,
  readWriteService,
  resolveCloudNativePg,
  rolePasswordSecret,
  scheduledBackup,
} from "../../components/database/cloudNativePg";
import { Validation } from "../../components/common/validation";
import { admissionErrors, schemaErrors } from "../support/cloudNativePg/schemas";

/** What reaches the API server: outputs as their values, without what is undefined. */
const plain = (value: any): Promise<any> =>
  new Promise((resolve) => pulumi.output(value).apply((known) => resolve(JSON.parse(JSON.stringify(known)))));

const object = async (apiVersion: string, kind: string, spec: unknown) => ({
  apiVersion,
  kind,
  metadata: { name: "notes-db" },
  spec: await plain(spec),
});

const labels = {
  "app.kubernetes.io/name": "notes",
  "app.kubernetes.io/instance": "notes",
  "app.kubernetes.io/component": "database",
  "app.kubernetes.io/part-of": "shop",
  "app.kubernetes.io/managed-by": "pulumi",
};
const roles: ManagedRole[] = [
  { name: "notes_a", login: true, inRoles: ["notes"], passwordSecret: "notes-db-a-1" },
  { name: "notes_b", login: false, inRoles: ["notes"], passwordSecret: "notes-db-b-0" },
];
const destination: ObjectDestination = {
  bucket: "backups",
  credentialsSecret: "s3",
  accessKeyIdKey: "id",
  secretAccessKeyKey: "secret",
};

function resolved(args: CloudNativePgArgs = {}) {
  const validation = new Validation("Test");
  const database = resolveCloudNativePg(args, "cloudNativePg", validation, {});
  validation.throwIfAny();
  return database;
}

const refuses = (args: CloudNativePgArgs, message: RegExp) => assert.throws(() => resolved(args), { message });

function cluster(
  args: CloudNativePgArgs = {},
  more: { roles?: ManagedRole[]; backup?: ClusterBackup; restoreFrom?: ClusterRestore } = {},
) {
  const around = { name: "notes-db", labels, databaseName: "notes", owner: "notes", roles, ...more };
  return object(CLOUD_NATIVE_PG_API, "Cluster", cloudNativePgCluster(resolved(args), around));
}

const valid = (rendered: any) => {
  assert.deepStrictEqual(schemaErrors(rendered), []);
  if (rendered.kind === "Cluster") assert.deepStrictEqual(admissionErrors(rendered), []);
};

describe("a CloudNativePG Cluster", () => {
  it("has three servers of the frozen image, and nothing else than what was decided", async () => {
    const { spec } = await cluster();
    assert.deepStrictEqual(spec, {
      instances: 3,
      imageName: "ghcr.io/cloudnative-pg/postgresql:17-standard-trixie",
      inheritedMetadata: { labels: { "app.kubernetes.io/part-of": "shop" } },
      enableSuperuserAccess: false,
      enablePDB: true,
      storage: { size: "10Gi" },
      resources: { requests: { cpu: "100m", memory: "256Mi" } },
      postgresql: { parameters: {} },
      bootstrap: {
        initdb: {
          database: "notes",
          owner: "notes",
          encoding: "UTF8",
          localeCollate: "C.UTF-8",
          localeCType: "C.UTF-8",
          dataChecksums: true,
        },
      },
      managed: {
        roles: [
          { name: "notes", ensure: "present", login: false },
          { name: "notes_a", ensure: "present", login: true, inRoles: ["notes"], passwordSecret: { name: "notes-db-a-1" } },
          { name: "notes_b", ensure: "present", login: false, inRoles: ["notes"], passwordSecret: { name: "notes-db-b-0" } },
        ],
      },
    });
  });

  const someArgs: CloudNativePgArgs[] = [
    {},
    { instances: 1, version: 18, storage: "1.5Ti", storageClassName: "fast" },
    {
      instances: pulumi.output(2),
      version: pulumi.output(16),
      storage: pulumi.output("20Gi"),
      parameters: pulumi.output({ a: "b" }),
    },
    { imageName: "registry.example.org:5000/team/postgres:17.2@sha256:" + "0".repeat(64) },
    { imageName: "ghcr.io/cloudnative-pg/postgis:16-3.5", version: 16 },
    {
      parameters: {
        max_connections: "200",
        "pg_stat_statements.track": "all",
        shared_preload_libraries: "pg_cron, 'timescaledb'",
      },
    },
    { resources: { requests: { cpu: "1", memory: "4Gi", "hugepages-2Mi": "512Mi" }, limits: { memory: "4e9" } } },
    { parameters: { shared_buffers: "1GB" }, resources: { requests: { memory: "4Gi" } } },
  ];
  const someRoles: ManagedRole[][] = [
    [],
    roles,
    [
      {
        name: "notes_a",
        login: pulumi.output(true),
        inRoles: [pulumi.output("notes_runtime")],
        passwordSecret: pulumi.output("a"),
      },
      { name: "notes_migrator", login: true, inRoles: ["notes"], passwordSecret: "m" },
      { name: "notes_runtime", login: false, inRoles: [] },
    ],
  ];
  const someBackups: (ClusterBackup | undefined)[] = [
    undefined,
    { objectStore: "notes-db-backup" },
    { objectStore: pulumi.output("notes-db-backup"), serverName: "notes-2" },
    { volumeSnapshotClassName: "snapshots" },
  ];
  const someRestores: (ClusterRestore | undefined)[] = [
    undefined,
    { objectStore: "notes-db-origin", serverName: "notes-old" },
    { objectStore: "notes-db-origin", serverName: "notes-old", targetTime: pulumi.output("2026-01-31T12:00:00Z") },
    { backupName: "notes-db-20260131" },
  ];
  it("is one that the operator's schema and webhook take, whatever the arguments", async () => {
    let count = 0;
    for (const args of someArgs)
      for (const roles of someRoles)
        for (const backup of someBackups)
          for (const restoreFrom of someRestores) {
            valid(await cluster(args, { roles, backup, restoreFrom }));
            count++;
          }
    assert.strictEqual(count, 8 * 3 * 4 * 4);
  });

  it("makes roles before those that are their members, and the owner first", async () => {
    const { spec } = await cluster({}, { roles: someRoles[2] });
    const names = spec.managed.roles.map((role: any) => role.name);
    assert.deepStrictEqual(names, ["notes", "notes_runtime", "notes_a", "notes_migrator"]);
  });

  it("gives every password exactly one origin: a Secret, or none", async () => {
    const { spec } = await cluster({}, { roles: someRoles[2] });
    const [owner, runtime, a] = spec.managed.roles;
    assert.deepStrictEqual(owner, { name: "notes", ensure: "present", login: false }); // the operator's own Secret
    assert.deepStrictEqual(runtime, { name: "notes_runtime", ensure: "present", login: false, disablePassword: true });
    assert.deepStrictEqual(a.passwordSecret, { name: "a" });
    assert.strictEqual(a.disablePassword, undefined);
  });

  it("hands libraries to their own field", async () => {
    const { spec } = await cluster(someArgs[5]);
    assert.deepStrictEqual(spec.postgresql, {
      parameters: { max_connections: "200", "pg_stat_statements.track": "all" },
      shared_preload_libraries: ["pg_cron", "timescaledb"],
    });
  });

  it("leaves nodes free to be drained where there is one server", async () => {
    assert.strictEqual((await cluster({ instances: 1 })).spec.enablePDB, false);
    assert.strictEqual((await cluster({ instances: 2 })).spec.enablePDB, true);
  });

  it("archives to a store through the plugin, and restores from another directory", async () => {
    const backup = { objectStore: "notes-db-backup", serverName: "notes-2" };
    const restoreFrom = { objectStore: "notes-db-origin", serverName: "notes", targetTime: "2026-01-31T12:00:00Z" };
    const { spec } = await cluster({}, { backup, restoreFrom });
    const name = "barman-cloud.cloudnative-pg.io";
    const parameters = { barmanObjectName: "notes-db-backup", serverName: "notes-2" };
    assert.deepStrictEqual(spec.plugins, [{ name, isWALArchiver: true, parameters }]);
    assert.deepStrictEqual(spec.bootstrap, {
      recovery: { source: "origin", recoveryTarget: { targetTime: "2026-01-31T12:00:00Z" }, database: "notes", owner: "notes" },
    });
    assert.deepStrictEqual(spec.externalClusters, [
      { name: "origin", plugin: { name, parameters: { barmanObjectName: "notes-db-origin", serverName: "notes" } } },
    ]);
    assert.strictEqual(spec.backup, undefined);
  });

  it("restores from a Backup of snapshots by its name", async () => {
    const { spec } = await cluster({}, { backup: { volumeSnapshotClassName: "s" }, restoreFrom: { backupName: "b" } });
    assert.deepStrictEqual(spec.bootstrap, { recovery: { backup: { name: "b" }, database: "notes", owner: "notes" } });
    assert.deepStrictEqual(spec.backup, { volumeSnapshot: { className: "s" } });
    assert.strictEqual(spec.externalClusters, undefined);
    assert.strictEqual(spec.plugins, undefined);
  });

  it("has names that the operator derives", () => {
    assert.strictEqual(readWriteService("notes-db"), "notes-db-rw");
    assert.strictEqual(authoritySecret("notes-db"), "notes-db-ca");
  });
});

describe("CloudNativePG's arguments", () => {
  it("are refused with their paths and a way out", () => {
    refuses({ instances: 0 }, /cloudNativePg\.instances: 0 is out of range/);
    refuses({ version: 12 }, /cloudNativePg\.version: 12 is out of range/);
    refuses({ storage: "10GB" }, /cloudNativePg\.storage: "10GB" is not a quantity/);
    refuses({ resources: { requests: { memory: "1gi" } } }, /cloudNativePg\.resources\.requests: .*"1gi" is not a quantity/);
  });

  it("refuse images whose version the operator could not read", () => {
    const without = /does not say its version: use a tag that begins with it/;
    for (const imageName of ["pgvector/pgvector:pg17", "postgres:latest", "postgres", "registry:5000/postgres", "postgres:12.3"])
      refuses({ imageName }, without);
    refuses({ imageName: "postgres@sha256:" + "0".repeat(64) }, without);
    refuses({ imageName: "post gres:17" }, /is not an image reference/);
  });

  it("refuse parameters that are the operator's", () => {
    for (const name of ["listen_addresses", "port", "SSL", "archive_command", "synchronous_standby_names", "log_filename"])
      refuses({ parameters: { [name]: "on" } }, new RegExp(`parameters: name "${name}" is set by .*: leave it out`));
    refuses({ parameters: { "a\nb": "c" } }, /is not the name of a parameter/);
    refuses({ parameters: { work_mem: 4 as unknown as string } }, /"work_mem" is 4: write it as a string/);
    assert.doesNotThrow(() => resolved({ parameters: { ssl_min_protocol_version: "TLSv1.2", wal_keep_size: "1GB" } }));
  });

  it("refuse more shared buffers than requested memory", () => {
    const requests = (memory: string) => ({ resources: { requests: { memory } } });
    refuses({ parameters: { shared_buffers: "1GB" } }, /shared_buffers of 1GB are more than the 256Mi of memory/);
    refuses({ parameters: { shared_buffers: "1GB" }, ...requests("1G") }, /more than the 1G of memory/);
    refuses({ parameters: { shared_buffers: "16384" } }, /shared_buffers is "16384": write it with a unit/);
    for (const [shared_buffers, memory] of ["256MB 256Mi", "262144kB 256Mi", "1GB 1Gi", "1 GB 1.5Gi", "1GB 2e9"].map((pair) => {
      const at = pair.lastIndexOf(" ");
      return [pair.slice(0, at), pair.slice(at + 1)];
    }))
      assert.doesNotThrow(() => resolved({ parameters: { shared_buffers }, ...requests(memory) }));
    assert.doesNotThrow(() => resolved({ parameters: { shared_buffers: pulumi.output("1GB") } }));
    assert.doesNotThrow(() => resolved({ parameters: { shared_buffers: "1GB" }, resources: { requests: { cpu: "1" } } }));
  });
});

describe("the objects beside a CloudNativePG Cluster", () => {
  it("are a Database that brings extensions and outlives its object", async () => {
    const extensions = ["vector", pulumi.output("pgcrypto")];
    const spec = cloudNativePgDatabase({ cluster: "notes-db", databaseName: "notes", owner: "notes", extensions });
    const rendered = await object(CLOUD_NATIVE_PG_API, "Database", spec);
    valid(rendered);
    assert.deepStrictEqual(rendered.spec, {
      cluster: { name: "notes-db" },
      name: "notes",
      owner: "notes",
      ensure: "present",
      databaseReclaimPolicy: "retain",
      extensions: [
        { name: "vector", ensure: "present" },
        { name: "pgcrypto", ensure: "present" },
      ],
    });
  });

  it("are Secrets as the operator reads them", async () => {
    assert.deepStrictEqual(await plain(rolePasswordSecret("notes_a", pulumi.output("geheim"))), {
      type: "kubernetes.io/basic-auth",
      labels: { "cnpg.io/reload": "true" },
      stringData: { username: "notes_a", password: "geheim" },
    });
  });

  it("are an ObjectStore for a bucket of Amazon's", async () => {
    const rendered = await object(
      OBJECT_STORE_API,
      "ObjectStore",
      objectStore({ ...destination, region: "eu-central-1" }, "14d"),
    );
    valid(rendered);
    assert.deepStrictEqual(rendered.spec, {
      retentionPolicy: "14d",
      configuration: {
        destinationPath: "s3://backups",
        s3Credentials: { accessKeyId: { name: "s3", key: "id" }, secretAccessKey: { name: "s3", key: "secret" } },
        wal: { compression: "gzip" },
        data: { compression: "snappy" },
      },
      instanceSidecarConfiguration: { env: [{ name: "AWS_DEFAULT_REGION", value: "eu-central-1" }] },
    });
  });

  it("are an ObjectStore for another service's, without checksums that it may not know", async () => {
    const more = { ...destination, endpoint: "https://minio:9000", path: pulumi.output("team/notes") };
    const rendered = await object(OBJECT_STORE_API, "ObjectStore", objectStore(more));
    valid(rendered);
    assert.strictEqual(rendered.spec.configuration.destinationPath, "s3://backups/team/notes");
    assert.strictEqual(rendered.spec.configuration.endpointURL, "https://minio:9000");
    assert.strictEqual(rendered.spec.retentionPolicy, undefined);
    assert.deepStrictEqual(rendered.spec.instanceSidecarConfiguration.env, [
      { name: "AWS_REQUEST_CHECKSUM_CALCULATION", value: "when_required" },
      { name: "AWS_RESPONSE_CHECKSUM_VALIDATION", value: "when_required" },
    ]);
    valid(await object(OBJECT_STORE_API, "ObjectStore", objectStore(destination)));
  });

  it("are a ScheduledBackup that begins at once, at the second 0 of its schedule", async () => {
    const rendered = async (backup: ClusterBackup) => {
      const spec = scheduledBackup({ cluster: "notes-db", schedule: pulumi.output(" 30 2 * * 0 "), backup });
      const all = await object(CLOUD_NATIVE_PG_API, "ScheduledBackup", spec);
      valid(all);
      return all.spec;
    };
    const common = { cluster: { name: "notes-db" }, schedule: "0 30 2 * * 0", immediate: true };
    const pluginConfiguration = { name: "barman-cloud.cloudnative-pg.io" };
    assert.deepStrictEqual(await rendered({ objectStore: "s" }), {
      ...common,
      method: "plugin",
      pluginConfiguration,
      backupOwnerReference: "self",
    });
    assert.deepStrictEqual(await rendered({ volumeSnapshotClassName: "s" }), {
      ...common,
      method: "volumeSnapshot",
      backupOwnerReference: "none",
    });
  });
});

describe("the definitions of the operator's kinds", () => {
  it("refuse fields that are not there, and values that are none", async () => {
    const good = await cluster();
    const broken = (change: (spec: any) => void) => {
      const copy = structuredClone(good);
      change(copy.spec);
      return schemaErrors(copy);
    };
    assert.deepStrictEqual(schemaErrors(good), []);
    for (const change of [
      (spec: any) => (spec.replicas = 3),
      (spec: any) => delete spec.instances,
      (spec: any) => (spec.instances = 0),
      (spec: any) => (spec.storage.storageClassName = "fast"),
      (spec: any) => (spec.bootstrap.initdb.secret = { name: "x" }),
      (spec: any) => (spec.managed.roles[1].ensure = "there"),
      (spec: any) => (spec.managed.roles[1].passwordSecret = "x"),
      (spec: any) => (spec.managed.roles[1].superuser = true),
      (spec: any) => (spec.postgresql.parameters.max_connections = 100),
      (spec: any) => (spec.resources.requests.memory = "1gi"),
      (spec: any) => (spec.backup = { barmanObjectStore: {} }),
    ])
      assert.notDeepStrictEqual(broken(change), [], change.toString());
    assert.notDeepStrictEqual(schemaErrors({ ...good, kind: "Pooler" }), []);
  });
});
