// Values as the engine sends them: plain JSON, in which secrets and not yet known values are marked by well-known strings.
import { Struct } from "google-protobuf/google/protobuf/struct_pb";

export type Value = null | boolean | number | string | Value[] | Properties;
export interface Properties {
  [key: string]: Value;
}

const SIGNATURE = "4dabf18193072939515e22adb298388d";
const SECRET = "1b47061264138c4ac30d75fd1eb44270";
/** A value that is not known before `up`. */
export const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
/** One string for each type of value; the Node SDK sends the first one only. */
const UNKNOWN = new Set([
  unknown,
  "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
  "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
  "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
  "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
]);

export function isObject(value: unknown): value is Properties {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isSecret(value: Value): value is { [SIGNATURE]: string; value: Value } {
  return isObject(value) && value[SIGNATURE] === SECRET;
}

/** The value, marked as a secret; marking twice is the same as once. */
export function secret(value: Value): Value {
  return isSecret(value) ? value : { [SIGNATURE]: SECRET, value };
}

export function fromStruct(struct: Struct | undefined): Properties {
  return (struct?.toJavaScript() as Properties | undefined) ?? {};
}

/** What JSON cannot say (undefined) is left out on the way. */
export function toStruct(properties: object): Struct {
  return Struct.fromJavaScript(JSON.parse(JSON.stringify(properties)));
}

/** The value without secret marks and without nulls, which the engine sends for absent properties. */
export function reveal<T extends Value>(value: T): T {
  if (isSecret(value)) return reveal(value.value as T);
  if (Array.isArray(value)) return value.map(reveal) as T;
  if (!isObject(value)) return value;
  const kept = Object.entries(value).filter(([, member]) => member !== null);
  return Object.fromEntries(kept.map(([key, member]) => [key, reveal(member)])) as T;
}

/** Marks in `value` whatever is secret in `like`, at the same places. */
export function markLike(value: Value, like: Value | undefined): Value {
  if (like === undefined) return value;
  if (isSecret(like)) return secret(value);
  if (Array.isArray(value) && Array.isArray(like)) return value.map((item, index) => markLike(item, like[index]));
  if (isObject(value) && isObject(like) && !isSecret(value)) {
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, markLike(member, like[key])]));
  }
  return value;
}

export function isUnknown(value: Value | undefined): boolean {
  return typeof value === "string" && UNKNOWN.has(value);
}

export function hasUnknown(value: Value): boolean {
  if (Array.isArray(value)) return value.some(hasUnknown);
  return isObject(value) ? Object.values(value).some(hasUnknown) : isUnknown(value);
}

/** Equality of JSON values; the order of an object's keys does not matter. */
export function equal(a: Value | undefined, b: Value | undefined): boolean {
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((item, index) => equal(item, b[index]));
  if (isObject(a) && isObject(b)) {
    const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
    return [...keys].every((key) => equal(a[key], b[key]));
  }
  return a === b;
}
