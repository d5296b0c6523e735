import { AsyncResource } from "async_hooks";
import * as pulumi from "@pulumi/pulumi";

/** What Kubernetes and the Pulumi provider say of a Job that did not succeed, and what that means. The first that is found counts. */
const meanings: [RegExp, (path: string) => string][] = [
  [
    /ErrImagePull|ImagePullBackOff|InvalidImageName|ErrImageNeverPull/,
    (path) => `an image cannot be pulled: correct ${path}image or clientImage, or give the cluster access to the registry`,
  ],
  [
    /CreateContainerConfigError/,
    () =>
      "a container could not be made: a Secret or a key of it is not there, or the image's user is root or has no number (set runAsUser)",
  ],
  [
    /nodes are available|Unschedulable|unschedulable/,
    (path) => `no node has room for its pod: lower ${path}resources.requests, or add a node`,
  ],
  [/OOMKilled/, (path) => `it took more memory than it may (OOMKilled): raise ${path}resources.limits.memory`],
  [
    /Evicted|evicted|low on resource/,
    () => "its node threw the pod out because it ran short of something: run `pulumi up` again",
  ],
  [
    /DeadlineExceeded/,
    (path) => `it did not come to its end in time: allow it more with ${path}timeoutSeconds, or look for what it waited for`,
  ],
];

export function meaningOf(errors: string[], path: string): string | undefined {
  const text = errors.join("\n");
  return meanings.find(([pattern]) => pattern.test(text))?.[1](path);
}

/** Says in words why a Job failed, and where its whole log is. Trying again is not asked for. */
export function explainFailure(name: string, what: string, path: string): pulumi.ErrorHook {
  return new pulumi.ErrorHook(
    name,
    // Bound to the program that it is of: called by the engine, it would not know to which one to log.
    AsyncResource.bind(({ errors, newInputs }: pulumi.ErrorHookArgs) => {
      const { name: job, namespace } = (newInputs as { metadata?: { name?: string; namespace?: string } })?.metadata ?? {};
      const reason = meaningOf(errors, path);
      const log =
        job && `the whole log: kubectl logs ${namespace ? `--namespace ${namespace} ` : ""}job/${job} --all-containers --prefix`;
      pulumi.log.error([`${what} failed${reason ? `: ${reason}` : ""}`, ...(log ? [log] : [])].join("; "));
      return false;
    }),
  );
}
