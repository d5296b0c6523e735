// The provider's own configuration.
import * as messages from "@pulumi/pulumi/proto/provider_pb";
import { equal, fromStruct, hasUnknown, type Properties, reveal } from "../rpc/values";
import { type Choice, connect } from "./kubeconfig";
import { text } from "./objects";
import type { Mutability } from "./replaceKeys";

export interface Settings extends Choice, Mutability {
  readonly namespace?: string;
  readonly enablePatchForce: boolean;
  readonly upsertExistingObjects: boolean;
}

/** Provider settings arrive as text, `true` as well. */
export function settingsFrom(config: Properties): Settings {
  const flag = (name: string) => String(config[name]).toLowerCase() === "true";
  return {
    kubeconfig: text(config, "kubeconfig") || undefined,
    context: text(config, "context") || undefined,
    cluster: text(config, "cluster") || undefined,
    namespace: text(config, "namespace") || undefined,
    enableConfigMapMutable: flag("enableConfigMapMutable"),
    enableSecretMutable: flag("enableSecretMutable"),
    enablePatchForce: flag("enablePatchForce"),
    upsertExistingObjects: flag("upsertExistingObjects"),
  };
}

const WHERE = ["kubeconfig", "context", "cluster"];

/** Another server means other objects: everything has to be made anew there. The same one, described otherwise, does not. */
function isElsewhere(before: Properties, after: Properties): boolean {
  return connect(settingsFrom(before)).server !== connect(settingsFrom(after)).server;
}

export function diffSettings(request: messages.DiffRequest): messages.DiffResponse {
  const before = reveal(fromStruct(request.getOldInputs() ?? request.getOlds()));
  const after = reveal(fromStruct(request.getNews()));
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  const changed = [...names].filter((name) => !["version", "__internal"].includes(name) && !equal(before[name], after[name]));
  const where = changed.filter((name) => WHERE.includes(name));
  const response = new messages.DiffResponse();
  response.setDiffsList(changed);
  const { DIFF_NONE, DIFF_SOME } = messages.DiffResponse.DiffChanges;
  response.setChanges(changed.length ? DIFF_SOME : DIFF_NONE);
  if (where.length && !hasUnknown(after) && isElsewhere(before, after)) response.setReplacesList(where);
  return response;
}
