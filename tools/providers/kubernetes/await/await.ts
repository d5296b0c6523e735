// Waiting until an object is as its kind's rule wants it, or gone.
import type { Properties } from "../../rpc/values";
import type { Cluster } from "../cluster";
import { isMissing, Unreachable } from "../http";
import { annotation, annotations, isTrue, items, nameOf } from "../objects";
import type { Kind } from "../token";
import { job } from "./job";
import { claim, ingress, service } from "./network";
import { PodNotes } from "./notes";
import type { Observation, Rule } from "./rule";
import { waitForRule } from "./waitFor";
import { daemonSet, deployment, pod, statefulSet } from "./workloads";

const RULES: Record<string, Rule | undefined> = {
  "apps/v1/DaemonSet": daemonSet,
  "apps/v1/Deployment": deployment,
  "apps/v1/StatefulSet": statefulSet,
  "batch/v1/Job": job,
  "networking.k8s.io/v1/Ingress": ingress,
  "v1/PersistentVolumeClaim": claim,
  "v1/Pod": pod,
  "v1/Service": service,
};

/** An object is looked at this often, in ms: seldom enough for the API server, often enough not to be what an `up` waits for. */
const INTERVAL = 150;
const DEFAULT_TIMEOUT = 600;

export interface Wait {
  readonly cluster: Cluster;
  readonly kind: Kind;
  /** The object as it was written. */
  readonly object: Properties;
  /** From `customTimeouts`, in seconds; 0 where the program says nothing. */
  readonly timeout: number;
  readonly isUpdate: boolean;
  readonly signal: AbortSignal;
  status(message: string): void;
}

/** What became of it, with the reasons when it is not ready. */
export interface Outcome {
  readonly object: Properties;
  readonly reasons: string[];
}

/** Ends early, and quietly, when the engine cancels. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done, { once: true });
    if (signal.aborted) done();
  });
}

export function seconds(wait: Pick<Wait, "timeout" | "object">): number {
  return wait.timeout || Number(annotation(wait.object, annotations.timeoutSeconds)) || DEFAULT_TIMEOUT;
}

function ruleFor({ kind, object }: Wait): Rule | undefined {
  if (isTrue(object, annotations.skipAwait)) return undefined;
  const wish = annotation(object, annotations.waitFor);
  return wish ? waitForRule(wish) : RULES[`${kind.apiVersion}/${kind.kind}`];
}

async function othersOf(wait: Wait, rule: Rule, object: Properties): Promise<Properties[]> {
  const path = rule.related?.(object);
  if (!path) return [];
  const found = await wait.cluster.get(path).catch((error) => {
    if (isMissing(error)) return {};
    throw error;
  });
  return "items" in found ? items(found, "items") : [found];
}

interface Attempt {
  readonly wait: Wait;
  readonly rule: Rule;
  readonly notes: PodNotes;
  readonly path: string;
}

/** One look at the object: undefined while the wait goes on. */
async function look(
  attempt: Attempt,
  elapsed: number,
  isFirst: boolean,
  told: (status?: string) => void,
): Promise<Outcome | undefined> {
  const { wait, rule, notes } = attempt;
  const object = await wait.cluster.get(attempt.path);
  const observation = { object, others: await othersOf(wait, rule, object), seconds: elapsed, isUpdate: wait.isUpdate };
  const verdict = rule.judge(observation);
  told(verdict.status);
  const name = nameOf(object);
  if (verdict.ready) return { object, reasons: [] };
  // An object that has failed before is not asked again what its Pods said then; a refresh does that.
  if (verdict.failure)
    return { object, reasons: [notInitialized(name), ...(isFirst ? [] : await notes.look(object)), verdict.failure] };
  if (wait.signal.aborted) return { object, reasons: [`Resource operation was cancelled for '${name}'`] };
  if (elapsed < limit(wait, rule)) return undefined;
  if (annotation(object, annotations.waitFor)) return { object, reasons: ["timed out waiting for the condition"] };
  return {
    object,
    reasons: [`'${name}' timed out waiting to be Ready`, ...explain(rule, observation), ...(await notes.look(object))],
  };
}

export async function untilReady(wait: Wait): Promise<Outcome> {
  const rule = ruleFor(wait);
  if (!rule) return { object: wait.object, reasons: [] };
  const path = await wait.cluster.path(wait.kind, wait.object);
  const notes = new PodNotes(wait.cluster, rule, wait.object, wait.status);
  const over = new AbortController();
  void notes.follow(over.signal);
  const begun = Date.now();
  let last: string | undefined;
  const told = (status?: string) => {
    if (status && status !== last) wait.status(status);
    last = status;
  };
  try {
    for (let isFirst = true; ; isFirst = false) {
      const elapsed = (Date.now() - begun) / 1000;
      const outcome = await look({ wait, rule, notes, path }, elapsed, isFirst, told).catch((error) => {
        // The API server may be away for a moment, while it is updated for instance.
        if (error instanceof Unreachable && elapsed < limit(wait, rule) && !wait.signal.aborted) return undefined;
        throw error;
      });
      if (outcome) return outcome;
      await pause(Math.min(INTERVAL, Math.max(0, (limit(wait, rule) - elapsed) * 1000)), wait.signal);
    }
  } finally {
    over.abort();
  }
}

function limit(wait: Wait, rule: Rule): number {
  return rule.limit ?? seconds(wait);
}

function explain(rule: Rule, observation: Observation): string[] {
  return rule.explain?.(observation) ?? [];
}

function notInitialized(name: string): string {
  return `Resource '${name}' was created but failed to initialize`;
}

/** One look at an object that is there already, for a refresh. */
export async function readiness(wait: Wait): Promise<string[]> {
  const rule = ruleFor(wait);
  const { object } = wait;
  if (!rule || rule.onlyAfterWriting || annotation(object, annotations.waitFor)) return [];
  const observation = { object, others: await othersOf(wait, rule, object), seconds: Infinity, isUpdate: true };
  const verdict = rule.judge(observation);
  if (verdict.ready) return [];
  const said = await new PodNotes(wait.cluster, rule, object, wait.status).look(object);
  const failure = verdict.failure ? [verdict.failure] : explain(rule, observation);
  return [notInitialized(nameOf(object)), ...failure, ...said];
}

/** Whether a Job has come to its end, for `pulumi.com/replaceUnready`. */
export function isReady(kind: Kind, object: Properties): boolean {
  const rule = RULES[`${kind.apiVersion}/${kind.kind}`];
  return rule?.judge({ object, others: [], seconds: Infinity, isUpdate: true }).ready ?? true;
}

/** Waits until the object, and with the foreground policy everything it owns, is gone. */
export async function untilGone(wait: Wait): Promise<void> {
  const path = await wait.cluster.path(wait.kind, wait.object);
  const uid = (wait.object.metadata as Properties).uid;
  const begun = Date.now();
  for (;;) {
    const found = await wait.cluster.get(path).catch((error) => {
      if (isMissing(error)) return undefined;
      throw error;
    });
    if (!found || (found.metadata as Properties).uid !== uid) return;
    const name = nameOf(wait.object);
    if (wait.signal.aborted) throw new Error(`Resource operation was cancelled for '${name}'`);
    if ((Date.now() - begun) / 1000 >= seconds(wait)) throw new Error(`'${name}' timed out waiting to be deleted`);
    await pause(INTERVAL, wait.signal);
  }
}
