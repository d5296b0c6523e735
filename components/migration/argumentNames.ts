import { MigrationJobArgs } from "./migrationArgs";

/** Where the arguments of a migration stand in the user's program, for messages. */
export interface ArgumentNames {
  /** Before its own: "migration.". */
  prefix: string;
  /** Before those that it has from another migration: image and resources. */
  shared: string;
  /** Of its backup. */
  backup: string;
  /** What decides which programs of Postgres are used. */
  client: string;
}

/** What has not happened when a migration does not begin. After the rollout the new version is there all the same. */
export const notBegun = ({ prefix }: Pick<ArgumentNames, "prefix">): string =>
  prefix === POST_DEPLOY ? "postDeploy did not begin, and the new version goes on" : "nothing was migrated";

/** Where the arguments stand of what runs after the rollout. */
export const POST_DEPLOY = "migration.postDeploy.";

const elsewhere = new WeakMap<MigrationJobArgs, ArgumentNames>();

/** Says where the arguments of a MigrationJob that another component makes really stand. */
export function standingAt(args: MigrationJobArgs, names: ArgumentNames): MigrationJobArgs {
  elsewhere.set(args, names);
  return args;
}

export const namesOf = (args: MigrationJobArgs): ArgumentNames =>
  elsewhere.get(args) ?? { prefix: "", shared: "", backup: "backup", client: "clientImage" };
