import * as assert from "assert";
import { mkdtemp, readFile, rm, writeFile } from "fs/promises";
import { tmpdir } from "os";
import { join } from "path";
import { buildSync } from "esbuild";
import { run } from "../support/kubectl";

const root = join(__dirname, "..", "..");

/** Services that run Pulumi's Automation API are often one file, with nothing of a package beside it. */
describe("a program that esbuild bundles", function () {
  this.timeout(120_000);
  let folder: string;
  before(async () => (folder = await mkdtemp(join(tmpdir(), "pulumi-postgres-app-"))));
  after(() => rm(folder, { recursive: true, force: true }));

  it("has every script that runs in a container", async () => {
    const program = `
      import * as pulumi from "@pulumi/pulumi";
      import { PostgresApp } from ${JSON.stringify(root)};
      const configMaps: Record<string, Record<string, string>> = {};
      pulumi.runtime.setMocks({
        newResource: ({ type, name, inputs }) => {
          if (type === "kubernetes:core/v1:ConfigMap") configMaps[name] = inputs.data;
          return { id: name, state: inputs };
        },
        call: ({ inputs }) => inputs,
      });
      new PostgresApp("notes", {
        image: "registry.example.org/notes:1.0.0",
        generatedSecrets: { KEY: { encryptsData: true } },
        database: { backups: { schedule: "30 2 * * *", destination: { claim: { claimName: "backups" } } } },
        migration: { command: ["migrate"], pending: ["pending"], rehearsal: {} },
      });
      pulumi.runtime.disconnect().then(() => console.log(JSON.stringify(configMaps)));`;
    await writeFile(join(folder, "program.ts"), program);
    buildSync({
      entryPoints: [join(folder, "program.ts")],
      outfile: join(folder, "alone", "program.js"),
      bundle: true,
      platform: "node",
      nodePaths: [join(root, "node_modules")],
      logLevel: "error",
    });
    const { code, stdout, stderr } = await run(process.execPath, ["program.js"], { cwd: join(folder, "alone") });
    assert.strictEqual(code, 0, stderr);
    const configMaps = JSON.parse(stdout);
    for (const [name, key, file] of [
      ["notes-db-start", "start.sh", "database/scripts/start.sh"],
      ["notes-db-backup", "backup.sh", "database/scripts/backup.sh"],
      ["notes-migration-scripts", "run.sh", "migration/scripts/run.sh"],
    ])
      assert.strictEqual(configMaps[name]?.[key], await readFile(join(root, "components", file), "utf8"), `${name}: ${key}`);
  });
});
