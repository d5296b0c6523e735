import * as assert from "assert";
import { readFileSync, writeFileSync } from "fs";
import { join } from "path";
import { dump, load } from "js-yaml";
import { PostgresApp, PostgresAppArgs } from "../../index";
import { graph } from "../support/graph";

const golden = join(__dirname, "jobSpecs.yaml");
const image = "registry.example.org/notes:1.0.0";
const s3 = { bucket: "backups", secretName: "s3" };
const connectionEnv = { DATABASE_URL: "uri" };
const programs: Record<string, Partial<PostgresAppArgs>> = {
  plain: { migration: { command: ["migrate"] }, connectionEnv },
  everything: {
    command: ["serve"],
    runAsUser: 1234,
    connectionEnv,
    generatedSecrets: { SECRET_KEY_BASE: {} },
    database: {
      embedded: { tls: "off" },
      backups: { schedule: "30 2 * * *", destination: { claim: { claimName: "backups" } } },
      restoreFrom: { s3 },
      settings: { statement_timeout: "30s" },
    },
    migration: {
      command: ["migrate"],
      pending: ["list"],
      rehearsal: {},
      backup: { s3 },
      verify: ["check"],
      rollbackCommand: ["undo"],
      postDeploy: { command: ["contract"] },
    },
    rollout: { canary: { command: ["smoke"] } },
  },
  external: {
    database: { external: { host: "db.example.org", password: "not to be seen" }, databaseName: "notes", user: "notes" },
  },
};
/** Those of which another one says as much. */
const TWICE = ["db-setup", "db-trial", "post-deploy-start", "post-deploy-plan"].map((name) => `everything: notes-${name}`);
const KINDS = ["batch/v1:Job", "batch/v1:CronJob", "core/v1:Pod"];

describe("what a Job says, all of it", function () {
  this.timeout(60_000);
  const expected = load(readFileSync(golden, "utf8")) as Record<string, unknown>;
  let actual: Record<string, unknown>;
  before(async () => {
    actual = {};
    for (const [program, args] of Object.entries(programs)) {
      const { resources } = await graph(() => new PostgresApp("notes", { image, ...args }));
      for (const kind of KINDS)
        for (const [key, { inputs }] of resources)
          if (key.startsWith(`kubernetes:${kind}::`)) actual[`${program}: ${key.split("::")[1]}`] = inputs.spec;
    }
    for (const name of TWICE) delete actual[name];
    actual = JSON.parse(JSON.stringify(actual));
    if (process.env.UPDATE_SPECS)
      writeFileSync(golden, dump(actual, { sortKeys: true, noRefs: true, flowLevel: 6, lineWidth: 130 }));
  });

  /** Deadlines, tries and what the pods are beside their containers are no less meant than what runs in them. */
  it("stands in test/unit/jobSpecs.yaml (UPDATE_SPECS=1 writes it)", () => {
    assert.deepStrictEqual(Object.keys(actual).sort(), Object.keys(expected).sort());
  });

  for (const name of Object.keys(expected))
    it(name, () => {
      assert.deepStrictEqual(actual[name], expected[name]);
    });
});
