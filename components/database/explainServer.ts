import * as pulumi from "@pulumi/pulumi";
import { inNamespace, Named, onFailure } from "../common/hooks";
import { hadNoPod, noPodWords } from "../common/noPod";

/** Seconds in which a former server stops, another one gets its time to, an image is pulled and the server starts. */
const SECONDS = 300;

/** Options of the server's StatefulSet: how long it is waited for, and what is said when that was not enough. */
export const boundedServer = (name: string): pulumi.CustomResourceOptions => ({
  customTimeouts: { create: `${SECONDS}s`, update: `${SECONDS}s` },
  hooks: onFailure(`${name}-server-failure`, ({ errors, newInputs, failedOperation }) =>
    failedOperation !== "delete" && errors.some((error) => error.includes("timed out waiting to be Ready"))
      ? explanation(errors, newInputs as Named)
      : undefined,
  ),
});

/** What the start script said when it refused. */
const REFUSED = /postgres-start: (?!.* s to stop$)(.*)/m;

/** What Kubernetes and the server say, and what that means. The first that is found counts. */
const meanings: [RegExp, (found: RegExpExecArray) => string][] = [
  [REFUSED, ([, words]) => words],
  [/^.*FATAL: +(.*)/m, ([, words]) => `Postgres ended: ${words}`],
  [
    /\[(?:ErrImagePull|ImagePullBackOff|InvalidImageName|ErrImageNeverPull)\]/,
    () => "its image cannot be pulled: correct embedded.image, or give the cluster access to the registry (imagePullSecrets)",
  ],
  [/\[OOMKilled\]/, () => "it took more memory than it may (out of memory): raise embedded.resources.limits.memory"],
  [/s to stop$/m, () => "it waits for another server on its volume to stop: stop that one"],
  [
    /containers with unready status/,
    () =>
      "it was started and does not answer yet: a recovery after a crash may take long and goes on, also while nobody waits for it; then the next `pulumi up` finds it ready",
  ],
];
const UNKNOWN =
  'no node has taken its pod yet, for want of CPU, memory or its volume, or the cluster let none be made ("FailedCreate" beside the StatefulSet above): set what it asks for, for a quota embedded.resources.limits';

const meaningOf = (said: string, known = meanings): string | undefined =>
  known.flatMap(([pattern, words]) => {
    const found = pattern.exec(said);
    return found ? [words(found)] : [];
  })[0];

/** Why the server was not ready, in words, and the commands that show the rest. Exported for its tests. */
export function explanation(errors: string[], { metadata }: Named): string {
  const meaning = meaningOf(errors.join("\n")) ?? UNKNOWN;
  const look = (command: string) => `  kubectl${inNamespace(metadata?.namespace)} ${command}`;
  const pod = `${metadata?.name}-0`;
  return [
    `the database's server was not ready after ${SECONDS} s: ${meaning}`,
    "what Kubernetes and the server say:",
    look(`describe statefulset ${metadata?.name}`),
    look(`describe pod ${pod}`),
    look(`logs ${pod} --tail 40`),
    "the next `pulumi up` with a correction replaces the pod; of a StatefulSet that a former version of this package made (podManagementPolicy OrderedReady), delete it then:",
    look(`delete pod ${pod}`),
  ].join("\n");
}

/** Tells what a failed trial means. */
export const explainTrial = (hook: string) =>
  onFailure(hook, ({ errors, newInputs, failedOperation }) => {
    if (failedOperation === "delete") return undefined;
    if (hadNoPod(errors))
      return `the trial of the server's settings could not begin, so the one that runs was not touched: ${noPodWords(((newInputs ?? {}) as Named).metadata?.namespace, "requests")}`;
    const known = meanings.filter(([pattern]) => pattern !== REFUSED); // that its volume is refused it cannot be
    const words = meaningOf(errors.join("\n"), known) ?? "the lines above say why";
    return `a server with these settings does not start, so the one that runs was not touched: ${words}. Correct embedded.parameters, image or resources`;
  });
