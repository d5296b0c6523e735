import * as assert from "assert";
import { isDeepStrictEqual } from "util";
import * as pulumi from "@pulumi/pulumi";
import { AppDatabaseArgs, GeneratedSecretArgs, PostgresApp, PostgresAppArgs } from "../../index";
import { generateSecrets, resolveGeneratedSecrets } from "../../components/app/generatedSecrets";
import { withGenerated } from "../../components/app/keptSecrets";
import { Validation } from "../../components/common/validation";
import { fingerprint } from "../../components/database/keysJob";
import { complete, types } from "../../tools/providers/random/types";
import { graph, RANDOM_UUID } from "../support/graph";
import { known } from "../support/known";

type Secrets = Record<string, GeneratedSecretArgs>;

const SECRET = "kubernetes:core/v1:Secret";
const JOB = "kubernetes:batch/v1:Job";
const STATEFUL_SET = "kubernetes:apps/v1:StatefulSet";
const PASSWORD = "random:index/randomPassword:RandomPassword";
const BYTES = "random:index/randomBytes:RandomBytes";

const KEYS: Secrets = { SECRET_KEY_BASE: {}, API_KEY: { format: "hex", length: 33 } };
const notes =
  (generatedSecrets: Secrets | undefined, more: Partial<PostgresAppArgs> = {}, opts?: pulumi.ComponentResourceOptions) =>
  () =>
    new PostgresApp(
      "notes",
      { image: "registry.example.org/notes:1", migration: { command: ["migrate"] }, generatedSecrets, ...more },
      opts,
    );

function refusal(args: Partial<PostgresAppArgs>): string {
  try {
    new PostgresApp("notes", { image: "registry.example.org/notes:1", ...args });
    return "";
  } catch (error) {
    return (error as Error).message;
  }
}

describe("arguments of generated secrets", () => {
  it("are refused with what to write instead", () => {
    const message = refusal({
      generatedSecrets: {
        "1A": {},
        A: { length: 15 },
        B: { format: "base64", length: 42 },
        C: { format: "base32" as never },
        D: { value: "" },
        E: { value: 271828 as never },
        F: { rotation: -1 },
        G: { length: "64" as never },
      },
    });
    for (const line of [
      /^ {2}generatedSecrets\["1A"\]: is not an environment variable's name/m,
      /^ {2}generatedSecrets.A.length: 15 is out of range: write a whole number of at least 16 and at most 1024$/m,
      /^ {2}generatedSecrets.B.length: 42 characters are no base64: write a multiple of 4, such as 44 for 32 bytes$/m,
      /^ {2}generatedSecrets.C.format: is "base32": write one of "alphanumeric", "hex", "base64"$/m,
      /^ {2}generatedSecrets.D.value: is empty: leave it out to have a value generated$/m,
      /^ {2}generatedSecrets.E.value: is a number: write it as a string, in quotes$/m,
      /^ {2}generatedSecrets.F.rotation: -1 is out of range/m,
      /^ {2}generatedSecrets.G.length: "64" is not a number: write it without quotes/m,
      /: 8 arguments have to change:$/m,
    ])
      assert.match(message, line);
    assert.doesNotMatch(message, /271828/);
    assert.match(refusal({ generatedSecrets: ["A"] as never }), /generatedSecrets: is not a map: write \{ NAME: value \}/);
  });

  it("are refused where a variable has two values", () => {
    const message = refusal({ env: { A: "1" }, secretEnv: { B: "2" }, generatedSecrets: { A: {}, B: {}, PGHOST: {} } });
    assert.match(message, /^ {2}generatedSecrets.A: is in env too: keep one of the two$/m);
    assert.match(message, /^ {2}generatedSecrets.B: is in secretEnv too: keep one of the two$/m);
    assert.match(message, /^ {2}generatedSecrets.PGHOST: is in connectionEnv too: keep one of the two$/m);
  });
});

