import * as assert from "assert";
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "fs/promises";
import { tmpdir } from "os";
import { join } from "path";
import { run } from "../support/kubectl";
import { installed } from "../support/sdks";

const root = join(__dirname, "..", "..");
const VITEST = "vitest@4.1.12";

/** The test that docs/testing.md shows, run by the two programs that it names. */
describe("a test of a user's program", function () {
  this.timeout(300_000);
  let folder: string;
  const passes = async (...command: string[]) => {
    const { code, stdout, stderr } = await run(process.execPath, command, {
      cwd: folder,
      env: { ...process.env, NO_COLOR: "1" },
      seconds: 120,
    });
    assert.strictEqual(code, 0, stdout + stderr);
    assert.match(stdout, /2 passing|Tests +2 passed/);
  };

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "pulumi-postgres-app-"));
    const page = await readFile(join(root, "docs", "testing.md"), "utf8");
    const [program, test] = [...page.matchAll(/```typescript\n([^]*?)```/g)].map(([, text]) => text);
    await writeFile(join(folder, "notes.ts"), program);
    await writeFile(join(folder, "notes.test.ts"), test);
    await writeFile(join(folder, "package.json"), JSON.stringify({ name: "infrastructure", private: true }));
    const modules = join(folder, "node_modules");
    await mkdir(join(modules, "pulumi-postgres-app"), { recursive: true });
    for (const part of ["bin", "package.json"])
      await cp(join(root, part), join(modules, "pulumi-postgres-app", part), { recursive: true });
    for (const part of ["@pulumi", "@types", "mocha", "ts-node", "typescript"])
      await symlink(join(root, "node_modules", part), join(modules, part));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it("passes with mocha", () =>
    passes(
      join(folder, "node_modules", "mocha", "bin", "mocha.js"),
      "--require",
      "ts-node/register",
      "--timeout",
      "20000",
      "notes.test.ts",
    ));

  it("passes with vitest", async () =>
    passes(
      join(await installed(VITEST.replace("@", "-"), [VITEST]), "vitest", "vitest.mjs"),
      "run",
      "--globals",
      "--root",
      folder,
    ));
});
