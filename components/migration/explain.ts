import { CANCELLED, inNamespace, Named, onFailure, wasRefused } from "../common/hooks";
import { hadNoPod, noPodWords, warnings } from "../common/noPod";
import { ArgumentNames } from "./argumentNames";
import { MigrationUndo, restoreCommand } from "./restoreByHand";

/** Jobs by what their failure means. */
const failures = {
  start: "the migration could not begin",
  migration: "the migration failed",
  canary: "the canary failed",
};
export type ExplainedJob = keyof typeof failures;

/** What is known of a Job that did not succeed. */
export interface FailedJob {
  /** What the Pulumi provider says, Kubernetes' words and the ends of the containers' logs in it. */
  errors: string[];
  /** What it was for. */
  what: ExplainedJob;
  name?: string;
  namespace?: string;
  /** Of its containers. */
  images: string[];
  /** Where the arguments stand that it is about. */
  names: Pick<ArgumentNames, "prefix" | "shared" | "client">;
  /** How it could be undone, where there is a backup from before it. */
  undo?: MigrationUndo;
}

/** What becomes of a Job that Pulumi no longer waits for, because somebody pressed Ctrl-C or ran `pulumi cancel`. */
const cancelled = ({ what }: FailedJob) =>
  what === "start"
    ? "nothing has begun; the next `pulumi up` runs it"
    : "it goes on in the cluster; the next `pulumi up` waits for its end, and then runs it again";

/** What Kubernetes and the provider say, and what that means. The first that is found counts. */
const meanings: [RegExp, (job: FailedJob, found: RegExpExecArray) => string][] = [
  [
    /\[(?:ErrImagePull|ImagePullBackOff|InvalidImageName|ErrImageNeverPull)\]/,
    ({ images, names, errors }) => {
      const named = images.filter((image) => errors.some((error) => error.includes(image)));
      const which = (named.length ? named : images).map((image) => `"${image}"`).join(" or ");
      return `the image ${which} cannot be pulled: correct ${names.shared}image or ${names.client}, or give the cluster access to the registry`;
    },
  ],
  [
    /\[(?:CreateContainerConfigError|CreateContainerError|RunContainerError)\] *(.*)/,
    (_, [, words]) =>
      `a container could not be made${words ? ` (${words})` : ""}: give the Secret what is missing, or correct its name or key; an image whose user is root, or has no number, needs runAsUser`,
  ],
  [
    /\[OOMKilled\]/,
    ({ names }) =>
      `it took more memory than it may (out of memory, exit code 137): raise ${names.shared}resources.limits.memory, or let it do less at once`,
  ],
  // What run.sh said last, of how it ended: before the line with where the log is.
  [/^(?:\[\w+\] *)?migrate: (.*)\n(?:(?!(?:\[\w+\] *)?migrate: ).*\n)*?migrate: the whole log: /m, (_, [, words]) => words],
  [/^(?:\t\* )?(?:\[Pod [^\]]*\]: )?(?:\[\w+\] *)?check: (the image has no .*)/m, (_, [, words]) => words],
  [
    /\[DeadlineExceeded\]/,
    ({ what, names, errors, namespace }) => {
      if (hadNoPod(errors)) return noPodWords(namespace, `${names.shared}resources.requests`);
      return what === "start"
        ? `its pod did not begin in time: mostly because of an image that takes long to pull, which goes on, so that the next \`pulumi up\` may find it, or because a Secret or ConfigMap that it mounts is missing; \`${warnings(namespace)}\` says which`
        : `it did not come to its end in time: look for what it waited for, or allow it more with ${names.prefix}timeoutSeconds`;
    },
  ],
  [
    /completed with exit code (?:137|143|130)/,
    () => "it was killed from outside: its pod was deleted or evicted, or its node went down",
  ],
  [
    /^(?![^]*\[Error\])(?![^]*completed with exit code [1-9])[^]*\[BackoffLimitExceeded\]/,
    () => "its pod was deleted, or lost with its node",
  ],
];

export function meaningOf(job: FailedJob): string | undefined {
  const text = job.errors.join("\n");
  for (const [pattern, meaning] of meanings) {
    const found = pattern.exec(text);
    if (found) return meaning(job, found);
  }
  return undefined;
}

/** The beginning of a container's last words. */
const WORDS = String.raw`^(?:\t\* )?(?:\[Pod [^\]]*\]: )?(?:\[\w+\] *)?`;

/** What became of the attempt to take it back, and what is left to do by hand: whatever way it ended. */
function undone({ errors, undo, name, namespace }: FailedJob): string[] {
  const text = errors.join("\n");
  const said = (words: string) => new RegExp(WORDS + words, "m").exec(text)?.[1];
  const rollback = said(`rollback: ((?:done|"|it was|the image).*)`);
  const restore = said("(restoreOnFailure: .*?)(?:; to [^;]*:)?$");
  const parts = [...(rollback ? [`rollbackCommand: ${rollback}`] : []), ...(restore ? [restore] : [])];
  // The pod's own words are more exact, where it is still there to say them.
  const known = restore ?? said("(nothing was begun|the backup from before: )");
  if (!undo || !name || known || CANCELLED.test(text)) return parts;
  if (undo.restores) parts.push("restoreOnFailure: its pod does not say what became of it: see what the database holds");
  const command = restoreCommand(undo.scripts, namespace, name);
  return [
    ...parts,
    `the backup from before, if it came to that, goes by the Job's name; to bring the database back to it:\n${command}`,
  ];
}

export function explanation(job: FailedJob): string {
  const text = job.errors.join("\n");
  const reason = meaningOf(job);
  // Whatever its pods say beside: that Pulumi let go of it is what the user has to know first.
  const parts = CANCELLED.test(text)
    ? [`the deployment was cancelled: ${cancelled(job)}`, ...(reason ? [reason] : [])]
    : [`${failures[job.what]}${reason ? `: ${reason}` : ""}`];
  parts.push(...undone(job));
  // A pod that a deadline ended is gone, and its log with it. run.sh names its own.
  const gone = text.includes("[DeadlineExceeded]");
  if (job.name && !gone && !text.includes(": the whole log: "))
    parts.push(`the whole log: kubectl logs${inNamespace(job.namespace)} job/${job.name} --all-containers --prefix`);
  return parts.join("\n");
}

interface Inputs extends Named {
  spec?: { template?: { spec?: Record<"containers" | "initContainers", { image?: string }[] | undefined> } };
}

/** Says in words why a Job failed, and where its whole log is. */
export const explainFailure = (name: string, what: ExplainedJob, names: FailedJob["names"], undo?: MigrationUndo) =>
  onFailure(name, ({ errors, newInputs, failedOperation }) => {
    if (failedOperation === "delete" || wasRefused({ errors })) return undefined;
    const { metadata, spec } = (newInputs ?? {}) as Inputs;
    const { containers = [], initContainers = [] } = spec?.template?.spec ?? {};
    const images = [...initContainers, ...containers].map(({ image }) => image).filter((image) => image !== undefined);
    return explanation({ errors, what, ...metadata, images: [...new Set(images)], names, undo });
  });
