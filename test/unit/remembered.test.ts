import * as assert from "assert";
import { PostgresApp, PostgresDatabase, PostgresDatabaseArgs } from "../../index";
import { deleted, EngineName, forgotten, namesFor, renamed } from "../../components/database/remembered";
import { outOfTurn } from "../../components/database/rotation";
import { graph } from "../support/graph";

const then = {
  namespace: "shop",
  databaseName: "notes",
  user: "notes",
  storageClassName: "",
  claim: "",
  version: "17",
};

describe("what an edit would make an application lose sight of", () => {
  const edits: [string, Record<string, string>, Record<string, string>, string, RegExp][] = [
    [
      "the namespace",
      {},
      { namespace: "other" },
      "namespace",
      /in namespace "shop"; in "other" .* back it up, remove the component/,
    ],
    ["the database", {}, { databaseName: "other" }, "databaseName", /belongs to "notes"; with "other" .* Set it back/],
    ["the owner", {}, { user: "other" }, "user", /belongs to "notes"; with "other" .* Set it back/],
    ["the major version", {}, { version: "18" }, "embedded.version", /is Postgres 17, and Postgres 18 cannot read it/],
    ["a lower major version", {}, { version: "16" }, "embedded.version", /is Postgres 17, and Postgres 16 cannot read it/],
    [
      "the class, once named",
      {},
      { storageClassName: "fast" },
      "embedded.storageClassName",
      /of the class that was the default, which cannot be changed/,
    ],
    ["the class", { storageClassName: "slow" }, { storageClassName: "fast" }, "embedded.storageClassName", /of class "slow"/],
    ["the class, once left out", { storageClassName: "slow" }, {}, "embedded.storageClassName", /of class "slow"/],
    ["an existing claim instead of its own", {}, { claim: "old" }, "embedded.existingClaim", /of the component's own; on "old"/],
    ["a claim of its own instead", { claim: "old" }, {}, "embedded.existingClaim", /on claim "old"; without it/],
    ["another claim", { claim: "old" }, { claim: "new" }, "embedded.existingClaim", /on claim "old"/],
    [
      "the claim of its name of today, whose server is called as it was at first",
      { component: "first" },
      { claim: "data-notes-0" },
      "embedded.existingClaim",
      /of the component's own; on "data-notes-0"/,
    ],
    ["another claim than a former version's", { claim: "old/." }, { claim: "new" }, "embedded.existingClaim", /on claim "old";/],
    [
      "a backup, too late",
      { restored: "no" },
      { restored: "yes" },
      "restoreFrom",
      /read only when the database is made.*take it out/,
    ],
  ];
  for (const [what, was, is, key, reason] of edits) {
    it(`${what}: refused under ${key}`, () => {
      const problem = forgotten("embedded", { ...then, ...was }, { ...then, ...is }, "notes");
      assert.strictEqual(problem?.key, key);
      assert.match(problem!.reason, reason);
    });
  }

  const allowed: [string, Record<string, string>, Record<string, string>][] = [
    ["nothing", {}, {}],
    ["an image of unknown version instead", {}, { version: "" }],
    ["a version instead of an image of unknown one", { version: "" }, { version: "17" }],
    ["the claim of a former version, which wrote the directory too", { claim: "old/." }, { claim: "old" }],
    ["its own claim under its name", {}, { claim: "data-notes-0" }],
    ["its own claim, called as it was at first", { component: "first" }, { claim: "data-first-0" }],
    ["names that the setup may not have made", { component: "notes" }, { databaseName: "other", user: "other" }],
    ["a restore that is taken out when it is done", { restored: "yes" }, { restored: "no" }],
  ];
  for (const [what, was, is] of allowed)
    it(`${what}: allowed`, () =>
      assert.strictEqual(forgotten("embedded", { ...then, ...was }, { ...then, ...is }, "notes"), undefined));

  it("defaults, which follow the component's name: allowed", () => {
    const { databaseName: _, user: __, ...named } = then;
    assert.strictEqual(forgotten("embedded", then, named), undefined);
  });

  it("anything when nothing is remembered: allowed", () => assert.strictEqual(forgotten("embedded", {}, then), undefined));
});

describe("names", () => {
  const first = { databaseName: "notes", user: "writer", component: "notes" };
  const cases: [string, Record<string, string>, Record<string, string>, string[], Record<string, string>][] = [
    [
      "that are not written stay what they were",
      first,
      { databaseName: "renamed", user: "renamed" },
      ["databaseName", "user"],
      { databaseName: "notes", user: "writer" },
    ],
    ["that are written count", first, { databaseName: "other", user: "third" }, [], { databaseName: "other", user: "third" }],
    [
      "of the owner alone count",
      first,
      { databaseName: "renamed", user: "third" },
      ["databaseName"],
      { databaseName: "notes", user: "third" },
    ],
    [
      "of the owner follow that of another database",
      first,
      { databaseName: "other", user: "other" },
      ["user"],
      { databaseName: "other", user: "other" },
    ],
    [
      "of the owner stay with the same database",
      first,
      { databaseName: "notes", user: "notes" },
      ["user"],
      { databaseName: "notes", user: "writer" },
    ],
    [
      "are today's where nothing is remembered",
      { component: "notes" },
      { databaseName: "a", user: "b" },
      ["databaseName", "user"],
      { databaseName: "a", user: "b" },
    ],
    [
      "of a memory that holds them are left alone",
      { databaseName: "notes", user: "notes" },
      { databaseName: "other", user: "other" },
      [],
      {},
    ],
  ];
  for (const [what, then, today, defaults, expected] of cases)
    it(what, () => assert.deepStrictEqual(namesFor(then, today, defaults), expected));

  it("of the data are refused to be others, each under its argument", () => {
    const made = { databaseName: "notes", user: "writer" };
    assert.strictEqual(renamed(made, made), undefined);
    assert.strictEqual(renamed({}, made), undefined);
    assert.strictEqual(renamed(made, { databaseName: undefined, user: "writer" }), undefined);
    const database = renamed(made, { databaseName: "other", user: "other" });
    assert.strictEqual(database?.key, "databaseName");
    assert.match(
      database!.reason,
      /belongs to "notes"; with "other" the application would not find it\. Set it back.*begin anew/,
    );
    assert.strictEqual(renamed(made, { ...made, user: "other" })?.key, "user");
  });
});

describe("a change of the engine", () => {
  const cases: [Record<string, string>, EngineName, string | undefined][] = [
    [{}, "embedded", undefined],
    [{ embedded: "delete" }, "embedded", undefined],
    [{ embedded: "retain" }, "external", undefined],
    [{ embedded: "delete", external: "retain" }, "external", "embedded"],
    [{ embedded: "delete", cloudNativePg: "retain" }, "cloudNativePg", "embedded"],
    [{ cloudNativePg: "delete", embedded: "delete" }, "embedded", "cloudNativePg"],
    [{ embedded: "retain", cloudNativePg: "delete" }, "cloudNativePg", undefined],
  ];
  for (const [ends, now, lost] of cases) {
    it(`to ${now} after ${JSON.stringify(ends)}: ${lost ? `would delete the ${lost} data` : "allowed"}`, () => {
      const problem = deleted(ends, now);
      assert.strictEqual(problem?.key, lost && "onDelete");
      if (lost)
        assert.match(problem!.reason, new RegExp(`when the ${lost} database was last deployed, .* First set it to "retain"`));
    });
  }
});

describe("the memory", () => {
  const MEMORY = "random:index/randomUuid:RandomUuid::notes-";
  const registered = async (args: PostgresDatabaseArgs) => {
    const { resources } = await graph(() => new PostgresDatabase("notes", { namespace: "shop", ...args }));
    const found = [...resources].filter(([key]) => key.startsWith(MEMORY));
    return Object.fromEntries(
      found.map(([key, { inputs, options }]) => [
        key.slice(MEMORY.length),
        {
          keepers: { ...inputs.keepers, ...(inputs.keepers?.settings ? { settings: "a hash" } : {}) },
          ignored: options.ignoreChanges.map((path) => path.replace("keepers.", "")),
        },
      ]),
    );
  };
  /** What was true at first stays; what becomes of the present engine's data may change. */
  const expected = (engine: EngineName, end: string, others: string[], places?: Record<string, string>) => ({
    engines: { keepers: { [engine]: end }, ignored: others },
    ends: { keepers: { [engine]: end }, ignored: others },
    ...(places ? { [`${engine}-whereabouts`]: { keepers: places, ignored: Object.keys(places) } } : {}),
  });
  const firstly = { keepers: { uid: "999", settings: "a hash" }, ignored: ["uid", "settings"] };
  const roles = { namespace: "shop", databaseName: "notes", user: "notes" };
  /** Where the setup makes the names, they hold only from then on. */
  const made = { ...roles, component: "notes" };
  const done = (engine: EngineName) => ({ [`${engine}-names`]: { keepers: {}, ignored: [] } });

  it("of the data's end comes from the server, so that an edit that did not arrive there is not remembered", async () => {
    for (const [engine, server] of Object.entries({
      embedded: "kubernetes:apps/v1:StatefulSet::notes",
      cloudNativePg: "kubernetes:postgresql.cnpg.io/v1:Cluster::notes",
    })) {
      const { resources } = await graph(() => new PostgresDatabase("notes", { namespace: "shop", [engine]: {} }));
      const { dependencies } = resources.get(`${MEMORY}ends`)!;
      assert.ok(dependencies.includes(server), `${engine}: ${dependencies.join()}`);
    }
  });

  it("of an embedded server", async () => {
    const places = { ...made, claim: "", version: "17", storageClassName: "" };
    assert.deepStrictEqual(await registered({ onDelete: "delete", embedded: { version: 17 } }), {
      ...done("embedded"),
      ...expected("embedded", "delete", ["cloudNativePg", "external"], places),
      "embedded-first": firstly,
    });
  });

  it("of an embedded server on a claim that was there, with an image whose tag says the version", async () => {
    const embedded = { image: "pgvector/pgvector:pg16", existingClaim: "old", subPath: "." };
    const places = { ...made, claim: "old", version: "16", storageClassName: "" };
    assert.deepStrictEqual(await registered({ embedded }), {
      ...done("embedded"),
      ...expected("embedded", "retain", ["cloudNativePg", "external"], places),
      "embedded-first": firstly,
      adopted: { keepers: { subPath: "." }, ignored: ["subPath"] },
    });
  });

  it("of CloudNativePG", async () => {
    const places = { ...roles, restored: "no", storageClassName: "fast" };
    assert.deepStrictEqual(
      await registered({ cloudNativePg: { storageClassName: "fast" } }),
      expected("cloudNativePg", "retain", ["embedded", "external"], places),
    );
  });

  it("of an external server whose roles are ours", async () => {
    const external = { host: "db.example.org", admin: { user: "root", password: "not to be seen" } };
    assert.deepStrictEqual(await registered({ external }), {
      ...done("external"),
      ...expected("external", "retain", ["embedded", "cloudNativePg"], made),
    });
  });

  it("of an external server that is only used: nothing but what was there before", async () => {
    const external = { host: "db.example.org", password: "not to be seen" };
    assert.deepStrictEqual(
      await registered({ databaseName: "notes", user: "notes", external }),
      expected("external", "retain", ["embedded", "cloudNativePg"]),
    );
  });
});

describe("the names of the database and its owner", () => {
  const HELD = "pulumi-postgres-app:index:HeldNames::notes";
  const MADE = "random:index/randomUuid:RandomUuid::notes";
  const JOB = "kubernetes:batch/v1:Job::notes";

  it("are told before everything that hangs on them, and held after the setup", async () => {
    const { resources, order } = await graph(() => new PostgresDatabase("notes", { databaseName: "shop" }));
    assert.deepStrictEqual(resources.get(`${HELD}-embedded-names`)!.inputs, { databaseName: "shop", user: "shop" });
    assert.ok(order.indexOf(`${HELD}-embedded-names`) < order.indexOf("kubernetes:core/v1:Service::notes"), order.join());
    assert.deepStrictEqual(resources.get(`${MADE}-embedded-names`)!.dependencies, [`${JOB}-setup`]);
  });

  it("are held after the restore, where there is one", async () => {
    const restoreFrom = { claim: { claimName: "backups" } };
    const { resources } = await graph(() => new PostgresDatabase("notes", { restoreFrom }));
    assert.deepStrictEqual(resources.get(`${MADE}-embedded-names`)!.dependencies, [`${JOB}-restore`]);
  });

  it("are nothing to hold where the server is made with them, or somebody else's", async () => {
    const foreign = { host: "db.example.org", password: "not to be seen" };
    const others: PostgresDatabaseArgs[] = [{ cloudNativePg: {} }, { databaseName: "n", user: "n", external: foreign }];
    for (const args of others) {
      const { resources } = await graph(() => new PostgresDatabase("notes", args));
      assert.deepStrictEqual(
        [...resources.keys()].filter((key) => /HeldNames|-names$/.test(key)),
        [],
      );
    }
  });

  const remembered = (then: Record<string, string>, args: PostgresDatabaseArgs, name: string) => {
    const state = { [`random:index/randomUuid:RandomUuid::${name}-embedded-whereabouts`]: { keepers: then } };
    return graph(() => new PostgresDatabase(name, args), { state });
  };
  const first = { namespace: "default", databaseName: "notes", user: "notes", storageClassName: "", claim: "", version: "17" };

  it("are what is written, also after others were tried, and otherwise stay under another name of the component", async () => {
    const cases: [PostgresDatabaseArgs, string, string][] = [
      [{}, "notes", "notes"],
      [{ user: "writer" }, "notes", "writer"],
      [{ databaseName: "shop" }, "shop", "shop"],
      [{ databaseName: "shop", user: "writer" }, "shop", "writer"],
    ];
    for (const [args, databaseName, user] of cases) {
      const { resources } = await remembered({ ...first, component: "notes" }, args, "renamed");
      assert.deepStrictEqual(resources.get("pulumi-postgres-app:index:HeldNames::renamed-embedded-names")!.inputs, {
        databaseName,
        user,
      });
      const [{ env }] = resources.get("kubernetes:batch/v1:Job::renamed-setup")!.inputs.spec.template.spec.containers;
      const value = (name: string) => env.find((one: any) => one.name === name).value;
      assert.deepStrictEqual([value("DATABASE"), value("OWNER")], [databaseName, user]);
    }
  });
});

describe("the rotation that was rolled out last", () => {
  const cases: [number, number, boolean, RegExp | undefined][] = [
    [1, 1, false, undefined],
    [1, 2, false, undefined],
    [1, 3, false, /is 3, .* rotation 1, the last that was rolled out: .* Write 2, and let `pulumi up` finish/],
    [0, 2, true, /Write 1/],
    [2, 1, true, undefined],
    [2, 1, false, /is 1, .* rotation 2: going back would change .* For another password write 3/],
    [3, 1, true, /is 1, .* write 4/],
  ];
  for (const [rolledOut, asked, back, reason] of cases) {
    it(`${rolledOut}, then ${asked}${back ? ", where going back leaves a login alone" : ""}: ${reason ? "refused" : "allowed"}`, () => {
      const refusal = outOfTurn(rolledOut, asked, back);
      if (reason) assert.match(refusal ?? "", reason);
      else assert.strictEqual(refusal, undefined);
    });
  }

  const rotations = async (program: () => unknown) => {
    const { resources } = await graph(program);
    return [...resources]
      .filter(([key]) => key.includes("RolledOutRotation"))
      .map(([, { inputs, dependencies }]) => [inputs, dependencies]);
  };

  it("is remembered after what runs with it: the application and its workers, or else the setup", async () => {
    const workers = { mailer: { command: ["mail"] } };
    const database = { credentials: { rotation: 2 } };
    const [[inputs, after]] = await rotations(() => new PostgresApp("notes", { image: "notes:1", workers, database }));
    assert.deepStrictEqual(inputs, { rotation: 2 });
    assert.ok(after.includes("kubernetes:apps/v1:StatefulSet::notes"), after.join());
    assert.ok(after.includes("kubernetes:apps/v1:Deployment::notes-mailer"), after.join());
    const alone = await rotations(() => new PostgresDatabase("notes", database));
    assert.deepStrictEqual(alone, [[{ rotation: 2 }, ["kubernetes:batch/v1:Job::notes-setup"]]]);
  });

  it("is not remembered where the passwords are somebody else's", async () => {
    const external = { host: "db.example.org", password: "not to be seen" };
    assert.deepStrictEqual(await rotations(() => new PostgresDatabase("notes", { databaseName: "n", user: "n", external })), []);
  });
});
