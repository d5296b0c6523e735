// Inputs in the one form that is compared, sent and recorded.
import { isObject, isUnknown, type Properties, secret } from "../rpc/values";
import { randomHex } from "./naming";
import { annotation, annotations, at, nameOf, text, withMetadata } from "./objects";
import { logicalName } from "./token";

/** A Secret's `stringData` is the same as `data` in Base64, and wins where both have a key. */
export function normalise(inputs: Properties): Properties {
  if (inputs.kind !== "Secret" || !isObject(inputs.stringData)) return inputs;
  const { stringData, ...rest } = inputs;
  const encoded = Object.entries(stringData as Properties).map(([key, value]) => {
    return [key, isUnknown(value) ? value : Buffer.from(String(value)).toString("base64")];
  });
  const data = isObject(rest.data) ? rest.data : {};
  return { ...rest, data: { ...data, ...Object.fromEntries(encoded) } };
}

/** A Secret's content is secret, whatever the program says. */
export function markSecrets(kind: string, object: Properties): Properties {
  if (kind !== "Secret") return object;
  const marked = { ...object };
  for (const name of ["data", "stringData"]) if (marked[name] !== undefined) marked[name] = secret(marked[name]);
  return marked;
}

/**
 * An object without a name gets the resource's and a random suffix, and keeps it as long as it is not replaced.
 * The annotation tells the next `diff` that a replacement will have another name.
 */
export function named(inputs: Properties, oldInputs: Properties, urn: string): Properties {
  if (at(inputs, "metadata", "name") !== undefined || isUnknown(inputs.metadata)) return inputs;
  const isNew = Object.keys(oldInputs).length === 0;
  if (!isNew && annotation(oldInputs, annotations.autonamed) !== "true") return inputs;
  const given = at(inputs, "metadata", "annotations");
  const name = isNew ? `${logicalName(urn).toLowerCase()}-${randomHex()}` : nameOf(oldInputs);
  return withMetadata(inputs, { name, annotations: { ...(isObject(given) ? given : {}), [annotations.autonamed]: "true" } });
}

/** What cannot work with any cluster; thrown as the official plugin does, not reported as a property's failure. */
export function refuse(inputs: Properties, isPatch: boolean): void {
  if (text(inputs, "metadata", "generateName")) {
    throw new Error("the `.metadata.generateName` field is not supported in Server-Side Apply mode");
  }
  if (isPatch && at(inputs, "metadata", "name") === undefined) {
    throw new Error("patch resources require the `.metadata.name` field to be set");
  }
}
