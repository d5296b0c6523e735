import * as pulumi from "@pulumi/pulumi";
import { inNamespace, Named, onFailure } from "./hooks";

/**
 * A Job that gets no pod has nothing in its status that says so, let alone why (kubernetes/kubernetes#90124): the words are in events. The
 * provider shows those beside the Job while it waits, and leaves them out of the error at its end.
 */

/** Whether a Job's time was over without a word of any pod of it. */
export const hadNoPod = (errors: string[]): boolean =>
  errors.some((error) => error.includes("[DeadlineExceeded]")) && !errors.some((error) => error.includes("[Pod "));

/** Whether its time was over before any container of it began: what kubelet says then of those that it never made. */
export const neverBegan = (errors: string[]): boolean =>
  errors.some((error) => error.includes("[DeadlineExceeded]")) &&
  errors.some((error) => error.includes("[ContainerStatusUnknown]"));

/** For kubectl: what says more. */
export const warnings = (namespace: string | undefined) =>
  `kubectl get events${inNamespace(namespace)} --field-selector type=Warning`;

/** Why that may be, and the way out of each; `requests` is the argument that says what the pod wants of its node. */
export const noPodWords = (namespace: string | undefined, requests: string): string =>
  `no node took its pod in time: lower ${requests}, or add a node; or the cluster let no pod be made ("FailedCreate" beside the Job above): ` +
  `set what it asks for, limits for a quota (jobs.limits), a user of the namespace's range (jobs.runAsUser), labels and annotations for a policy (jobs.labels, jobs.annotations); \`${warnings(namespace)}\` says which, and what was short`;

export const notBegunWords = (namespace: string | undefined): string =>
  `its pod did not begin in time: a Secret, ConfigMap or claim that it mounts is missing, or its image takes long to pull; \`${warnings(namespace)}\` says which`;

/** Hooks of a Job whose own words are enough otherwise: says in words that it had no pod, or one that did not begin. */
export const explainNoPod = (hook: string, what: string): pulumi.ResourceHookBinding | undefined =>
  onFailure(hook, ({ errors, newInputs, failedOperation }) => {
    if (failedOperation === "delete") return undefined;
    const { namespace } = ((newInputs ?? {}) as Named).metadata ?? {};
    if (hadNoPod(errors)) return `${what} could not begin: ${noPodWords(namespace, "requests")}`;
    return neverBegan(errors) ? `${what} could not begin: ${notBegunWords(namespace)}` : undefined;
  });
