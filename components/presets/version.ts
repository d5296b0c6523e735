import { Rule } from "../common/validation";

/** The numbers of a version: "2.4.0-rc1" is 2, 4, 0. */
const numbers = (version: string) =>
  version
    .replace(/[-+].*$/, "")
    .split(".")
    .map(Number);

/** Whether a version is a certain one or newer. A preview of a version counts as that version. */
export function atLeast(version: string, other: string): boolean {
  const [ours, theirs] = [numbers(version), numbers(other)];
  const at = theirs.findIndex((part, index) => (ours[index] ?? 0) !== part);
  return at === -1 || (ours[at] ?? 0) > theirs[at];
}

/** A version decides commands, so it has to be one that can be compared, and not older than what is known. */
export const productVersion =
  (oldest: string, newest: string): Rule<string> =>
  (version) => {
    if (typeof version !== "string" || !/^\d+(\.\d+){0,3}([-+][\w.-]+)?$/.test(version))
      return `${JSON.stringify(version)} is not a version: write one like ${JSON.stringify(newest)}, known when the program runs and without "v"`;
    return atLeast(version, oldest)
      ? undefined
      : `${JSON.stringify(version)} is older than ${oldest}, the oldest that is known here: take a newer one, or write the arguments of PostgresApp yourself`;
  };
