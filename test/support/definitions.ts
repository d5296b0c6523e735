import { mkdir, readFile, rename, writeFile } from "fs/promises";
import { join } from "path";
import * as yaml from "js-yaml";
import { schemaOfGoType } from "./goSchema";
import { kubectl } from "./kubectl";
import { bash } from "./outsidePostgres";

const OURS = "pulumi-postgres-app/definitions";

/* Definitions of kinds that Kubernetes itself does not know, from the Go modules of those who do. */

/** The Prometheus Operator's. */
export const prometheusOperator = async (): Promise<object[]> =>
  yamls(
    await moduleFiles(
      "github.com/prometheus-operator/prometheus-operator@v0.85.0",
      ["servicemonitors", "podmonitors", "prometheusrules"].map(
        (kinds) => `example/prometheus-operator-crd/monitoring.coreos.com_${kinds}.yaml`,
      ),
    ),
  );

/** Those of the Gateway API's standard channel, of the release that Traefik 3.7 is made with. */
export const gatewayApi = async (kinds = ["httproutes"]): Promise<object[]> =>
  yamls(
    await moduleFiles(
      "sigs.k8s.io/gateway-api@v1.6.3",
      kinds.map((one) => `config/crd/standard/gateway.networking.k8s.io_${one}.yaml`),
    ),
  );

/** Traefik's: those that are used, or all, without which it does not start. */
export async function traefik({ all = false } = {}): Promise<object[]> {
  const file = "docs/content/reference/dynamic-configuration/kubernetes-crd-definition-v1.yml";
  const every = yamls(await moduleFiles("github.com/traefik/traefik/v3@v3.7.13", [file])); // the newest that the proxy serves
  return every.filter((one) => all || ["middlewares.traefik.io", "serverstransports.traefik.io"].includes(nameOf(one)));
}

/** GKE's controller makes its own definitions when it starts, from these types. */
export async function gke(): Promise<object[]> {
  const [backend, frontend] = await moduleFiles("k8s.io/ingress-gce@v1.36.0", [
    "pkg/apis/backendconfig/v1/types.go",
    "pkg/apis/frontendconfig/v1beta1/types.go",
  ]);
  const definition = (source: string, group: string, version: string, kind: string) => {
    const plural = `${kind.toLowerCase()}s`;
    const properties = { spec: schemaOfGoType(source, `${kind}Spec`) };
    return {
      apiVersion: "apiextensions.k8s.io/v1",
      kind: "CustomResourceDefinition",
      metadata: { name: `${plural}.${group}` },
      spec: {
        group,
        scope: "Namespaced",
        names: { kind, plural, singular: kind.toLowerCase(), listKind: `${kind}List` },
        versions: [{ name: version, served: true, storage: true, schema: { openAPIV3Schema: { type: "object", properties } } }],
      },
    };
  };
  return [
    definition(backend, "cloud.google.com", "v1", "BackendConfig"),
    definition(frontend, "networking.gke.io", "v1beta1", "FrontendConfig"),
  ];
}

/** Makes the cluster know them, unless it does; the returned function takes ours away again. */
export async function installDefinitions(definitions: any[]): Promise<() => Promise<void>> {
  const { items } = JSON.parse(await kubectl(["get", "crd", "-o", "json"]));
  const there = (name: string) => items.find((one: object) => nameOf(one) === name);
  const missing = definitions.filter((one) => !there(nameOf(one)) || there(nameOf(one)).metadata.labels?.[OURS]);
  const names = missing.map(nameOf);
  if (names.length === 0) return async () => undefined;
  const ours = missing.map((one) => ({ ...one, metadata: { ...one.metadata, labels: { [OURS]: "true" } } }));
  // They are too large for the annotation of a client-side apply.
  await kubectl(["apply", "--server-side", "--force-conflicts", "-f", "-"], {
    input: JSON.stringify({ apiVersion: "v1", kind: "List", items: ours }),
  });
  await kubectl(["wait", "crd", ...names, "--for=condition=Established", "--timeout=30s"], { seconds: 40 });
  return async () => void (await kubectl(["delete", "crd", ...names, "--timeout=60s"], { seconds: 70 }));
}

/** Texts of files of a Go module, by way of the Go module proxy; kept in the cache under the module's version. */
async function moduleFiles(module: string, files: string[]): Promise<string[]> {
  const cache = await bash('source lib.sh; echo "$cache"');
  const folder = join(cache, "definitions", module.replace(/[^\w.@-]/g, "_"));
  const targets = files.map((file) => join(folder, file.replace(/\//g, "_")));
  const texts = () => Promise.all(targets.map((target) => readFile(target, "utf8")));
  return texts().catch(async () => {
    const download = `source lib.sh; go=$(go_command 1.25.8); cd /; GOFLAGS=-mod=mod GOTOOLCHAIN=local "$go" mod download -json ${module}`;
    const { Dir } = JSON.parse(await bash(download, 240));
    await mkdir(folder, { recursive: true });
    for (const [index, file] of files.entries()) {
      await writeFile(`${targets[index]}.partial`, await readFile(join(Dir, file)));
      await rename(`${targets[index]}.partial`, targets[index]);
    }
    return texts();
  });
}

const nameOf = (definition: any): string => definition?.metadata?.name;
const yamls = (texts: string[]): object[] => texts.flatMap((text) => yaml.loadAll(text) as object[]).filter(Boolean);
