// Requests that change the cluster.
import type { Properties } from "../rpc/values";
import { type Cluster, query } from "./cluster";
import { ApiError, isConflict } from "./http";
import { handedOver } from "./managedFields";
import { annotation, annotations, nameOf, namespaceOf, text } from "./objects";
import { CREATOR } from "./naming";
import { isTooEarly } from "./refusals";
import type { Kind } from "./token";

/** One object, where it is in the cluster, and how to write it. */
export interface Target {
  readonly cluster: Cluster;
  readonly kind: Kind;
  readonly object: Properties;
  readonly manager: string;
  /** Take fields that others own. */
  readonly force: boolean;
  /** The API server checks everything and changes nothing. */
  readonly dryRun: boolean;
}

/** Pauses before the attempts to create an object whose namespace or kind is not there yet, in ms. */
const PAUSES = [2_000, 4_000, 8_000, 16_000, 32_000];

function settings(target: Target, more: Record<string, string | boolean> = {}): string {
  return query({ fieldManager: target.manager, fieldValidation: "Warn", dryRun: target.dryRun && "All", ...more });
}

export async function post(target: Target): Promise<Properties> {
  const path = await target.cluster.collection(target.kind, namespaceOf(target.object));
  return target.cluster.request("POST", path + settings({ ...target, manager: CREATOR }), target.object);
}

export async function apply(target: Target): Promise<Properties> {
  const path = await target.cluster.path(target.kind, target.object);
  try {
    return await target.cluster.request("PATCH", path + settings(target, { force: target.force }), target.object, APPLY);
  } catch (error) {
    throw isConflict(error) ? conflict(error as ApiError, target.manager) : error;
  }
}

const APPLY = "application/apply-patch+yaml";
const HELP = "https://www.pulumi.com/registry/packages/kubernetes/how-to-guides/managing-resources-with-server-side-apply/";

function conflict(error: ApiError, manager: string): Error {
  return new Error(
    `server-side apply field conflict detected, see ${HELP} for troubleshooting help\n` +
      `The resource managed by field manager "${manager}" had an apply conflict: ${error.message}`,
  );
}

/** Tries again, within about a minute, when it is too early. */
export async function patiently<T>(
  attempt: () => Promise<T>,
  told: (message: string) => void,
  pause: (ms: number) => Promise<void>,
): Promise<T> {
  for (let tries = 0; ; tries++) {
    try {
      return await attempt();
    } catch (error) {
      if (!isTooEarly(error)) throw error;
      told(`Retry #${tries}; creation failed: ${(error as Error).message}`);
      if (tries === PAUSES.length) throw error;
      await pause(PAUSES[tries]);
    }
  }
}

/**
 * Moves the fields that were written by the creation to the manager of the updates. Controllers write to the object at the
 * same time, so this may take more than one attempt.
 */
export async function handOver(target: Target): Promise<void> {
  const path = await target.cluster.path(target.kind, target.object);
  for (let left = 10; ; left--) {
    const live = await target.cluster.get(path);
    const managedFields = handedOver(live, target.manager);
    if (!managedFields) return;
    const resourceVersion = text(live, "metadata", "resourceVersion");
    const patch = [
      { op: "replace", path: "/metadata/managedFields", value: managedFields },
      { op: "replace", path: "/metadata/resourceVersion", value: resourceVersion },
    ];
    try {
      await target.cluster.request("PATCH", path, patch, "application/json-patch+json");
      return;
    } catch (error) {
      if (!isConflict(error) || left === 0) throw error;
    }
  }
}

/** Gives the fields of a Patch resource back: those that nobody else owns disappear, and must not be ones that the object needs. */
export async function relinquish(target: Target): Promise<void> {
  const { apiVersion, kind } = target.kind;
  const metadata = { name: nameOf(target.object), namespace: namespaceOf(target.object) };
  try {
    await apply({ ...target, object: { apiVersion, kind, metadata }, force: true });
  } catch (error) {
    const causes = error instanceof ApiError ? error.causes : [];
    const required = causes.find((cause) => cause.reason === "FieldValueRequired");
    if (!required) throw error;
    const advice = "Either set the `retainOnDelete` resource option, or transfer ownership of the field before deleting";
    const reason = "this Patch resource is currently managing a required field, so it can't be deleted directly";
    throw new Error(`${reason}. ${advice}: ${text(required, "field")}`, { cause: error });
  }
}

const PROPAGATION: Record<string, string | undefined> = { orphan: "Orphan", background: "Background", foreground: "Foreground" };

export async function remove(target: Target): Promise<void> {
  const wish = annotation(target.object, annotations.deletionPropagation)?.toLowerCase() ?? "foreground";
  const propagationPolicy = PROPAGATION[wish] ?? "Foreground";
  const path = await target.cluster.path(target.kind, target.object);
  await target.cluster.request("DELETE", path, { propagationPolicy });
}
