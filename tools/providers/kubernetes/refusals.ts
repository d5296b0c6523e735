// Refusals of the API server: which a preview keeps to itself, and what to say about them.
import { UnknownKind } from "./cluster";
import { alreadyExists, ApiError, isMissing, Unreachable } from "./http";

const ADVICE = `

This can happen when:
  - the object belongs to another Pulumi program, or was made by hand: import it, or give this one another name
  - a replacement creates before it deletes: set \`deleteBeforeReplace\` on a resource with a fixed name`;

export function describe(error: unknown): string {
  return (error as Error).message + (alreadyExists(error) ? ADVICE : "");
}

/** Whether what the object needs may still appear: another resource of the same program may be creating it. */
export function isTooEarly(error: unknown): boolean {
  return error instanceof UnknownKind || (isMissing(error) && (error as ApiError).about === "namespaces");
}

export const isForbidden = (error: unknown) => {
  return error instanceof ApiError && error.status === 403 && error.reason === "Forbidden";
};

/** What a dry run cannot see past, and `up` will meet: a name that is taken, something that is created by the same `up`. */
export function isSilentInPreview(error: unknown): boolean {
  return alreadyExists(error) || isForbidden(error) || isTooEarly(error) || error instanceof Unreachable;
}
