import { writeFile } from "fs/promises";
import { join } from "path";
import { kubectl } from "./kubectl";
import { Manifest } from "./manifests";

const REF = "#/components/schemas/";

/**
 * Writes what the cluster's API server publishes of these objects' kinds as JSON schemas, under the names that kubeconform looks for,
 * and strict: a field that is not there is an error. Returns kubeconform's pattern of the files.
 */
export async function writeSchemas(folder: string, manifests: Manifest[]): Promise<string> {
  const published: Record<string, any> = {};
  for (const apiVersion of new Set(manifests.map((manifest) => manifest.apiVersion))) {
    const path = apiVersion.includes("/") ? `apis/${apiVersion}` : `api/${apiVersion}`;
    published[apiVersion] = JSON.parse(await kubectl(["get", "--raw", `/openapi/v3/${path}`])).components.schemas;
  }
  for (const { apiVersion, kind } of manifests) {
    const schemas = published[apiVersion];
    const [group, version] = apiVersion.includes("/") ? apiVersion.split("/") : ["", apiVersion];
    const is = (one: any) => one.group === group && one.version === version && one.kind === kind;
    const root = Object.keys(schemas).find((name) => schemas[name]["x-kubernetes-group-version-kind"]?.some(is));
    if (!root) throw new Error(`the API server publishes no schema of ${apiVersion} ${kind}`);
    const suffix = group ? `-${group.split(".")[0]}-${version}` : `-${version}`;
    await writeFile(join(folder, `${kind.toLowerCase()}${suffix}.json`), JSON.stringify(selfContained(schemas, root)));
  }
  return join(folder, "{{.ResourceKind}}{{.KindSuffix}}.json");
}

/** One schema with all that it refers to. */
function selfContained(schemas: Record<string, any>, root: string) {
  const found: Record<string, any> = {};
  const visit = (name: string) => {
    if (found[name]) return;
    found[name] = strict(schemas[name]);
    for (const [, other] of JSON.stringify(schemas[name]).matchAll(/"#\/components\/schemas\/([^"]+)"/g)) visit(other);
  };
  visit(root);
  return { $schema: "http://json-schema.org/draft-07/schema#", $ref: REF + root, components: { schemas: found } };
}

function strict(schema: any): any {
  if (Array.isArray(schema)) return schema.map(strict);
  if (typeof schema !== "object" || schema === null) return schema;
  const inner = Object.fromEntries(
    Object.entries(schema)
      .filter(([key]) => !key.startsWith("x-kubernetes-group"))
      .map(([key, value]) => [key, strict(value)]),
  );
  const closed = schema.type === "object" && schema.properties && !schema["x-kubernetes-preserve-unknown-fields"];
  return closed && !("additionalProperties" in schema) ? { ...inner, additionalProperties: false } : inner;
}
