import { mkdir, readFile, rename, writeFile } from "fs/promises";
import { homedir } from "os";
import { join } from "path";
import * as yaml from "js-yaml";
import { kubectl, run } from "./kubectl";

const cache =
  process.env.PULUMI_POSTGRES_APP_CACHE ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "pulumi-postgres-app");
const OURS = "pulumi-postgres-app/definitions";

/** The Prometheus Operator's own definitions. */
export const PROMETHEUS_OPERATOR = {
  module: "github.com/prometheus-operator/prometheus-operator@v0.85.0",
  files: ["servicemonitors", "podmonitors", "prometheusrules"].map(
    (kinds) => `example/prometheus-operator-crd/monitoring.coreos.com_${kinds}.yaml`,
  ),
};

/** Files of a Go module, by way of the Go module proxy; kept in the cache under their module's version. */
export async function moduleFiles({ module, files }: { module: string; files: string[] }): Promise<string[]> {
  const folder = join(cache, "crds", module.replace(/[^\w.@-]/g, "_"));
  const targets = files.map((file) => join(folder, file.replace(/\//g, "_")));
  const texts = () => Promise.all(targets.map((target) => readFile(target, "utf8")));
  return texts().catch(async () => {
    const go = process.env.GO ?? "go";
    const { code, stdout, stderr } = await run(go, ["mod", "download", "-json", module], { seconds: 240, cwd: homedir() });
    if (code !== 0) throw new Error(`go mod download ${module}: ${stdout}${stderr}`);
    const { Dir } = JSON.parse(stdout);
    await mkdir(folder, { recursive: true });
    for (const [index, file] of files.entries()) {
      await writeFile(`${targets[index]}.partial`, await readFile(join(Dir, file)));
      await rename(`${targets[index]}.partial`, targets[index]);
    }
    return texts();
  });
}

/** Definitions that a test needs, if the cluster has none; the returned function takes ours away again. */
export async function installDefinitions(source: { module: string; files: string[] }): Promise<() => Promise<void>> {
  const definitions = (await moduleFiles(source)).map((text) => yaml.load(text) as any);
  const { items } = JSON.parse(await kubectl(["get", "crd", "-o", "json"]));
  const there = (name: string) => items.find(({ metadata }: any) => metadata.name === name);
  const missing = definitions.filter(({ metadata }) => !there(metadata.name) || there(metadata.name).metadata.labels?.[OURS]);
  const names = missing.map(({ metadata }) => metadata.name);
  if (names.length === 0) return async () => undefined;
  const ours = missing.map((one) => ({ ...one, metadata: { ...one.metadata, labels: { [OURS]: "true" } } }));
  // They are too large for the annotation of a client-side apply.
  await kubectl(["apply", "--server-side", "--force-conflicts", "-f", "-"], {
    input: JSON.stringify({ apiVersion: "v1", kind: "List", items: ours }),
  });
  await kubectl(["wait", "crd", ...names, "--for=condition=Established", "--timeout=30s"], { seconds: 40 });
  return async () => void (await kubectl(["delete", "crd", ...names, "--timeout=60s"], { seconds: 70 }));
}
