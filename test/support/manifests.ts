import { readdirSync, existsSync } from "fs";
import Module from "module";
import { join } from "path";
import * as pulumi from "@pulumi/pulumi";
import { PostgresApp } from "../../index";
import { graph } from "./graph";
import { presets } from "./presets";

const examples = join(__dirname, "..", "..", "examples");

/** An object as `kubectl apply` would take it. */
export interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string; labels?: Record<string, string>; annotations?: Record<string, string> };
  [field: string]: unknown;
}

/** What the examples that cannot do without are configured with. */
const config: Record<string, Record<string, string>> = {
  "external-database": { host: "db.example.org", adminPassword: "of the administrator" },
  "expand-contract": { version: "1.1.0" },
  "high-availability": { image: "registry.example.org/notes:1.0.0", host: "notes.example.org" },
  mastodon: {
    ...{ host: "social.example.org", redisHost: "redis", redisPassword: "of Redis" },
    ...{ bucket: "social", s3AccessKeyId: "key", s3SecretAccessKey: "of the bucket" },
    ...{ smtpHost: "smtp.example.org", mailFrom: "social@example.org" },
  },
  ...Object.fromEntries(["directus", "educard", "heimdall", "vulcan"].map((name) => [name, { host: `${name}.example.org` }])),
};

/** The programs under examples/. */
const exampleNames = () => readdirSync(examples).filter((name) => existsSync(join(examples, name, "index.ts")));

/** Name of the project in which examples find their configuration; the mocks call theirs so. */
export const PROJECT = "project";

/** Runs an example, with its configuration ("host" for "project:host"). */
function example(name: string): void {
  const own = Object.entries(config[name] ?? {}).map(([key, value]) => [`${PROJECT}:${key}`, value]);
  pulumi.runtime.setAllConfig(Object.fromEntries(own));
  const program = join(examples, name, "index.ts");
  delete require.cache[program];
  // To a program this package is the one that was built last; here it is what the other tests test too.
  const loader = Module as unknown as { _resolveFilename(request: string, ...more: unknown[]): string };
  const resolve = loader._resolveFilename;
  loader._resolveFilename = (request, ...more) =>
    resolve(request === "pulumi-postgres-app" ? join(examples, "..", "index.ts") : request, ...more);
  try {
    // eslint-disable-next-line @typescript-eslint/no-require-imports -- a program is run by being loaded
    require(program);
  } finally {
    loader._resolveFilename = resolve;
  }
}

/** Every example, and an application of each preset. */
export const programs: Record<string, () => void> = {
  ...Object.fromEntries(exampleNames().map((name) => [`example ${name}`, () => example(name)])),
  ...Object.fromEntries(
    presets.map(({ name, preset }) => [
      `preset ${name}`,
      () => void new PostgresApp(name.toLowerCase(), preset({ host: "app.example.org" })),
    ]),
  ),
};

/** What a program creates in the cluster, in the order in which it is registered. Patches are left out: they are no objects of their own. */
export async function manifests(program: () => void): Promise<Manifest[]> {
  const { resources } = await graph(program, { showSecrets: true });
  return [...resources.values()]
    .filter(({ type }) => type.startsWith("kubernetes:") && !type.endsWith("Patch"))
    .map(({ name, inputs }) => ({ ...inputs, metadata: { name: `${name}-0123abcd`, ...inputs.metadata } }));
}
