import { types } from "@pulumi/kubernetes";
import { isDeferred, Validation } from "./validation";

/** Variables with their values in the pod's spec, sorted so that the order in which they were written is no change. */
export function plainVariables(env: Record<string, string>): types.input.core.v1.EnvVar[] {
  return Object.entries(env)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => ({ name, value }));
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