describe("values of generated secrets", () => {
  /** As the random plugin makes them. */
  async function made(args: GeneratedSecretArgs): Promise<string> {
    await pulumi.runtime.setMocks({
      newResource: async ({ type, inputs }) => {
        const { id, outputs } = await types[type]!.make(complete(types[type]!, inputs));
        return { id, state: { ...inputs, ...outputs } };
      },
      call: ({ inputs }) => inputs,
    });
    const resolved = resolveGeneratedSecrets({ A: args }, "generatedSecrets", new Validation("Test"));
    return known(generateSecrets("test", resolved, {}).A.value);
  }
  for (const [format, length, pattern] of [
    [undefined, undefined, /^[A-Za-z0-9]{64}$/],
    ["alphanumeric", 100, /^[A-Za-z0-9]{100}$/],
    ["hex", undefined, /^[0-9a-f]{64}$/],
    ["hex", 33, /^[0-9a-f]{33}$/],
    ["base64", undefined, /^[A-Za-z0-9+/]{64}$/],
  ] as const)
    it(`are ${length ?? "64, if nothing is said,"} characters of ${format ?? "letters and digits, if nothing is said"}, never the same`, async () => {
      const [one, other] = [await made({ format, length }), await made({ format, length })];
      assert.match(one, pattern);
      assert.match(other, pattern);
      assert.notStrictEqual(one, other);
    });

  for (const [format, characters] of [
    ["alphanumeric", 62],
    ["hex", 16],
    ["base64", 64],
  ] as const)
    it(`in ${format} use all of ${characters} characters, about equally often`, async () => {
      // A missing one in 1024 would be one run in a hundred thousand; the most frequent is expected at 28 of 64, or 84 of 16.
      const counts = new Map<string, number>();
      for (const character of (await made({ format, length: 1024 })).replace(/=+$/, ""))
        counts.set(character, (counts.get(character) ?? 0) + 1);
      assert.strictEqual(counts.size, characters);
      assert.ok(Math.max(...counts.values()) < (1024 / characters) * 3, JSON.stringify([...counts]));
    });

  for (const [length, bytes] of [
    [20, 15],
    [24, 16],
    [32, 24],
    [44, 32],
    [64, 48],
    [88, 64],
    [172, 128],
  ])
    it(`in base64 of ${length} characters are ${bytes} bytes`, async () => {
      const value = await made({ format: "base64", length });
      const decoded = Buffer.from(value, "base64");
      assert.deepStrictEqual([value.length, decoded.length, decoded.toString("base64")], [length, bytes, value]);
    });

  it("come from these parameters, frozen: others would be other values in every stack", async () => {
    const { resources } = await graph(notes({ ...KEYS, SEED: { format: "base64", length: 44, rotation: 3 } }));
    const inputs = (key: string) => resources.get(key)!.inputs;
    assert.deepStrictEqual(inputs(`${PASSWORD}::notes-secret-SECRET_KEY_BASE`), {
      length: 64,
      special: false,
      keepers: { rotation: "0" },
    });
    assert.deepStrictEqual(inputs(`${BYTES}::notes-secret-API_KEY`), { length: 17, keepers: { rotation: "0" } });
    assert.deepStrictEqual(inputs(`${BYTES}::notes-secret-SEED`), { length: 32, keepers: { rotation: "3" } });
    assert.strictEqual(
      fingerprint("SECRET_KEY_BASE", "a value"),
      "a9f0651db2188bb1c36000423cacd3b8fb4b730381627414640a3281391ad6b4",
    );
  });

  it("are those that are given, and nothing is generated then", async () => {
    const { resources } = await graph(notes({ SECRET_KEY_BASE: { value: "not to be seen" } }));
    assert.ok(![...resources.keys()].some((key) => key.includes("notes-secret-SECRET_KEY_BASE")));
  });
});

