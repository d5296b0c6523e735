import * as pulumi from "@pulumi/pulumi";
import { types } from "@pulumi/kubernetes";
import * as core from "@pulumi/kubernetes/core/v1";
import { Child } from "../common/childOptions";
import { labels } from "../common/labels";
import { PostgresDatabase } from "../database/postgresDatabase";
import { ArgumentNames } from "./argumentNames";
import { tellOfGoingBack } from "./goBack";
import { GUARD_TMP, guardContainer, MigrationSurroundings, userContainer } from "./job";
import { ResolvedMigration } from "./resolveMigration";
import { supervised, supervisionFiles, supervisionVolumes, toolsContainer } from "./supervision";

/** Files for migrating in each pod: the guard goes on living beside the application, with nothing to do. */
export function initFiles(migration: ResolvedMigration, names: ArgumentNames): Record<string, pulumi.Input<string>> {
  const tries = pulumi.output(migration.backoffLimit).apply((again) => again + 1);
  const { settings, ...scripts } = supervisionFiles({ ...migration, tries, names });
  return { ...scripts, settings: pulumi.interpolate`${settings}SIDECAR=yes\n` };
}

/**
 * What each pod does before the application: the migration, as in a Job, with a guard that holds the lock. The guard is a sidecar
 * (an init container that is restarted always), because nothing else runs beside an init container.
 */
export function migratingInit(
  migration: ResolvedMigration,
  around: Omit<MigrationSurroundings, "labels">,
): { containers: types.input.core.v1.Container[]; volumes: types.input.core.v1.Volume[] } {
  return {
    containers: [
      toolsContainer(around.client),
      { ...guardContainer(migration, around), restartPolicy: "Always" },
      userContainer("migrate", migration, around, supervised("migrate", migration.command, migration.verify)),
    ],
    // Those of the connection and the writable directories are the application's.
    volumes: [...supervisionVolumes(around.scripts), { name: GUARD_TMP.name, emptyDir: {} }, ...migration.files.volumes],
  };
}

/** What the pods of an application need for migrating themselves, and what has to be there before them. */
export function migrateInPods(
  name: string,
  migration: ResolvedMigration,
  {
    namespace,
    database,
    names,
    ...app
  }: {
    namespace?: pulumi.Input<string>;
    database: PostgresDatabase;
    names: ArgumentNames;
    connectionEnv: Record<string, pulumi.Input<string>>;
    imagePullPolicy?: pulumi.Input<string>;
    uid?: pulumi.Input<number>;
    writablePaths: string[];
  },
  child: Child,
): ReturnType<typeof migratingInit> & { files: pulumi.Resource[] } {
  const metadata = { namespace, labels: labels(name, "migration") };
  // Not the name of a Job's: with a change of strategy that one is deleted when this one is there already.
  const scripts = `${name}-init-scripts`;
  const files = new core.ConfigMap(
    scripts,
    { metadata: { ...metadata, name: scripts }, data: initFiles(migration, names) },
    child(),
  );
  tellOfGoingBack(migration, names, files);
  const secretEnv =
    migration.secretEnv && new core.Secret(`${name}-init-env`, { metadata, stringData: migration.secretEnv }, child());
  const init = migratingInit(migration, {
    ...app,
    connection: database.migrationConnection,
    client: database.client,
    scripts,
    secretEnvSecret: secretEnv?.metadata.name,
  });
  return { ...init, files: [files, ...(secretEnv ? [secretEnv] : [])] };
}
