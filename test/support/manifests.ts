import { readdirSync, existsSync } from "fs";
import { join } from "path";
import * as pulumi from "@pulumi/pulumi";
import { graph } from "./graph";

const examples = join(__dirname, "..", "..", "examples");

/** An object as `kubectl apply` would take it. */
export interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string; labels?: Record<string, string>; annotations?: Record<string, string> };
  [field: string]: unknown;
}

/** The programs under examples/. */
export const exampleNames = () => readdirSync(examples).filter((name) => existsSync(join(examples, name, "index.ts")));

/** What an example creates in the cluster, in the order in which it is registered, with its configuration ("host" for "project:host"). */
export async function exampleManifests(name: string, config: Record<string, string> = {}): Promise<Manifest[]> {
  const project = "project"; // as the mocks call it
  pulumi.runtime.setAllConfig(Object.fromEntries(Object.entries(config).map(([key, value]) => [`${project}:${key}`, value])));
  const program = join(examples, name, "index.ts");
  delete require.cache[program];
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- a program is run by being loaded
  return manifests(() => void require(program));
}

/** What a program creates in the cluster. Patches are left out: they are no objects of their own. */
export async function manifests(program: () => void): Promise<Manifest[]> {
  const { resources } = await graph(program, { showSecrets: true });
  return [...resources.values()]
    .filter(({ type }) => type.startsWith("kubernetes:") && !type.endsWith("Patch"))
    .map(({ name, inputs }) => ({ ...inputs, metadata: { name: `${name}-0123abcd`, ...inputs.metadata } }));
}
