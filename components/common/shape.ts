import * as pulumi from "@pulumi/pulumi";
import { nearest } from "./nearest";
import { alternatives, example, parseType, propertiesOf, ShapeName } from "./shapeTypes";
import { isDeferred, NO_VALUE, Validation } from "./validation";

/**
 * The arguments in their right shape, and without what is null, which is as good as left out. Throws all at once for what is of another
 * type, so that no other check meets it. Misspelt names are problems beside those of all other checks. Values that could be outputs, with
 * which nothing is computed while the program runs, are left to their own rules, which say more; where there is none, they are refused in
 * the end. Those that are outputs come back as ones that fail where what they turn out to be is of another type.
 */
export function shaped<T extends object>(name: ShapeName, args: T | undefined, validation: Validation): T {
  const shape = new Shape(validation);
  const right = shape.read(name, args ?? {}, "");
  if (shape.isWrong) validation.throwIfAny();
  return right as T;
}

class Shape {
  isWrong = false;
  /** The groups around the one that is read. */
  private readonly around: { type: string; at: string }[] = [];

  /** `whole` is the path of the list or map around it at which a rule would say what is wrong. */
  constructor(
    private readonly validation: Validation,
    private readonly whole?: string,
  ) {}

  /** Looks at a value beside its type. */
  read(type: string, given: unknown, at: string, partial = false): unknown {
    const { of, inner } = parseType(type);
    if (of === "partial") return this.read(inner, given, at, true);
    if (of === "input") return this.readInput(inner, given, at);
    if (isDeferred(given)) return this.wrong(at, otherwise(type, given));
    if (of === "single") return this.readSingle(type, given, at);
    if (of === "list") return this.readList(inner, given, at);
    if (of === "map") return this.readMap(inner, given, at);
    if (!isMap(given)) return this.wrong(at, otherwise(type, given));
    this.around.push({ type, at });
    const right = this.readGroup(type, given, at, partial);
    this.around.pop();
    return right;
  }

  /** What could be an output is checked by a rule, now or when it is known. */
  private readInput(type: string, given: unknown, at: string): unknown {
    if (isDeferred(given)) return this.later(type, given, at);
    if (parseType(type).of === "single") return this.readSingle(type, given, at, true);
    new Shape(this.validation, at).read(type, given, at);
    return this.later(type, given, at);
  }

  /** Each output in a value is checked against its type when it is known; what is known already stays as it is. */
  private later(type: string, given: unknown, at: string): unknown {
    const { of, inner } = parseType(type);
    if (of === "input") return this.later(inner, given, at);
    if (isDeferred(given)) return this.whenKnown(type, given, at);
    // The same list or map where nothing in it is another: what has been said of it is not said again by a component inside.
    if (of === "list" && Array.isArray(given)) {
      const all = given.map((one, index) => this.later(inner, one, `${at}[${index}]`));
      return all.every((one, index) => one === given[index]) ? given : all;
    }
    if (of === "map" && isMap(given)) {
      const all = Object.entries(given).map(([name, one]) => [name, this.later(inner, one, below(at, name))]);
      return all.every(([name, one]) => one === given[name as string]) ? given : Object.fromEntries(all);
    }
    return given;
  }

  private whenKnown(type: string, given: unknown, at: string): unknown {
    // A component inside another is given what was checked there already.
    if (typed.get(given as object) === type) return given;
    const right = this.validation.check(at, given as pulumi.Input<unknown>, (known) => misfit(type, known));
    typed.set(right as object, type);
    return right;
  }

  private readSingle(type: string, given: unknown, at: string, late = false): unknown {
    if (isOf(type, given)) return given;
    const reason = otherwise(type, given);
    if (!late || typeof given === "object" || typeof given === "function") return this.wrong(at, reason);
    this.validation.unlessSaid(at, reason, this.whole);
    return given;
  }

  private readList(type: string, given: unknown, at: string): unknown {
    if (!Array.isArray(given)) return this.wrong(at, NO_LIST);
    return given.map((one, index) => {
      const entry = `${at}[${index}]`;
      return isPresent(one) ? this.read(type, one, entry) : this.wrong(entry, "is empty: take it out");
    });
  }

  private readMap(type: string, given: unknown, at: string): unknown {
    if (!isMap(given)) return this.wrong(at, NO_MAP);
    const isGroup = parseType(type).of === "group";
    const entry = (name: string, one: unknown) => {
      // A name with nothing behind it, as YAML has it, asks for all defaults.
      const value = isGroup ? (one ?? {}) : one;
      return value === undefined ? value : this.read(type, value, below(at, name));
    };
    return Object.fromEntries(Object.entries(given).map(([name, one]) => [name, entry(name, one)]));
  }

  private readGroup(type: string, given: Record<string, unknown>, at: string, partial: boolean): object {
    const properties = propertiesOf(type);
    const right: Record<string, unknown> = {};
    const written = new Set<string>();
    // By the interface's names, so that what a class has by a getter is seen too.
    for (const [name, { type }] of properties) {
      if (!isPresent(given[name])) continue;
      written.add(name);
      right[name] = this.read(type, given[name], below(at, name));
    }
    for (const [name, value] of Object.entries(given)) {
      if (properties.has(name) || value === undefined) continue;
      const names = [...properties.keys()];
      const meant = nearest(name, names);
      const reason = unknown(meant, names, meant === undefined ? this.placesOf(name, type, at) : []);
      this.validation.misspelt(below(at, name), reason, meant && below(at, meant));
      if (meant !== undefined) written.add(meant);
      // Where it fits, it counts as what was meant, so that the rest is not checked as if that were left out.
      if (meant === undefined || !isPresent(value) || right[meant] !== undefined) continue;
      const { type: wanted } = properties.get(meant)!;
      if (fits(wanted, value)) right[meant] = this.read(wanted, value, below(at, name));
    }
    for (const [name, { type, required }] of properties)
      if (required && !partial && !written.has(name))
        this.validation.unlessSaid(below(at, name), `is missing: write ${example(type)}`);
    return right;
  }

