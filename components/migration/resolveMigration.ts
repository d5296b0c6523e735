import * as pulumi from "@pulumi/pulumi";
import { checkResources, ContainerResourcesArgs } from "../common/resources";
import { command, environmentName, imageReference, quantity, text, wholeNumber } from "../common/rules";
import { retention } from "../common/schedule";
import { Validation } from "../common/validation";
import { ResolvedDestination, resolveDestination } from "../database/backupDestination";
import { MigrationBackupArgs, MigrationRehearsalArgs, MigrationRunArgs } from "./migrationArgs";

export interface ResolvedMigrationBackup {
  destination: ResolvedDestination;
  retention: pulumi.Input<string>;
}

export interface ResolvedRehearsal {
  allowDestructive: pulumi.Input<boolean>;
  image?: pulumi.Input<string>;
  uid?: pulumi.Input<number>;
  storage?: pulumi.Input<string>;
  resources: ContainerResourcesArgs;
  timeoutSeconds: number;
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
  pending?: pulumi.Input<pulumi.Input<string>[]>;
  approval?: pulumi.Input<string>;
  rehearsal?: ResolvedRehearsal;
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
  if (args.approval !== undefined && args.pending === undefined)
    validation.problem(
      `${path}approval`,
      `needs ${path}pending, the command whose list is approved: add it, such as ["sequelize-cli", "db:migrate:status"]`,
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
    pending: validation.check(`${path}pending`, args.pending, command),
    approval: validation.check(`${path}approval`, args.approval, approvalHash),
    rehearsal: args.rehearsal && resolveRehearsal(args.rehearsal, args.timeoutSeconds ?? 600, `${path}rehearsal`, validation),
  };
}

const approvalHash = (value: string) =>
  typeof value === "string" && /^([0-9a-f]{12})?$/.test(value)
    ? undefined
    : `${JSON.stringify(value)} is no hash of a list: write the 12 hex digits that the refusal shows, in quotes, or "" to be shown them`;

function resolveRehearsal(
  args: MigrationRehearsalArgs,
  timeoutSeconds: number,
  path: string,
  validation: Validation,
): ResolvedRehearsal {
  validation.check(`${path}.timeoutSeconds`, args.timeoutSeconds, wholeNumber(1, 7 * 24 * 3600));
  return {
    allowDestructive: args.allowDestructive ?? false,
    image: validation.check(`${path}.image`, args.image, imageReference),
    uid: validation.check(`${path}.runAsUser`, args.runAsUser, wholeNumber(1)),
    storage: validation.check(`${path}.storage`, args.storage, quantity),
    resources: checkResources(validation, `${path}.resources`, args.resources, { cpu: "100m", memory: "256Mi" }),
    timeoutSeconds: args.timeoutSeconds ?? timeoutSeconds,
  };
}

function resolveBackup(args: MigrationBackupArgs, path: string, validation: Validation): ResolvedMigrationBackup {
  return {
    destination: resolveDestination(args, path, validation),
    retention: validation.check(`${path}.retention`, args.retention, retention) ?? "30d",
  };
}
