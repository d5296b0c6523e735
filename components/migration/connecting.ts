import * as pulumi from "@pulumi/pulumi";
import { MigrationJobArgs } from "./migrationArgs";

const databases = new WeakMap<MigrationJobArgs, pulumi.Resource[]>();

/**
 * Says after what a migration can connect, where another component makes its Job. Its start Job connects to nothing: it runs while the
 * database is still being made.
 */
export function connectingAfter(args: MigrationJobArgs, ready: pulumi.Resource[]): MigrationJobArgs {
  databases.set(args, ready);
  return args;
}

export const databaseOf = (args: MigrationJobArgs): pulumi.Resource[] => databases.get(args) ?? [];
