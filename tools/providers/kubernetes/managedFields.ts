// Who owns which field of a live object, as the API server writes it down in `metadata.managedFields`.
import { isObject, type Properties, type Value } from "../rpc/values";
import type { Path } from "./diff";
import { at, items } from "./objects";
import { CREATOR } from "./naming";

/** Managers that set fields on the user's behalf without server-side apply; the first update takes their fields over. */
const CLIENT_SIDE = new Set([CREATOR, "pulumi-resource-kubernetes", "kubectl", "kubectl-client-side-apply", "kubectl-create"]);
const EDITORS = new Set(["kubectl-edit", "kubectl-patch", "before-first-apply"]);

function isTakenOver(entry: Properties): boolean {
  const manager = String(entry.manager);
  return entry.operation === "Update" && !entry.subresource && (CLIENT_SIDE.has(manager) || EDITORS.has(manager));
}

/** Field sets are trees of keys. */
function union(a: Value | undefined, b: Value | undefined): Properties {
  const merged: Properties = { ...(isObject(a) ? a : {}) };
  for (const [key, below] of Object.entries(isObject(b) ? b : {})) merged[key] = union(merged[key], below);
  return merged;
}

/**
 * The list with the fields of client-side managers handed over to `manager`, undefined when there is nothing to hand over.
 * Without this the first server-side apply would leave fields that are no longer in the program owned by the creator for good.
 */
export function handedOver(live: Properties, manager: string): Properties[] | undefined {
  const all = items(live, "metadata", "managedFields");
  const taken = all.filter(isTakenOver);
  if (taken.length === 0) return undefined;
  const isOurs = (entry: Properties) => entry.manager === manager && entry.operation === "Apply" && !entry.subresource;
  const rest = all.filter((entry) => !isTakenOver(entry) && !isOurs(entry));
  const ours = [...all.filter(isOurs), ...taken];
  const fieldsV1 = ours.map((entry) => entry.fieldsV1).reduce<Properties>(union, {});
  return [...rest, { ...taken[0], ...ours[0], manager, operation: "Apply", fieldsV1 }];
}

/** Whether somebody else owns the field; list items are not told apart. */
export function ownedByOthers(live: Properties, path: Path, manager: string): boolean {
  const keys = path.filter((key) => typeof key === "string" && key !== "*").map((key) => `f:${key}`);
  const others = items(live, "metadata", "managedFields").filter((entry) => entry.manager !== manager && !isTakenOver(entry));
  return others.some((entry) => at(entry.fieldsV1, ...keys) !== undefined);
}
