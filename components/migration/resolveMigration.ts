import * as pulumi from "@pulumi/pulumi";
import { checkResources, ContainerResourcesArgs } from "../common/resources";
import { command, environmentName, imageReference, text, wholeNumber } from "../common/rules";
import { retention } from "../common/schedule";
import { Validation } from "../common/validation";
import { ResolvedDestination, resolveDestination } from "../database/backupDestination";
import { MigrationBackupArgs, MigrationRunArgs } from "./migrationArgs";

export interface ResolvedMigrationBackup {
  destination: ResolvedDestination;
  retention: pulumi.Input<string>;
}

export interface ResolvedMigration {
  image: pulumi.Input<string>;
  command: pulumi.Input<pulumi.Input<string>[]>;
  env: pulumi.Output<Record<string, string>>;
  secretEnv?: pulumi.Input<Record<string, pulumi.Input<string>>>;
  timeoutSeconds: number;
  backoffLimit: pulumi.Input<number>;
  rerun?: pulumi.Input<string>;
  resources: ContainerResourcesArgs;
  lock: boolean;
  backup?: ResolvedMigrationBackup;
  verify?: pulumi.Input<pulumi.Input<string>[]>;
  rollbackCommand?: pulumi.Input<pulumi.Input<string>[]>;
  restoreOnFailure: boolean;
}

/** `image` is what the migration runs in when it names none itself. */
export function resolveMigration(
  args: MigrationRunArgs,
  image: pulumi.Input<string>,
  path: string,
  validation: Validation,
): ResolvedMigration {
  const wayOut = 'give the words of the command that migrates, such as ["sequelize-cli", "db:migrate"]';
  validation.check(`${path}timeoutSeconds`, args.timeoutSeconds, wholeNumber(1, 7 * 24 * 3600));
  if (args.restoreOnFailure && !args.backup)
    validation.problem(`${path}restoreOnFailure`, `needs ${path}backup: there is nothing to bring back without it`);
  if (args.restoreOnFailure && args.rollbackCommand)
    validation.problem(
      `${path}restoreOnFailure`,
      `and ${path}rollbackCommand would both undo the migration: keep one of the two`,
    );
  return {
    image: validation.check(`${path}image`, args.image, imageReference) ?? image,
    command: validation.required(`${path}command`, args.command, command, wayOut)!,
    env: validation.withoutSecrets(
      `${path}env`,
      validation.map(`${path}env`, args.env, environmentName, text),
      `put it into ${path}secretEnv`,
    ),
    secretEnv: validation.map(`${path}secretEnv`, args.secretEnv, environmentName, text),
    timeoutSeconds: args.timeoutSeconds ?? 600,
    backoffLimit: validation.check(`${path}backoffLimit`, args.backoffLimit, wholeNumber(0, 100)) ?? 0,
    rerun: args.rerun,
    resources: checkResources(validation, `${path}resources`, args.resources, { cpu: "100m", memory: "128Mi" }),
    lock: args.lock ?? true,
    backup: args.backup && resolveBackup(args.backup, `${path}backup`, validation),
    verify: validation.check(`${path}verify`, args.verify, command),
    rollbackCommand: validation.check(`${path}rollbackCommand`, args.rollbackCommand, command),
    restoreOnFailure: args.restoreOnFailure ?? false,
  };
}

function resolveBackup(args: MigrationBackupArgs, path: string, validation: Validation): ResolvedMigrationBackup {
  return {
    destination: resolveDestination(args, path, validation),
    retention: validation.check(`${path}.retention`, args.retention, retention) ?? "30d",
  };
}
