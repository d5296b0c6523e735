import { inspect } from "util";
import * as pulumi from "@pulumi/pulumi";

/** Looks at one plain value: says what is wrong with it and what to write instead, or nothing. */
export type Rule<T> = (value: T) => string | undefined;

interface Problem {
  propertyPath: string;
  reason: string;
}

/**
 * Collects everything that is wrong with a component's arguments, so that all of it is said at once, before anything is
 * created. A value that is known only later (an output of another resource) is checked at the moment it is known.
 */
export class Validation {
  private readonly problems: Problem[] = [];
  private readonly heldBack: (Problem & { whole: string })[] = [];
  /** What somebody meant who wrote another name: it is not missing. */
  private readonly meant = new Set<string>();
  /** Told of what is wrong with a value that was known only later. */
  onLate?: (refusal: Error) => void;

  constructor(private readonly component: string) {}

  problem(propertyPath: string, reason: string): void {
    this.problems.push({ propertyPath, reason });
  }

  /** A name that is none. `meant` is the path of the one that it looks like. */
  misspelt(propertyPath: string, reason: string, meant: string | undefined): void {
    this.problem(propertyPath, reason);
    if (meant !== undefined) this.meant.add(meant);
  }

  /** Something that has to be given, unless it was under another name. */
  missing(propertyPath: string, wayOut: string): void {
    if (!this.meant.has(propertyPath)) this.problem(propertyPath, `is missing: ${wayOut}`);
  }

  /** A problem that is said only where no rule says one of the same value, or of the list or map that it is in. */
  unlessSaid(propertyPath: string, reason: string, whole = propertyPath): undefined {
    this.heldBack.push({ propertyPath, reason, whole });
  }

  /** Returns the value; an output comes back as one that fails where the value breaks the rule. */
  check<T extends pulumi.Input<unknown> | undefined>(
    propertyPath: string,
    value: T,
    rule: Rule<pulumi.Unwrap<NonNullable<T>>>,
  ): T {
    if (value === undefined || value === null) return value;
    const one = (known: pulumi.Unwrap<NonNullable<T>>) => {
      const reason = rule(known);
      if (!reason) return known;
      throw once(value, reason, () => this.late(propertyPath, reason));
    };
    if (isDeferred(value)) return pulumi.output(value as NonNullable<T>).apply(one) as unknown as T;
    const reason = this.reasonOf(propertyPath, () => rule(value as pulumi.Unwrap<NonNullable<T>>));
    if (reason) this.problem(propertyPath, reason);
    return value;
  }

  /** Rules are for values of the right type: one that stumbles over another has nothing to say, and what is held back is said. */
  private reasonOf(propertyPath: string, rule: () => string | undefined): string | undefined {
    if (!this.heldBack.some((problem) => isWithin(problem.propertyPath, propertyPath))) return rule();
    try {
      return rule();
    } catch {
      return undefined;
    }
  }

  /** Each entry of a list that decides what is made, so that the program itself has to know it. */
  list<T, R>(propertyPath: string, list: readonly T[] | undefined, one: (item: T, at: string) => R): R[] | undefined {
    return list?.map((item, index) => one(item, `${propertyPath}[${index}]`));
  }

  /** The same against another argument, at the moment when both are known. */
  checkBeside<V extends number | string, T extends pulumi.Input<V> | undefined>(
    propertyPath: string,
    value: T,
    other: pulumi.Input<V>,
    rule: (value: V, other: V) => string | undefined,
  ): T {
    if (!isDeferred(other))
      return this.check(propertyPath, value as pulumi.Input<unknown>, (known) => rule(known as V, other as V)) as T;
    if (value === undefined || value === null) return value;
    return pulumi.all([value as pulumi.Input<unknown>, other as pulumi.Input<unknown>]).apply(([known, beside]) => {
      const reason = rule(known as V, beside as V);
      if (!reason) return known;
      throw once(isDeferred(value) ? value : other, reason, () => this.late(propertyPath, reason));
    }) as unknown as T;
  }

