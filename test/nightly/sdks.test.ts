import * as assert from "assert";
import { cp, mkdtemp, rm } from "fs/promises";
import { tmpdir } from "os";
import { join } from "path";
import { Namespace, run } from "../support/kubectl";
import { aRememberedPlaceIsSaidOnce, refusalsAreSaidOnce } from "../support/refusals";
import { floor, install, newest, Sdk } from "../support/sdks";
import { TestStack } from "../support/stack";

const root = join(__dirname, "..", "..");

/** The rest of the tests run with the SDK of this package's development. */
for (const [which, find] of Object.entries({
  "the oldest SDK that package.json allows": floor,
  "the newest SDK of npm": newest,
})) {
  describe(which, function () {
    this.timeout(300_000);
    let sdk: Sdk;
    let stack: TestStack;
    before(async () => {
      sdk = await install(await find());
      stack = await TestStack.createOfFiles("sdk", sdk);
    });
    after(() => stack?.remove());

    it("makes the same graph with the same options, with mocks as with an engine", async () => {
      const folder = await mkdtemp(join(tmpdir(), "pulumi-postgres-app-"));
      try {
        for (const part of ["components", "test", "examples", "index.ts", "package.json", "tsconfig.json", ".mocharc.json"])
          await cp(join(root, part), join(folder, part), { recursive: true });
        // The SDK first, and what is not of Pulumi from the packages of development.
        const env = { ...process.env, NODE_PATH: `${sdk.nodeModules}:${join(root, "node_modules")}` };
        const mocha = join(root, "node_modules", "mocha", "bin", "mocha.js");
        const files = ["graph", "migrationJob", "remembered", "rollout", "validation"].map((name) => `test/unit/${name}.test.ts`);
        const { code, stdout, stderr } = await run(sdk.node, [mocha, ...files], { cwd: folder, env, seconds: 200 });
        assert.strictEqual(code, 0, stdout + stderr);
        assert.match(stdout, /^[1-9]\d+ passed, 0 failed$/m);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    });

    it("previews an application", async () => {
      const { ok, output, changes } = await stack.preview(`
        new PostgresApp("sdks", {
          image: "registry.example.org/notes:1.0.0",
          command: ["node", "server.js"],
          migration: { command: ["migrate"], pending: ["pending"] },
          rollout: { canary: { command: ["smoke"] } },
        });
        exports.sdk = require("@pulumi/pulumi/version").version;`);
      assert.ok(ok, output);
      assert.match(output, new RegExp(`sdk: "${sdk.version}"`));
      assert.ok(changes.includes("create kubernetes:batch/v1:Job::sdks-migration"), changes.join("\n"));
    });

    it("shows what is wrong with arguments once, with its message alone", async () => {
      await refusalsAreSaidOnce(stack, 2);
      await aRememberedPlaceIsSaidOnce(stack);
    });

    it("explains a failure in words", async () => {
      const namespace = await Namespace.create("sdk");
      try {
        const { ok, errors } = await stack.up(`
          new MigrationJob("words", {
            image: "docker.io/library/postgres:17", command: ["sh", "-c", "echo no such table; exit 3"], lock: false, connectionKeys: {},
            connectionEnv: {}, namespace: "${namespace.name}", connectionSecretName: "none", runAsUser: 999, timeoutSeconds: 60,
          });`);
        assert.strictEqual(ok, false);
        assert.ok(
          errors.some((error) => /^the migration failed: "sh" failed with exit code 3/m.test(error)),
          errors.join("\n"),
        );
      } finally {
        await namespace.delete();
      }
    });
  });
}
