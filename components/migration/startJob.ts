import { types } from "@pulumi/kubernetes";
import { restrictedPod } from "../common/security";
import { MigrationSurroundings, startSeconds, userContainer } from "./job";
import { copyStart } from "./planPod";
import { ResolvedMigration } from "./resolveMigration";
import { supervised, supervisionVolumes, toolsContainer } from "./supervision";
import { caVolume } from "../database/connection";
import { writable } from "../common/security";

/**
 * A Job that only finds out whether the migration could begin: a node that has room for it, images that can be pulled, a command that
 * is in its image. Nothing in Kubernetes ends a pod that waits for its image but a deadline, and the migration's own has to be long.
 */
export function startJob(migration: ResolvedMigration, around: MigrationSurroundings): types.input.batch.v1.JobSpec {
  return {
    backoffLimit: 0,
    activeDeadlineSeconds: startSeconds(migration.timeoutSeconds),
    template: {
      metadata: { labels: around.labels },
      spec: {
        restartPolicy: "Never",
        automountServiceAccountToken: false,
        enableServiceLinks: false,
        ...around.pod,
        securityContext: restrictedPod(around.uid),
        initContainers: [toolsContainer(around.client)],
        containers: [
          ...(migration.rehearsal ? [copyStart(migration.rehearsal, around.client)] : []),
          userContainer("check", migration, around, supervised("check", migration.command)),
        ],
        volumes: [
          ...supervisionVolumes(around.scripts),
          ...caVolume(around.connection).volumes,
          ...writable(around.writablePaths).volumes,
        ],
      },
    },
  };
}
