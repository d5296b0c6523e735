// What a resource's URN says about the object behind it: `kubernetes:apps/v1:StatefulSet`.
import type { Properties } from "../rpc/values";

export interface Kind {
  readonly apiVersion: string;
  readonly kind: string;
  /** A resource that owns some fields of an object that somebody else manages. */
  readonly isPatch: boolean;
}

export function typeOf(urn: string): string {
  return urn.split("::")[2].split("$").pop()!;
}

/** The program's name of the resource. */
export function logicalName(urn: string): string {
  return urn.split("::").slice(3).join("::");
}

/** The inputs name the object's kind; only an import comes without. */
export function kindOf(urn: string, inputs: Properties): Kind {
  const [, module, type] = typeOf(urn).split(":");
  const patched = type.endsWith("Patch") ? type.slice(0, -"Patch".length) : undefined;
  const apiVersion = String(inputs.apiVersion ?? module.replace(/^core\//, ""));
  const kind = String(inputs.kind ?? patched ?? type);
  return { apiVersion, kind, isPatch: kind === patched };
}
