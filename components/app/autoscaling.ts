import * as pulumi from "@pulumi/pulumi";
import { types } from "@pulumi/kubernetes";
import { ContainerResourcesArgs } from "../common/resources";
import { wholeNumber } from "../common/rules";
import { Rule, Validation } from "../common/validation";

/**
 * Lets the use of CPU or memory decide the number of pods. It needs the resource metrics API in the cluster (metrics-server or
 * what your provider has): without it the number only stays within its limits.
 */
export interface AutoscalingArgs {
  /**
   * Fewest pods, and how many the first install begins with. Defaults to 2. A change is made in place.
   */
  minReplicas?: pulumi.Input<number>;
  /**
   * Most pods. Mind the database: each has its own pool of connections. A change is made in place.
   */
  maxReplicas: pulumi.Input<number>;
  /**
   * CPU that the application's container is to use on average, in percent of what it requests. Defaults to 80, with
   * `targetMemoryPercent` to none. With both, the one that asks for more pods wins. A change is made in place.
   */
  targetCpuPercent?: pulumi.Input<number>;
  /**
   * The same of memory. Only for programs that give memory back: with others the number of pods goes up and never down. Defaults
   * to none.
   */
  targetMemoryPercent?: pulumi.Input<number>;
}

export interface ResolvedAutoscaling {
  minReplicas: pulumi.Input<number>;
  maxReplicas: pulumi.Input<number>;
  targets: { resource: "cpu" | "memory"; percent: pulumi.Input<number> }[];
}

export function resolveAutoscaling(args: AutoscalingArgs, path: string, validation: Validation): ResolvedAutoscaling {
  const check = (property: keyof AutoscalingArgs, rule: Rule<number>) =>
    validation.check(`${path}.${property}`, args[property], rule);
  const percent = wholeNumber(1, 1000);
  const minReplicas = check("minReplicas", wholeNumber(1)) ?? 2;
  const most = `${path}.maxReplicas`;
  const maxReplicas = validation.required(most, args.maxReplicas, wholeNumber(1), "say how many pods there may be at most");
  const cpu = check("targetCpuPercent", percent) ?? (args.targetMemoryPercent === undefined ? 80 : undefined);
  const memory = check("targetMemoryPercent", percent);
  const targets = [
    ...(cpu === undefined ? [] : [{ resource: "cpu" as const, percent: cpu }]),
    ...(memory === undefined ? [] : [{ resource: "memory" as const, percent: memory }]),
  ];
  return {
    minReplicas,
    maxReplicas: validation.checkBeside(most, maxReplicas, minReplicas, (max, min) =>
      max < min ? `is ${max}, less than ${path}.minReplicas, which is ${min}: raise it, or lower the other` : undefined,
    ),
    targets,
  };
}

/** Percents are percents of requests: without one the autoscaler would only say so in its events. */
export function requestsForTargets(
  resources: ContainerResourcesArgs,
  autoscaling: ResolvedAutoscaling | undefined,
  validation: Validation,
): ContainerResourcesArgs {
  if (!autoscaling) return resources;
  const missing: Rule<unknown> = (known) => {
    const without = autoscaling.targets.filter(({ resource }) => !(resource in (known as object)));
    if (without.length === 0) return undefined;
    const names = without.map(({ resource }) => resource).join(" and ");
    return `has no ${names}, in percent of which autoscaling has its target: request it, or give autoscaling another target`;
  };
  const requests = validation.check("resources.requests", resources.requests as pulumi.Input<unknown>, missing);
  return { ...resources, requests: requests as typeof resources.requests };
}

/** Looks at the application's own container: what runs beside it needs no requests, and does not decide. */
export const autoscaler = (
  { minReplicas, maxReplicas, targets }: ResolvedAutoscaling,
  kind: string,
  name: pulumi.Input<string>,
): types.input.autoscaling.v2.HorizontalPodAutoscalerSpec => ({
  scaleTargetRef: { apiVersion: "apps/v1", kind, name },
  minReplicas,
  maxReplicas,
  metrics: targets.map(({ resource, percent }) => ({
    type: "ContainerResource",
    containerResource: { container: "app", name: resource, target: { type: "Utilization", averageUtilization: percent } },
  })),
});
