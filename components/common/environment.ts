import { types } from "@pulumi/kubernetes";
import { isDeferred, Validation } from "./validation";

/** Variables by name, so that the order in which they were written is no change. */
export function byName<T>(variables: Record<string, T>): [string, T][] {
  return Object.entries(variables).sort(([a], [b]) => (a < b ? -1 : 1));
}

/** Variables with their values in the pod's spec. */
export function plainVariables(env: Record<string, string>): types.input.core.v1.EnvVar[] {
  return byName(env).map(([name, value]) => ({ name, value }));
}

/** Variables by the name of the Secret that has each one's value, under the variable's name. */
export function referencedVariables(secrets: Record<string, string>): types.input.core.v1.EnvVar[] {
  return byName(secrets).map(([name, secret]) => ({ name, valueFrom: { secretKeyRef: { name: secret, key: name } } }));
}

/** One variable, one value: which of two would win is Kubernetes' rule, and nobody remembers it. Sources are maps by path. */
export function refuseTwoValues(validation: Validation, sources: Record<string, unknown>): void {
  const seen = new Map<string, string>();
  for (const [source, map] of Object.entries(sources)) {
    if (typeof map !== "object" || map === null || isDeferred(map)) continue;
    for (const name of Object.keys(map)) {
      const other = seen.get(name);
      if (other) validation.problem(`${source}.${name}`, `is in ${other} too: keep one of the two`);
      else seen.set(name, source);
    }
  }
}
