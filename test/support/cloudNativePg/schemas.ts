import { readdirSync, readFileSync } from "fs";
import { join } from "path";
import Ajv, { ValidateFunction } from "ajv";
import * as yaml from "js-yaml";

/** The definitions in this folder, to apply to a cluster. */
export const definitionFiles = readdirSync(__dirname)
  .filter((file) => file.endsWith(".yaml"))
  .map((file) => join(__dirname, file));

/** The API server's schema as JSON Schema: fields that are not declared are refused, as its strict validation does. */
function strict(schema: any): any {
  if (Array.isArray(schema)) return schema.map(strict);
  if (schema === null || typeof schema !== "object") return schema;
  const entries = Object.entries(schema).filter(
    ([key]) => !key.startsWith("x-kubernetes-") && key !== "format" && key !== "default",
  );
  const inner = Object.fromEntries(entries.map(([key, value]) => [key, key === "properties" ? strictAll(value) : strict(value)]));
  return inner.properties ? { ...inner, additionalProperties: false } : inner;
}
const strictAll = (properties: any) =>
  Object.fromEntries(Object.entries(properties).map(([name, schema]) => [name, strict(schema)]));

const ajv = new Ajv({ allErrors: true, strictTypes: false });
const validators = new Map<string, ValidateFunction>();
for (const file of definitionFiles) {
  const { spec } = yaml.load(readFileSync(file, "utf8")) as any;
  const [version] = spec.versions;
  validators.set(`${spec.group}/${version.name} ${spec.names.kind}`, ajv.compile(strict(version.schema.openAPIV3Schema)));
}

/** What the API server would say against an object of the operator's, without the rules in CEL. */
export function schemaErrors(object: any): string[] {
  const validate = validators.get(`${object.apiVersion} ${object.kind}`);
  if (!validate) return [`no definition of ${object.apiVersion} ${object.kind}`];
  if (validate(object)) return [];
  return validate.errors!.map(({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`);
}

/** What the operator's admission webhook would say against a Cluster, as far as what this package renders can break its rules. */
export function admissionErrors({ metadata, spec }: any): string[] {
  const errors: string[] = [];
  const refuse = (when: boolean, why: string) => when && errors.push(why);
  refuse(!/^[a-z]([-a-z0-9]*[a-z0-9])?$/.test(metadata.name) || metadata.name.length > 50, "name");
  refuse(Object.keys(spec.bootstrap).length !== 1, "one way to begin");
  const [way] = Object.values<any>(spec.bootstrap);
  refuse(!way.database !== !way.owner, "database and owner belong together");
  const sources = (spec.externalClusters ?? []).map((cluster: any) => cluster.name);
  refuse(way.source !== undefined && !sources.includes(way.source), "the source is not declared");
  refuse(!/:\d+(?!.*:)/.test(spec.imageName.replace(/@.*/, "")), "no version in the image's tag");
  const roles: any[] = spec.managed.roles;
  refuse(new Set(roles.map((role) => role.name)).size !== roles.length, "a role twice");
  for (const { name, passwordSecret, disablePassword } of roles) {
    refuse(/^(postgres|streaming_replica|pg_.*|cnpg_.*)$/.test(name), `${name} is reserved`);
    refuse(passwordSecret !== undefined && disablePassword === true, `${name} has a password and none`);
  }
  refuse((spec.plugins ?? []).filter((plugin: any) => plugin.isWALArchiver).length > 1, "two archivers");
  return errors;
}
