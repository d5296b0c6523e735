import * as assert from "assert";
import * as pulumi from "@pulumi/pulumi";
import { describePlan, parsePlan, refusalOf } from "../../components/migration/plan";
import { onlyPlanned } from "../../components/migration/lonePlan";
import { reportOf } from "../../components/migration/planAlone";
import { copyConnection } from "../../components/migration/planPod";
import { MigrationArgs, MigrationJob, planMigration, PostgresApp } from "../../index";
import { graph } from "../support/graph";

const POD = "kubernetes:core/v1:Pod";
const JOB = "kubernetes:batch/v1:Job";
const image = "registry.example.org/notes:1.0.0";
const app = (migration: Partial<MigrationArgs>) =>
  graph(() => new PostgresApp("notes", { image, migration: { command: ["migrate"], ...migration } }));
/** The same without the rest of an application, which takes its time. */
const alone = (migration: Partial<MigrationArgs>) => {
  const connection = { connectionSecretName: "s", connectionKeys: { uri: "uri" } };
  return graph(() => new MigrationJob("notes-migration", { image, command: ["migrate"], ...connection, ...migration } as never));
};
const PLAN = `${POD}::notes-migration-plan`;
const pending = ["list"];

describe("the pod before a migration", () => {
  it("is there only when something is to be found out, between the start Job and the migration", async () => {
    assert.ok(!(await alone({})).resources.has(PLAN));
    for (const asked of [{ pending }, { pending, approval: "" }, { rehearsal: {} }]) {
      const { resources, late } = await alone(asked);
      assert.ok(resources.get(PLAN)!.dependencies.includes(`${JOB}::notes-migration-start`));
      assert.ok(resources.get(`${JOB}::notes-migration`)!.dependencies.includes(PLAN));
      assert.deepStrictEqual(late, []);
    }
  });

  it("is replaced when it did not end, and never kept or protected", async () => {
    const { options } = (await alone({ pending, rehearsal: {}, timeoutSeconds: 100 })).resources.get(PLAN)!;
    assert.deepStrictEqual(options.replaceOnChanges, ["*"]);
    assert.deepStrictEqual([options.protect, options.retainOnDelete], [false, false]);
    assert.strictEqual(options.customTimeouts!.create, "740s");
  });

  it("never fails: what may fail is a sidecar, and it does not count as ready before its end", async () => {
    const { spec } = (await alone({ pending, rehearsal: {} })).resources.get(PLAN)!.inputs;
    const policies = spec.initContainers.map((container: any) => `${container.name} ${container.restartPolicy ?? "once"}`);
    assert.deepStrictEqual(policies, ["tools once", "pending Always", "copy Always", "rehearse Always"]);
    assert.deepStrictEqual(
      spec.containers.map(({ name }: any) => name),
      ["report"],
    );
    assert.strictEqual(spec.readinessGates.length, 1);
  });

  it("has a copy's server that is somebody in its image, whatever its number", async () => {
    const { resources } = await alone({ rehearsal: { runAsUser: 1234 } });
    const { initContainers } = resources.get(PLAN)!.inputs.spec;
    const { volumeMounts, securityContext } = initContainers.find(({ name }: any) => name === "copy");
    assert.strictEqual(securityContext.runAsUser, 1234);
    const mount = volumeMounts.find(({ mountPath }: any) => mountPath === "/etc/passwd");
    const scripts = resources.get("kubernetes:core/v1:ConfigMap::notes-migration-scripts")!;
    assert.match(scripts.inputs.data[mount.subPath], /^postgres:x:1234:1234:/m);
  });

  it("stays the same when only what is allowed and how long it may take change", async () => {
    const inputs = async (migration: Partial<MigrationArgs>) =>
      JSON.stringify((await alone({ pending, rehearsal: {}, ...migration })).resources.get(PLAN)!.inputs);
    const before = await inputs({});
    assert.strictEqual(await inputs({ approval: "0123456789ab" }), before);
    assert.strictEqual(await inputs({ rehearsal: { allowDestructive: true, timeoutSeconds: 5 }, timeoutSeconds: 9 }), before);
    assert.strictEqual(await inputs({ backoffLimit: 3, lock: false }), before);
    for (const other of [
      { command: ["other"] },
      { env: { A: "1" } },
      { rerun: "2" },
      { image: "other:1" },
      { pending: ["other"] },
    ])
      assert.notStrictEqual(await inputs(other), before, JSON.stringify(other));
  });

  it("is written down when its migration has succeeded, so that one that is lost is not made out again", async () => {
    const NOTE = "kubernetes:core/v1:ConfigMapPatch::notes-migration-plan-done";
    assert.ok(!(await alone({})).resources.has(NOTE));
    const noted = async (migration: Partial<MigrationArgs>) => {
      const { resources } = await alone({ pending, ...migration });
      const { inputs, dependencies } = resources.get(NOTE)!;
      assert.ok(dependencies.includes(`${JOB}::notes-migration`));
      assert.strictEqual(inputs.metadata.name, "notes-migration-scripts");
      const [, plan] = /^PLAN=([0-9a-f]{16})$/m.exec(
        resources.get("kubernetes:core/v1:ConfigMap::notes-migration-scripts")!.inputs.data["plan-settings"],
      )!;
      assert.strictEqual(inputs.data["plan-done"], `${plan}\n`);
      return plan;
    };
    const plan = await noted({});
    assert.strictEqual(await noted({ approval: "", timeoutSeconds: 9, backoffLimit: 3 }), plan);
    for (const other of [{ command: ["other"] }, { rerun: "2" }, { pending: ["other"] }, { secretEnv: { A: "1" } }])
      assert.notStrictEqual(await noted(other), plan, JSON.stringify(other));
  });

  it("leaves the migration's Job as it is", async () => {
    const job = async (migration: Partial<MigrationArgs>) =>
      (await alone(migration)).resources.get(`${JOB}::notes-migration`)!.inputs;
    assert.deepStrictEqual(await job({ pending, approval: "", rehearsal: {} }), await job({}));
  });

  it("points at the copy everything that the connection's variables say", async () => {
    const { spec } = (await app({ rehearsal: {} })).resources.get(PLAN)!.inputs;
    const container = (name: string) => spec.initContainers.find((one: any) => one.name === name);
    const variables = new Map(container("rehearse").env.map((variable: any) => [variable.name, variable]));
    const value = (name: string) => (variables.get(name) as any).value;
    assert.strictEqual(value("PGHOST"), "127.0.0.1");
    assert.strictEqual(
      value("DATABASE_URL"),
      "postgresql://$(POSTGRES_APP_LOGIN):rehearsal@127.0.0.1:5432/$(POSTGRES_APP_DATABASE)",
    );
    assert.strictEqual(value("PGSSLMODE"), "disable");
    const secret = { name: "notes-db-migration-connection", key: "dbname" };
    assert.deepStrictEqual((variables.get("POSTGRES_APP_DATABASE") as any).valueFrom.secretKeyRef, secret);
    // Kubernetes puts in only what stands before.
    const order = [...variables.keys()];
    assert.ok(order.indexOf("POSTGRES_APP_LOGIN") < order.indexOf("DATABASE_URL"));
    assert.ok(!JSON.stringify(container("rehearse")).includes('"key":"password"'), "the real password");
  });

  it("has paths of files that are there for variables that programs read whatever the mode, such as Node's", () => {
    const files = { caSecretName: "ca", clientCertificate: { secretName: "client" } };
    const { values } = copyConnection({ secretName: "s", keys: {}, values: {}, ...files });
    assert.deepStrictEqual(
      [values.sslrootcert, values.sslcert, values.sslkey],
      ["/etc/postgres-app/tls/ca.crt", "/etc/postgres-app/client/tls.crt", "/etc/postgres-app/client/tls.key"],
    );
    assert.strictEqual(copyConnection({ secretName: "s", keys: {}, values: {} }).values.sslrootcert, "");
  });

  it("rehearses under other names where the real ones stand within a URI", () => {
    const { keys, values } = copyConnection({ secretName: "s", keys: { uri: "URL" }, values: {} });
    assert.deepStrictEqual(keys, {});
    assert.match(values.uri as string, /@127\.0\.0\.1:5432\//);
  });

  it("rehearses with forms of the user's own that lead to the copy", () => {
    const own = { dsn: "DATABASE={dbname};LOGIN={user};HOST={host};SCHEMA={dbname}" };
    const { values } = copyConnection({ secretName: "s", keys: { dsn: "dsn" }, values: {}, formats: own });
    const [database, login] = ["$(POSTGRES_APP_DATABASE)", "$(POSTGRES_APP_LOGIN)"];
    assert.strictEqual(values.dsn, `DATABASE=${database};LOGIN=${login};HOST=127.0.0.1;SCHEMA=${database}`);
  });

  it("has outputs that are empty where nothing was asked for", async () => {
    const { result } = await graph(
      () => new MigrationJob("m", { image, command: ["migrate"], connectionSecretName: "s", connectionKeys: { uri: "uri" } }),
    );
    const get = (output: pulumi.Output<string>) => new Promise((resolve) => output.apply(resolve));
    assert.deepStrictEqual(await Promise.all([result.pendingMigrations, result.pendingHash, result.rehearsalReport].map(get)), [
      "",
      "",
      "",
    ]);
  });

  it("refuses arguments that make no sense", async () => {
    await assert.rejects(app({ approval: "" }), /migration\.approval: needs migration\.pending/);
    await assert.rejects(
      app({ pending, approval: "yes" }),
      /migration\.approval: "yes" is no hash of a list: write the 12 hex digits/,
    );
    await assert.rejects(app({ pending: [] }), /migration\.pending: \[\] is not a command/);
    const wrong = { image: "no image", storage: "ten", timeoutSeconds: 0, runAsUser: 0 };
    await assert.rejects(app({ rehearsal: wrong }), (error: Error) =>
      Object.keys(wrong).every((name) => error.message.includes(`migration.rehearsal.${name}: `)),
    );
  });
});

describe("a plan alone", () => {
  it("is a pod beside the real one, and no Job", async () => {
    const connection = { connectionSecretName: "s", connectionKeys: { uri: "uri" } };
    const args = { image, command: ["migrate"], pending, ...connection };
    const { resources } = await graph(() => new MigrationJob("notes-migration", onlyPlanned(args, "0a1b2c")));
    assert.ok(!resources.has(`${JOB}::notes-migration`));
    assert.ok(resources.has(PLAN) && resources.has(`${JOB}::notes-migration-start`));
    const scripts = resources.get("kubernetes:core/v1:ConfigMap::notes-migration-plan-0a1b2c")!.inputs.metadata.name;
    const { metadata, spec } = resources.get(PLAN)!.inputs;
    assert.deepStrictEqual(
      [scripts, spec.volumes[0].configMap.name],
      ["notes-migration-plan-0a1b2c", "notes-migration-plan-0a1b2c"],
    );
    assert.strictEqual(metadata.labels["app.kubernetes.io/instance"], "notes-migration");
  });

  it("is a report to be read and one for programs", () => {
    const plan = parsePlan("#destructive\n DROP TABLE a\n#pending 0123456789ab 1\n first\n#rehearsal\n copied");
    const { text, ...rest } = reportOf(plan, {});
    assert.deepStrictEqual(
      { ...rest, refusal: "" },
      {
        allowed: false,
        refusal: "",
        destructive: "DROP TABLE a",
        pending: { list: "first", hash: "0123456789ab", exitCode: 1 },
        rehearsal: "copied",
      },
    );
    assert.match(
      text,
      /^pending migrations \(0123456789ab, exit code 1\):\n {2}first\nrehearsal of the migration on a copy of the database:\n {2}copied\nnothing was migrated: the migration destroys data/,
    );
    assert.strictEqual(reportOf(plan, { approval: "" }).text.match(/first/g)?.length, 1);
    const allowed = reportOf(plan, { allowDestructive: true, approval: "0123456789ab" });
    assert.deepStrictEqual([allowed.allowed, allowed.refusal], [true, ""]);
    assert.match(allowed.text, /^pending migrations \(0123456789ab, exit code 1\):\n {2}first\nrehearsal/);
  });

  it("allows nothing of which it knows nothing", () => {
    assert.throws(() => reportOf(parsePlan(""), {}), /what the pod has to say cannot be read/);
  });

  it("wants something to find out", async () => {
    await assert.rejects(
      planMigration("m", { image, command: ["migrate"], connectionSecretName: "s" }),
      /planMigration "m": there is nothing to find out: give pending, rehearsal or both/,
    );
  });
});

describe("what follows from a plan", () => {
  const message = [
    ...["#destructive", " DROP TABLE a", "#pending 0123456789ab 1", " #1 first", " second", "#rehearsal", " copied"],
  ].join("\n");
  const refused = (text: string, allowed = {}) => refusalOf(parsePlan(text), allowed, "migration.", "pulumi up --replace 'urn'");

  it("is read from the message, whatever the lists hold", () => {
    assert.deepStrictEqual(parsePlan(message), {
      refusal: "",
      destructive: "DROP TABLE a",
      pending: { list: "#1 first\nsecond", hash: "0123456789ab", exitCode: "1" },
      rehearsal: "copied",
    });
    assert.match(
      describePlan(parsePlan(message)),
      /^pending migrations \(0123456789ab, exit code 1\):\n {2}#1 first\n {2}second\n/,
    );
  });

  it("says of which image it is", () => {
    const plan = { ...parsePlan(message), image: "notes:2" };
    assert.match(describePlan(plan), /^what the migration of notes:2 will do:\npending migrations \(/);
    assert.strictEqual(describePlan({ ...parsePlan(""), image: "notes:2" }), "");
    assert.match(refusalOf(plan, { approval: "" }, "migration.", "")!, /not approved; pending with notes:2:\n {2}#1 first/);
  });

  it("is a refusal for each gate, with the way out, all at once", () => {
    const both = refused(message, { approval: "ba9876543210" })!;
    assert.match(both, /DROP TABLE a\nset migration\.rehearsal\.allowDestructive to true/);
    assert.match(both, /approved is another list \(ba9876543210\); pending:\n {2}#1 first/);
    assert.match(refused(message, { approval: "0123456789ab", allowDestructive: "false" as never })!, /destroys data/);
    assert.strictEqual(refused(message, { approval: "0123456789ab", allowDestructive: true }), undefined);
    assert.strictEqual(refused("#pending 0123456789ab 0\n a"), undefined);
    assert.match(
      refused("#refusal\n it failed", { allowDestructive: true })!,
      /it failed\nto find it out again.*pulumi up --replace 'urn'/,
    );
  });
});
