// The difference between the inputs that were sent last and the ones to be sent next, property by property.
import { isObject, type Properties, type Value } from "../rpc/values";

export type Path = (string | number)[];

export interface Change {
  readonly path: Path;
  readonly kind: "add" | "delete" | "update";
}

/** Members of objects and items of lists are compared one by one; the first place that differs as a whole is a change. */
export function changes(before: Value | undefined, after: Value | undefined, path: Path = []): Change[] {
  if (isObject(before) && isObject(after)) {
    const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])];
    return keys.flatMap((key) => changes(before[key], after[key], [...path, key]));
  }
  if (Array.isArray(before) && Array.isArray(after)) {
    const indices = Array.from({ length: Math.max(before.length, after.length) }, (_, index) => index);
    return indices.flatMap((index) => changes(before[index], after[index], [...path, index]));
  }
  if (before === after) return [];
  if (after === undefined) return [{ path, kind: "delete" }];
  return [{ path, kind: before === undefined ? "add" : "update" }];
}

/** As Pulumi writes paths: `spec.ports[1].name`, `metadata.annotations["pulumi.com/waitFor"]`. */
export function formatPath(path: Path): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === "number") return `${text}[${key}]`;
    if (/[."[\]]/.test(key)) return `${text}["${key.replace(/"/g, '\\"')}"]`;
    return text ? `${text}.${key}` : key;
  }, "");
}

/** The other way round; `*` and `[*]` stand for any key. */
export function parsePath(text: string): Path {
  return [...text.matchAll(/\["((?:[^"\\]|\\.)*)"\]|\[(\d+|\*)\]|([^.[\]]+)/g)].map(([, quoted, index, key]) => {
    if (quoted !== undefined) return quoted.replace(/\\"/g, '"');
    if (index !== undefined) return index === "*" ? index : Number(index);
    return key;
  });
}

/** Whether a change is at or below one of the paths. */
export function isCovered(path: Path, by: Path[]): boolean {
  return by.some((pattern) => pattern.length <= path.length && pattern.every((key, index) => key === "*" || key === path[index]));
}

/** The object with another value at a path; undefined takes the value away. Places that are not there stay so. */
export function replaced(object: Properties, path: Path, value: Value | undefined): Properties {
  const copy = structuredClone(object);
  let holder: Value | undefined = copy;
  for (const key of path.slice(0, -1)) {
    holder = Array.isArray(holder) ? holder[Number(key)] : isObject(holder) ? holder[key] : undefined;
  }
  const last = path[path.length - 1];
  if (Array.isArray(holder) && value !== undefined) holder[Number(last)] = value;
  else if (isObject(holder) && last in holder) {
    if (value === undefined) delete holder[last];
    else holder[last] = value;
  }
  return copy;
}
