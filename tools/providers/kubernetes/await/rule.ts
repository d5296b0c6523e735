// What "ready" means for one kind of object.
import type { Properties } from "../../rpc/values";

export type Verdict =
  | { readonly ready: true; readonly status?: string }
  | { readonly ready: false; readonly status?: string; readonly failure?: string };

/** Everything a rule may look at. */
export interface Observation {
  readonly object: Properties;
  /** The rule's other objects (see `related`). */
  readonly others: Properties[];
  /** Since the object was written, in seconds; a refresh has waited forever. */
  readonly seconds: number;
  /** Whether the resource was there before the object was written. A Patch resource is not when it is made, whatever the object is. */
  readonly isUpdate: boolean;
}

export interface Rule {
  /** Label selector of the object's Pods, whose messages belong into an error. */
  pods?(object: Properties): string | undefined;
  /** Path of a list or of one object that the rule needs to know. */
  related?(object: Properties): string | undefined;
  judge(observation: Observation): Verdict;
  /** Why the object is still not ready at the end of the time, beside what its Pods say. */
  explain?(observation: Observation): string[];
  /** Pods come and go while the object works, and what any of them has said matters. */
  readonly remembersPods?: boolean;
  /** Seconds to wait at most, whatever the program says. */
  readonly limit?: number;
  /** A refresh takes the object as it is. */
  readonly onlyAfterWriting?: boolean;
}

export const READY: Verdict = { ready: true };

export function waiting(status?: string): Verdict {
  return { ready: false, status };
}

export function labelSelector(labels: unknown): string | undefined {
  if (typeof labels !== "object" || labels === null) return undefined;
  return Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(",");
}
