import * as pulumi from "@pulumi/pulumi";
import { inNamespace } from "../common/hooks";
import { libpqVariables } from "../database/connection";
import { tlsVolumes } from "../database/tlsFiles";
import { restoreJob } from "../database/restore";
import { ArgumentNames } from "./argumentNames";
import { MigrationSurroundings } from "./job";
import { ResolvedMigrationBackup } from "./resolveMigration";
import { BACKUP_PLACE, RESTORE_MANIFEST } from "./supervision";

/** How a migration with a backup can be undone. */
export interface MigrationUndo {
  /** Name of the ConfigMap with the manifest. */
  scripts: string;
  /** Whether its pod does so by itself. */
  restores: boolean;
}

/** What a person types. */
export function restoreCommand(scripts: string, namespace: string | undefined, backup: string): string {
  const where = inNamespace(namespace);
  const manifest = `{.data.${RESTORE_MANIFEST.replace(".", "\\.")}}`;
  return `kubectl get configmap ${scripts}${where} --output 'jsonpath=${manifest}' | sed 's/${BACKUP_PLACE}/${backup}/g' | kubectl create${where} --filename -`;
}

/** Seconds that a restore by hand may take: nobody waits for it who could not wait longer. */
const TIMEOUT_SECONDS = 3600;

/**
 * The manifest of a Job that brings the database back to a backup, for the person who reads of it in a failure: after a failure Pulumi
 * changes nothing any more, so it has to be there before.
 */
export function restoreManifest(
  name: string,
  { destination }: ResolvedMigrationBackup,
  around: Pick<MigrationSurroundings, "labels" | "connection" | "client" | "scripts">,
  names: ArgumentNames,
): pulumi.Output<string> {
  const { connection, client, labels, scripts } = around;
  const spec = restoreJob(
    { source: destination, backup: BACKUP_PLACE, timeoutSeconds: TIMEOUT_SECONDS },
    {
      client: { ...client, env: libpqVariables(connection), ...tlsVolumes(connection) },
      scripts,
      labels,
      versionArgument: names.client,
    },
    true,
  );
  return pulumi.jsonStringify({
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { generateName: `${name}-restore-`, labels },
    spec,
  });
}
