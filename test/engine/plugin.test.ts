import * as assert from "assert";
import { ChildProcess, spawn } from "child_process";
import { once } from "events";
import { cp, mkdtemp, readdir, readFile, rm } from "fs/promises";
import { tmpdir } from "os";
import { join } from "path";
import { createInterface } from "readline";
import * as grpc from "@grpc/grpc-js";
import { ResourceProviderClient } from "@pulumi/pulumi/proto/provider_grpc_pb";
import { GetSchemaRequest, GetSchemaResponse } from "@pulumi/pulumi/proto/provider_pb";
import { CLI_FLOOR } from "../../components/common/versions";
import { run } from "../support/kubectl";

const root = join(__dirname, "..", "..");
const json = async (...path: string[]) => JSON.parse(await readFile(join(...path), "utf8"));

/** What `pulumi package add` does with the folder for programs in Python, Go, .NET, Java and YAML: install, start, ask for the schema. */
describe("the plugin for other languages", function () {
  this.timeout(300_000);
  let folder: string;
  let provider: ChildProcess | undefined;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "pulumi-postgres-app-"));
    for (const part of ["components", "index.ts"]) await cp(join(root, part), join(folder, part), { recursive: true });
    for (const file of ["PulumiPlugin.yaml", "package.json", "sources.js", "tsconfig.json"])
      await cp(join(root, "plugin", file), join(folder, "plugin", file));
  });
  after(async () => {
    provider?.kill();
    await rm(folder, { recursive: true, force: true });
  });

  it("is the package, with the packages that it is developed with", async () => {
    const [whole, plugin] = [await json(root, "package.json"), await json(root, "plugin", "package.json")];
    for (const key of ["name", "version", "description", "license"]) assert.strictEqual(plugin[key], whole[key], key);
    for (const [name, version] of Object.entries(plugin.dependencies))
      assert.strictEqual(version, whole.devDependencies[name], name);
    for (const name of Object.keys(whole.peerDependencies)) assert.ok(name in plugin.dependencies, name);
    assert.match(
      await readFile(join(root, "plugin", "PulumiPlugin.yaml"), "utf8"),
      new RegExp(`requiredPulumiVersion: ">=${CLI_FLOOR}"`),
    );
    assert.ok(!(await readdir(root)).includes("PulumiPlugin.yaml"), "beside Pulumi.yaml the CLI takes the folder for a program");
  });

  it("installs none of the workshop's packages", async () => {
    const args = ["install", "--no-audit", "--no-fund", "--prefer-offline"];
    const { code, stdout, stderr } = await run("npm", args, { cwd: join(folder, "plugin"), seconds: 240 });
    assert.strictEqual(code, 0, stdout + stderr);
    const packages = await readdir(join(folder, "plugin", "node_modules"));
    assert.deepStrictEqual(
      packages.filter((name) => ["mocha", "eslint", "prettier", "ajv", "fast-check", "esbuild"].includes(name)),
      [],
    );
  });

  it("starts, and has the golden schema", async () => {
    const cwd = join(folder, "plugin");
    const started = spawn(process.execPath, [join(cwd, "node_modules/@pulumi/pulumi/cmd/run-plugin"), cwd], { cwd });
    provider = started;
    let errors = "";
    started.stderr.on("data", (text) => (errors += text));
    const lines = createInterface(started.stdout);
    const limit = setTimeout(() => lines.emit("line", ""), 120_000);
    const [port] = await once(lines, "line");
    clearTimeout(limit);
    assert.match(port, /^\d+$/, `waited 120 s for the plugin's port; it said: ${errors}`);
    const client = new ResourceProviderClient(`127.0.0.1:${port}`, grpc.credentials.createInsecure(), {
      "grpc.max_receive_message_length": -1,
    });
    const response = await new Promise<GetSchemaResponse>((resolve, reject) =>
      client.getSchema(new GetSchemaRequest(), (error, answer) => (error ? reject(error) : resolve(answer))),
    );
    client.close();
    const { version, ...schema } = JSON.parse(response.getSchema());
    const { version: _, ...golden } = await json(root, "test", "schema", "schema.json");
    assert.strictEqual(version, (await json(root, "package.json")).version);
    assert.deepStrictEqual(schema, golden);
  });
});
