import * as assert from "assert";
import * as pulumi from "@pulumi/pulumi";
import { knex, MigrationJob, MigrationJobArgs } from "../../index";
import { inOrder } from "../support/inOrder";
import { kubectl, Namespace } from "../support/kubectl";
import { failed, MigratedDatabase, NOTES, succeeded, TestStack } from "../support/migrations";
import { changesNothing } from "../support/stack";
import { installTools } from "../support/migrationTools";
import { image } from "../support/notes";

const KNEXFILE = `module.exports = { production: { client: "pg", migrations: { directory: "migrations" }, connection: {
  ssl: process.env.PGSSLMODE !== "disable" && { rejectUnauthorized: false } } } };`;
const MIGRATIONS = {
  "1_notes.js": 'exports.up = (knex) => knex.raw("CREATE TABLE notes (title text)"); exports.down = () => {};',
  "2_body.js": 'exports.up = (knex) => knex.raw("ALTER TABLE notes ADD body text"); exports.down = () => {};',
};

describe("going back to the release before", function () {
  this.timeout(180_000);
  inOrder(this);
  let namespace: Namespace;
  let database: MigratedDatabase;
  let stack: TestStack;

  const images = { 1: image("1.0.0"), 2: image("1.1.0") };
  const tool = knex({ knexfile: "/knex/knexfile.js", env: "production" });
  const [migrate, list] = [tool.migrate, tool.status!].map(([program, ...words]) => [`/knex/${program}`, ...words]);
  /** The release's own migrations, beside knex itself, which the images of the tests have not. */
  const release = (number: 1 | 2, more: Partial<MigrationJobArgs> = {}) => {
    const files = [
      { mountPath: "/knex/migrations", configMap: `knex-${number}` },
      { mountPath: "/knex/knexfile.js", configMap: "knexfile", subPath: "knexfile.js" },
    ];
    const gates = { pending: list, rehearsal: {} };
    const args = database.command(migrate, { ...NOTES, image: images[number], files, ...gates, ...more });
    return async () => {
      const { jobName } = new MigrationJob("m", args, { transforms: [withKnex] });
      return { jobName };
    };
  };
  const withKnex: pulumi.ResourceTransform = ({ type, props, opts }) => {
    if (!/:(Job|Pod)$/.test(type)) return undefined;
    const spec = props.spec.template?.spec ?? props.spec;
    spec.volumes.push({ name: "knex", persistentVolumeClaim: { claimName: "knex", readOnly: true } });
    for (const container of [...(spec.initContainers ?? []), ...spec.containers])
      (container.volumeMounts ??= []).push({ name: "knex", mountPath: "/knex/node_modules", subPath: "node_modules" });
    return { props, opts };
  };
  const columns = () =>
    database.rows("SELECT string_agg(column_name, ' ') FROM information_schema.columns WHERE table_name = 'notes'");
  const logOf = (job: string) => namespace.kubectl(["logs", `job/${job}`, "--container", "migrate"]);

  before(async function () {
    this.timeout(480_000); // the first time the tools are fetched
    const [installed, created] = await Promise.all([installTools(), Namespace.create("back")]);
    namespace = created;
    const metadata = (name: string) => ({ name, namespace: namespace.name });
    const files = (name: string, data: object) => ({ apiVersion: "v1", kind: "ConfigMap", metadata: metadata(name), data });
    const claim = { accessModes: ["ReadOnlyMany"], storageClassName: "" };
    await namespace.apply(
      files("knexfile", { "knexfile.js": KNEXFILE }),
      files("knex-1", { "1_notes.js": MIGRATIONS["1_notes.js"] }),
      files("knex-2", MIGRATIONS),
      {
        apiVersion: "v1",
        kind: "PersistentVolume",
        metadata: { name: namespace.name },
        spec: { ...claim, capacity: { storage: "1Gi" }, hostPath: { path: installed }, claimRef: metadata("knex") },
      },
      {
        apiVersion: "v1",
        kind: "PersistentVolumeClaim",
        metadata: metadata("knex"),
        spec: { ...claim, volumeName: namespace.name, resources: { requests: { storage: "1Gi" } } },
      },
    );
    database = await MigratedDatabase.start(namespace);
    stack = await TestStack.create("back");
    for (const number of [1, 2] as const) succeeded(await stack.up(release(number)));
    assert.strictEqual(await columns(), "title body");
  });
  after(async () => {
    await stack?.remove();
    await database?.server.stop();
    await namespace?.delete();
    if (namespace) await kubectl(["delete", "persistentvolume", namespace.name, "--ignore-not-found"]);
  });

  it("is refused by its own migration, and the words have the way", async () => {
    const way = /to go back to this one and leave the schema as it is, set goBackTo to its image/;
    const rehearsed = failed(await stack.up(release(1)));
    assert.match(rehearsed, /the migration failed on a copy of the database/);
    assert.match(rehearsed, way);
    const output = failed(await stack.up(release(1, { pending: undefined, rehearsal: undefined })));
    assert.match(output, /migration directory is corrupt/);
    assert.match(
      output,
      /the migration failed: "\S+knex" failed with exit code 1, after \d+ s: a release that this one does not know/,
    );
    assert.match(output, way);
  });

  it("is done with its image named, past every gate, and migrates nothing", async () => {
    const back = release(1, { goBackTo: images[1], approval: "" });
    const { output, outputs } = succeeded(await stack.up(back));
    assert.match(
      output,
      /going back to \S+notes:1\.0\.0: no migration is run, and the schema stays as the newer release left it/,
    );
    assert.match(await logOf(outputs.jobName), /^migrate: not run: it is the release that goBackTo names/);
    assert.strictEqual(await columns(), "title body");
    changesNothing(await stack.up(back));
  });

  it("is over when the name is left out: nothing is run for it", async () => {
    const { changes } = succeeded(await stack.up(release(1)));
    assert.notDeepStrictEqual(changes, []);
    assert.ok(
      changes.every((change) => / kubernetes:core\/v1:(ConfigMap::m-scripts|ConfigMapPatch::m-plan-done)$/.test(change)),
      changes.join(),
    );
  });

  it("keeps nothing from migrating later, also where the name was left", async () => {
    const { output, outputs } = succeeded(await stack.up(release(2, { goBackTo: images[1] })));
    assert.match(
      output,
      /goBackTo is "\S+notes:1\.0\.0" and the image "\S+notes:1\.1\.0": it means nothing, and the migration runs/,
    );
    assert.match(await logOf(outputs.jobName), /^Already up to date$[^]*^migrate: done/m);
  });
});
