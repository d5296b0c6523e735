import * as assert from "assert";
import * as pulumi from "@pulumi/pulumi";
import { PostgresApp, PostgresDatabase, PostgresDatabaseArgs } from "../../index";
import { forgotten } from "../../components/database/remembered";
import { graph, Registered } from "../support/graph";
import { admissionErrors, schemaErrors } from "../support/cloudNativePg/schemas";

const SECRET = "kubernetes:core/v1:Secret";
const CONFIG = "kubernetes:core/v1:ConfigMap";
const JOB = "kubernetes:batch/v1:Job";
const PASSWORD = "random:index/randomPassword:RandomPassword";
const CLUSTER = "kubernetes:postgresql.cnpg.io/v1:Cluster::db";
const DATABASE = "kubernetes:postgresql.cnpg.io/v1:Database::db-database";
const SCHEDULE = "kubernetes:postgresql.cnpg.io/v1:ScheduledBackup::db-backups";
const WHEREABOUTS = "random:index/randomUuid:RandomUuid::db-cloudNativePg-whereabouts";
const STORE = "kubernetes:barmancloud.cnpg.io/v1:ObjectStore";

const s3 = { bucket: "backups", prefix: "notes", secretName: "keys" };
const backups = { schedule: "30 2 * * *", destination: { s3 } };
const everything: PostgresDatabaseArgs = {
  cloudNativePg: { instances: 1, restoreServerName: "former-1a2b3c4d" },
  credentials: { separateMigrator: true, rotation: 1, lockFormerLogin: true },
  extensions: ["vector"],
  settings: { statement_timeout: "30s" },
  backups,
  restoreFrom: { s3: { ...s3, prefix: "former" } },
};

const made = (args: PostgresDatabaseArgs = { cloudNativePg: {} }, opts?: pulumi.ComponentResourceOptions, preview = false) =>
  graph(() => new PostgresDatabase("db", args, opts), { preview });
const ofKubernetes = ({ dependencies }: Registered) => dependencies.filter((key) => key.startsWith("kubernetes:"));
/** Mocks name what Pulumi names, so an object is complete. */
const operators = (resources: Map<string, Registered>) =>
  [...resources.values()].filter(({ type }) => type.includes(".cnpg.io/")).map(({ inputs }) => inputs);