describe("resources of generated secrets", () => {
  it("are a copy, a record and a Job between the database and what could use a wrong key", async () => {
    const { resources, late } = await graph(notes(KEYS));
    assert.deepStrictEqual(late, []);
    const depends = (key: string) => resources.get(key)!.dependencies;
    const keys = `${JOB}::notes-keys`;
    for (const before of [`${JOB}::notes-db-setup`, `${SECRET}::notes-kept-secrets`, `${SECRET}::notes-keys`])
      assert.ok(depends(keys).includes(before), before);
    assert.ok(depends(`${JOB}::notes-migration`).includes(keys));
    const withoutMigration = await graph(notes(KEYS, { migration: undefined }));
    assert.ok(withoutMigration.resources.get(`${STATEFUL_SET}::notes`)!.dependencies.includes(keys));
  });

  it("are the same in a preview that knows no value", async () => {
    const names = async (preview: boolean) => [...(await graph(notes(KEYS), { preview })).resources.keys()].sort();
    assert.deepStrictEqual(await names(true), await names(false));
  });

  it("are none but the value where no stored data depends on it, and none at all where nothing is generated", async () => {
    const all = async (generatedSecrets?: Secrets) => [...(await graph(notes(generatedSecrets))).resources.keys()];
    const without = await all();
    const session = await all({ SESSION_SECRET: { encryptsData: false } });
    assert.deepStrictEqual(
      session.filter((key) => !without.includes(key)),
      [`${PASSWORD}::notes-secret-SESSION_SECRET`, `${SECRET}::notes-secret-env`],
    );
    assert.ok(!without.some((key) => /notes-(keys|kept-secrets|secret-env)$/.test(key)));
  });

  it("keep the copy after destroy, where it can be found, if the data is kept", async () => {
    const copy = async (database?: AppDatabaseArgs) =>
      (await graph(notes({ ...KEYS, SESSION_SECRET: { encryptsData: false } }, { database }))).resources.get(
        `${SECRET}::notes-kept-secrets`,
      )!;
    const { options, inputs } = await copy();
    assert.strictEqual(options.retainOnDelete, true);
    assert.strictEqual(inputs.metadata.name, undefined, "a former copy is never written over");
    assert.strictEqual(inputs.metadata.labels["app.kubernetes.io/instance"], "notes");
    assert.strictEqual(inputs.metadata.labels["app.kubernetes.io/component"], "kept-secrets");
    assert.ok(!(await copy({ onDelete: "delete" })).options.retainOnDelete);
    assert.strictEqual((await copy({ onDelete: "retain" })).options.retainOnDelete, true);
  });

  it("have no value and no fingerprint outside of Secrets, and every value marked as secret", async () => {
    const { resources } = await graph(
      notes({ ...KEYS, OLD: { value: "not to be seen" } }, { secretEnv: { TOKEN: "not to be seen" } }),
    );
    for (const name of ["notes-secret-env", "notes-kept-secrets", "notes-keys"])
      assert.match(
        JSON.stringify(resources.get(`${SECRET}::${name}`)!.inputs.stringData),
        /^("\[secret\]"|{("\w+":"\[secret\]",?)+})$/,
      );
    const seen = new RegExp(
      `not to be seen|pw-of-|bytes-of-|${fingerprint("OLD", "not to be seen")}|${fingerprint("SECRET_KEY_BASE", "pw-of-notes-secret-SECRET_KEY_BASE")}`,
    );
    for (const [key, { inputs }] of resources) assert.doesNotMatch(JSON.stringify(inputs), seen, key);
    const [{ env }] = resources.get(`${JOB}::notes-keys`)!.inputs.spec.template.spec.containers;
    assert.deepStrictEqual(env.find(({ name }: any) => name === "KEYS").valueFrom, {
      secretKeyRef: { name: "notes-keys-0123abcd", key: "keys" },
    });
  });

  it("have a Job like the others: bounded, run again until it is complete, for other data and after a restore", async () => {
    const job = async (more: Partial<PostgresAppArgs> = {}) =>
      (await graph(notes(KEYS, more, { protect: true, retainOnDelete: true }))).resources.get(`${JOB}::notes-keys`)!;
    const { inputs, options } = await job({ database: { connectTimeoutSeconds: 100 } });
    assert.strictEqual(inputs.metadata.annotations["pulumi.com/replaceUnready"], "true");
    assert.strictEqual(inputs.spec.activeDeadlineSeconds, 340);
    assert.deepStrictEqual(options.customTimeouts, { create: "400s", update: "400s", delete: "" });
    assert.deepStrictEqual([options.protect, options.retainOnDelete], [false, false]);
    const restoreFrom = { claim: { claimName: "backups" } };
    const restored = (await job({ database: { restoreFrom } })).inputs.spec.template.metadata.annotations;
    assert.strictEqual(restored["pulumi-postgres-app/restored-by"], "notes-db-restore-0123abcd");
  });

  it("run nothing again but themselves and the pods when a rotation is raised", async () => {
    const specs = async (rotation: number) => {
      const { resources } = await graph(notes({ SECRET_KEY_BASE: { rotation } }));
      return JSON.stringify([`${JOB}::notes-db-setup`, `${JOB}::notes-migration`].map((key) => resources.get(key)!.inputs));
    };
    assert.strictEqual(await specs(1), await specs(0));
  });

  it("are seen by the migration where that is asked for, and nowhere else", async () => {
    const { resources } = await graph(notes({ ...KEYS, ADMIN_PASSWORD: { migration: true } }));
    assert.strictEqual(resources.get(`${SECRET}::notes-migration-env`)!.inputs.stringData, "[secret]");
    const job = [...resources.values()].find(({ type, name }) => type === JOB && name === "notes-migration")!;
    assert.ok(JSON.stringify(job.inputs).includes("notes-migration-env-0123abcd"));
    const without = await graph(notes(KEYS));
    assert.ok(!without.resources.has(`${SECRET}::notes-migration-env`));

    const resolved = resolveGeneratedSecrets({ A: { migration: true }, B: {} }, "generatedSecrets", new Validation("notes"));
    const generated = {
      A: { ...resolved.A, given: true, value: pulumi.output("a") },
      B: { ...resolved.B, given: true, value: pulumi.output("b") },
    };
    assert.deepStrictEqual(await known(withGenerated({ secretEnv: { TOKEN: "t" } }, generated)!.secretEnv!), {
      TOKEN: "t",
      A: "a",
    });
  });

  describe("that a former life of the application has left", () => {
    const PATCH = "kubernetes:core/v1:ConfigMapPatch";
    const FOUND = `${PATCH}::notes-kept-secrets-found`;
    const secrets: Secrets = { SECRET_KEY_BASE: { migration: true }, API_KEY: { rotation: 1 }, COOKIE: { encryptsData: false } };
    const program = (more: Secrets = {}) =>
      notes(
        { ...secrets, ...more },
        {
          sidecars: [{ name: "proxy", image: "registry.example.org/proxy:1", appEnv: true }],
          workers: { queue: { command: ["work"] } },
        },
      );
    const left = (data: Record<string, string>) => ({ [FOUND]: { data } });
    const both = left({ SECRET_KEY_BASE: "life-1 0 kept-1", API_KEY: "life-1 1 kept-2" });
    const reference = (name: string, secret: string) => ({ name, valueFrom: { secretKeyRef: { name: secret, key: name } } });
    const containers = (resources: Map<string, any>) =>
      [...resources.values()].flatMap(({ inputs }) => {
        const spec = inputs.spec?.template?.spec ?? {};
        return [...(spec.containers ?? []), ...(spec.initContainers ?? [])];
      });
    /** Names of the containers that take a variable by reference from a Secret. */
    const takers = (resources: Map<string, any>, name: string, secret: string) =>
      containers(resources)
        .filter(({ env = [] }) => env.some((one: any) => isDeepStrictEqual(one, reference(name, secret))))
        .map((container) => container.name)
        .sort();

    it("are taken by reference, by everything that sees them, and stand in no Secret of this one", async () => {
      const { resources } = await graph(program(), { state: both, showSecrets: true });
      assert.deepStrictEqual(takers(resources, "SECRET_KEY_BASE", "kept-1"), ["app", "check", "migrate", "proxy", "worker"]);
      assert.deepStrictEqual(takers(resources, "API_KEY", "kept-2"), ["app", "proxy", "worker"]);
      const { inputs } = resources.get(`${SECRET}::notes-kept-secrets`)!;
      assert.strictEqual(inputs.stringData, undefined);
      assert.deepStrictEqual(inputs.metadata.ownerReferences, [
        { apiVersion: "v1", kind: "ConfigMap", name: "notes-keys-0123abcd", uid: "uid-of-notes-keys" },
      ]);
      assert.deepStrictEqual(Object.keys(resources.get(`${SECRET}::notes-secret-env`)!.inputs.stringData), ["COOKIE"]);
      assert.deepStrictEqual(resources.get(`${SECRET}::notes-migration-env`)!.inputs.stringData, undefined);
      assert.strictEqual(resources.get(`${SECRET}::notes-keys`)!.inputs.stringData.keys, "");
      // What the next life finds is what this one has found.
      assert.deepStrictEqual(resources.get(`${PATCH}::notes-kept-secrets`)!.inputs.data, both[FOUND].data);
    });

    it("are compared by the Job, which takes them from there too", async () => {
      const { resources } = await graph(program(), { state: both });
      const [job] = [...resources.values()].filter(({ type, name }) => type === JOB && name === "notes-keys");
      const { env } = job.inputs.spec.template.spec.containers[0];
      const value = (name: string) => env.find((one: any) => one.name === name);
      assert.strictEqual(value("FORMER_KEYS").value, "API_KEY 1 kept-2\nSECRET_KEY_BASE 0 kept-1\n");
      assert.deepStrictEqual(value("KEY_API_KEY").valueFrom, {
        secretKeyRef: { name: "kept-2", key: "API_KEY", optional: true },
      });
    });

    it("are replaced by a new value where rotation was raised since, or where the program gives one", async () => {
      const { resources } = await graph(program({ API_KEY: { rotation: 2 } }), { state: both, showSecrets: true });
      assert.deepStrictEqual(takers(resources, "API_KEY", "kept-2"), []);
      const kept = resources.get(`${SECRET}::notes-kept-secrets`)!.inputs;
      assert.deepStrictEqual([Object.keys(kept.stringData), kept.metadata.ownerReferences], [["API_KEY"], undefined]);
      assert.deepStrictEqual(resources.get(`${PATCH}::notes-kept-secrets`)!.inputs.data, {
        SECRET_KEY_BASE: "life-1 0 kept-1",
        API_KEY: `${RANDOM_UUID} 2 notes-kept-secrets-0123abcd`,
      });
      const given = await graph(program({ SECRET_KEY_BASE: { value: "of the program" } }), { state: both, showSecrets: true });
      assert.deepStrictEqual(takers(given.resources, "SECRET_KEY_BASE", "kept-1"), []);
    });

    it("are this life's own once it has written them down: a refresh changes nothing", async () => {
      const specs = async (state: Record<string, object>) =>
        JSON.stringify([...(await graph(program(), { state })).resources.values()].map(({ name, inputs }) => [name, inputs]));
      const own = left({
        SECRET_KEY_BASE: `${RANDOM_UUID} 0 notes-kept-secrets-0123abcd`,
        API_KEY: `${RANDOM_UUID} 1 notes-kept-secrets-0123abcd`,
      });
      assert.strictEqual(await specs(own), await specs({}));
    });

    it("are known in a preview as far as the values are, and not taken for the ones of before that are nobody's", async () => {
      const { resources } = await graph(program(), { preview: true });
      for (const patch of ["notes-kept-secrets-found", "notes-kept-secrets"])
        assert.strictEqual(resources.get(`${PATCH}::${patch}`)!.inputs.metadata.name, "notes-kept-secrets");
    });

    it("are also those that a migration wrote into the data, which nothing has to be compared with", async () => {
      const admin: Secrets = { ADMIN_PASSWORD: { encryptsData: false, migration: true } };
      const first = await graph(notes(admin));
      assert.ok(first.resources.has(`${SECRET}::notes-kept-secrets`) && !first.resources.has(`${JOB}::notes-keys`));
      const { resources } = await graph(notes(admin), { state: left({ ADMIN_PASSWORD: "life-1 0 kept-1" }) });
      assert.deepStrictEqual(takers(resources, "ADMIN_PASSWORD", "kept-1"), ["app", "check", "migrate"]);
    });

    it("outlive the component if the data does, and else go with it", async () => {
      const patches = async (database: AppDatabaseArgs) => {
        const { resources } = await graph(notes(KEYS, { database }));
        return [...resources.values()].filter(({ type }) => type === PATCH);
      };
      for (const { options, inputs } of await patches({}))
        assert.deepStrictEqual([options.retainOnDelete, inputs.metadata.ownerReferences], [true, undefined]);
      const [found] = await patches({ onDelete: "delete" });
      assert.deepStrictEqual(found.inputs.metadata.ownerReferences, [
        { apiVersion: "apps/v1", kind: "StatefulSet", name: "notes-db", uid: "uid-of-notes-db", blockOwnerDeletion: true },
      ]);
    });
  });

  it("are refused where the migration has another value of the same name", () => {
    const migration = { command: ["migrate"], env: { A: "a" } };
    assert.match(
      refusal({ generatedSecrets: { A: { migration: true } }, migration }),
      /generatedSecrets.A: is in migration.env too/,
    );
    const other = refusal({ generatedSecrets: { A: {} }, migration, image: "not an image" });
    assert.match(other, /1 argument has to change/);
  });
});
