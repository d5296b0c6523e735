import * as assert from "assert";
import { mkdtemp, rm, symlink, writeFile } from "fs/promises";
import { tmpdir } from "os";
import { join } from "path";
import * as pulumi from "@pulumi/pulumi";
import { PostgresApp, PostgresAppArgs } from "../../index";
import { run } from "../support/kubectl";
import { Outcome, TestStack } from "../support/stack";

const root = join(__dirname, "..", "..");

/** What a person sees whose arguments are wrong, from the real engine. */
describe("arguments that are refused", function () {
  this.timeout(120_000);
  let stack: TestStack;
  const image = "registry.example.org/notes:1.0.0";
  const preview = (args: () => Partial<PostgresAppArgs>) =>
    stack.preview(async () => void new PostgresApp("notes", { image, ...args() } as PostgresAppArgs));
  const refused = (outcome: Outcome, reason: RegExp) => {
    assert.strictEqual(outcome.ok, false, outcome.output);
    assert.match(outcome.output, reason);
  };

  before(async () => (stack = await TestStack.create("arguments")));
  after(() => stack?.remove());

  it("are all in one error, and nothing is planned", async () => {
    const outcome = await preview(() => ({ port: 0, replicas: -1, database: { embedded: { storage: "10GB" } } }));
    refused(
      outcome,
      /PostgresApp "notes": 3 arguments have to change:\s+database.embedded.storage: "10GB" is not a quantity.*\s+port: 0 is not a port.*\s+replicas: -1 is out of range/,
    );
    assert.deepStrictEqual(outcome.changes, ["create pulumi:pulumi:Stack::arguments-test"]);
  });

  it("are found where they are outputs, too", async () => {
    refused(
      await preview(() => ({ image: pulumi.output(Promise.resolve("Not An Image")) })),
      /PostgresApp "notes": 1 argument has to change:\s+image: "Not An Image" is not an image reference/,
    );
  });

  // Through the command line: with an inline program, a promise that fails while others wait for it keeps Pulumi's own server waiting.
  it("are secret values among the plain settings, of the application and of the migration", async () => {
    const folder = await mkdtemp(join(tmpdir(), "pulumi-postgres-app-"));
    const env = { ...process.env, PULUMI_BACKEND_URL: `file://${folder}`, PULUMI_CONFIG_PASSPHRASE: "test" };
    const pulumi = (...args: string[]) =>
      run("pulumi", [...args, "--non-interactive", "--color", "never"], { cwd: folder, env, seconds: 60 });
    const previewOf = async (args: string) => {
      const program = `const pulumi = require("@pulumi/pulumi"); const { PostgresApp } = require(${JSON.stringify(root)});
        new PostgresApp("notes", { image: "${image}", ${args} });`;
      await writeFile(join(folder, "index.js"), program);
      const { code, stdout, stderr } = await pulumi("preview");
      assert.notStrictEqual(code, 0);
      return stdout + stderr;
    };
    try {
      await writeFile(
        join(folder, "Pulumi.yaml"),
        JSON.stringify({ name: "arguments", runtime: { name: "nodejs", options: { typescript: false } } }),
      );
      await writeFile(join(folder, "package.json"), JSON.stringify({ name: "arguments", main: "index.js" }));
      await symlink(join(root, "node_modules"), join(folder, "node_modules"));
      await pulumi("stack", "init", "test");
      const secret = `{ TOKEN: pulumi.secret("not to be seen") }`;
      const app = await previewOf(`env: ${secret}`);
      assert.match(app, /env: holds a secret value, which would be readable in the cluster: put it into secretEnv/);
      const migration = await previewOf(`migration: { command: ["migrate"], env: ${secret} }`);
      assert.match(
        migration,
        /migration.env: holds a secret value, which would be readable in the cluster: put it into migration.secretEnv/,
      );
      assert.doesNotMatch(app + migration, /not to be seen/);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
