import * as pulumi from "@pulumi/pulumi";
import { beforePreviewedUpdate } from "../common/hooks";
import { Validation } from "../common/validation";

/** Whose pods there are. */
export interface RolledOut {
  name: string;
  namespace?: pulumi.Input<string>;
  kind: string;
  /** By name, whether they have pods. */
  workers: Record<string, boolean>;
}

const LAST = "go at the end of `pulumi up`, and migration.postDeploy would wait for that in vain";
const WITHOUT = "deploy once without migration.postDeploy, then with it";

/**
 * Which argument takes out of the program what still has pods, and why that does not go together with a contract. Pulumi deletes what is no longer in
 * the program after everything else. Pure, and exported for its tests.
 */
export function leftBehind(before: RolledOut, now: RolledOut): { path: string; reason: string } | undefined {
  if (before.kind !== now.kind)
    return { path: "kind", reason: `is "${now.kind}", and the pods of the ${before.kind} ${LAST}: ${WITHOUT}` };
  const known = typeof before.namespace === "string" && typeof now.namespace === "string";
  if (known && before.namespace !== now.namespace)
    return {
      path: "namespace",
      reason: `is "${String(now.namespace)}", and the pods in "${String(before.namespace)}" ${LAST}: ${WITHOUT}`,
    };
  if (before.name !== now.name)
    return { path: "name", reason: `is "${now.name}", and the pods of "${before.name}" ${LAST}: ${WITHOUT}` };
  const worker = Object.keys(before.workers).find((one) => before.workers[one] && !(one in now.workers));
  if (worker === undefined) return undefined;
  return {
    path: `workers.${worker}`,
    reason: `is left out, and its pods ${LAST}: deploy it once with replicas 0, then leave it out`,
  };
}

/** Remembers whose pods there were when the last contract was waited for. A preview in which some would be left behind fails. */
export class RolledOutPods extends pulumi.ComponentResource {
  constructor(resource: string, now: RolledOut, after: pulumi.Resource[], opts: pulumi.ComponentResourceOptions) {
    const validation = new Validation(`PostgresApp "${now.name}"`);
    const hooks = beforePreviewedUpdate(`${resource}-left-behind`, ({ oldInputs, newInputs }) => {
      const problem = leftBehind((oldInputs ?? {}) as unknown as RolledOut, (newInputs ?? {}) as unknown as RolledOut);
      if (problem) throw validation.late(problem.path, problem.reason);
    });
    super("pulumi-postgres-app:index:RolledOutPods", resource, now, {
      ...pulumi.mergeOptions(opts, { dependsOn: after }),
      hooks,
    });
    this.registerOutputs({});
  }
}
