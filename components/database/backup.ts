import * as pulumi from "@pulumi/pulumi";
import { types } from "@pulumi/kubernetes";
import { ClusterRules } from "../common/clusterRules";
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

/**
 * Backups of the database by pg_dump, on a schedule: whole, verified, and restorable into another major version of Postgres. A Job finds
 * out at once whether there can be any; if not, `pulumi up` fails and says why.
 */
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
   * CPU and memory of a run. Defaults to requests of 100m CPU and 128Mi of memory and no limits but those of `jobs`. A change applies
   * from the next run on.
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

export function resolveBackups(
  args: DatabaseBackupsArgs,
  path: string,
  validation: Validation,
  rules: ClusterRules,
): ResolvedBackups {
  const check: Validation["check"] = (property, value, rule) => validation.check(`${path}.${property}`, value, rule);
  const wayOut = 'say when, such as "30 2 * * *" for 2:30 each night';
  return {
    schedule: validation.required(`${path}.schedule`, args.schedule, cronSchedule, wayOut),
    timeZone: check("timeZone", args.timeZone, timeZone) ?? "Etc/UTC",
    retention: check("retention", args.retention, retention) ?? "14d",
    destination: resolveDestination(args.destination, `${path}.destination`, validation, rules),
    timeoutSeconds: check("timeoutSeconds", args.timeoutSeconds, wholeNumber(1, 7 * 24 * 3600)) ?? 3600,
    resources: checkResources(validation, `${path}.resources`, args.resources, { cpu: "100m", memory: "128Mi" }, rules.limits),
  };
}

/** Files of the ConfigMap for backups. */
export const backupFiles = () => scriptFiles(["backup-lib.sh", "backup.sh", "upload.sh"]);

/** The pod of one backup. Its last line, and its container's message, is `backup=<name> bytes=… sha256=… seconds=…`. */
export function backupPod(backups: ResolvedBackups, around: BackupSurroundings): types.input.core.v1.PodTemplateSpec {
  const keep = { name: "RETENTION_DAYS", value: pulumi.output(backups.retention).apply((span) => String(retentionDays(span))) };
  const timeout = { name: "TIMEOUT_SECONDS", value: pulumi.output(backups.timeoutSeconds).apply(String) };
  return destinationPod(backups, around, {
    dump: { script: ["backup.sh"], env: [keep, timeout] },
    upload: { script: ["upload.sh"], env: [keep] },
  });
}

/** Seconds that the check may take, with the time for pulling images. */
export const CHECK_SECONDS = 300;

/**
 * The Job that finds out whether there could be a backup: whether server and programs go together, and whether the destination lets
 * itself be written, listed, read and removed from. `dumps` says whether backups are dumps, or what a server writes to the store itself.
 */
export function backupCheckJob(
  backups: ResolvedBackups,
  around: BackupSurroundings,
  dumps: boolean,
): types.input.batch.v1.JobSpec {
  const step = (script: string) => ({ script: [script, "check"], env: [] });
  return {
    backoffLimit: 0,
    activeDeadlineSeconds: CHECK_SECONDS,
    template: destinationPod(backups, around, { ...(dumps ? { dump: step("backup.sh") } : {}), upload: step("upload.sh") }),
  };
}

interface Step {
  script: string[];
  env: types.input.core.v1.EnvVar[];
}

/** A pod whose one step has the database and whose other the object store, where that is the destination; neither has both. */
function destinationPod(
  { destination, resources }: ResolvedBackups,
  around: BackupSurroundings,
  { dump, upload }: { dump?: Step; upload: Step },
): types.input.core.v1.PodTemplateSpec {
  const { client, versionArgument } = around;
  const { s3 } = destination;
  const scratch = writable(["/tmp"]);
  const mounts = [destinationMount(destination), ...scratch.volumeMounts];
  const where = { name: "WHERE", value: destinationName(destination) };
  const folder = { name: "FOLDER", value: BACKUPS_FOLDER };
  const dumping = dump && [
    scriptContainer(
      {
        name: s3 ? "dump" : "backup",
        script: dump.script,
        image: client.image,
        env: clientEnv(client, [
          folder,
          s3 ? { name: "WHERE", value: "the node" } : where,
          ...dump.env,
          ...(s3 ? [{ name: "UPLOAD", value: "true" }] : []),
          ...(versionArgument === undefined ? [] : [{ name: "VERSION_ARGUMENT", value: versionArgument }]),
        ]),
        resources,
      },
      [...client.volumeMounts, ...mounts],
    ),
  ];
  const volumes = [...(dump ? client.volumes : []), destinationVolume(destination), ...scratch.volumes];
  if (!s3) return scriptPod(around, volumes, { containers: dumping! });
  const env = [...storeEnv(s3), folder, where, ...upload.env];
  const uploading = scriptContainer({ name: "upload", script: upload.script, image: s3.image, env, resources }, mounts);
  return scriptPod(around, volumes, { ...(dumping ? { initContainers: dumping } : {}), containers: [uploading] });
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
