import { types } from "@pulumi/kubernetes";

/** Variables with their values in the pod's spec, sorted so that the order in which they were written is no change. */
export function plainVariables(env: Record<string, string>): types.input.core.v1.EnvVar[] {
  return Object.entries(env)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => ({ name, value }));
}
