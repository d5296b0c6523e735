import * as pulumi from "@pulumi/pulumi";
import { wholeNumber } from "../common/rules";
import { Validation } from "../common/validation";
import type { MigrationStrategy } from "../migration/migrationArgs";
import { explainRollout } from "./explainRollout";
import { AppProbesArgs, startupSeconds } from "./probes";

const DEFAULT = 300;
/** Seconds for each further pod, which is replaced after the one before. */
const EACH = 60;

/** What decides how long a rollout may take. */
interface Rollout {
  rollout?: { timeoutSeconds?: number; minReadySeconds?: pulumi.Input<number> };
  probes?: AppProbesArgs;
}

/** Seconds after which a rollout of so many pods has failed, which are replaced one after the other. Pods that migrate have the time for that besides. */
export function resolveRolloutSeconds(
  { rollout, probes }: Rollout,
  migration: { strategy: MigrationStrategy; timeoutSeconds: number } | undefined,
  validation: Validation,
): (replicas: pulumi.Input<number> | undefined) => number {
  const inPods = migration?.strategy === "Startup" || migration?.strategy === "InitContainer";
  const migrating = inPods ? migration.timeoutSeconds : 0;
  const starting = startupSeconds(probes);
  const enough = (seconds: number) =>
    wholeNumber(1, 7 * 24 * 3600)(seconds) ??
    (seconds + migrating < starting
      ? `${seconds} s would be over before probes.startup, which allows a pod ${starting} s: raise this one, or lower that`
      : undefined);
  const given = validation.check("rollout.timeoutSeconds", rollout?.timeoutSeconds, enough);
  if (given !== undefined) return () => given + migrating;
  const { minReadySeconds } = rollout ?? {};
  return (replicas) => {
    const further = typeof replicas === "number" ? Math.max(0, replicas - 1) : 0;
    const settling = typeof minReadySeconds === "number" ? minReadySeconds * (further + 1) : 0;
    return Math.max(DEFAULT, starting + EACH) + further * EACH + settling + migrating;
  };
}

/** Options of a workload: how long it is waited for, and what is said when that was not enough. `name` is that of the workload's resource. */
export function boundedRollout(name: string, seconds: number): pulumi.CustomResourceOptions {
  const timeout = `${seconds}s`;
  return { customTimeouts: { create: timeout, update: timeout }, hooks: explainRollout(`${name}-rollout-failure`, seconds) };
}