describe("the graph on CloudNativePG", () => {
  it("is exactly these resources: no server of our own, no administrator", async () => {
    const { resources } = await made();
    assert.deepStrictEqual(
      [...resources.keys()].sort(),
      [
        "pulumi-postgres-app:index:PostgresDatabase::db",
        "pulumi-postgres-app:index:RolledOutRotation::db-rotation",
        "random:index/randomUuid:RandomUuid::db-cloudNativePg-whereabouts",
        "random:index/randomUuid:RandomUuid::db-engines",
        "random:index/randomUuid:RandomUuid::db-ends",
        ...["a", "b"].flatMap((slot) => [`${PASSWORD}::db-password-${slot}`, `${SECRET}::db-role-${slot}`]),
        CLUSTER,
        DATABASE,
        `${SECRET}::db-logins`,
        `${SECRET}::db-connection`,
        `${SECRET}::db-migration-connection`,
        `${CONFIG}::db-setup`,
        `${JOB}::db-setup`,
      ].sort(),
    );
  });

  it("is the same in a preview that knows no value: nothing is made inside an apply", async () => {
    const [up, preview] = [await made(everything), await made(everything, undefined, true)];
    assert.deepStrictEqual([...preview.resources.keys()].sort(), [...up.resources.keys()].sort());
    assert.deepStrictEqual([...up.late, ...preview.late], []);
  });

  it("makes the roles' Secrets before the Cluster, extensions and backups after it, and the setup after all that it needs", async () => {
    const { resources } = await made(everything);
    const depends = (key: string) => ofKubernetes(resources.get(key)!);
    const roles = ["a", "b", "migrator"].map((slot) => `${SECRET}::db-role-${slot}`);
    const stores = [`${STORE}::db-backups`, `${STORE}::db-restore`];
    for (const key of [...roles, ...stores]) assert.ok(depends(CLUSTER).includes(key), key);
    assert.ok(depends(DATABASE).includes(CLUSTER));
    assert.ok(depends(SCHEDULE).includes(CLUSTER));
    const setup = depends(`${JOB}::db-setup`);
    for (const key of [CLUSTER, DATABASE, `${SECRET}::db-logins`, `${SECRET}::db-connection`])
      assert.ok(setup.includes(key), key);
    assert.ok(
      ![...resources.keys()].some((key) => /CronJob|db-restore$/.test(key) && !key.startsWith(STORE)),
      "dumps of our own",
    );
  });

  it("restores a dump with a Job, after the setup, into an empty Cluster", async () => {
    const claim = { claimName: "backups" };
    for (const restoreFrom of [
      { claim },
      { claim, backup: "newest" },
      { s3, backup: "newest" },
      { s3: { ...s3, image: "r:1" }, backup: "x", timeoutSeconds: 9 },
    ]) {
      const { resources } = await made({ cloudNativePg: {}, restoreFrom });
      const { spec } = resources.get(CLUSTER)!.inputs;
      assert.deepStrictEqual([Object.keys(spec.bootstrap), spec.externalClusters], [["initdb"], undefined]);
      assert.deepStrictEqual(
        [...resources.keys()].filter((key) => key.startsWith(STORE)),
        [],
      );
      const restore = resources.get(`${JOB}::db-restore`)!;
      assert.ok(restore.dependencies.includes(`${JOB}::db-setup`));
      const [container] = restore.inputs.spec.template.spec.containers;
      assert.match(container.image, /^ghcr\.io\/cloudnative-pg\/postgresql:17-/);
      assert.strictEqual(
        resources.get(WHEREABOUTS)!.inputs.keepers.restored,
        "no",
        "it may stay, or be added later: the Job decides",
      );
    }
    assert.strictEqual((await made(everything)).resources.get(WHEREABOUTS)!.inputs.keepers.restored, "yes");
  });

  it("gives every life and every major version an archive of its own, which begins with a backup", async () => {
    const archive = async (args: PostgresDatabaseArgs) => {
      const { resources } = await made({ ...args, backups });
      const { inputs, options } = resources.get("random:index/randomUuid:RandomUuid::db-archive")!;
      assert.deepStrictEqual(options.ignoreChanges, ["keepers.name"]);
      assert.strictEqual(options.protect, false, "a protected one could not be replaced");
      const [{ parameters }] = resources.get(CLUSTER)!.inputs.spec.plugins;
      assert.strictEqual(resources.get(SCHEDULE)!.inputs.metadata.name, parameters.serverName);
      assert.ok(resources.get(SCHEDULE)!.inputs.spec.immediate);
      return {
        name: parameters.serverName,
        version: inputs.keepers.version,
        origin: resources.get(CLUSTER)!.inputs.spec.externalClusters,
      };
    };
    const first = await archive({ cloudNativePg: {} });
    assert.strictEqual(first.name, "db-0f1e2d3c");
    assert.strictEqual(first.version, "17");
    assert.strictEqual((await archive({ cloudNativePg: { version: 18 } })).version, "18");
    const imageName = "registry:5000/postgres:16.3-5@sha256:" + "0".repeat(64);
    assert.strictEqual((await archive({ cloudNativePg: { imageName } })).version, "16");
    // What it is restored from may lie in the same place.
    const { name, origin } = await archive({ cloudNativePg: { restoreServerName: "db" }, restoreFrom: { s3 } });
    assert.strictEqual(origin[0].plugin.parameters.serverName, "db");
    assert.notStrictEqual(name, "db");
  });

  it("finds out at once whether its store can be used, without the database", async () => {
    const { resources } = await made({
      cloudNativePg: {},
      backups: { ...backups, destination: { s3: { ...s3, image: "r:1" } } },
    });
    const { spec } = resources.get(`${JOB}::db-check`)!.inputs.spec.template;
    assert.strictEqual(spec.initContainers, undefined);
    const [container] = spec.containers;
    assert.deepStrictEqual(
      [container.image, ...container.command.slice(1)],
      ["r:1", "/etc/postgres-app/scripts/upload.sh", "check"],
    );
    assert.doesNotMatch(JSON.stringify(spec), /PGPASSWORD|database-ca/);
  });

  it("is of objects that the operator takes", async () => {
    for (const args of [{ cloudNativePg: {} }, everything]) {
      const objects = operators((await made(args)).resources);
      assert.ok(objects.length >= 2);
      for (const object of objects) {
        assert.deepStrictEqual(schemaErrors(object), []);
        if (object.kind === "Cluster") assert.deepStrictEqual(admissionErrors(object), []);
      }
    }
  });

  it("waits for the Cluster and its extensions, for as long as servers take to restart, and never makes another Cluster", async () => {
    const { resources } = await made();
    const { inputs, options } = resources.get(CLUSTER)!;
    assert.strictEqual(inputs.metadata.name, "db");
    assert.strictEqual(inputs.metadata.annotations["pulumi.com/waitFor"], "condition=Ready");
    assert.deepStrictEqual(options.ignoreChanges, ["metadata.name"]);
    assert.deepStrictEqual(options.customTimeouts, { create: "20m", update: "60m", delete: "" });
    const { annotations } = resources.get(DATABASE)!.inputs.metadata;
    assert.strictEqual(annotations["pulumi.com/waitFor"], "jsonpath={.status.applied}=true");
  });

  it("leaves the volumes on destroy unless they are to go", async () => {
    const policy = async (onDelete?: "retain" | "delete") => {
      const { resources } = await made({ cloudNativePg: {}, onDelete });
      return resources.get(CLUSTER)!.inputs.metadata.annotations["pulumi.com/deletionPropagationPolicy"];
    };
    assert.deepStrictEqual([await policy(), await policy("retain"), await policy("delete")], ["orphan", "orphan", undefined]);
  });

  it("gives the component's protect to the Cluster, never to the Job", async () => {
    const { resources } = await made({ cloudNativePg: {} }, { protect: true });
    assert.strictEqual(resources.get(CLUSTER)!.options.protect, true);
    assert.strictEqual(resources.get(`${JOB}::db-setup`)!.options.protect, false);
  });

  it("has no superuser, and no password outside of Secrets", async () => {
    const { resources } = await made(everything);
    assert.strictEqual(resources.get(CLUSTER)!.inputs.spec.enableSuperuserAccess, false);
    const [container] = resources.get(`${JOB}::db-setup`)!.inputs.spec.template.spec.containers;
    assert.ok(!container.env.some(({ name }: any) => /^ADMIN/.test(name)));
    assert.deepStrictEqual(container.env.find(({ name }: any) => name === "MODE").value, "owner");
    for (const [key, { inputs }] of resources) {
      assert.doesNotMatch(JSON.stringify(inputs), /pw-of-/, key);
      if (key.startsWith(SECRET)) assert.strictEqual(inputs.stringData ?? "[secret]", "[secret]", key);
    }
  });

  it("verifies the server's certificate with the operator's authority, without its private key", async () => {
    const { spec } = (await made()).resources.get(`${JOB}::db-setup`)!.inputs.spec.template;
    const { env } = spec.containers[0];
    const value = (name: string) => env.find((variable: any) => variable.name === name).value;
    assert.deepStrictEqual([value("PGSSLMODE"), value("SERVER_HOST")], ["verify-full", "db-rw.default.svc"]);
    const { secret } = spec.volumes.find(({ name }: any) => name === "database-ca");
    assert.deepStrictEqual(secret, { secretName: "db-ca", items: [{ key: "ca.crt", path: "ca.crt" }] });
  });

  it("has roles by credentials: who logs in, acts as whom, and who has to go", async () => {
    const roles = async (credentials: PostgresDatabaseArgs["credentials"]) => {
      const { resources } = await made({ cloudNativePg: {}, credentials });
      return resources
        .get(CLUSTER)!
        .inputs.spec.managed.roles.map(
          ({ name, ensure, login, inRoles, bypassrls }: any) =>
            `${name} ${ensure} ${login ?? "-"} ${inRoles ?? "-"}${bypassrls ? " bypassrls" : ""}`,
        );
    };
    const owner = "db present false -";
    const gone = "db_migrator absent - -";
    const backup = "db_backup present false db bypassrls";
    assert.deepStrictEqual(await roles({}), [
      owner,
      gone,
      backup,
      "db_a present true db,db_backup",
      "db_b present true db,db_backup",
    ]);
    assert.deepStrictEqual(await roles({ rotation: 3, lockFormerLogin: true }), [
      owner,
      gone,
      backup,
      "db_a present false db,db_backup",
      "db_b present true db,db_backup",
    ]);
    assert.deepStrictEqual(await roles({ separateMigrator: true }), [
      "db_runtime present false -",
      "db present false db_runtime",
      backup,
      "db_a present true db_runtime",
      "db_b present true db_runtime",
      "db_migrator present true db,db_backup",
    ]);
  });
});

