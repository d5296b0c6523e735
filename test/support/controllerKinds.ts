import { readdir, readFile } from "fs/promises";
import { join } from "path";
import * as yaml from "js-yaml";
import { schemaOfGoType } from "./goSchema";
import { kubectl } from "./kubectl";
import { bash } from "./outsidePostgres";

/** Where the definitions of the kinds come from that controllers have of their own, and which files of each module. */
const modules = {
  "sigs.k8s.io/gateway-api@v1.4.1": ["config/crd/standard/gateway.networking.k8s.io_httproutes.yaml"],
  "github.com/traefik/traefik/v3@v3.6.12": ["docs/content/reference/dynamic-configuration/kubernetes-crd-definition-v1.yml"],
  "k8s.io/ingress-gce@v1.36.0": ["pkg/apis/backendconfig/v1/types.go", "pkg/apis/frontendconfig/v1beta1/types.go"],
};
const wanted = ["httproutes.gateway.networking.k8s.io", "middlewares.traefik.io", "serverstransports.traefik.io"];

/** The modules' files, from Go's module proxy, kept under the modules' versions. */
async function files(): Promise<string> {
  const key = Object.keys(modules)
    .join("-")
    .replace(/[^\w.]+/g, "-");
  const copies = Object.entries(modules).flatMap(([module, paths]) => [
    `from=$(cd "$folder" && GOFLAGS=-mod=mod GOTOOLCHAIN=local "$go" mod download -json ${module} | sed -n 's/^\\t"Dir": "\\(.*\\)",$/\\1/p')`,
    `[ -n "$from" ] || fail "no files of ${module}"`,
    ...paths.map((path) => `cp "$from/${path}" "$folder/${path.replace(/\//g, "_")}"`),
  ]);
  return bash(
    `
    source lib.sh
    folder=$cache/test/controller-kinds-${key}
    mkdir -p "$cache/test"
    exec 9>"$cache/test/controller-kinds.lock"
    flock -w 200 9 || fail "waited 200 s for another process that downloads the controllers' kinds"
    if [ ! -e "$folder/complete" ]; then
      rm -rf --one-file-system "$folder"
      mkdir "$folder"
      go=$(go_command)
      ${copies.join("\n      ")}
      chmod -R u+w "$folder"
      touch "$folder/complete"
    fi
    echo "$folder"`,
    240,
  );
}

/** GKE's controller makes its own definitions when it starts, from these types. */
function gkeDefinition(source: string, group: string, version: string, kind: string): object {
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
}

/** Makes the cluster know the kinds of Gateway API, Traefik and GKE. They belong to the cluster and stay there. */
export async function installControllerKinds(): Promise<void> {
  const folder = await files();
  const names = (await readdir(folder)).filter((name) => /\.ya?ml$/.test(name));
  const texts = await Promise.all(names.map((name) => readFile(join(folder, name), "utf8")));
  const published = texts.flatMap((text) => yaml.loadAll(text) as any[]).filter((one) => wanted.includes(one?.metadata?.name));
  const source = (name: string) => readFile(join(folder, name), "utf8");
  const definitions = [
    ...published,
    gkeDefinition(await source("pkg_apis_backendconfig_v1_types.go"), "cloud.google.com", "v1", "BackendConfig"),
    gkeDefinition(await source("pkg_apis_frontendconfig_v1beta1_types.go"), "networking.gke.io", "v1beta1", "FrontendConfig"),
  ];
  if (definitions.length !== wanted.length + 2) throw new Error(`not all of ${wanted.join(", ")} are in ${folder}`);
  // Server-side, since they are too long for an annotation, and so that tests that do this at the same time are not in each other's way.
  await kubectl(["apply", "--server-side", "--force-conflicts", "--field-manager", "pulumi-postgres-app-tests", "-f", "-"], {
    input: JSON.stringify({ apiVersion: "v1", kind: "List", items: definitions }),
  });
  await kubectl([
    "wait",
    "--for=condition=Established",
    "--timeout=30s",
    ...definitions.map(({ metadata }) => `customresourcedefinition/${metadata.name}`),
  ]);
}
