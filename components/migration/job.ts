import * as pulumi from "@pulumi/pulumi";
import { types } from "@pulumi/kubernetes";
import { podMetadata } from "../common/clusterRules";
import { plainVariables, referencedVariables } from "../common/environment";
import { ownResources } from "../common/resources";
import { retentionDays } from "../common/schedule";
import { restrictedContainer, restrictedPod, writable } from "../common/security";
import { BACKUPS_FOLDER, destinationMount, destinationName, destinationVolume, storeEnv } from "../database/backupDestination";
import { Connection, connectionVariables, libpqVariables } from "../database/connection";
import { keyGroup, tlsVolumes } from "../database/tlsFiles";
import { dataAnnotation } from "../database/setup";
import { ResolvedMigration, ResolvedMigrationBackup } from "./resolveMigration";
import { restoreCommand } from "./restoreByHand";
import {
  ClientImage,
  ownContainer,
  ownEnv,
  ownScript,
  supervised,
  supervisedEnv,
  supervisionMounts,
  supervisionVolumes,
  toolsContainer,
} from "./supervision";

/** What a migration is surrounded by. */
export interface MigrationSurroundings {
  labels: Record<string, string>;
  connection: Connection;
  connectionEnv: Record<string, pulumi.Input<string>>;
  client: ClientImage;
  /** Name of the ConfigMap with the scripts. */
  scripts: string;
  /** Changes when the database becomes another one. */
  dataId?: pulumi.Input<string>;
  secretEnvSecret?: pulumi.Input<string>;
  imagePullPolicy?: pulumi.Input<string>;
  uid?: pulumi.Input<number>;
  writablePaths: string[];
  /** What else its pods' specs say, all of it the user's. */
  pod?: Partial<types.input.core.v1.PodSpec>;
}

/** Seconds for what comes before the first container runs: finding a node, pulling images. */
export const startSeconds = (timeoutSeconds: number) => Math.min(300, timeoutSeconds);

/** The Job's own deadline, after everything that it bounds itself: when it is met, Kubernetes deletes the pod, and its log with it. */
export function migrationDeadline({ timeoutSeconds, rollbackCommand, restoreOnFailure }: ResolvedMigration): number {
  const undo = rollbackCommand !== undefined || restoreOnFailure ? timeoutSeconds : 0;
  return startSeconds(timeoutSeconds) + timeoutSeconds + undo + 60;
}

/**
 * The Job that migrates. Its pod template is its identity: a change there is a new Job, nothing else is. So only what a
 * migration depends on may stand in it: no labels that change, none of the application's settings, none of the scripts' text.
 */
export function migrationJob(migration: ResolvedMigration, around: MigrationSurroundings): types.input.batch.v1.JobSpec {
  const { backup, rollbackCommand } = migration;
  const tls = tlsVolumes(around.connection);
  const scratch = writable(around.writablePaths);
  const annotations = {
    "kubectl.kubernetes.io/default-container": "migrate",
    ...dataAnnotation(around.dataId),
    ...(migration.rerun === undefined ? {} : { "pulumi-postgres-app/rerun": migration.rerun }),
  };
  return {
    backoffLimit: 0, // run.sh tries again where that can help, in the same pod and log
    // A node that is emptied for maintenance is no failure of the migration: it gets another pod.
    podFailurePolicy: { rules: [{ action: "Ignore", onPodConditions: [{ type: "DisruptionTarget", status: "True" }] }] },
    activeDeadlineSeconds: migrationDeadline(migration),
    template: {
      metadata: podMetadata({ labels: around.labels, annotations }, around.client.rules),
      spec: {
        restartPolicy: "Never", // the failed pod keeps its log
        automountServiceAccountToken: false,
        enableServiceLinks: false,
        ...around.pod,
        // Only the client's programs write to volumes that are more than empty directories.
        securityContext: {
          ...restrictedPod(around.uid),
          ...keyGroup(around.connection, around.uid),
          ...(backup ? { fsGroup: around.client.uid, fsGroupChangePolicy: "OnRootMismatch" } : {}),
        },
        initContainers: [toolsContainer(around.client)],
        // The migration comes last, so that its words are the last of the failure.
        containers: [
          guardContainer(migration, around),
          ...(backup?.destination.s3 ? [uploadContainer(backup, around.client)] : []),
          ...(rollbackCommand ? [userContainer("rollback", migration, around, supervised("rollback", rollbackCommand))] : []),
          userContainer("migrate", migration, around, supervised("migrate", migration.command, migration.verify)),
        ],
        volumes: [
          ...supervisionVolumes(around.scripts),
          { name: "guard-tmp", emptyDir: {} },
          ...(backup ? [destinationVolume(backup.destination)] : []),
          ...tls.volumes,
          ...scratch.volumes,
          ...migration.files.volumes,
        ],
      },
    },
  };
}

