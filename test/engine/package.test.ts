import * as assert from "assert";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "fs/promises";
import { tmpdir } from "os";
import { join } from "path";
import { Namespace, run } from "../support/kubectl";

const root = join(__dirname, "..", "..");

/** The package as people get it: packed, installed elsewhere, used by the README's own program. */
describe("the npm package", function () {
  this.timeout(600_000);
  let folder: string;
  let namespace: Namespace;
  const command = async (program: string, ...args: string[]) => {
    const env = { ...process.env, PULUMI_BACKEND_URL: `file://${folder}/state`, PULUMI_CONFIG_PASSPHRASE: "test" };
    const { code, stdout, stderr } = await run(program, args, { cwd: join(folder, "program"), env, seconds: 300 });
    assert.strictEqual(code, 0, `${program} ${args.join(" ")}\n${stdout}${stderr}`);
    return stdout;
  };

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "pulumi-postgres-app-"));
    await mkdir(join(folder, "state"));
    await mkdir(join(folder, "program"));
    namespace = await Namespace.create("package");
  });
  after(async () => {
    await run("pulumi", ["destroy", "--yes", "--skip-preview", "--stack", "test"], {
      cwd: join(folder, "program"),
      env: { ...process.env, PULUMI_BACKEND_URL: `file://${folder}/state`, PULUMI_CONFIG_PASSPHRASE: "test" },
      seconds: 200,
    });
    await rm(folder, { recursive: true, force: true });
    await namespace?.delete();
  });

  it("holds compiled JavaScript, declarations and the scripts, and nothing of the workshop", async () => {
    const { code, stdout, stderr } = await run("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", folder], {
      cwd: root,
      seconds: 120,
    });
    assert.strictEqual(code, 0, stderr);
    const packed = JSON.parse(stdout);
    const [{ files, filename }] = Array.isArray(packed) ? packed : Object.values<any>(packed);
    const paths: string[] = files.map((file: any) => file.path);
    for (const path of [
      "bin/index.js",
      "bin/index.d.ts",
      "bin/components/common/scriptText.js",
      "components/database/scripts/start.sh",
      "index.ts",
      "plugin/PulumiPlugin.yaml",
      "plugin/package.json",
      "plugin/sources.js",
      "plugin/tsconfig.json",
      "README.md",
      "LICENSE",
    ])
      assert.ok(paths.includes(path), `${path} is not in the package`);
    assert.deepStrictEqual(
      paths.filter((path) => /^(tools|test|examples|\.ci|plugin\/(components|index|node_modules))\b/.test(path)),
      [],
    );
    await writeFile(join(folder, "archive"), join(folder, filename));
  });

  it("serves the README's program in a fresh directory", async () => {
    const readme = await readFile(join(root, "README.md"), "utf8");
    const [, program] = readme.match(/```typescript\n([^]*?)```/)!;
    assert.ok(program.trim().split("\n").length <= 18, "the program has about fifteen lines");
    const versions = JSON.parse(await readFile(join(root, "package.json"), "utf8")).devDependencies;
    const wanted = [
      "@pulumi/pulumi",
      "@pulumi/kubernetes",
      "@pulumi/random",
      "@pulumi/tls",
      "typescript",
      "ts-node",
      "@types/node",
    ].map((name) => `${name}@${versions[name]}`);
    await writeFile(join(folder, "program", "index.ts"), program);
    await writeFile(
      join(folder, "program", "package.json"),
      JSON.stringify({ name: "infrastructure", private: true, main: "index.ts" }),
    );
    await writeFile(join(folder, "program", "Pulumi.yaml"), "name: infrastructure\nruntime: nodejs\n");
    await command(
      "npm",
      "install",
      "--no-audit",
      "--no-fund",
      "--prefer-offline",
      await readFile(join(folder, "archive"), "utf8"),
      ...wanted,
    );
    await command("pulumi", "stack", "init", "test");
    await command("pulumi", "config", "set", "kubernetes:namespace", namespace.name);
    const [, secret] = readme.match(/^pulumi config set --secret (\w+) /m)!;
    await command("pulumi", "config", "set", "--secret", secret, "change-me");
    await command("pulumi", "up", "--yes", "--non-interactive");
    assert.strictEqual((await command("pulumi", "stack", "output", "url")).trim(), `http://notes.${namespace.name}.svc`);
    const pods = await namespace.items("pods", "-l", "app.kubernetes.io/component=app");
    assert.strictEqual(pods.length, 2);
    await command("pulumi", "preview", "--expect-no-changes", "--non-interactive");
    const state = await readFile(join(folder, "state", ".pulumi", "stacks", "infrastructure", "test.json"), "utf8");
    assert.ok(
      !state.includes("change-me") && !state.includes(Buffer.from("change-me").toString("base64")),
      "the state shows secretEnv",
    );
  });
});
