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

  constructor(private readonly component: string) {}

  problem(propertyPath: string, reason: string): void {
    this.problems.push({ propertyPath, reason });
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
      throw this.late(propertyPath, reason);
    };
    if (isDeferred(value)) return pulumi.output(value as NonNullable<T>).apply(one) as unknown as T;
    const reason = rule(value as pulumi.Unwrap<NonNullable<T>>);
    if (reason) this.problem(propertyPath, reason);
    return value;
  }

  /** The same against another argument, at the moment when both are known. */
  checkBeside<T extends pulumi.Input<number> | undefined>(
    propertyPath: string,
    value: T,
    other: pulumi.Input<number>,
    rule: (value: number, other: number) => string | undefined,
  ): T {
    if (!isDeferred(other))
      return this.check(propertyPath, value as pulumi.Input<number>, (known) => rule(known, other as number)) as T;
    if (value === undefined || value === null) return value;
    return pulumi.all([value, other]).apply(([known, beside]) => {
      const reason = rule(known, beside);
      if (!reason) return known;
      throw this.late(propertyPath, reason);
    }) as T;
  }

  required<T extends pulumi.Input<unknown> | undefined>(
    propertyPath: string,
    value: T,
    rule: Rule<pulumi.Unwrap<NonNullable<T>>>,
    wayOut: string,
  ): T {
    if (value === undefined || value === null || value === "") {
      this.problem(propertyPath, `is missing: ${wayOut}`);
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
        const valueReason = isDeferred(value) ? undefined : valueRule(value as T);
        return [nameReason && `name "${name}" ${nameReason}`, valueReason && `"${name}" ${valueReason}`].filter(Boolean);
      });
      return reasons.length ? reasons.join("; ") : undefined;
    }) as pulumi.Input<Record<string, pulumi.Input<T>>> | undefined;
  }

  /** A map that ends up readable for everybody who may read pods or ConfigMaps, so no value in it may be secret. */
  withoutSecrets(
    propertyPath: string,
    map: pulumi.Input<Record<string, pulumi.Input<string>>> | undefined,
    wayOut: string,
  ): pulumi.Output<Record<string, string>> {
    const all = pulumi.output(map ?? {}) as pulumi.Output<Record<string, string>>;
    return pulumi.output(pulumi.isSecret(all)).apply((secret) => {
      if (!secret) return all;
      throw this.late(propertyPath, `holds a secret value, which would be readable in the cluster: ${wayOut}`);
    });
  }

  /** What is wrong with a value that was known only later, when nothing can be collected any more. */
  late(propertyPath: string, reason: string): Error {
    return new LateError(message(this.component, [{ propertyPath, reason }]));
  }

  /** Throws when anything was found. Pulumi's command line shows only an error's message, so the list is in it too. */
  throwIfAny(): void {
    if (this.problems.length === 0) return;
    throw new pulumi.InputPropertiesError({ message: message(this.component, this.problems), errors: this.problems });
  }
}

/**
 * What is wrong with a value that was known only later. Pulumi's SDK hangs the failed promise on the error and prints both in full,
 * everything that the promise leads to included, which takes it half a minute (seen with 3.246): here the message is all there is.
 */
class LateError extends pulumi.RunError {
  [inspect.custom](): string {
    return this.message;
  }
}

/** Whether a value is not there yet: nothing can be said about it while the program runs. */
export function isDeferred(value: unknown): boolean {
  return pulumi.Output.isInstance(value) || value instanceof Promise;
}

function message(component: string, problems: Problem[]): string {
  const count = problems.length === 1 ? "1 argument has to change" : `${problems.length} arguments have to change`;
  return [`${component}: ${count}:`, ...problems.map(({ propertyPath, reason }) => `  ${propertyPath}: ${reason}`)].join("\n");
}
