import * as pulumi from "@pulumi/pulumi";
import { contentChanges } from "./contentChanges";
import { leaveOutEmpty } from "./withoutEmpty";

/**
 * Options of a component's children. What the component is told to depend on is passed to each child: on the component alone
 * it would delay the children, but leave no edge in the state, so that destroy and --target would not know of it.
 */
export function childOptions(
  parent: pulumi.Resource,
  opts: pulumi.ComponentResourceOptions | undefined,
  more: pulumi.CustomResourceOptions = {},
  /** What all that follows comes after. */
  before: pulumi.Resource[] = [],
): pulumi.CustomResourceOptions {
  const all = pulumi.mergeOptions(
    { parent, dependsOn: opts?.dependsOn, transformations: [contentChanges, leaveOutEmpty] },
    before.length ? { dependsOn: [...before] } : {},
  );
  const protect = "protect" in more ? more.protect : false;
  return { ...pulumi.mergeOptions(all, more), protect };
}

/**
 * Of a child that holds data or says where it is, and of a component with such children: it is protected if the component is. All others
 * never are, because they are replaced as a matter of course, and a protected ConfigMap could not even be given new content.
 */
export const holdsData: pulumi.CustomResourceOptions = { protect: undefined };

/** Options of the children of one component: those that all have, and what a child has more. */
export type Child = (more?: pulumi.CustomResourceOptions) => pulumi.CustomResourceOptions;

/**
 * Options of a Job. A Job is a run, not data: retained it would stay behind for good.
 */
export function jobOptions(timeoutSeconds: pulumi.Input<number>): pulumi.CustomResourceOptions {
  if (typeof timeoutSeconds !== "number") return { retainOnDelete: false }; // its annotations say it: boundedLater
  // Longer than the Job's own deadline, so that Kubernetes says DeadlineExceeded before Pulumi gives up on a run that goes on.
  const timeout = `${timeoutSeconds + 60}s`;
  return { retainOnDelete: false, customTimeouts: { create: timeout, update: timeout } };
}

/** Makes the next `up` replace a Job that is not Complete; unchanged it would only fail again without running (pulumi-kubernetes#856). */
export const rerunUnlessComplete = { "pulumi.com/replaceUnready": "true" };

/** What a program says is sent in any case: fields that somebody else has set meanwhile are taken over. */
export const overrules = { "pulumi.com/patchForce": "true" };

/** It is enough that the object is there; what becomes of it is not waited for. */
export const notAwaited = { "pulumi.com/skipAwait": "true" };