  required<T extends pulumi.Input<unknown> | undefined>(
    propertyPath: string,
    value: T,
    rule: Rule<pulumi.Unwrap<NonNullable<T>>>,
    wayOut: string,
  ): T {
    if (value === undefined || value === null || value === "") {
      this.missing(propertyPath, wayOut);
      return value;
    }
    return this.check(propertyPath, value, rule);
  }

  /** Checks names and values of a map; values may be outputs each. */
  map<T>(
    propertyPath: string,
    map: pulumi.Input<Record<string, pulumi.Input<T>>> | undefined,
    nameRule: Rule<string>,
    valueRule: Rule<T>,
  ): pulumi.Input<Record<string, pulumi.Input<T>>> | undefined {
    return this.check(propertyPath, map as pulumi.Input<unknown> | undefined, (known) => {
      if (typeof known !== "object" || known === null || Array.isArray(known)) return "is not a map: write { NAME: value }";
      const reasons = Object.entries(known).flatMap(([name, value]) => {
        const nameReason = nameRule(name);
        const isThere = value !== undefined && value !== null;
        const valueReason = isDeferred(value) ? undefined : isThere ? valueRule(value as T) : NO_VALUE;
        return [nameReason && `name "${name}" ${nameReason}`, valueReason && `"${name}" ${valueReason}`].filter((one) => !!one);
      });
      return reasons.length ? withHintsOnce(reasons as string[]).join("; ") : undefined;
    }) as pulumi.Input<Record<string, pulumi.Input<T>>> | undefined;
  }

  /** A map that ends up readable for everybody who may read pods or ConfigMaps, so no value in it may be secret. */
  withoutSecrets(
    propertyPath: string,
    map: pulumi.Input<Record<string, pulumi.Input<string>>> | undefined,
    wayOut: string,
  ): pulumi.Output<Record<string, string>> {
    return this.notSecret(propertyPath, map ?? {}, wayOut) as pulumi.Output<Record<string, string>>;
  }

  /** The same of one value, or of the words of a command. What is known already stays as it is, and a list stays one. */
  open<T extends pulumi.Input<unknown> | undefined>(propertyPath: string, value: T, wayOut: string): T {
    const one = (word: unknown) => (isDeferred(word) ? this.notSecret(propertyPath, word, wayOut) : word);
    return (Array.isArray(value) && value.some(isDeferred) ? value.map(one) : one(value)) as T;
  }

  private notSecret(propertyPath: string, value: unknown, wayOut: string): pulumi.Output<unknown> {
    const all = pulumi.output(value);
    return pulumi.output(pulumi.isSecret(all)).apply((secret) => {
      if (!secret) return all;
      const reason = "holds a secret value, which would be readable in the cluster";
      throw once(value, reason, () => this.late(propertyPath, `${reason}: ${wayOut}`));
    });
  }

  /** The same of a map that stays what it is where all of it is known already, so that more can be said about it at once. */
  readable(
    propertyPath: string,
    map: pulumi.Input<Record<string, pulumi.Input<string>>> | undefined,
    wayOut: string,
  ): pulumi.Input<Record<string, pulumi.Input<string>>> | undefined {
    if (map === undefined || map === null) return map;
    const known = !isDeferred(map) && !Object.values(map).some(isDeferred);
    return known ? map : this.withoutSecrets(propertyPath, map, wayOut);
  }

  /** What is wrong with a value that was known only later, when nothing can be collected any more. */
  late(propertyPath: string, reason: string): Refusal {
    const refusal = withoutStack(new Refusal(this.component, [{ propertyPath, reason }]));
    this.onLate?.(refusal);
    return refusal;
  }

