import * as assert from "assert";
import { randomBytes } from "crypto";
import { mkdtemp, readdir, readFile, rm } from "fs/promises";
import { tmpdir } from "os";
import { join } from "path";
import { Namespace, run } from "../support/kubectl";

const root = join(__dirname, "..", "..");

/** `pulumi` typed by hand, with a state of its own, in one folder of the repository after the other. */
describe("pulumi typed by hand", function () {
  this.timeout(300_000);
  const stack = `test-${randomBytes(3).toString("hex")}`;
  const example = join(root, "examples", "notes");
  let state: string;
  let namespace: Namespace;
  let count: string;
  const pulumi = async (folder: string, ...args: string[]) => {
    const env = { ...process.env, PULUMI_BACKEND_URL: `file://${state}`, PULUMI_CONFIG_PASSPHRASE: "test" };
    const { code, stdout, stderr } = await run("pulumi", [...args, "--non-interactive", "--color", "never"], {
      cwd: folder,
      env,
      seconds: 240,
    });
    return { ok: code === 0, output: stdout + stderr };
  };
  const ok = async (folder: string, ...args: string[]) => {
    const { ok, output } = await pulumi(folder, ...args);
    assert.ok(ok, `pulumi ${args.join(" ")} in ${folder}:\n${output}`);
    return output;
  };

  before(async () => {
    state = await mkdtemp(join(tmpdir(), "pulumi-postgres-app-"));
    namespace = await Namespace.create("hand");
    await ok(root, "stack", "init", stack);
    await ok(root, "config", "set", "kubernetes:namespace", namespace.name, "--stack", stack);
  });
  after(async () => {
    await pulumi(root, "destroy", "--yes", "--skip-preview", "--stack", stack);
    await pulumi(root, "stack", "rm", "--yes", "--force", "--stack", stack);
    await rm(state, { recursive: true, force: true });
    await namespace?.delete();
    assert.deepStrictEqual(
      (await readdir(example)).filter((file) => file.includes(stack)),
      [],
      "no stack's file is left in the tree",
    );
  });

  it("refuses wrong settings in a preview, with the property's path, and creates nothing", async () => {
    await ok(root, "config", "set", "image", "Not An Image", "--stack", stack);
    const { ok: went, output } = await pulumi(root, "preview", "--stack", stack);
    assert.strictEqual(went, false);
    assert.match(
      output,
      /PostgresApp "notes": 1 argument has to change:\s+image: "Not An Image" is not an image reference: write registry\/repository:tag/,
    );
    assert.doesNotMatch(output, /kubernetes:/);
    await ok(root, "config", "rm", "image", "--stack", stack);
  });

  it("deploys the example from the root of the repository", async () => {
    const output = await ok(root, "up", "--yes", "--stack", stack);
    assert.match(output, /url\s+: "http:\/\/notes\.test-hand-[0-9a-f]+\.svc"/);
    const [, created] = /\+ (\d+) created/.exec(output)!;
    count = created;
    assert.match(
      output,
      /a database begins, on persistentvolumeclaim\/data-notes-db-0, with the data that is there already, else empty/,
    );
  });

  it("finds nothing to change from the example's own folder: it is the same stack", async () => {
    assert.match(
      await ok(example, "preview", "--diff", "--expect-no-changes", "--stack", stack),
      new RegExp(`${count} unchanged`),
    );
  });

  it("shows of a new image what it changes, and little else", async () => {
    await ok(root, "config", "set", "image", "docker.io/local/notes:1.1.0", "--stack", stack);
    const output = await ok(root, "preview", "--diff", "--stack", stack);
    await ok(root, "config", "rm", "image", "--stack", stack);
    const lines = output.split("\n").filter((line) => line && !/^warning: resource plugin kubernetes is expected/.test(line));
    assert.ok(lines.length <= 65, output);
    assert.doesNotMatch(output, /managedFields|a database begins/);
    for (const [sign, kind] of [
      ["+-", "batch/v1:Job"],
      ["~", "apps/v1:StatefulSet"],
    ])
      assert.ok(output.includes(`${sign}kubernetes:${kind}`) || output.includes(`${sign} kubernetes:${kind}`), output);
  });

  it("shows what stays of the data before it is removed", async () => {
    const output = await ok(root, "destroy", "--preview-only", "--diff", "--stack", stack);
    assert.match(output, new RegExp(`keptData\\s*: "persistentvolumeclaim/data-notes-db-0 in namespace ${namespace.name}"`));
  });

  it("says what a stack holds without its passwords", async () => {
    const { data } = await namespace.get(
      `secret/${(await ok(root, "stack", "output", "connectionSecret", "--stack", stack)).trim()}`,
    );
    const password = Buffer.from(data.password, "base64").toString();
    const file = await readFile(join(state, ".pulumi", "stacks", "notes", `${stack}.json`), "utf8");
    assert.ok(!file.includes(password) && !file.includes(data.password));
    assert.ok(!(await ok(root, "stack", "export", "--stack", stack)).includes(password));
  });

  it("removes all but the volume", async () => {
    await ok(example, "destroy", "--yes", "--skip-preview", "--stack", stack);
    assert.deepStrictEqual(await namespace.items("statefulsets,jobs,services,secrets,pods"), []);
    assert.strictEqual((await namespace.items("pvc")).length, 1);
  });
});
