import * as assert from "assert";
import { EmbeddedPostgresArgs, PostgresDatabase, PostgresDatabaseArgs } from "../../index";
import { settings } from "../../components/database/embedded";
import { explanation } from "../../components/database/explainServer";
import { graph } from "../support/graph";

const STATEFUL_SET = "kubernetes:apps/v1:StatefulSet::notes";
const TRIAL = "kubernetes:batch/v1:Job::notes-trial";

const registered = async (embedded: EmbeddedPostgresArgs) => {
  const { resources } = await graph(() => new PostgresDatabase("notes", { embedded }));
  const server = resources.get(STATEFUL_SET)!;
  const { spec } = server.inputs.spec.template;
  const files = resources.get("kubernetes:core/v1:ConfigMap::notes-start")!.inputs.data;
  return { resources, server, spec, container: spec.containers[0], files, trial: resources.get(TRIAL)! };
};

describe("the setup Job of the embedded server", () => {
  const told = async (args: PostgresDatabaseArgs) => {
    const { resources } = await graph(() => new PostgresDatabase("notes", args));
    const [{ env }] = resources.get("kubernetes:batch/v1:Job::notes-setup")!.inputs.spec.template.spec.containers;
    const about = env.filter(({ name }: any) => ["ADOPTED", "NOT_NAMED"].includes(name));
    return Object.fromEntries(about.map(({ name, value }: any) => [name, value]));
  };
  const embedded = { existingClaim: "left" };

  it("is told that the volume is one that others left, and which names are not written", async () => {
    assert.deepStrictEqual(await told({ embedded }), { ADOPTED: "true", NOT_NAMED: "databaseName user" });
    assert.deepStrictEqual(await told({ embedded, databaseName: "shop" }), { ADOPTED: "true", NOT_NAMED: "user" });
    assert.deepStrictEqual(await told({ embedded, user: "shop" }), { ADOPTED: "true", NOT_NAMED: "databaseName" });
    assert.deepStrictEqual(await told({ embedded, databaseName: "shop", user: "shop" }), { ADOPTED: "true" });
  });

  it("is told whether the database is named on a volume of the component's own, too, which may be of another life", async () => {
    assert.deepStrictEqual(await told({}), { NOT_NAMED: "databaseName" });
    assert.deepStrictEqual(await told({ databaseName: "shop" }), {});
  });

  it("is told nothing of that on another server", async () => {
    const admin = { user: "root", password: "not to be seen" };
    assert.deepStrictEqual(await told({ external: { host: "db.example.org", admin } }), {});
  });
});

