import * as pulumi from "@pulumi/pulumi";
import { types } from "@pulumi/kubernetes";
import { ClusterRules } from "../common/clusterRules";
import { checkCommand, requiredCommand } from "../common/commands";
import { resolveEnvFrom } from "../common/envFrom";
import { checkResources, ContainerResourcesArgs } from "../common/resources";
import { environmentName, imageReference, kubernetesName, quantity, text, wholeNumber } from "../common/rules";
import { retention } from "../common/schedule";
import { Validation } from "../common/validation";
import { ResolvedDestination, resolveDestination } from "../database/backupDestination";
import { resolveFiles, ResolvedFiles } from "./files";
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
  existingSecretEnv?: pulumi.Input<Record<string, pulumi.Input<string>>>;
  envFrom: types.input.core.v1.EnvFromSource[];
  files: ResolvedFiles;
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
  goBackTo?: pulumi.Input<string>;
  /** Whether it is the release that is gone back to, for which nothing is run. */
  goBack: pulumi.Output<boolean>;
}

/** `image` is what the migration runs in when it names none itself. */
export function resolveMigration(
  args: MigrationRunArgs,
  image: pulumi.Input<string>,
  path: string,
  validation: Validation,
  rules: ClusterRules,
): ResolvedMigration {
  const wayOut = 'give the words of the command that migrates, such as ["sequelize-cli", "db:migrate"]';
  const secrets = secretsOf(path);
  validation.check(`${path}timeoutSeconds`, args.timeoutSeconds, wholeNumber(1, 7 * 24 * 3600));
  refuseContradictions(args, path, validation);
  const own = validation.check(`${path}image`, args.image, imageReference) ?? image;
  const goBackTo = validation.check(`${path}goBackTo`, args.goBackTo, imageReference);
  if (typeof own === "string" && typeof goBackTo === "string" && isTagOf(goBackTo, own))
    validation.problem(`${path}goBackTo`, `is a part of the image's name: write all of it, ${JSON.stringify(own)}`);
  return {
    image: own,
    goBackTo,
    goBack: pulumi.all([own, goBackTo]).apply(([which, to]) => which === to),
    command: requiredCommand(validation, `${path}command`, args.command, wayOut, secrets),
    env: validation.withoutSecrets(
      `${path}env`,
      validation.map(`${path}env`, args.env, environmentName, text),
      `put it into ${secrets}`,
    ),
    secretEnv: validation.map(`${path}secretEnv`, args.secretEnv, environmentName, text),
    existingSecretEnv: validation.map(`${path}existingSecretEnv`, args.existingSecretEnv, environmentName, kubernetesName),
    envFrom: resolveEnvFrom(args.envFrom, `${path}envFrom`, validation),
    files: resolveFiles(args.files, `${path}files`, validation),
    timeoutSeconds: args.timeoutSeconds ?? 600,
    backoffLimit: validation.check(`${path}backoffLimit`, args.backoffLimit, wholeNumber(0, 100)) ?? 0,
    rerun: validation.open(`${path}rerun`, args.rerun, "write a text that everybody may read, such as a date"),
    resources: checkResources(validation, `${path}resources`, args.resources, { cpu: "100m", memory: "128Mi" }, rules.limits),
    lock: args.lock ?? true,
    rollbackCommand: checkCommand(validation, `${path}rollbackCommand`, args.rollbackCommand, secrets),
    ...resolveGates(args, args.timeoutSeconds ?? 600, path, validation, rules),
  };
}

/** Where secret values belong; after the rollout they are those of the migration before. */
const secretsOf = (path: string) => `${path.replace(/postDeploy\.$/, "")}secretEnv`;

/** What has to be so before and after a run. */
export type ResolvedGates = Pick<
  ResolvedMigration,
  "backup" | "restoreOnFailure" | "verify" | "pending" | "approval" | "rehearsal"
>;
export type GateArgs = Pick<MigrationRunArgs, keyof ResolvedGates>;

export function resolveGates(
  args: GateArgs,
  timeoutSeconds: number,
  path: string,
  validation: Validation,
  rules: ClusterRules,
): ResolvedGates {
  const secrets = secretsOf(path);
  return {
    backup: args.backup && resolveBackup(args.backup, `${path}backup`, validation, rules),
    verify: checkCommand(validation, `${path}verify`, args.verify, secrets),
    restoreOnFailure: args.restoreOnFailure ?? false,
    pending: checkCommand(validation, `${path}pending`, args.pending, secrets),
    approval: validation.check(`${path}approval`, args.approval, approvalHash),
    rehearsal: args.rehearsal && resolveRehearsal(args.rehearsal, timeoutSeconds, `${path}rehearsal`, validation, rules),
  };
}

/** What somebody writes in haste, and what would not be taken for the image. */
const isTagOf = (goBackTo: string, image: string) =>
  image !== goBackTo && /[:@/]$/.test(image.slice(0, -goBackTo.length)) && image.endsWith(goBackTo);

/** Refuses what needs something else, or would do the same twice. */
export function refuseContradictions(
  args: GateArgs & Pick<MigrationRunArgs, "rollbackCommand">,
  path: string,
  validation: Validation,
): void {
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
  rules: ClusterRules,
): ResolvedRehearsal {
  validation.check(`${path}.timeoutSeconds`, args.timeoutSeconds, wholeNumber(1, 7 * 24 * 3600));
  return {
    allowDestructive: args.allowDestructive ?? false,
    image: validation.check(`${path}.image`, args.image, imageReference),
    uid: validation.check(`${path}.runAsUser`, args.runAsUser, wholeNumber(1)),
    storage: validation.check(`${path}.storage`, args.storage, quantity),
    resources: checkResources(validation, `${path}.resources`, args.resources, { cpu: "100m", memory: "256Mi" }, rules.limits),
    timeoutSeconds: args.timeoutSeconds ?? timeoutSeconds,
  };
}

function resolveBackup(
  args: MigrationBackupArgs,
  path: string,
  validation: Validation,
  rules: ClusterRules,
): ResolvedMigrationBackup {
  return {
    destination: resolveDestination(args, path, validation, rules),
    retention: validation.check(`${path}.retention`, args.retention, retention) ?? "30d",
  };
}
