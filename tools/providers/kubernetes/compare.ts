// The answer to "what would an update do?".
import * as messages from "@pulumi/pulumi/proto/provider_pb";
import type { Properties } from "../rpc/values";
import { type Change, changes, formatPath, isCovered, parsePath } from "./diff";
import { annotation, annotations, nameOf, namespaceOf } from "./objects";
import { type Mutability, replacementRule } from "./replaceKeys";
import type { Kind } from "./token";

export interface Comparison {
  readonly kind: Kind;
  readonly before: Properties;
  readonly after: Properties;
  readonly ignored: string[];
  readonly settings: Mutability;
  /** The Job has not ended well, and is to be replaced for that. */
  readonly isUnready: boolean;
}

const { Kind: DiffKind } = messages.PropertyDiff;
const KINDS = {
  add: [DiffKind.ADD, DiffKind.ADD_REPLACE],
  delete: [DiffKind.DELETE, DiffKind.DELETE_REPLACE],
  update: [DiffKind.UPDATE, DiffKind.UPDATE_REPLACE],
} as const;

function detail(change: Change, isReplacing: boolean): messages.PropertyDiff {
  const diff = new messages.PropertyDiff().setKind(KINDS[change.kind][isReplacing ? 1 : 0]);
  diff.setInputdiff(change.kind === "delete"); // what is not sent any more may well stay in the live object
  return diff;
}

/** Under the same fixed name there cannot be two objects at a time. */
function deletesFirst(before: Properties, after: Properties): boolean {
  const isAutonamed = annotation(after, annotations.autonamed) === "true";
  return !isAutonamed && nameOf(before) === nameOf(after) && namespaceOf(before) === namespaceOf(after);
}

export function compare({ kind, before, after, ignored, settings, isUnready }: Comparison): messages.DiffResponse {
  const patterns = ignored.map(parsePath);
  const found = changes(before, after).filter(({ path }) => !isCovered(path, patterns));
  const isImmutable = before.immutable === true && after.immutable === true;
  const replaces = replacementRule(kind.kind, kind.isPatch, isImmutable, settings);
  const replacing = found.filter(({ path }) => replaces(path)).map(({ path }) => formatPath(path));
  if (isUnready) replacing.push(`.metadata.annotations["${annotations.replaceUnready}"]`);

  const response = new messages.DiffResponse();
  const { DIFF_NONE, DIFF_SOME } = messages.DiffResponse.DiffChanges;
  response.setChanges(found.length || isUnready ? DIFF_SOME : DIFF_NONE);
  response.setHasdetaileddiff(true);
  for (const change of found) response.getDetaileddiffMap().set(formatPath(change.path), detail(change, replaces(change.path)));
  response.setReplacesList(replacing);
  response.setDeletebeforereplace(replacing.length > 0 && deletesFirst(before, after));
  return response;
}
