import * as pulumi from "@pulumi/pulumi";
import * as core from "@pulumi/kubernetes/core/v1";
import { jobOptions } from "../common/childOptions";
import { labels } from "../common/labels";
import { MigrationSurroundings } from "./job";
import { explainPod, planGate } from "./plan";
import { planAnnotations, planDeadline, planPod } from "./planPod";
import { ResolvedMigration } from "./resolveMigration";

/**
 * The pod that finds out what the migration will do, and hooks for the migration's Job: its creation is stopped there, so that a Job that
 * has succeeded stays as it is.
 */
export function startPlan(
  name: string,
  migration: ResolvedMigration,
  around: MigrationSurroundings,
  namespace: pulumi.Input<string> | undefined,
  partOf: string | undefined,
  child: (more: pulumi.CustomResourceOptions) => pulumi.CustomResourceOptions,
): { pod: core.Pod; hooks?: pulumi.ResourceHookBinding } {
  const pod = new core.Pod(
    `${name}-plan`,
    {
      metadata: { namespace, labels: labels(name, "migration-plan", partOf), annotations: planAnnotations(migration, around) },
      spec: planPod(migration, around),
    },
    child({
      ...jobOptions(planDeadline(migration)),
      hooks: explainPod(`${name}-plan-failure`, "migration."),
      replaceOnChanges: ["*"], // a pod that did not come to its end too
    }),
  );
  const allowed = { approval: migration.approval, allowDestructive: migration.rehearsal?.allowDestructive };
  return { pod, hooks: planGate(`${name}-plan`, pod, allowed, "migration.") };
}
