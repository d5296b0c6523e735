import * as pulumi from "@pulumi/pulumi";
import { types } from "@pulumi/kubernetes";
import { checkResources, ContainerResourcesArgs } from "../common/resources";
import { wholeNumber } from "../common/rules";
import { cronSchedule, retention, retentionDays, timeZone } from "../common/schedule";
import { writable } from "../common/security";
import { Validation } from "../common/validation";
import {
  BACKUPS_FOLDER,
  BackupDestinationArgs,
  destinationMount,
  destinationName,
  destinationVolume,
  ResolvedDestination,
  resolveDestination,
  storeEnv,
} from "./backupDestination";
import { BackupSurroundings, clientEnv, scriptContainer, scriptFiles, scriptPod } from "./backupPods";

export { BackupClaimArgs, BackupDestinationArgs, BackupS3Args } from "./backupDestination";

/** Backups of the database by pg_dump, on a schedule: whole, verified, and restorable into another major version of Postgres. */
export interface DatabaseBackupsArgs {
  /**
   * When, in cron's five fields: "30 2 * * *" is each night at 2:30. A run that is late because the one before has not ended is left
   * out. A change applies from the next run on.
   */
  schedule: pulumi.Input<string>;
  /**
   * Time zone of the schedule, by its IANA name. Defaults to "Etc/UTC". A change applies from the next run on.
   */
  timeZone?: pulumi.Input<string>;
  /**
   * How long backups are kept: a number and d (days), w (weeks) or m (30 days each). Older ones are removed after a backup has
   * succeeded, never otherwise, so that the newest stays whatever its age. Defaults to "14d". A shorter one removes them with the
   * next run.
   */
  retention?: pulumi.Input<string>;
  /**
   * Where backups are kept. Backups that are at a former destination stay there, and nobody removes them.
   */
  destination: BackupDestinationArgs;
  /**
   * Seconds a run may take, upload and verification included. Defaults to 3600. A change applies from the next run on.
   */
  timeoutSeconds?: pulumi.Input<number>;
  /**
   * CPU and memory of a run. Defaults to requests of 100m CPU and 128Mi of memory and no limits. A change applies from the next run on.
   */
  resources?: ContainerResourcesArgs;
}

export interface ResolvedBackups {
  schedule: pulumi.Input<string>;
  timeZone: pulumi.Input<string>;
  retention: pulumi.Input<string>;
  destination: ResolvedDestination;
  timeoutSeconds: pulumi.Input<number>;
  resources: ContainerResourcesArgs;
}

export function resolveBackups(args: DatabaseBackupsArgs, path: string, validation: Validation): ResolvedBackups {
  const check: Validation["check"] = (property, value, rule) => validation.check(`${path}.${property}`, value, rule);
  const wayOut = 'say when, such as "30 2 * * *" for 2:30 each night';
  return {
    schedule: validation.required(`${path}.schedule`, args.schedule, cronSchedule, wayOut),
    timeZone: check("timeZone", args.timeZone, timeZone) ?? "Etc/UTC",
    retention: check("retention", args.retention, retention) ?? "14d",
    destination: resolveDestination(args.destination, `${path}.destination`, validation),
    timeoutSeconds: check("timeoutSeconds", args.timeoutSeconds, wholeNumber(1, 7 * 24 * 3600)) ?? 3600,
    resources: checkResources(validation, `${path}.resources`, args.resources, { cpu: "100m", memory: "128Mi" }),
  };
}

/** Files of the ConfigMap for backups. */
export const backupFiles = () => scriptFiles(["backup-lib.sh", "backup.sh", "upload.sh"]);

/** The pod of one backup. Its last line, and its container's message, is `backup=<name> bytes=… sha256=… seconds=…`. */
export function backupPod(backups: ResolvedBackups, around: BackupSurroundings): types.input.core.v1.PodTemplateSpec {
  const { client, versionArgument } = around;
  const { destination, resources } = backups;
  const { s3 } = destination;
  const scratch = writable(["/tmp"]);
  const mounts = [destinationMount(destination), ...scratch.volumeMounts];
  const where = { name: "WHERE", value: destinationName(destination) };
  const folder = { name: "FOLDER", value: BACKUPS_FOLDER };
  const keep = { name: "RETENTION_DAYS", value: pulumi.output(backups.retention).apply((span) => String(retentionDays(span))) };
  const dump = scriptContainer(
    {
      name: s3 ? "dump" : "backup",
      script: ["backup.sh"],
      image: client.image,
      env: clientEnv(client, [
        folder,
        s3 ? { name: "WHERE", value: "the node" } : where,
        keep,
        { name: "TIMEOUT_SECONDS", value: pulumi.output(backups.timeoutSeconds).apply(String) },
        ...(s3 ? [{ name: "UPLOAD", value: "true" }] : []),
        ...(versionArgument === undefined ? [] : [{ name: "VERSION_ARGUMENT", value: versionArgument }]),
      ]),
      resources,
    },
    [...client.volumeMounts, ...mounts],
  );
  const volumes = [...client.volumes, destinationVolume(destination), ...scratch.volumes];
  if (!s3) return scriptPod(around, volumes, { containers: [dump] });

  const upload = scriptContainer(
    { name: "upload", script: ["upload.sh"], image: s3.image, env: [...storeEnv(s3), folder, where, keep], resources },
    mounts,
  );
  return scriptPod(around, volumes, { initContainers: [dump], containers: [upload] });
}

/** The CronJob of backups. Its name has to stay below 53 characters. */
export function backupCronJob(backups: ResolvedBackups, around: BackupSurroundings): types.input.batch.v1.CronJobSpec {
  return {
    schedule: backups.schedule,
    timeZone: backups.timeZone,
    concurrencyPolicy: "Forbid",
    startingDeadlineSeconds: 3600, // a backup that is an hour late is better than none
    successfulJobsHistoryLimit: 3,
    failedJobsHistoryLimit: 3,
    jobTemplate: {
      metadata: { labels: around.labels },
      spec: {
        backoffLimit: 1,
        activeDeadlineSeconds: backups.timeoutSeconds,
        template: backupPod(backups, around),
      },
    },
  };
}
