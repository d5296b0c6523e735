import { MigrationJobArgs } from "./migrationArgs";

const alone = new WeakMap<MigrationJobArgs, string>();

/** Arguments of a MigrationJob that only finds out what it would do, beside the one that does it: `suffix` tells them apart. */
export function onlyPlanned(args: MigrationJobArgs, suffix: string): MigrationJobArgs {
  const own = { ...args };
  alone.set(own, suffix);
  return own;
}

export const suffixOfPlan = (args: MigrationJobArgs) => alone.get(args);
