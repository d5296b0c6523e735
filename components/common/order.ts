import * as pulumi from "@pulumi/pulumi";
import { contentHash, hashOf } from "./contentHash";
import { beforeChange, beforeUpdate, known } from "./hooks";
import { withoutEmpty } from "./withoutEmpty";

/**
 * With --target and --exclude Pulumi answers for what is left out with what the state has, and goes on with what depends on it: there an
 * edge is no order. So an object that others come after says what it is made for, in its own metadata, where that changes neither pods
 * nor what a Job is; and those others compare it, in a hook, with what the program wants.
 */
const MADE_FOR = "pulumi-postgres-app/made-for";

/** The annotation. */
export const madeFor = (identity: pulumi.Input<unknown>): Record<string, pulumi.Output<string>> => ({
  [MADE_FOR]: hashOf(identity),
});

/** What is read of a status. */
interface Status {
  conditions?: { type: string; status: string }[];
  currentRevision?: string;
  updateRevision?: string;
  replicas?: number;
  updatedReplicas?: number;
}

/** Something that others come after. */
export interface Earlier {
  object: pulumi.CustomResource & {
    metadata: pulumi.Output<{ annotations: Record<string, string> }>;
    status?: pulumi.Output<Status>;
  };
  /** What makes it what the program wants; it is made for that. */
  identity: pulumi.Input<unknown>;
  /** What the object has in that place. */
  actual: pulumi.Output<unknown>;
  /** Whether it has come to its end, as far as its status says; undefined where there is none. */
  isDone?: (status: Status | undefined) => boolean | undefined;
  /** What is wrong when it is not there, is for something else, or has not come to its end. */
  words: { missing: string; other: string; unfinished?: string };
  /** What --target takes it in with. */
  targets: string;
}

/** What is known of it while others are about to change. */
export interface Seen {
  exists: boolean;
  /** Undefined while either side is not known. */
  isWanted?: boolean;
  isDone?: boolean;
}

/**
 * What is out of order. In a preview what will be created does not exist yet, what is left out and does not exist looks the same, and what
 * will be corrected still has its former status.
 */
export function outOfOrder({ exists, isWanted, isDone }: Seen, preview: boolean): keyof Earlier["words"] | undefined {
  if (preview) return isWanted === false ? "other" : undefined;
  if (!exists) return "missing";
  if (!isWanted) return "other";
  return isDone === false ? "unfinished" : undefined;
}

async function see({ object, identity, actual, isDone }: Earlier): Promise<Seen> {
  const [id, metadata, status, wanted, has] = await Promise.all([
    known(object.id),
    known(object.metadata),
    known(object.status),
    known(pulumi.output(identity) as pulumi.Output<unknown>),
    known(actual),
  ]);
  const annotations = metadata?.annotations ?? {};
  const isAwaited = annotations["pulumi.com/skipAwait"] !== "true";
  return {
    exists: id !== undefined,
    isWanted: isMadeFor(annotations, wanted, has),
    isDone: isAwaited ? isDone?.(status) : undefined,
  };
}

/**
 * The annotation says so whatever `transforms` have made of the object since. Where they or `ignoreChanges` keep it from being there, and in
 * what an earlier version of this package made, the object itself does.
 */
export function isMadeFor(annotations: Record<string, string>, wanted: unknown, actual: unknown): boolean | undefined {
  if (wanted === undefined) return undefined;
  if (annotations[MADE_FOR] === contentHash(wanted)) return true;
  return actual === undefined ? undefined : contains(actual, withoutEmpty(wanted));
}

/** The API server adds defaults, and never takes anything away. Lists have as many entries as they were given. */
function contains(actual: unknown, wanted: unknown): boolean {
  if (wanted === undefined || wanted === null) return true;
  if (typeof wanted !== "object") return actual === wanted;
  if (typeof actual !== "object" || actual === null) return false;
  if (Array.isArray(wanted) && wanted.length !== (actual as unknown[]).length) return false;
  return Object.entries(wanted).every(([key, one]) => contains((actual as Record<string, unknown>)[key], one));
}

/** Hooks of what comes after these: it is neither created nor updated while one of them is out of order. `spared` is what has not happened then. */
export const onlyAfter = (name: string, spared: string, earlier: Earlier[]): pulumi.ResourceHookBinding | undefined =>
  earlier.length === 0 ? undefined : beforeChange(name, () => throwIfOutOfOrder(spared, earlier));

/** The same of what may be created in any case. */
export const updatedOnlyAfter = (name: string, spared: string, earlier: Earlier[]): pulumi.ResourceHookBinding | undefined =>
  earlier.length === 0 ? undefined : beforeUpdate(name, () => throwIfOutOfOrder(spared, earlier));

async function throwIfOutOfOrder(spared: string, earlier: Earlier[]): Promise<void> {
  for (const one of earlier) {
    const wrong = outOfOrder(await see(one), pulumi.runtime.isDryRun());
    if (wrong) throw new Error(refusal(spared, one, wrong));
  }
}

export const refusal = (spared: string, { words, targets }: Pick<Earlier, "words" | "targets">, wrong: keyof Earlier["words"]) =>
  `${spared}: ${words[wrong]}, and --target or --exclude leaves it out of this operation. Run \`pulumi up\` without them, or have it taken in too: --target '${targets}'`;

/** Of a Job. One that nobody waits for has no status. */
export function isComplete(status: Status | undefined): boolean | undefined {
  if (!status || Object.keys(status).length === 0) return undefined;
  return (status.conditions ?? []).some((condition) => condition.type === "Complete" && condition.status === "True");
}

/** Of a StatefulSet, which has revisions, or a Deployment: all pods have been replaced. It stays so while their number changes. */
export function isRolledOut(status: Status | undefined): boolean | undefined {
  if (!status) return undefined;
  const { currentRevision, updateRevision, replicas = 0, updatedReplicas = 0 } = status;
  return updateRevision === undefined ? updatedReplicas === replicas : currentRevision === updateRevision;
}
