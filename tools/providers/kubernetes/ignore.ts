// `ignoreChanges`: what an update sends for the properties that it must leave alone.
import type { Properties } from "../rpc/values";
import { parsePath, replaced } from "./diff";
import { at } from "./objects";
import { ownedByOthers } from "./managedFields";

/**
 * Server-side apply takes away what is not sent, so a field of ours is sent with its live value; a field that has become
 * somebody else's is not sent, which leaves it to them without a conflict.
 */
export function leavingAlone(inputs: Properties, live: Properties, ignored: string[], manager: string): Properties {
  return ignored.map(parsePath).reduce((result, path) => {
    if (at(result, ...path) === undefined) return result;
    return replaced(result, path, ownedByOthers(live, path, manager) ? undefined : at(live, ...path));
  }, inputs);
}
