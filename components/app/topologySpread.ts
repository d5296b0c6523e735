import * as pulumi from "@pulumi/pulumi";
import { types } from "@pulumi/kubernetes";
import { oneOf, text, wholeNumber } from "../common/rules";
import { Validation } from "../common/validation";

/** Spreads the application's pods over nodes, zones or whatever nodes are labelled with. */
export interface TopologySpreadArgs {
  /**
   * Label of nodes whose values are spread over: "kubernetes.io/hostname", "topology.kubernetes.io/zone".
   */
  topologyKey: pulumi.Input<string>;
  /**
   * How many pods more than the emptiest value another one may have. Defaults to 1.
   */
  maxSkew?: pulumi.Input<number>;
  /**
   * ScheduleAnyway spreads as well as it can; DoNotSchedule lets a pod wait that could only break the rule, and `pulumi up` with it.
   * Defaults to ScheduleAnyway.
   */
  whenUnsatisfiable?: pulumi.Input<string>;
}

/** There whatever the number of pods is: added with the second one, it would replace the first. */
const DEFAULT: TopologySpreadArgs[] = [{ topologyKey: "kubernetes.io/hostname" }, { topologyKey: "topology.kubernetes.io/zone" }];

export function resolveTopologySpread(
  given: TopologySpreadArgs[] | undefined,
  path: string,
  validation: Validation,
): TopologySpreadArgs[] {
  const spread = validation.list(path, given ?? DEFAULT, ({ topologyKey, maxSkew, whenUnsatisfiable }, entry) => {
    const at = (property: string) => `${entry}.${property}`;
    const wayOut = 'name the label of the nodes, such as "kubernetes.io/hostname"';
    return {
      topologyKey: validation.required(at("topologyKey"), topologyKey, text, wayOut),
      maxSkew: validation.check(at("maxSkew"), maxSkew, wholeNumber(1)) ?? 1,
      whenUnsatisfiable:
        validation.check(at("whenUnsatisfiable"), whenUnsatisfiable, oneOf(["ScheduleAnyway", "DoNotSchedule"])) ??
        "ScheduleAnyway",
    };
  });
  return spread ?? [];
}

/** `revisionLabel` tells a workload's pods of one version from those of another. */
export const topologySpread = (
  spread: TopologySpreadArgs[],
  matchLabels: Record<string, string>,
  revisionLabel: string,
): types.input.core.v1.TopologySpreadConstraint[] =>
  spread.map(({ topologyKey, maxSkew, whenUnsatisfiable }) => ({
    topologyKey,
    maxSkew: maxSkew!,
    whenUnsatisfiable: whenUnsatisfiable!,
    labelSelector: { matchLabels },
    // Pods of the former version are about to go, and nodes with taints cannot be gone to: neither may decide where the new ones are.
    matchLabelKeys: [revisionLabel],
    nodeTaintsPolicy: "Honor",
  }));