describe("what does not go with CloudNativePG", () => {
  const refusal = async (args: object) => {
    let message = "";
    const { order } = await graph(() => {
      assert.throws(
        () => new PostgresDatabase("db", { cloudNativePg: {}, ...args }),
        (error: Error) => ((message = error.message), true),
      );
    });
    assert.deepStrictEqual(order, [], "something was created");
    return message;
  };
  const claim = { claimName: "backups" };
  const schedule = "30 2 * * *";
  const wrong: [string, object, RegExp][] = [
    ["another engine", { embedded: {} }, /^ {2}cloudNativePg: is given beside embedded: choose exactly one/m],
    ["dumps on a claim", { backups: { schedule, destination: { claim } } }, /^ {2}backups\.destination\.claim: .* give s3$/m],
    ["an archive without its name", { restoreFrom: { s3 } }, /^ {2}cloudNativePg\.restoreServerName: is missing/m],
    [
      "how long an archive may take",
      { cloudNativePg: { restoreServerName: "x" }, restoreFrom: { s3, timeoutSeconds: 1 } },
      /^ {2}restoreFrom\.timeoutSeconds: is not for CloudNativePG/m,
    ],
    ["a time zone", { backups: { ...backups, timeZone: "Europe/Berlin" } }, /^ {2}backups\.timeZone: .*UTC in its image/m],
    [
      "an administrator's password",
      { credentials: { adminRotation: 1 } },
      /^ {2}credentials\.adminRotation: is for the embedded/m,
    ],
  ];
  for (const [what, args, reason] of wrong) it(`is ${what}`, async () => assert.match(await refusal(args), reason));

  it("is named under the application's path", async () => {
    await graph(() =>
      assert.throws(
        () =>
          new PostgresApp("notes", {
            image: "registry.example.org/notes:1",
            database: { cloudNativePg: {}, credentials: { adminRotation: 1 }, restoreFrom: { s3 } },
          }),
        /database\.credentials\.adminRotation: [^]*database\.cloudNativePg\.restoreServerName: /,
      ),
    );
  });

  it("is restoring what is there already, which a later restoreFrom would not do", () => {
    const then = { namespace: "shop", restored: "no" };
    const engine = "cloudNativePg";
    assert.strictEqual(forgotten(engine, then, then), undefined);
    const { key, reason } = forgotten(engine, then, { ...then, restored: "yes" })!;
    assert.strictEqual(key, "restoreFrom");
    assert.match(reason, /^is read only when the database is made, and this one is there already: take it out/);
    assert.strictEqual(forgotten(engine, { ...then, restored: "yes" }, then), undefined, "taking it out is fine");
  });
});