  /** Where a name belongs that stands in the wrong group: in one within, or else in one around. */
  private placesOf(name: string, type: string, at: string): string[] {
    const inner = placesWithin(name, type, at);
    const outer = this.around.filter((group) => propertiesOf(group.type).has(name)).map((group) => below(group.at, name));
    return inner.length > 0 ? inner : outer;
  }

  private wrong(at: string, reason: string): undefined {
    if (this.whole !== undefined) return this.validation.unlessSaid(at, reason, this.whole);
    this.isWrong = true;
    this.validation.problem(at || "args", reason);
  }
}

/** Types that outputs have been made to fail for where they turn out to be of another one. */
const typed = new WeakMap<object, string>();

/** What is wrong with the type of a value that was known only later. One that turns out to be none is as good as left out. */
function misfit(type: string, known: unknown): string | undefined {
  const { of, inner } = parseType(type);
  if (of === "input") return misfit(inner, known);
  if (!isPresent(known)) return undefined;
  if (of === "single") return isOf(type, known) ? undefined : otherwise(type, known);
  if (of === "list" && !Array.isArray(known)) return NO_LIST;
  if (of === "map" && !isMap(known)) return NO_MAP;
  const wrong = Object.entries(known as object).flatMap(([name, one]) => {
    const reason = misfit(inner, one);
    return reason === undefined ? [] : [`${of === "list" ? `[${name}]` : `"${name}"`} ${reason}`];
  });
  return wrong.length > 0 ? wrong.join("; ") : undefined;
}

const isOf = (type: string, value: unknown) => {
  const types = alternatives(type);
  return types.includes(typeof value) || (value === false && types.includes("false"));
};

const NO_LIST = "is not a list: write it in [ ]";
const NO_MAP = "is not a map: write { NAME: value }";

/** Whether a value has the shape of a type, apart from names. */
function fits(type: string, value: unknown): boolean {
  const shape = new Shape(new Validation(""));
  shape.read(type, value, "");
  return !shape.isWrong;
}

/** What is said of a value that is none of its type, and what to write instead. */
function otherwise(type: string, given: unknown): string {
  if (pulumi.Resource.isInstance(given) && alternatives(type).includes("string")) return "is a resource: write its name";
  if (given === null) return NO_VALUE;
  // As in other tools, where true asks for the defaults.
  const defaults = given === true && parseType(type).of === "group" && hasDefaults(type) ? "{}, or " : "";
  return INSTEAD[type as ShapeName] ?? `is ${kindOf(given)}: write ${defaults}${example(type)}`;
}

/** Whether there is nothing in a group that has to be given. */
const hasDefaults = (type: string) => [...propertiesOf(type).values()].every(({ required }) => !required);

/** A key that is written in place of its arguments would be lost, and another one generated. */
const INSTEAD: Partial<Record<ShapeName, string>> = {
  GeneratedSecretArgs: "is not a map of arguments: write { value: … } to give an existing value, {} to have one generated",
};

/** How many groups deep a name is looked for, and in how many of them it may be for a hint. */
const DEEP = 2;
const PLACES = 3;

/** Where in a group's own groups there is a name; those of lists and maps are not looked into. */
function placesWithin(name: string, type: string, at: string, depth = DEEP): string[] {
  if (depth === 0) return [];
  const groups = [...propertiesOf(type)].filter(([, inner]) => parseType(inner.type).of === "group");
  const here = groups.filter(([, inner]) => propertiesOf(inner.type).has(name)).map(([group]) => below(below(at, group), name));
  if (here.length > 0) return here;
  return groups.flatMap(([group, inner]) => placesWithin(name, inner.type, below(at, group), depth - 1));
}

/** How many names are few enough to be read. */
const FEW = 20;

function unknown(meant: string | undefined, names: string[], places: string[]): string {
  if (meant) return `is not an argument: did you mean "${meant}"?`;
  if (places.length > 0 && places.length <= PLACES) return `is not an argument here: did you mean ${places.join(" or ")}?`;
  return `is not an argument: leave it out${names.length > FEW ? "" : `, or write one of ${names.join(", ")}`}`;
}

const below = (at: string, name: string) => {
  if (!/^[\w-]+$/.test(name)) return `${at}[${JSON.stringify(name)}]`;
  return at ? `${at}.${name}` : name;
};

const isPresent = (value: unknown) => value !== undefined && value !== null;

/** What a program writes in { }, or imports as a module; not a Map, a Date or the like, in which nothing would be found. */
const isMap = (value: unknown): value is Record<string, unknown> =>
  /^\[object (Object|Module)\]$/.test(Object.prototype.toString.call(value)) && !pulumi.Resource.isInstance(value);

/** What a value is, without showing it: it may be a secret one. */
function kindOf(value: unknown): string {
  if (isDeferred(value)) return "an output, and what is made depends on it";
  if (Array.isArray(value)) return "a list";
  if (pulumi.Resource.isInstance(value)) return "a resource";
  return isMap(value) ? "a map" : typeof value === "object" ? "an object" : `a ${typeof value}`;
}
