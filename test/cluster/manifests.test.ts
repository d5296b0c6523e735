import * as assert from "assert";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "fs/promises";
import { readFileSync } from "fs";
import { tmpdir } from "os";
import { join } from "path";
import * as yaml from "js-yaml";
import { definitionFiles } from "../support/cloudNativePg/schemas";
import { gatewayApi, installDefinitions, prometheusOperator, traefik } from "../support/definitions";
import { explained } from "../support/findings";
import { writeSchemas } from "../support/jsonSchemas";
import { Namespace, run } from "../support/kubectl";
import { Manifest, manifests, programs, PROJECT } from "../support/manifests";
import { TestStack } from "../support/stack";
import { turn } from "../support/turn";

/** A certificate and its key, which the API server looks into; the mocks make none. */
async function tlsSecret(folder: string): Promise<Record<string, string>> {
  const [key, certificate] = [join(folder, "tls.key"), join(folder, "tls.crt")];
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  await run("openssl", ["req", "-x509", ...curve, "-subj", "/CN=notes", "-keyout", key, "-out", certificate]);
  return { "tls.key": await readFile(key, "utf8"), "tls.crt": await readFile(certificate, "utf8") };
}

const title = ({ kind, metadata }: Manifest) => `${kind}/${metadata.name}`;

describe("what examples and presets create in a cluster", function () {
  this.timeout(120_000);
  const rendered: Record<string, Manifest[]> = {};
  let folder: string;
  let namespace: Namespace;
  let removeDefinitions: () => Promise<void>;

  const kinds = turn("kinds");
  before(kinds.begin);
  before(async () => {
    const cloudNativePg = definitionFiles.map((file) => yaml.load(readFileSync(file, "utf8")) as object);
    const others = [...(await prometheusOperator()), ...(await gatewayApi()), ...(await traefik())];
    removeDefinitions = await installDefinitions([...cloudNativePg, ...others]);
    folder = await mkdtemp(join(tmpdir(), "pulumi-postgres-app-"));
    namespace = await Namespace.create("manifests");
    await namespace.kubectl(["label", "namespace", namespace.name, "pod-security.kubernetes.io/warn=restricted"]);
    const stringData = await tlsSecret(folder);
    for (const [name, program] of Object.entries(programs)) {
      rendered[name] = (await manifests(program)).map((manifest) =>
        manifest.type === "kubernetes.io/tls" ? { ...manifest, stringData } : manifest,
      );
      await mkdir(join(folder, "rendered", name), { recursive: true });
      for (const manifest of rendered[name])
        await writeFile(
          join(folder, "rendered", name, `${manifest.kind}-${manifest.metadata.name}.json`),
          JSON.stringify(manifest, null, 2),
        );
    }
  });
  after(async () => {
    await rm(folder, { recursive: true, force: true });
    await namespace?.delete();
    await removeDefinitions?.();
  });
  after(kinds.end);

  it("is something, of every one", () => {
    for (const [name, objects] of Object.entries(rendered))
      assert.ok(objects.some(({ kind }) => kind === "Job") && objects.length > 10, name);
  });

  for (const name of Object.keys(programs))
    it(`${name}: passes the API server's own dry run, with the restricted Pod Security Standard and without a warning`, async () => {
      const items = rendered[name].map((manifest) => ({
        ...manifest,
        metadata: { ...manifest.metadata, namespace: namespace.name },
      }));
      const list = { apiVersion: "v1", kind: "List", items };
      const apply = ["apply", "--server-side", "--dry-run=server", "--validate=strict", "-f", "-"];
      const { code, stdout, stderr } = await run("kubectl", apply, { input: JSON.stringify(list) });
      assert.strictEqual(stderr, "");
      assert.strictEqual(code, 0);
      assert.strictEqual(stdout.trim().split("\n").length, items.length, stdout);
    });

  it("passes a first preview, with the plugin that users have", async () => {
    const stack = await TestStack.create(PROJECT);
    await stack.setNamespace(namespace.name);
    // The presets in one program: most of a preview's time is its beginning.
    const isPreset = (name: string) => name.startsWith("preset ");
    const groups = [
      Object.keys(programs).filter(isPreset),
      ...Object.keys(programs).flatMap((name) => (isPreset(name) ? [] : [[name]])),
    ];
    try {
      for (const names of groups) {
        const { ok, output, changes } = await stack.preview(async () => names.forEach((name) => programs[name]()));
        assert.ok(ok, `${names}: ${output}`);
        const warnings = output.match(/^ *warning: .*/gm)?.filter((line) => !/is expected to have version/.test(line)) ?? [];
        assert.deepStrictEqual({ names, warnings }, { names, warnings: [] });
        const created = changes.flatMap((change) => /^create kubernetes:.*:(\w+)::/.exec(change)?.[1] ?? []);
        const kinds = created.filter((kind) => !kind.endsWith("Patch")).sort();
        const all = names.flatMap((name) => rendered[name]);
        assert.deepStrictEqual({ names, kinds }, { names, kinds: all.map(({ kind }) => kind).sort() });
      }
    } finally {
      await stack.remove();
    }
  });

  it("satisfies the published schemas, by kubeconform", async () => {
    const schemas = join(folder, "schemas");
    await mkdir(schemas);
    const pattern = await writeSchemas(schemas, Object.values(rendered).flat());
    const conform = (path: string) =>
      run("kubeconform", ["-strict", "-summary", "-output", "json", "-schema-location", pattern, path]);
    const { stdout } = await conform(join(folder, "rendered"));
    const { resources = [], summary } = JSON.parse(stdout);
    assert.deepStrictEqual(resources, []);
    assert.strictEqual(summary.valid, Object.values(rendered).flat().length);

    // A field that is not there is found, also deep down.
    const [workload] = rendered["example notes"].filter((manifest) => title(manifest) === "StatefulSet/notes") as any[];
    const wrong = structuredClone(workload);
    wrong.spec.template.spec.containers[0].readinessProb = {};
    await mkdir(join(folder, "wrong"));
    await writeFile(join(folder, "wrong", "wrong.json"), JSON.stringify(wrong));
    assert.match((await conform(join(folder, "wrong"))).stdout, /additional properties 'readinessProb' not allowed/);
  });

  it("leaves no finding of checkov unexplained, and no explanation without its finding", async () => {
    const look = [
      "--framework",
      "kubernetes",
      "--compact",
      "--quiet",
      "--output",
      "json",
      "--directory",
      join(folder, "rendered"),
    ];
    const { stdout, stderr } = await run("checkov", look, { seconds: 100 });
    const reports = [JSON.parse(stdout)].flat();
    const passed = reports.reduce((sum, { summary }) => sum + summary.passed, 0);
    assert.ok(passed > 100, `${passed} passed\n${stderr}`);
    assert.ok(reports.every(({ summary }) => summary.parsing_errors === 0));
    const findings = reports.flatMap(({ results }) =>
      results.failed_checks.map(({ check_id, check_name, file_path }: Record<string, string>) => ({
        check: check_id,
        name: check_name,
        object: file_path.replace(/^.*\//, "").replace(/^([A-Za-z]+)-(.*)\.json$/, "$1/$2"),
      })),
    );
    const explains = ({ check, objects = /./ }: (typeof explained)[0], finding: (typeof findings)[0]) =>
      check === finding.check && objects.test(finding.object);
    assert.deepStrictEqual(
      findings.filter((finding) => !explained.some((explanation) => explains(explanation, finding))),
      [],
    );
    assert.deepStrictEqual(
      explained.filter((explanation) => !findings.some((finding) => explains(explanation, finding))),
      [],
    );
  });
});
