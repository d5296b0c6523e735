import { shapes } from "./shapes";

/** Name of an interface of arguments. */
export type ShapeName = keyof typeof shapes;

/** A property of an interface. */
export interface Property {
  type: string;
  required: boolean;
}

const read = new Map<string, Map<string, Property>>();

/** Properties of an interface by name. */
export function propertiesOf(name: string): Map<string, Property> {
  const before = read.get(name);
  if (before) return before;
  const { "...": base, ...own } = shapes[name as ShapeName] as Record<string, string>;
  const properties = new Map(base === undefined ? [] : propertiesOf(base));
  for (const [property, type] of Object.entries(own))
    properties.set(property.replace("?", ""), { type, required: !property.endsWith("?") });
  read.set(name, properties);
  return properties;
}

/** What a type is made of: a list or a map of others, one that may be known later, one that is an interface's or a single value's. */
export function parseType(type: string): { of: "list" | "map" | "input" | "partial" | "group" | "single"; inner: string } {
  if (type.endsWith("[]")) return { of: "list", inner: type.slice(0, -2) };
  const [, generic, inner] = /^(Input|Partial|Record)<(?:string, )?(.*)>$/.exec(type) ?? [];
  if (generic) return { of: ({ Input: "input", Partial: "partial", Record: "map" } as const)[generic as "Input"], inner };
  return { of: type in shapes ? "group" : "single", inner: type };
}

/** The single values of a type, by what `typeof` says of them; `false` is one of its own. */
export const alternatives = (type: string) => type.split(" | ");

/** How many names of a group are shown. */
const SHOWN = 6;

/** What to write for a value of a type. */
export function example(type: string): string {
  const { of, inner } = parseType(type);
  if (of === "list") return "a list, in [ ]";
  if (of === "map") return "a map, { NAME: value }";
  if (of === "single")
    return alternatives(type)
      .map((one) => SINGLE[one])
      .join(" or ");
  if (of !== "group") return example(inner);
  const properties = [...propertiesOf(type)];
  const required = properties.filter(([, property]) => property.required);
  const names = (required.length ? required : properties).slice(0, SHOWN).map(([name]) => name);
  return `{ … } with ${names.join(", ")}${names.length < properties.length ? ", …" : ""}`;
}

const SINGLE: Record<string, string> = {
  string: "a string, in quotes",
  number: "a number, without quotes",
  boolean: "true or false, without quotes",
  false: "false",
};
