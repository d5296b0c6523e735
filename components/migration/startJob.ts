import { types } from "@pulumi/kubernetes";
import { podMetadata } from "../common/clusterRules";
import { restrictedPod, writable } from "../common/security";
import { keyGroup, tlsVolumes } from "../database/tlsFiles";
import { MigrationSurroundings, startSeconds, userContainer } from "./job";
import { copyStart } from "./planPod";
import { ResolvedMigration } from "./resolveMigration";
import { supervised, supervisionVolumes, toolsContainer } from "./supervision";

/**
 * A Job that only finds out whether the migration could begin: a node that has room for it, images that can be pulled, a command that
 * is in its image. Nothing in Kubernetes ends a pod that waits for its image but a deadline, and the migration's own has to be long.
 */
export function startJob(migration: ResolvedMigration, around: MigrationSurroundings): types.input.batch.v1.JobSpec {
  return {
    backoffLimit: 0,
    activeDeadlineSeconds: startSeconds(migration.timeoutSeconds),
    template: {
      metadata: podMetadata({ labels: around.labels }, around.client.rules),
      spec: {
        restartPolicy: "Never",
        automountServiceAccountToken: false,
        enableServiceLinks: false,
        ...around.pod,
        securityContext: { ...restrictedPod(around.uid), ...keyGroup(around.connection, around.uid) },
        initContainers: [toolsContainer(around.client)],
        containers: [
          ...(migration.rehearsal ? [copyStart(migration.rehearsal, around.client)] : []),
          userContainer("check", migration, around, supervised("check", migration.command)),
        ],
        volumes: [
          ...supervisionVolumes(around.scripts),
          ...tlsVolumes(around.connection).volumes,
          ...writable(around.writablePaths).volumes,
          ...migration.files.volumes,
        ],
      },
    },
  };
}
