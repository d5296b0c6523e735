import { isCollection, Resource, SecretValue, Value, Values } from "./state";

const AUTO_NAMED = "pulumi.com/autonamed";

/** A value that is only known when the program runs, and what it is called there. */
interface Known {
  value: string;
  expression: string;
}

/**
 * A program that makes the same resources without the component: the same types, names, inputs, secrets, order and options.
 * Names and passwords are generated anew, so they are references, as somebody would write them.
 */
export function rawProgram(resources: Resource[]): string {
  const variables = new Map(resources.map(({ urn }, index) => [urn, `resource${index}`]));
  const known: Known[] = [];
  const statements = resources.map((resource) => {
    const variable = variables.get(resource.urn)!;
    const autoName = autoNameOf(resource.inputs);
    const inputs = literal(autoName === undefined ? resource.inputs : withoutAutoName(resource.inputs), known);
    if (autoName !== undefined) known.push({ value: autoName, expression: `${variable}.metadata.name` });
    if (resource.password !== undefined) known.push({ value: resource.password, expression: `${variable}.result` });
    return `const ${variable} = new (${classOf(resource.type)})(${JSON.stringify(resource.name)}, ${inputs}, ${options(resource, variables)});`;
  });
  return ['"use strict";', 'require("./peakMemory");', 'const pulumi = require("@pulumi/pulumi");', ...statements, ""].join("\n");
}

/** From "kubernetes:core/v1:Secret" to its class, out of the smallest module that has it. */
function classOf(type: string): string {
  const [provider, module, name] = type.split(":");
  const path = module.startsWith("index/") ? `@pulumi/${provider}` : `@pulumi/${provider}/${module}`;
  return `require(${JSON.stringify(path)}).${name}`;
}

function options({ dependencies, ignoreChanges, customTimeouts }: Resource, variables: Map<string, string>): string {
  const timeouts = Object.entries(customTimeouts).map(([operation, seconds]) => [operation, `${seconds}s`]);
  return `{
  dependsOn: [${dependencies.map((urn) => variables.get(urn)).join(", ")}],
  ignoreChanges: ${JSON.stringify(ignoreChanges)},
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
