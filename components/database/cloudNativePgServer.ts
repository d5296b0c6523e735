import * as pulumi from "@pulumi/pulumi";
import { CustomResource } from "@pulumi/kubernetes/apiextensions";
import * as core from "@pulumi/kubernetes/core/v1";
import { onUnknownKind } from "../common/hooks";
import { ResolvedS3 } from "./backupDestination";
import {
  authoritySecret,
  CLOUD_NATIVE_PG_API,
  ClusterBackup,
  ClusterRestore,
  cloudNativePgCluster,
  cloudNativePgDatabase,
  ManagedRole,
  OBJECT_STORE_API,
  objectStore,
  readWriteService,
  ResolvedCloudNativePg,
  rolePasswordSecret,
  scheduledBackup,
} from "./cloudNativePg";
import { Login, Logins } from "./credentials";
import { POSTGRES_PORT } from "./embedded";
import { Engine, EngineContext } from "./engine";
import { userOf } from "./image";
import { ResolvedDatabase } from "./resolveDatabase";

const READY = { "pulumi.com/waitFor": "condition=Ready" };
/**
 * The operator deletes the volumes with the Cluster. Orphaned, they stay (and the pods, which nobody looks after then), and a Cluster of
 * the same name takes them over (CloudNativePG, internal/controller/cluster_restore.go).
 */
const KEEP_VOLUMES = { "pulumi.com/deletionPropagationPolicy": "orphan" };

/** Replicated Postgres: logins, Cluster, extensions, backups, all run by the operator. */
export function cloudNativePgServer(
  name: string,
  database: ResolvedDatabase,
  cluster: ResolvedCloudNativePg,
  { namespace, imagePullSecrets, labels, child }: EngineContext,
  logins: Logins,
): Engine {
  const metadata = { namespace, labels };
  const hooks = installHint(name);
  /** A resource of the operator's: an unknown kind fails with the way to install it. */
  const resource = (
    logicalName: string,
    apiVersion: string,
    kind: string,
    own: { metadata?: object; spec: pulumi.Inputs },
    more: pulumi.CustomResourceOptions,
  ) =>
    new CustomResource(
      logicalName,
      { apiVersion, kind, metadata: { ...metadata, ...own.metadata }, spec: own.spec },
      child({ ...more, hooks }),
    );
  const store = (suffix: string, s3: ResolvedS3, retention?: pulumi.Input<string>) =>
    resource(
      `${name}-${suffix}`,
      OBJECT_STORE_API,
      "ObjectStore",
      { spec: objectStore({ ...s3, path: s3.prefix, credentialsSecret: s3.secretName }, retention) },
      {},
    );

  const { backups, restoreFrom, credentials } = database;
  const backupStore = backups?.destination.s3 && store("backups", backups.destination.s3, backups.retention);
  const backup: ClusterBackup | undefined = backupStore && { objectStore: backupStore.metadata.name };
  const restoreStore = restoreFrom?.source.s3 && store("restore", restoreFrom.source.s3);
  const restore: ClusterRestore | undefined = restoreStore && {
    objectStore: restoreStore.metadata.name,
    serverName: cluster.restoreServerName ?? name,
  };

  // New content comes under a new name: that is how the operator notices.
  const passwords: core.Secret[] = [];
  const role = (
    slot: string,
    { user, password }: Login,
    login: pulumi.Input<boolean>,
    memberOf: pulumi.Input<string>,
  ): ManagedRole => {
    const { type, stringData, ...own } = rolePasswordSecret(user, password);
    const secret = new core.Secret(
      `${name}-role-${slot}`,
      { metadata: { namespace, labels: { ...labels, ...own.labels } }, type, stringData },
      child(),
    );
    passwords.push(secret);
    return { name: user, login, inRoles: [memberOf], passwordSecret: secret.metadata.name };
  };
  const acts = credentials.separateMigrator ? logins.runtimeRole : database.user;
  const maySlot = (slot: "a" | "b") =>
    pulumi.all([logins.current, credentials.lockFormerLogin]).apply(([current, locked]) => current === slot || !locked);
  const roles: ManagedRole[] = [
    ...(credentials.separateMigrator ? [{ name: logins.runtimeRole, login: false, inRoles: [] }] : []),
    role("a", logins.a, maySlot("a"), acts),
    role("b", logins.b, maySlot("b"), acts),
    logins.migrator
      ? role("migrator", logins.migrator, true, database.user)
      : { name: logins.migratorUser, login: false, inRoles: [], absent: true },
  ];

  const server = resource(
    name,
    CLOUD_NATIVE_PG_API,
    "Cluster",
    {
      metadata: { name, annotations: database.onDelete === "retain" ? { ...READY, ...KEEP_VOLUMES } : READY },
      spec: cloudNativePgCluster(cluster, {
        name,
        labels,
        imagePullSecrets,
        databaseName: database.databaseName,
        owner: database.user,
        roles,
        backup,
        restoreFrom: restore,
      }),
    },
    {
      dependsOn: passwords,
      ignoreChanges: ["metadata.name"], // a new name of the component is no reason to make another Cluster
      customTimeouts: { create: "20m", update: "60m" }, // servers are restarted one after the other
    },
  );
  const clusterName = server.metadata.name as pulumi.Output<string>;
  const extensions = resource(
    `${name}-database`,
    CLOUD_NATIVE_PG_API,
    "Database",
    {
      metadata: { annotations: { "pulumi.com/waitFor": "jsonpath={.status.applied}=true" } },
      spec: cloudNativePgDatabase({
        cluster: clusterName,
        databaseName: database.databaseName,
        owner: database.user,
        extensions: database.extensions,
      }),
    },
    { dependsOn: server },
  );
  if (backups && backup) {
    resource(
      `${name}-backups`,
      CLOUD_NATIVE_PG_API,
      "ScheduledBackup",
      { spec: scheduledBackup({ cluster: clusterName, schedule: backups.schedule, backup }) },
      { dependsOn: server },
    );
  }

  const address = {
    host: pulumi.interpolate`${clusterName.apply(readWriteService)}.${server.metadata.namespace}.svc`,
    port: pulumi.output(POSTGRES_PORT),
  };
  return {
    server: address,
    direct: address,
    pooled: false,
    sslmode: "verify-full",
    caSecretName: clusterName.apply(authoritySecret),
    client: { image: cluster.imageName, uid: pulumi.output(cluster.imageName).apply(userOf) },
    logins,
    ready: [server, extensions],
    ...(database.onDelete === "delete"
      ? {
          owner: {
            apiVersion: CLOUD_NATIVE_PG_API,
            kind: "Cluster",
            name: clusterName,
            uid: server.metadata.uid as pulumi.Output<string>,
          },
        }
      : {}),
    dataId: server.metadata.uid as pulumi.Output<string>,
    seen: {
      pods: clusterName.apply((cluster) => ({ "cnpg.io/cluster": cluster })),
      cluster: clusterName,
      claims: pulumi.interpolate`${clusterName}-[0-9]+(-wal)?`,
    },
  };
}

/** Says how to install the operator when that is what is missing. */
const installHint = (name: string) =>
  onUnknownKind(
    `${name}-operator`,
    "database.cloudNativePg: the CloudNativePG operator, or for backups its Barman Cloud plugin, is not installed in this cluster. " +
      "Install the operator with `helm upgrade --install cnpg --namespace cnpg-system --create-namespace cloudnative-pg --repo https://cloudnative-pg.github.io/charts`, " +
      "the plugin as https://cloudnative-pg.io/plugin-barman-cloud says, and run `pulumi up` again.",
  );
