import * as pulumi from "@pulumi/pulumi";
import * as core from "@pulumi/kubernetes/core/v1";
import { jobOptions, overrules } from "../common/childOptions";
import { podMetadata, unasked } from "../common/clusterRules";
import { labels } from "../common/labels";
import { Earlier, madeFor } from "../common/order";
import { ArgumentNames } from "./argumentNames";
import { MigrationSurroundings } from "./job";
import { explainPod, messageOf, planGate } from "./plan";
import { planAnnotations, planDeadline, planPod } from "./planPod";
import { ResolvedMigration } from "./resolveMigration";

const PLAN = {
  missing: "what the migration would do has not been found out",
  other: "its list and its rehearsal (the Pod of the plan) are of another migration",
};

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
  names: ArgumentNames,
  child: (more: pulumi.CustomResourceOptions) => pulumi.CustomResourceOptions,
): { pod: core.Pod; found: Omit<Earlier, "targets">; hooks?: pulumi.ResourceHookBinding } {
  const [annotations, spec] = [planAnnotations(migration, around), planPod(migration, around)];
  const identity = { annotations, spec };
  const own = { labels: labels(name, "migration-plan", partOf), annotations: { ...annotations, ...madeFor(identity) } };
  const pod = new core.Pod(
    `${name}-plan`,
    {
      metadata: { namespace, ...podMetadata(own, around.client.rules) },
      spec,
    },
    child({
      ...jobOptions(planDeadline(migration)),
      hooks: explainPod(`${name}-plan-failure`, names),
      replaceOnChanges: ["*"], // a pod that did not come to its end too
      ignoreChanges: unasked(around.client.rules, "metadata"),
    }),
  );
  const allowed = { approval: migration.approval, allowDestructive: migration.rehearsal?.allowDestructive };
  const actual = pulumi.all([pod.metadata.annotations, pod.spec]).apply(([had, was]) => ({ annotations: had, spec: was }));
  return {
    pod,
    found: { object: pod, identity, actual, words: PLAN },
    hooks: planGate(`${name}-plan`, pod, { ...allowed, goBack: migration.goBack }, names),
  };
}

/**
 * Writes down beside the scripts, once the migration has succeeded, what was found out before it. A bare Pod goes with its node, and the
 * next `pulumi up` after a refresh makes another one: that would list and rehearse a migration that is done. It finds this instead.
 */
export const rememberPlan = (
  name: string,
  { pod, id, scripts }: { pod: core.Pod; id: pulumi.Output<string>; scripts: core.ConfigMap },
  /** Of the scripts, not as outputs of theirs: a patch of what a preview does not know is refused there. */
  place: { name: string; namespace?: pulumi.Input<string> },
  opts: pulumi.CustomResourceOptions,
) =>
  new core.ConfigMapPatch(
    `${name}-plan-done`,
    {
      // With new scripts it is another object, of which this has to be said again.
      metadata: { ...place, annotations: { ...overrules, "pulumi-postgres-app/of": scripts.metadata.uid } },
      data: { "plan-done": pulumi.interpolate`${id}\n${messageOf(pod)}` },
    },
    opts,
  );