describe("the embedded server", () => {
  it("is replaced when its template is corrected, is waited for a bounded time, and recovers for as long as it takes", async () => {
    const { server, container } = await registered({});
    assert.strictEqual(server.inputs.spec.podManagementPolicy, "Parallel");
    assert.ok(server.options.ignoreChanges.includes("spec.podManagementPolicy"), "one that is there is never replaced for it");
    assert.deepStrictEqual(server.options.customTimeouts, { create: "300s", update: "300s", delete: "" });
    const { periodSeconds, failureThreshold } = container.startupProbe;
    assert.strictEqual(periodSeconds * failureThreshold, 3600);
  });

  it("has its volume deleted with it only where that is asked for, and never one that is named", async () => {
    for (const [embedded, onDelete, whenDeleted] of [
      [{}, "retain", "Retain"],
      [{}, "delete", "Delete"],
      [{ existingClaim: "data-notes-0" }, "delete", "Retain"],
    ] as const) {
      const { resources } = await graph(() => new PostgresDatabase("notes", { embedded, onDelete }));
      const policy = resources.get(STATEFUL_SET)!.inputs.spec.persistentVolumeClaimRetentionPolicy;
      assert.strictEqual(policy.whenDeleted, whenDeleted, JSON.stringify({ embedded, onDelete }));
    }
  });

  it("mounts its volume where no image has anything, and is somebody in the image whatever its number", async () => {
    for (const [embedded, uid] of [
      [{ image: "docker.io/library/postgres:18" }, 999],
      [{ image: "docker.io/library/postgres:17", runAsUser: 70, existingClaim: "old", subPath: "." }, 70],
    ] as const) {
      const { spec, container, files } = await registered(embedded);
      const [data, scripts, passwd] = container.volumeMounts;
      assert.strictEqual(data.mountPath, "/var/lib/postgres-app");
      assert.deepStrictEqual(passwd, { ...scripts, mountPath: "/etc/passwd", subPath: "passwd" });
      assert.match(files.passwd, new RegExp(`^postgres:x:${uid}:${uid}:`, "m"));
      assert.strictEqual(spec.securityContext.runAsUser, uid);
      const { value } = container.env.find(({ name }: any) => name === "PGDATA");
      assert.strictEqual(value, `/var/lib/postgres-app${uid === 70 ? "" : "/pgdata"}`);
    }
  });

  it("is told on its command line what must hold, the user's after what may stand beside the data, ours last", () => {
    const lines = settings("offered", { work_mem: "5MB", ssl_ca_file: "/ca.crt", password_encryption: "scram-sha-256" }).split(
      "\n",
    );
    assert.deepStrictEqual(lines.slice(4), [
      "password_encryption=scram-sha-256",
      "ssl_ca_file=/ca.crt",
      "work_mem=5MB",
      "port=5432",
      "ssl=on",
      "ssl_cert_file=/etc/postgres-app/certificate/tls.crt",
      "ssl_key_file=/etc/postgres-app/certificate/tls.key",
      "",
    ]);
    assert.ok(lines.slice(0, 4).includes("ssl_ca_file="));
  });

  it("is tried before it: the same pod on a volume of its own, which reserves next to nothing", async () => {
    const resources = { limits: { memory: "4Gi", "hugepages-2Mi": "1Gi" }, requests: { memory: "4Gi", "hugepages-2Mi": "1Gi" } };
    const { server, trial, spec } = await registered({ runAsUser: 70, resources });
    assert.ok(server.dependencies.includes(TRIAL));
    assert.strictEqual(trial.inputs.spec.completions, 0, "on the first day there is no server that it could spare");
    const tried = trial.inputs.spec.template;
    assert.notStrictEqual(tried.metadata.labels["app.kubernetes.io/component"], "database", "the Service must not find it");
    assert.deepStrictEqual(tried.spec.securityContext, spec.securityContext);
    assert.deepStrictEqual(tried.spec.containers[0].resources, {
      requests: { cpu: "10m", memory: "16Mi" },
      limits: { memory: "4Gi" },
    });
    assert.ok(tried.spec.volumes.every(({ persistentVolumeClaim }: any) => persistentVolumeClaim === undefined));
    assert.deepStrictEqual(trial.options.customTimeouts, { create: "360s", update: "360s", delete: "" });
  });
});

describe("what is said of a server that was not ready in time", () => {
  const words = (said: string) =>
    explanation([`Resource 'notes-db' was created but failed to become ready\n\t* [Pod shop/notes-db-0]: ${said}`], {
      metadata: { name: "notes-db", namespace: "shop" },
    });
  const cases: [string, string, RegExp][] = [
    [
      "what the start script refused",
      `Container "postgres" terminated at 2026 (Error: exit code 78)\npostgres-start: /v/postmaster.pid says that another server runs on this data: it has 75 s to stop\npostgres-start: another server runs on this data, nothing was changed: stop it`,
      /not ready after 300 s: another server runs on this data, nothing was changed: stop it$/m,
    ],
    [
      "what Postgres refused",
      `Container "postgres" terminated at 2026 (Error: exit code 1)\n2026-01-01 UTC [1] FATAL:  could not map anonymous shared memory: Cannot allocate memory`,
      /not ready after 300 s: Postgres ended: could not map anonymous shared memory: Cannot allocate memory$/m,
    ],
    [
      "an image that is not there",
      `containers with unready status: [postgres] -- [ImagePullBackOff] Back-off`,
      /image cannot be pulled/,
    ],
    [
      "a recovery that takes long",
      `containers with unready status: [postgres]`,
      /a recovery after a crash may take long and goes on/,
    ],
    ["a pod without a node", "", /no node has taken its pod yet/],
  ];
  for (const [what, said, expected] of cases)
    it(what, () => {
      assert.match(words(said), expected);
      assert.match(words(said), /kubectl --namespace shop logs notes-db-0 --tail 40$/m);
      assert.match(words(said), /OrderedReady\), delete it then:\n {2}kubectl --namespace shop delete pod notes-db-0$/);
    });
});
