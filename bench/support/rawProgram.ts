import { isCollection, Resource, SecretValue, Value, Values } from "./state";

const AUTO_NAMED = "pulumi.com/autonamed";

/** A value that is only known when the program runs, and what it is called there. */
interface Known {
  value: string;
  expression: string;
}

/**
 * A program that makes the same resources without the component: the same types, names, inputs, secrets, order and options.
 * Names, passwords and certificates are generated anew, so they are references, as somebody would write them.
 */
export function rawProgram(resources: Resource[]): string {
  const variables = new Map(resources.map(({ urn }, index) => [urn, `resource${index}`]));
  const known: Known[] = [];
  const statements = resources.map((resource, index) => {
    const variable = variables.get(resource.urn)!;
    const made =
      resource.read === undefined ? created(resource, variables, known) : found(resource, resources.slice(0, index), variables);
    const autoName = autoNameOf(resource.inputs);
    if (autoName !== undefined) known.push({ value: autoName, expression: `${variable}.metadata.name` });
    for (const [path, value] of Object.entries(resource.generated)) known.push({ value, expression: `${variable}.${path}` });
    return `const ${variable} = ${made};`;
  });
  return ['"use strict";', 'require("./usage");', 'const pulumi = require("@pulumi/pulumi");', ...statements, ""].join("\n");
}

function created(resource: Resource, variables: Map<string, string>, known: Known[]): string {
  const { type, name, inputs } = resource;
  const written = autoNameOf(inputs) === undefined ? inputs : withoutAutoName(inputs);
  return `new (${classOf(type)})(${JSON.stringify(name)}, ${literal(written, known)}, ${options(resource, variables)})`;
}

/** What is read is the claim of the server that was made before it; that it waits for it does not stand in the state. */
function found({ type, name, read }: Resource, before: Resource[], variables: Map<string, string>): string {
  const owner = before.findLast((resource) => resource.type.endsWith(":StatefulSet"));
  const dependsOn = owner ? `[${variables.get(owner.urn)}]` : "[]";
  return `${classOf(type)}.get(${JSON.stringify(name)}, ${JSON.stringify(read)}, { dependsOn: ${dependsOn} })`;
}

/** From "kubernetes:core/v1:Secret" to its class, out of the smallest module that has it. */
function classOf(type: string): string {
  const [provider, module, name] = type.split(":");
  const path = module.startsWith("index/") ? `@pulumi/${provider}` : `@pulumi/${provider}/${module}`;
  return `require(${JSON.stringify(path)}).${name}`;
}

function options(
  { dependencies, ignoreChanges, retainOnDelete, customTimeouts }: Resource,
  variables: Map<string, string>,
): string {
  const timeouts = Object.entries(customTimeouts).map(([operation, seconds]) => [operation, `${seconds}s`]);
  return `{
  dependsOn: [${dependencies.map((urn) => variables.get(urn)).join(", ")}],
  ignoreChanges: ${JSON.stringify(ignoreChanges)},
  retainOnDelete: ${retainOnDelete},
  customTimeouts: ${JSON.stringify(Object.fromEntries(timeouts))},
}`;
}

function literal(value: Value, known: Known[]): string {
  if (value instanceof SecretValue) return `pulumi.secret(${literal(value.value, known)})`;
  if (typeof value === "string") return text(value, known);
  if (!isCollection(value)) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map((inner) => literal(inner, known)).join(", ")}]`;
  return `{ ${Object.entries(value)
    .map(([key, inner]) => `${JSON.stringify(key)}: ${literal(inner, known)}`)
    .join(", ")} }`;
}

/** A string, with references in the places of what is only known when the program runs. */
function text(value: string, known: Known[]): string {
  const found = known.find((candidate) => value.includes(candidate.value));
  if (!found) return JSON.stringify(value);
  const parts = value.split(found.value).map((part) => (part === "" ? "" : text(part, known)));
  const expressions = parts.flatMap((part, index) => (index === 0 ? [part] : [found.expression, part])).filter(Boolean);
  return expressions.length === 1 ? expressions[0] : `pulumi.concat(${expressions.join(", ")})`;
}

const metadataOf = ({ metadata }: Values) => (metadata ?? {}) as { name?: string; annotations?: Values };

function autoNameOf(inputs: Values): string | undefined {
  const { name, annotations = {} } = metadataOf(inputs);
  return AUTO_NAMED in annotations ? name : undefined;
}

/** What the provider added to the inputs when it generated the name. */
function withoutAutoName(inputs: Values): Values {
  const metadata = without(inputs.metadata as Values, "name");
  const annotations = without(metadata.annotations as Values, AUTO_NAMED);
  return { ...inputs, metadata: { ...metadata, annotations } };
}

const without = (values: Values, key: string): Values => Object.fromEntries(Object.entries(values).filter(([k]) => k !== key));
