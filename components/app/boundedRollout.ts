import * as pulumi from "@pulumi/pulumi";
import { computed } from "../common/computed";
import { wholeNumber } from "../common/rules";
import { Validation } from "../common/validation";
import type { ResolvedStrategy } from "../migration/strategy";
import { explainRollout, WAIT } from "./explainRollout";
import { AppProbesArgs, startupSeconds } from "./probes";

const DEFAULT = 300;
/** Seconds for each further pod, which is replaced after the one before: half of them for stopping, as Kubernetes allows by itself. */
const EACH = 60;
const STOPPING = 30;

/** What decides how long a rollout may take. */
interface Rollout {
  rollout?: { timeoutSeconds?: number; minReadySeconds?: pulumi.Input<number> };
  probes?: AppProbesArgs;
}

/** The pods of a workload, and how long each may take to stop, if the next one begins only then. */
interface Pods {
  replicas?: pulumi.Input<number>;
  stopping?: pulumi.Input<number>;
}

/** Seconds after which a rollout of so many pods has failed, which are replaced one after the other. Pods that migrate have the time for that besides. */
export function resolveRolloutSeconds(
  { rollout, probes }: Rollout,
  { inPods, timeoutSeconds }: Pick<ResolvedStrategy, "inPods" | "timeoutSeconds">,
  validation: Validation,
): (pods: Pods) => pulumi.Input<number> {
  const migrating = inPods ? timeoutSeconds : 0;
  const starting = startupSeconds(probes);
  const enough = (seconds: number) =>
    wholeNumber(1, 7 * 24 * 3600)(seconds) ??
    (seconds + migrating < starting
      ? `${seconds} s would be over before probes.startup, which allows a pod ${starting} s: raise this one, or lower that`
      : undefined);
  const given = validation.check("rollout.timeoutSeconds", rollout?.timeoutSeconds, enough);
  if (given !== undefined) return () => given + migrating;
  return ({ replicas = 1, stopping = STOPPING }) =>
    computed([replicas, rollout?.minReadySeconds ?? 0, stopping], (all, settling, grace) => {
      const pods = Math.max(1, all);
      const each = settling + Math.max(0, grace - STOPPING);
      return Math.max(DEFAULT, starting + EACH) + (pods - 1) * EACH + pods * each + migrating;
    });
}

/** Options of a workload: how long it is waited for, and what is said when that was not enough. `name` is that of the workload's resource. */
export function boundedRollout(name: string, seconds: pulumi.Input<number>): pulumi.CustomResourceOptions {
  const hooks = explainRollout(`${name}-rollout-failure`, seconds);
  if (typeof seconds !== "number") return { hooks };
  const timeout = `${seconds}s`;
  return { customTimeouts: { create: timeout, update: timeout }, hooks };
}

/**
 * Annotations of the workload. Pulumi's options have to be known while the program runs; how long the provider waits can also stand here,
 * which it goes by where the options say nothing.
 */
export const boundedLater = (seconds: pulumi.Input<number>): Record<string, pulumi.Output<string>> =>
  typeof seconds === "number" ? {} : { [WAIT]: pulumi.output(seconds).apply(String) };
