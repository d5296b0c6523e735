// What Pulumi's state keeps about an object: the live object, and beside it the inputs that were sent last.
import { fromStruct, isObject, markLike, type Properties, reveal, type Value } from "../rpc/values";
import { markSecrets } from "./normalise";
import { text } from "./objects";
import type { Struct } from "google-protobuf/google/protobuf/struct_pb";

/** The outputs of a resource. `given` are the inputs with their secret marks, which the live object does not have. */
export function record(live: Properties, given: Properties, manager: string, old: Properties = {}): Properties {
  const kind = text(live, "kind");
  const inputs = markSecrets(kind, given);
  return {
    ...markSecrets(kind, markLike(live, given) as Properties),
    __fieldManager: manager,
    __initialApiVersion: old.__initialApiVersion ?? live.apiVersion,
    __inputs: inputs,
  };
}

export interface Recorded {
  readonly state: Properties;
  /** The inputs that were sent last, without marks. Not always the engine's: after a timeout it keeps the ones before. */
  readonly inputs: Properties;
  /** The same with secret marks. */
  readonly marked: Properties;
}

export function recorded(outputs: Struct | undefined, engineInputs: Struct | undefined): Recorded {
  const state = fromStruct(outputs);
  const marked = isObject(state.__inputs) ? state.__inputs : fromStruct(engineInputs);
  return { state: reveal(state), inputs: reveal(marked), marked };
}

/** The live values of what the inputs name, and nothing else: defaults and other people's fields are no changes. */
export function prune(live: Value, inputs: Value): Value {
  if (isObject(live) && isObject(inputs)) {
    const kept = Object.keys(inputs).filter((key) => key in live);
    return Object.fromEntries(kept.map((key) => [key, prune(live[key], inputs[key])]));
  }
  if (Array.isArray(live) && Array.isArray(inputs)) {
    return live.map((item, index) => (index < inputs.length ? prune(item, inputs[index]) : item));
  }
  return live;
}

const SERVER_MADE = ["creationTimestamp", "generation", "managedFields", "resourceVersion", "selfLink", "uid"];

/** The inputs that would have made an object that is imported. */
export function adopted(live: Properties): Properties {
  const own = Object.entries(live.metadata as Properties).filter(([key]) => !SERVER_MADE.includes(key));
  const entries = Object.entries(live).filter(([key]) => key !== "status");
  return { ...Object.fromEntries(entries), metadata: Object.fromEntries(own) };
}
