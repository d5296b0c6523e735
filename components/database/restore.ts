import * as pulumi from "@pulumi/pulumi";
import { types } from "@pulumi/kubernetes";
import { ClusterRules } from "../common/clusterRules";
import { ownResources } from "../common/resources";
import { wholeNumber } from "../common/rules";
import { writable } from "../common/security";
import { Rule, Validation } from "../common/validation";
import {
  BackupClaimArgs,
  BackupS3Args,
  BACKUPS_FOLDER,
  destinationMount,
  destinationName,
  destinationVolume,
  ResolvedDestination,
  resolveDestination,
  storeEnv,
} from "./backupDestination";
import { BackupSurroundings, clientEnv, scriptContainer, scriptFiles, scriptPod } from "./backupPods";

/**
 * A backup that fills an empty database, all of it or nothing. The database remembers which one it is from: with the same arguments,
 * later runs of `pulumi up` find it filled and leave it alone. Exactly one of `claim` and `s3` says where the backup is. On CloudNativePG
 * `s3` without `backup` is an archive of its own: see `cloudNativePg.restoreServerName`.
 */
export interface DatabaseRestoreArgs {
  /**
   * A volume in the cluster. It is mounted for reading only.
   */
  claim?: BackupClaimArgs;
  /**
   * An object store. The restore needs as much room on its node as the backup is large.
   */
  s3?: BackupS3Args;
  /**
   * Name of the backup, such as "notes-20260131T023000Z.dump", or of the migration's Job that it was made for. Defaults to "newest", the
   * newest there is when the database is filled: of the database's own name, or else of the only database that has any. A change is
   * refused once the database is filled. On CloudNativePG it says that a dump is meant where there is `s3`.
   */
  backup?: pulumi.Input<string>;
  /**
   * Seconds the restore may take, the download included. Defaults to 3600. Pulumi waits a minute longer.
   */
  timeoutSeconds?: number;
}

export interface ResolvedRestore {
  source: ResolvedDestination;
  /** Whether it is what CloudNativePG's own backups left, and no dump. */
  archive?: boolean;
  backup?: pulumi.Input<string>;
  timeoutSeconds: number;
}

// Loose: a wrong one is answered with a list of those there are.
const backupName: Rule<string> = (name) =>
  typeof name === "string" && /^[\w.=-]+$/.test(name)
    ? undefined
    : `${JSON.stringify(name)} is not a backup's name: write it as the backup's log has it, such as "notes-20260131T023000Z.dump", or name the migration's Job that it was made for`;

export function resolveRestore(
  args: DatabaseRestoreArgs,
  path: string,
  validation: Validation,
  rules: ClusterRules,
): ResolvedRestore {
  validation.check(`${path}.timeoutSeconds`, args.timeoutSeconds, wholeNumber(1, 7 * 24 * 3600));
  return {
    source: resolveDestination(args, path, validation, rules),
    backup: validation.check(`${path}.backup`, args.backup, backupName),
    timeoutSeconds: args.timeoutSeconds ?? 3600,
  };
}

/** Files of the ConfigMap for a restore. */
export const restoreFiles = () =>
  scriptFiles([
    ...[
      "backup-lib.sh",
      "fetch.sh",
      "restore.sh",
      "transaction.sh",
      "begin.sql",
      "attempt.sql",
      "attempted.sql",
      "own-rights.sql",
    ],
    ...[
      "made.sql",
      "contents.sql",
      "leave-out.sql",
      "mark.sql",
      "marked.sql",
      "replace.sql",
      "blockers.sql",
      "large-objects.sql",
    ],
  ]);

const REQUESTS = { cpu: "100m", memory: "128Mi" };

/**
 * The Job that fills an empty database, or with `replace` brings one back that holds things. Its last line, and its container's message,
 * is `restored=<name>`.
 */
export function restoreJob(restore: ResolvedRestore, around: BackupSurroundings, replace = false): types.input.batch.v1.JobSpec {
  const { client, versionArgument } = around;
  const { source, backup } = restore;
  const { s3 } = source;
  const resources = ownResources(REQUESTS, client.rules.limits);
  const scratch = writable(["/tmp"]);
  const mounts = (readOnly: boolean) => [destinationMount(source, readOnly), ...scratch.volumeMounts];
  const common = [
    { name: "FOLDER", value: BACKUPS_FOLDER },
    { name: "WHERE", value: destinationName(source) },
    ...(backup === undefined ? [] : [{ name: "BACKUP", value: backup }]),
  ];
  const restoreContainer = (name: string, ...args: string[]) =>
    scriptContainer(
      {
        name,
        script: ["restore.sh", ...(replace ? ["replace"] : []), ...args],
        image: client.image,
        env: clientEnv(client, [
          ...common,
          ...(s3 ? [{ name: "FETCHED", value: "true" }] : []),
          { name: "TIMEOUT_SECONDS", value: String(restore.timeoutSeconds) },
          ...(versionArgument === undefined ? [] : [{ name: "VERSION_ARGUMENT", value: versionArgument }]),
        ]),
        resources,
      },
      [...client.volumeMounts, ...mounts(true)],
    );
  const initContainers = s3 && [
    restoreContainer("check", "check"), // before anything is downloaded
    scriptContainer(
      { name: "fetch", script: ["fetch.sh"], image: s3.image, env: [...storeEnv(s3), ...common], resources },
      mounts(false),
    ),
  ];
  return {
    backoffLimit: 0,
    activeDeadlineSeconds: restore.timeoutSeconds,
    template: scriptPod(around, [...client.volumes, destinationVolume(source), ...scratch.volumes], {
      ...(initContainers ? { initContainers } : {}),
      containers: [restoreContainer("restore")],
    }),
  };
}
