// What the rest of the provider needs to know about the shape of a Kubernetes object.
import { isObject, type Properties, type Value } from "../rpc/values";

export interface Metadata extends Properties {
  name: string;
}

export const annotations = {
  autonamed: "pulumi.com/autonamed",
  deletionPropagation: "pulumi.com/deletionPropagationPolicy",
  patchFieldManager: "pulumi.com/patchFieldManager",
  patchForce: "pulumi.com/patchForce",
  replaceUnready: "pulumi.com/replaceUnready",
  skipAwait: "pulumi.com/skipAwait",
  timeoutSeconds: "pulumi.com/timeoutSeconds",
  waitFor: "pulumi.com/waitFor",
} as const;

/** The value at a path of keys, undefined where there is none. */
export function at(value: Value | undefined, ...path: (string | number)[]): Value | undefined {
  let found: Value | undefined = value;
  for (const key of path) {
    if (Array.isArray(found)) found = found[Number(key)];
    else found = isObject(found) ? found[key] : undefined;
  }
  return found;
}

/** The same as text; empty where there is none. */
export function text(value: Value | undefined, ...path: (string | number)[]): string {
  const found = at(value, ...path);
  return typeof found === "string" ? found : "";
}

export function count(value: Value | undefined, ...path: string[]): number {
  return Number(at(value, ...path) ?? 0);
}

/** The entries of a list of objects; none where there is no list. */
export function items(value: Value | undefined, ...path: string[]): Properties[] {
  const found = at(value, ...path);
  return Array.isArray(found) ? found.filter(isObject) : [];
}

export function annotation(object: Properties, name: string): string | undefined {
  return text(object, "metadata", "annotations", name) || undefined;
}

export function isTrue(object: Properties, name: string): boolean {
  return annotation(object, name)?.toLowerCase() === "true";
}

export function condition(object: Properties, type: string): Properties | undefined {
  return items(object, "status", "conditions").find((entry) => entry.type === type);
}

export function nameOf(object: Properties): string {
  return text(object, "metadata", "name");
}

export function namespaceOf(object: Properties): string {
  return text(object, "metadata", "namespace");
}

/** `namespace/name`, or the name alone outside namespaces: also the id in Pulumi's state. */
export function qualifiedName(object: Properties): string {
  return [namespaceOf(object), nameOf(object)].filter(Boolean).join("/");
}

/** The object with one more entry in its metadata; the object itself stays as it is. */
export function withMetadata(object: Properties, entries: Properties): Properties {
  const metadata = isObject(object.metadata) ? object.metadata : {};
  return { ...object, metadata: { ...metadata, ...entries } };
}
