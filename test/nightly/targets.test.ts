import * as assert from "assert";
import * as pulumi from "@pulumi/pulumi";
import { MigrationArgs, PostgresAppArgs } from "../../index";
import { inOrder } from "../support/inOrder";
import { Namespace } from "../support/kubectl";
import { failed, succeeded } from "../support/migrations";
import { getJson, notes } from "../support/notes";
import { changesNothing, TestStack } from "../support/stack";

const MIGRATION = "**::notes-migration*";
const APPLICATION = "**StatefulSet::notes";

/** --target and --exclude: what they leave out is as it was, and whatever comes after it has to notice. */
describe("an operation that leaves something out", function () {
  this.timeout(300_000);
  inOrder(this);
  let namespace: Namespace;
  let stack: TestStack;
  const program = (version: string, migration: Partial<MigrationArgs> = {}, more: Partial<PostgresAppArgs> = {}) =>
    notes(namespace, version, {
      command: ["node", "server.js"],
      migration: {
        command: ["sequelize-cli", "db:migrate"],
        pending: ["sequelize-cli", "db:migrate:status"],
        postDeploy: { command: ["node", "-e", "console.log('contract')"] },
        timeoutSeconds: 120,
        ...migration,
      },
      rollout: { canary: {} },
      workers: { queue: { command: ["node", "-e", "setInterval(() => {}, 1000)"] } },
      ...more,
    });
  /** Versions of the application and of the worker, and how many migrations the database has. */
  const state = async () => {
    const { version, migrations } = await getJson(namespace, "/api/version");
    const { spec } = await namespace.get("deployment/notes-queue");
    return [version, spec.template.spec.containers[0].image.split(":")[1], migrations.length];
  };
  /** Of the list of the first version. */
  let hash: string;
  const FORMER = ["1.0.0", "1.0.0", 11];

  before(async () => {
    namespace = await Namespace.create("targets");
    stack = await TestStack.create("targets");
  });
  after(async () => {
    await stack?.remove();
    await namespace?.delete();
  });

  it("does not install an application without its migration", async () => {
    const output = failed(await stack.up(program("1.0.0"), { exclude: ["**MigrationJob**"] }));
    assert.match(
      output,
      /nothing was rolled out: the migration has not run, and --target or --exclude leaves it out of this operation\. Run `pulumi up` without them, or have it taken in too: --target '\*\*::notes-migration\*'/,
    );
    assert.deepStrictEqual(await namespace.items("pods", "-l", "app.kubernetes.io/component in (app, worker, canary)"), []);
  });

  it("installs it with everything, and then there is nothing to do", async () => {
    const { output } = succeeded(await stack.up(program("1.0.0")));
    hash = /pending migrations \(([0-9a-f]{12})/.exec(output)![1];
    assert.deepStrictEqual(await state(), FORMER);
    changesNothing(await stack.up(program("1.0.0")));
  });

  const MIGRATED = /nothing was rolled out: the migration that has run is not the one that the program says, and --target or/;
  const refused: [string, { target: string[] } | { exclude: string[] }, RegExp][] = [
    ["the application alone", { target: [APPLICATION] }, MIGRATED],
    ["a worker alone", { target: ["**Deployment::notes-queue"] }, MIGRATED],
    ["the canary alone", { target: ["**Job::notes-canary"] }, MIGRATED],
    ["everything but the migration", { exclude: ["**MigrationJob**"] }, MIGRATED],
    [
      "the migration after the rollout alone",
      { target: ["**::notes-post-deploy*"] },
      /postDeploy did not begin: the version that the program says is not rolled out/,
    ],
  ];
  for (const [what, more, words] of refused)
    it(`refuses ${what} of a new version, in the preview too, and nothing changes`, async () => {
      assert.match(failed(await stack.preview(program("1.1.0"), more)), words);
      assert.match(failed(await stack.up(program("1.1.0"), more)), words);
      assert.deepStrictEqual(await state(), FORMER);
    });

  it("does not migrate with the list, and so with the approval, of another version", async () => {
    const approved = { approval: hash, postDeploy: { approval: "" } };
    const output = failed(await stack.up(program("1.1.0", approved), { target: ["**Job::notes-migration"] }));
    assert.match(
      output,
      /nothing was migrated: its list and its rehearsal \(the Pod of the plan\) are of another migration, and --target or --exclude/,
    );
    assert.deepStrictEqual(await state(), FORMER);
  });

  it("migrates alone when all of the migration is taken in, and the former version goes on", async () => {
    const { changes, output } = succeeded(await stack.up(program("1.1.0"), { target: [MIGRATION] }));
    assert.match(output, /what the migration of docker\.io\/local\/notes:1\.1\.0 will do:/);
    assert.deepStrictEqual(
      changes.filter((change) => !/notes-migration/.test(change)),
      [],
    );
    assert.deepStrictEqual(await state(), ["1.0.0", "1.0.0", 12]);
  });

  it("goes on from there with one thing after the other, each refused until the one before was there", async () => {
    const canary = /nothing was rolled out: the canary that has run is not of the version that the program says/;
    assert.match(failed(await stack.up(program("1.1.0"), { target: [APPLICATION] })), canary);
    succeeded(await stack.up(program("1.1.0"), { target: ["**::notes-canary*", APPLICATION] }));
    assert.deepStrictEqual(await state(), ["1.1.0", "1.0.0", 12]);
    const contract = failed(await stack.up(program("1.1.0"), { target: ["**::notes-post-deploy*"] }));
    assert.match(contract, /postDeploy did not begin: the version that the program says is not rolled out/);
    succeeded(await stack.up(program("1.1.0")));
    assert.deepStrictEqual(await state(), ["1.1.0", "1.1.0", 12]);
  });

  it("goes through where what is left out would be the same", async () => {
    const scaled = program("1.1.0", {}, { replicas: 2 });
    const { changes } = succeeded(await stack.up(scaled, { target: [APPLICATION] }));
    assert.deepStrictEqual(changes, ["update kubernetes:apps/v1:StatefulSet::notes"]);
  });

  it("does not roll out after a migration that failed, and the way back replaces no pod", async () => {
    const fails: Partial<MigrationArgs> = { command: ["node", "-e", "process.exit(1)"], backoffLimit: 0 };
    failed(await stack.up(program("1.1.0", fails, { replicas: 2 }), { target: [MIGRATION] }));
    const unfinished = failed(await stack.up(program("1.1.0", fails), { target: [APPLICATION] }));
    assert.match(unfinished, /nothing was rolled out: the migration has not succeeded, and --target or --exclude/);
    const { changes } = succeeded(await stack.up(program("1.1.0", {}, { replicas: 2 })));
    assert.deepStrictEqual(
      changes.filter((change) => /StatefulSet|Deployment/.test(change)),
      [],
    );
  });

  it("goes through with all that comes after the migration", async () => {
    const again = program("1.1.0", { rerun: "2" }, { replicas: 2, args: ["more"] });
    const { changes } = succeeded(await stack.up(again, { target: [MIGRATION], targetDependents: true }));
    assert.ok(changes.includes("update kubernetes:apps/v1:StatefulSet::notes"), changes.join("\n"));
  });

  it("goes by the objects themselves where they do not say what they are made for, as those of an earlier version", async () => {
    const silent =
      (...args: Parameters<typeof program>) =>
      async () => {
        pulumi.runtime.registerStackTransformation(({ props, opts }) => {
          delete props.metadata?.annotations?.["pulumi-postgres-app/made-for"];
          return { props, opts };
        });
        return program(...args)();
      };
    const now = { args: ["more"] };
    succeeded(await stack.up(silent("1.1.0", { rerun: "2" }, { ...now, replicas: 2 })));
    const scaled = await stack.up(silent("1.1.0", { rerun: "2" }, { ...now, replicas: 1 }), { target: [APPLICATION] });
    assert.deepStrictEqual(succeeded(scaled).changes, ["update kubernetes:apps/v1:StatefulSet::notes"]);
    const refused = failed(await stack.up(silent("1.1.0", { rerun: "3" }, { ...now, replicas: 2 }), { target: [APPLICATION] }));
    assert.match(refused, MIGRATED);
    const { changes } = succeeded(await stack.up(program("1.1.0", { rerun: "2" }, { ...now, replicas: 2 })));
    for (const job of ["notes-migration", "notes-canary", "notes-post-deploy"])
      assert.ok(changes.includes(`update kubernetes:batch/v1:Job::${job}`), changes.join("\n"));
  });

  it("does not take a rotation for rolled out whose pods it leaves out, and changes no password under them", async () => {
    const again = { replicas: 2, args: ["more"] };
    const rotated = (rotation: number) =>
      program(
        "1.1.0",
        { rerun: "2" },
        { ...again, database: { embedded: { version: 17, storage: "1Gi" }, credentials: { rotation } } },
      );
    const database = { target: ["**::notes-db*"] };
    const words = /database\.credentials\.rotation is not rolled out: its pods log in with the former password, and --target or/;
    assert.match(failed(await stack.preview(rotated(1), database)), words);
    assert.match(failed(await stack.up(rotated(1), database)), words);
    assert.match(failed(await stack.preview(rotated(2), database)), /rotation: is 2, and pods run with the login of rotation 0/);
    await getJson(namespace, "/api/version");
    succeeded(await stack.up(rotated(1)));
    assert.deepStrictEqual(await state(), ["1.1.0", "1.1.0", 12]);
    succeeded(await stack.preview(rotated(2)));
  });
});