  /** Throws when anything was found. */
  throwIfAny(): void {
    const said = (path: string) => this.problems.some(({ propertyPath }) => isWithin(propertyPath, path));
    const isRule = (path: string) => this.problems.some(({ propertyPath }) => propertyPath === path);
    const unsaid = this.heldBack.filter(({ propertyPath, whole }) => !said(propertyPath) && !isRule(whole));
    const all = [...this.problems, ...unsaid.map(({ propertyPath, reason }) => ({ propertyPath, reason }))];
    if (all.length > 0) throw new Refusal(this.component, all);
  }
}

/**
 * Wrong arguments, found before anything is registered or later, inside an output. The message is all that is shown of it, once: a
 * `RunError` is printed without its stack, and an `InputPropertiesError` by properties where the program is in another language.
 * Pulumi's SDK puts "error serializing property" before the message for every resource that the value leads to, so it cannot be
 * changed; and it hangs the failed promise on the error and prints both in full, which takes it half a minute (seen with 3.246).
 */
class Refusal extends pulumi.InputPropertiesError {
  /** What `pulumi.RunError.isInstance` looks for. */
  readonly __pulumiRunError = true;

  constructor(component: string, found: Problem[]) {
    const problems = found.map(({ propertyPath, reason }) => ({ propertyPath, reason: withoutPassword(reason) }));
    const text = message(component, problems);
    super({ message: text, errors: problems });
    Object.defineProperty(this, "message", { get: () => text, set: () => undefined });
  }

  [inspect.custom](): string {
    return this.message;
  }
}

/** Of an entry of a map: such as a variable of the program's own environment that is not set. */
export const NO_VALUE = "has no value: set it, or leave it out";

/** What is wrong with several entries, and what to write instead only after the last that it holds for. */
const withHintsOnce = (reasons: string[]) => {
  const hint = (reason: string) => / (?:is|has) [^":]*(: .*)$/s.exec(reason)?.[1] ?? "";
  return reasons.map((reason, index) => {
    const own = hint(reason);
    const again = own !== "" && reasons.slice(index + 1).some((later) => hint(later) === own);
    return again ? reason.slice(0, -own.length) : reason;
  });
};

/** Whether a path is another one, or inside of it. */
const isWithin = (path: string, outer: string) => path.startsWith(outer) && /^([.[]|$)/.test(path.slice(outer.length));

/**
 * A URI or a conninfo that stands where a name is wanted is shown without its password. Of what is quoted in a reason, as in JSON: a
 * URI's password reaches to the last "@". Rather too much is left out than too little.
 */
const withoutPassword = (reason: string) =>
  reason
    .replace(/(:\/\/[^\s:/@"]*:)(?:[^"\\\n]|\\.)*@/g, "$1…@")
    .replace(/(password\s*=\s*)(?:'(?:\\+.|[^'\\])*'?|(?:\\+.|[^\s"&\\])+)/gi, "$1…");

/** For what is found later: the stack leads only into Pulumi's SDK, which prints it where the program has come to its end. */
export function withoutStack<T extends Error>(error: T): T {
  error.stack = error.message;
  return error;
}

/** Refusals of values that were known only later: a component and the ones inside it look at the same output, and one of them says it. */
const refused = new WeakMap<object, Map<string, Refusal>>();

function once(value: unknown, reason: string, refusal: () => Refusal): Refusal {
  const before = refused.get(value as object) ?? new Map<string, Refusal>();
  const said = before.get(reason) ?? refusal();
  refused.set(value as object, before.set(reason, said));
  return said;
}

/** Whether a value is not there yet: nothing can be said about it while the program runs. In a preview some come as `unknown` itself. */
export function isDeferred(value: unknown): boolean {
  return pulumi.Output.isInstance(value) || value instanceof Promise || pulumi.isUnknown(value);
}

function message(component: string, problems: Problem[]): string {
  const count = problems.length === 1 ? "1 argument has to change" : `${problems.length} arguments have to change`;
  return [`${component}: ${count}:`, ...problems.map(({ propertyPath, reason }) => `  ${propertyPath}: ${reason}`)].join("\n");
}
