import * as pulumi from "@pulumi/pulumi";
import * as batch from "@pulumi/kubernetes/batch/v1";
import { boundedLater } from "../app/boundedRollout";
import { Workload } from "../app/startWorkload";
import { markIn, markOf } from "../app/templateMark";
import { ResolvedWorkers, StartedWorker } from "../app/workers";
import { ResolvedApp } from "../app/workload";
import { Child, jobOptions, rerunUnlessComplete } from "../common/childOptions";
import { computed } from "../common/computed";
import { Named, onFailure, wasRefused } from "../common/hooks";
import { labels } from "../common/labels";
import { Earlier, isComplete, madeFor } from "../common/order";
import { explanation, FormerPods, formerPodsJob, goingSeconds } from "./formerPods";
import { RolledOutPods } from "./rolledOutPods";
import { ClientImage } from "./supervision";

const FORMER = {
  missing: "the version that the program says is not rolled out",
  other: "the version that the program says is not rolled out",
  unfinished: "pods of the former version may still be there",
};

/**
 * Waits until no pod is left but those of the workloads' templates of today, and remembers whose they are. What must not be seen by the former
 * version depends on what is returned.
 */
export function awaitFormerPods(
  name: string,
  app: ResolvedApp & { namespace?: pulumi.Input<string>; workers: ResolvedWorkers },
  { workloads, client }: { workloads: (Workload | StartedWorker)[]; client: ClientImage },
  child: Child,
): Earlier {
  const { namespace, kind, placement } = app;
  const objects = workloads.map(({ object }) => object);
  const pods = { name, marks: objects.map(markOf), client, placement, seconds: goingSeconds(app) };
  const object = untilGone(pods, namespace, child({ dependsOn: objects }));
  const workers = Object.fromEntries(Object.entries(app.workers).map(([worker, { replicas }]) => [worker, replicas !== 0]));
  new RolledOutPods(`${name}-rolled-out`, { name, namespace, kind, workers }, [object], child());
  // It waited for what was there. What is wanted is in the program, also where --target leaves the workloads out.
  const { template } = formerPodsJob({ ...pods, marks: workloads.map(({ identity }) => markIn(identity)) });
  const actual = object.spec.template;
  return { object, identity: template, actual, isDone: isComplete, words: FORMER, targets: `**::${name}*` };
}

/** The Job that waits, and says which pods it waited for in vain. */
export function untilGone(pods: FormerPods, namespace: pulumi.Input<string> | undefined, opts: pulumi.CustomResourceOptions) {
  const { name, seconds } = pods;
  const hooks = onFailure(`${name}-former-pods-failure`, ({ errors, newInputs, failedOperation }) => {
    if (failedOperation === "delete" || wasRefused({ errors })) return undefined;
    const { metadata, spec } = (newInputs ?? {}) as Named & { spec?: { activeDeadlineSeconds?: number } };
    return explanation(errors, { name, seconds: spec?.activeDeadlineSeconds ?? 0, namespace: metadata?.namespace });
  });
  const spec = formerPodsJob(pods);
  const wait = computed([seconds], (all) => all + 60);
  const annotations = { ...rerunUnlessComplete, ...boundedLater(wait), ...madeFor(spec.template) };
  return new batch.Job(
    `${name}-former-pods`,
    { metadata: { namespace, labels: labels(name, "former-pods"), annotations }, spec },
    { ...opts, ...jobOptions(seconds), hooks },
  );
}