/** A container of the user's image with everything that a migration is given. */
export function userContainer(
  name: string,
  migration: Pick<ResolvedMigration, "image" | "env" | "existingSecretEnv" | "envFrom" | "files" | "resources">,
  around: Omit<MigrationSurroundings, "labels" | "client" | "scripts">,
  command: pulumi.Output<string[]>,
): types.input.core.v1.Container {
  return {
    name,
    image: migration.image,
    imagePullPolicy: around.imagePullPolicy,
    command,
    env: pulumi
      .all([migration.env, migration.existingSecretEnv ?? {}])
      .apply(([env, existing]) => [
        ...connectionVariables(around.connection, around.connectionEnv),
        ...plainVariables(env),
        ...referencedVariables(existing),
        ...supervisedEnv,
      ]),
    envFrom: [
      ...migration.envFrom,
      ...(around.secretEnvSecret === undefined ? [] : [{ secretRef: { name: around.secretEnvSecret } }]),
    ],
    resources: migration.resources,
    securityContext: restrictedContainer(),
    terminationMessagePolicy: "FallbackToLogsOnError", // the last lines of the log become the error of `pulumi up`
    volumeMounts: [
      ...supervisionMounts,
      ...tlsVolumes(around.connection).volumeMounts,
      ...writable(around.writablePaths).volumeMounts,
      ...migration.files.volumeMounts,
    ],
  };
}

export const GUARD_TMP = { name: "guard-tmp", mountPath: "/tmp" };

/** Holds the lock, makes the backup, tells how far it is (guard.sh). */
export function guardContainer(
  { backup, rollbackCommand }: ResolvedMigration,
  { client, connection, scripts }: Pick<MigrationSurroundings, "client" | "connection" | "scripts">,
): types.input.core.v1.Container {
  const s3 = backup?.destination.s3;
  return ownContainer(client, {
    name: "guard",
    command: ownScript("guard.sh"),
    env: [
      ...libpqVariables(connection),
      ...ownEnv,
      ...(rollbackCommand ? [{ name: "ROLLBACK", value: "yes" }] : []),
      ...(backup
        ? [
            ...backupEnv(backup),
            ...(s3 ? [{ name: "UPLOAD", value: "true" }] : []),
            // guard.sh fills in the backup's name, Kubernetes the namespace.
            { name: "RESTORE_COMMAND", value: restoreCommand(scripts, "$(NAMESPACE)", "{backup}") },
          ]
        : []),
    ],
    resources: ownResources(backup ? { cpu: "100m", memory: "128Mi" } : { cpu: "10m", memory: "32Mi" }, client.rules.limits),
    volumeMounts: [
      ...supervisionMounts,
      ...tlsVolumes(connection).volumeMounts,
      ...(backup ? [destinationMount(backup.destination)] : []),
      GUARD_TMP,
    ],
  });
}

const backupEnv = ({ destination, retention }: ResolvedMigrationBackup): types.input.core.v1.EnvVar[] => [
  { name: "FOLDER", value: BACKUPS_FOLDER },
  { name: "WHERE", value: destinationName(destination) },
  { name: "RETENTION_DAYS", value: pulumi.output(retention).apply((span) => String(retentionDays(span))) },
];

/** As the client's user, which has written what it reads; its image's own may be root. */
function uploadContainer(backup: ResolvedMigrationBackup, { uid, rules }: ClientImage): types.input.core.v1.Container {
  const s3 = backup.destination.s3!;
  return ownContainer(
    { image: s3.image, uid },
    {
      name: "upload",
      command: ownScript("gate-upload.sh"),
      env: [...storeEnv(s3), ...backupEnv(backup)],
      resources: ownResources({ cpu: "100m", memory: "128Mi" }, rules.limits),
      volumeMounts: [...supervisionMounts, destinationMount(backup.destination), GUARD_TMP],
    },
  );
}
