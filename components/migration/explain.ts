import { inNamespace, Named, onFailure } from "../common/hooks";

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
  /** What stands before the names of arguments: "migration.". */
  path: string;
}

const events = ({ namespace }: FailedJob) => `kubectl get events${inNamespace(namespace)} --field-selector type=Warning`;

const CANCELLED = /was cancelled for/;

/** What Kubernetes and the provider say, and what that means. The first that is found counts. */
const meanings: [RegExp, (job: FailedJob, found: RegExpExecArray) => string][] = [
  [
    /\[(?:ErrImagePull|ImagePullBackOff|InvalidImageName|ErrImageNeverPull)\]/,
    ({ images, path, errors }) => {
      const named = images.filter((image) => errors.some((error) => error.includes(image)));
      const which = (named.length ? named : images).map((image) => `"${image}"`).join(" or ");
      return `the image ${which} cannot be pulled: correct ${path}image or clientImage, or give the cluster access to the registry`;
    },
  ],
  [
    /\[(?:CreateContainerConfigError|CreateContainerError|RunContainerError)\] *(.*)/,
    (_, [, words]) =>
      `a container could not be made${words ? ` (${words})` : ""}: give the Secret what is missing, or correct its name or key; an image whose user is root, or has no number, needs runAsUser`,
  ],
  [
    /\[OOMKilled\]/,
    ({ path }) =>
      `it took more memory than it may (out of memory, exit code 137): raise ${path}resources.limits.memory, or let it do less at once`,
  ],
  // What run.sh said last, of how it ended: before the line with where the log is.
  [/^(?:\[\w+\] *)?migrate: (.*)\n(?:(?!(?:\[\w+\] *)?migrate: ).*\n)*?migrate: the whole log: /m, (_, [, words]) => words],
  [/^(?:\t\* )?(?:\[Pod [^\]]*\]: )?(?:\[\w+\] *)?check: (the image has no .*)/m, (_, [, words]) => words],
  [
    /\[DeadlineExceeded\]/,
    (job) => {
      if (job.what !== "start")
        return `it did not come to its end in time: look for what it waited for, or allow it more with ${job.path}timeoutSeconds`;
      if (job.errors.some((error) => error.includes("[Pod ")))
        return `its pod did not begin in time: mostly because of an image that takes long to pull, which goes on, so that the next \`pulumi up\` may find it; \`${events(job)}\` says more`;
      return `no node took its pod in time: lower ${job.path}resources.requests, or add a node; \`${events(job)}\` says what was short, a quota perhaps`;
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
  [
    CANCELLED,
    ({ what }) =>
      what === "start"
        ? "nothing has begun; the next `pulumi up` runs it"
        : "it goes on in the cluster; the next `pulumi up` waits for its end, and then runs it again",
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

/** What became of the attempt to take it back. */
const undone = (text: string) => /^(?:\[\w+\] *)?rollback: ((?:done|"|it was|the image).*)/m.exec(text)?.[1];

export function explanation(job: FailedJob): string {
  const text = job.errors.join("\n");
  const reason = meaningOf(job);
  const rollback = undone(text);
  const title = CANCELLED.test(text) ? "the deployment was cancelled" : failures[job.what];
  const parts = [`${title}${reason ? `: ${reason}` : ""}`];
  if (rollback) parts.push(`rollbackCommand: ${rollback}`);
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
export const explainFailure = (name: string, what: ExplainedJob, path: string) =>
  onFailure(name, ({ errors, newInputs, failedOperation }) => {
    // What the API server refuses was never there, and says itself why.
    if (failedOperation === "delete" || errors.some((error) => error.includes("was not successfully created"))) return undefined;
    const { metadata, spec } = (newInputs ?? {}) as Inputs;
    const { containers = [], initContainers = [] } = spec?.template?.spec ?? {};
    const images = [...initContainers, ...containers].map(({ image }) => image).filter((image) => image !== undefined);
    return explanation({ errors, what, ...metadata, images: [...new Set(images)], path });
  });
