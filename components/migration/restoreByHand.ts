import * as pulumi from "@pulumi/pulumi";
import { caVolume, libpqVariables } from "../database/connection";
import { restoreJob } from "../database/restore";
import { MigrationSurroundings } from "./job";
import { ResolvedMigrationBackup } from "./resolveMigration";
import { BACKUP_PLACE } from "./supervision";

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
): pulumi.Output<string> {
  const { connection, client, labels, scripts } = around;
  const spec = restoreJob(
    { source: destination, backup: BACKUP_PLACE, timeoutSeconds: TIMEOUT_SECONDS },
    { client: { ...client, env: libpqVariables(connection), ...caVolume(connection) }, scripts, labels },
    true,
  );
  return pulumi.jsonStringify({
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { generateName: `${name}-restore-`, labels },
    spec,
  });
}
