import * as assert from "assert";
import { PostgresDatabase, PostgresDatabaseArgs } from "../../index";
import { deleted, EngineName, forgotten } from "../../components/database/remembered";
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
    [
      "an existing claim instead of its own",
      {},
      { claim: "old/." },
      "embedded.existingClaim",
      /of the component's own; on "old\/."/,
    ],
    ["a claim of its own instead", { claim: "old/." }, {}, "embedded.existingClaim", /on claim "old\/."; without it/],
    ["another claim", { claim: "old/." }, { claim: "new/." }, "embedded.existingClaim", /on claim "old\/."/],
    ["another folder of the claim", { claim: "old/." }, { claim: "old/data" }, "embedded.existingClaim", /on claim "old\/."/],
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
      const problem = forgotten("embedded", { ...then, ...was }, { ...then, ...is });
      assert.strictEqual(problem?.key, key);
      assert.match(problem!.reason, reason);
    });
  }

  const allowed: [string, Record<string, string>, Record<string, string>][] = [
    ["nothing", {}, {}],
    ["an image of unknown version instead", {}, { version: "" }],
    ["a version instead of an image of unknown one", { version: "" }, { version: "17" }],
    ["a restore that is taken out when it is done", { restored: "yes" }, { restored: "no" }],
  ];
  for (const [what, was, is] of allowed)
    it(`${what}: allowed`, () => assert.strictEqual(forgotten("embedded", { ...then, ...was }, { ...then, ...is }), undefined));

  it("defaults, which follow the component's name: allowed", () => {
    const { databaseName: _, user: __, ...named } = then;
    assert.strictEqual(forgotten("embedded", then, named), undefined);
  });

  it("anything when nothing is remembered: allowed", () => assert.strictEqual(forgotten("embedded", {}, then), undefined));
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
        { keepers: inputs.keepers, ignored: options.ignoreChanges.map((path) => path.replace("keepers.", "")) },
      ]),
    );
  };
  /** What was true at first stays; what becomes of the present engine's data may change. */
  const expected = (engine: EngineName, end: string, others: string[], places?: Record<string, string>) => ({
    engines: { keepers: { [engine]: end }, ignored: others },
    ...(places ? { [`${engine}-whereabouts`]: { keepers: places, ignored: Object.keys(places) } } : {}),
  });
  const roles = { namespace: "shop", databaseName: "notes", user: "notes" };

  it("of an embedded server", async () => {
    const places = { ...roles, claim: "", version: "17", storageClassName: "" };
    assert.deepStrictEqual(
      await registered({ onDelete: "delete", embedded: { version: 17 } }),
      expected("embedded", "delete", ["cloudNativePg", "external"], places),
    );
  });

  it("of an embedded server on a claim that was there, with an image whose tag says the version", async () => {
    const embedded = { image: "pgvector/pgvector:pg16", existingClaim: "old", subPath: "." };
    const places = { ...roles, claim: "old/.", version: "16", storageClassName: "" };
    assert.deepStrictEqual(await registered({ embedded }), expected("embedded", "retain", ["cloudNativePg", "external"], places));
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
    assert.deepStrictEqual(await registered({ external }), expected("external", "retain", ["embedded", "cloudNativePg"], roles));
  });

  it("of an external server that is only used: nothing but what was there before", async () => {
    const external = { host: "db.example.org", password: "not to be seen" };
    assert.deepStrictEqual(
      await registered({ databaseName: "notes", user: "notes", external }),
      expected("external", "retain", ["embedded", "cloudNativePg"]),
    );
  });
});
