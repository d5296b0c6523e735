import * as pulumi from "@pulumi/pulumi";
import { CustomResource } from "@pulumi/kubernetes/apiextensions";
import * as core from "@pulumi/kubernetes/core/v1";
import * as random from "@pulumi/random";
import { namespaceOf } from "../common/answers";
import { holdsData } from "../common/childOptions";
import { onUnknownKind } from "../common/hooks";
import { ResolvedS3 } from "./backupDestination";
import {
  authoritySecret,
  CLOUD_NATIVE_PG_API,
  ClusterBackup,
  ClusterRestore,
  cloudNativePgCluster,
  cloudNativePgDatabase,
  majorOfImage,
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
import { clientOf, Engine, EngineContext } from "./engine";
import { userOf } from "./image";
import { ResolvedDatabase } from "./resolveDatabase";

const READY = { "pulumi.com/waitFor": "condition=Ready" };
/**
 * The operator deletes the volumes with the Cluster. Orphaned, they stay (and the pods, which nobody looks after then), and a Cluster of
 * the same name takes them over (CloudNativePG, internal/controller/cluster_restore.go).
 */
const ORPHAN = "pulumi.com/deletionPropagationPolicy";
const KEEP_VOLUMES = { [ORPHAN]: "orphan" };

/** Replicated Postgres: logins, Cluster, extensions, backups, all run by the operator. */
export function cloudNativePgServer(
  name: string,
  database: ResolvedDatabase,
  cluster: ResolvedCloudNativePg,
  { namespace, imagePullSecrets, rules, labels, child }: EngineContext,
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
  const archive = backupStore && archiveName(name, cluster, child);
  const backup: ClusterBackup | undefined = backupStore && { objectStore: backupStore.metadata.name, serverName: archive };
  const restoreStore = restoreFrom?.archive ? store("restore", restoreFrom.source.s3!) : undefined;
  const restore: ClusterRestore | undefined = restoreStore && {
    objectStore: restoreStore.metadata.name,
    serverName: cluster.restoreServerName,
  };

  // New content comes under a new name: that is how the operator notices.
  const passwords: core.Secret[] = [];
  const role = (
    slot: string,
    { user, password }: Login,
    login: pulumi.Input<boolean>,
    memberOf: pulumi.Input<string>[],
  ): ManagedRole => {
    const { type, stringData, ...own } = rolePasswordSecret(user, password);
    const secret = new core.Secret(
      `${name}-role-${slot}`,
      { metadata: { namespace, labels: { ...labels, ...own.labels } }, type, stringData },
      child(),
    );
    passwords.push(secret);
    return { name: user, login, inRoles: memberOf, passwordSecret: secret.metadata.name };
  };
  // Who acts as the owner may act as the role for backups too, which sees all rows whatever policies say.
  const owning = [database.user, logins.backupRole];
  const runtime = credentials.separateMigrator ? [logins.runtimeRole] : [];
  const acts = credentials.separateMigrator ? runtime : owning;
  const maySlot = (slot: "a" | "b") =>
    pulumi.all([logins.current, credentials.lockFormerLogin]).apply(([current, locked]) => current === slot || !locked);
  const roles: ManagedRole[] = [
    ...runtime.map((name) => ({ name, login: false, inRoles: [] })),
    { name: logins.backupRole, login: false, inRoles: [database.user], bypassRls: true },
    role("a", logins.a, maySlot("a"), acts),
    role("b", logins.b, maySlot("b"), acts),
    logins.migrator
      ? role("migrator", logins.migrator, true, owning)
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
        ownerInRoles: runtime,
        roles,
        backup,
        restoreFrom: restore,
      }),
    },
    {
      ...holdsData,
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
      // A new archive is a new schedule, which begins with a backup: without one an archive is of no use.
      { metadata: { name: archive }, spec: scheduledBackup({ cluster: clusterName, schedule: backups.schedule, backup }) },
      { dependsOn: server },
    );
  }

  const address = {
    host: pulumi.interpolate`${clusterName.apply(readWriteService)}.${namespaceOf(server)}.svc`,
    port: pulumi.output(POSTGRES_PORT),
  };
  return {
    server: address,
    direct: address,
    pooled: false,
    sslmode: "verify-full",
    caSecretName: clusterName.apply(authoritySecret),
    client: clientOf(cluster.imageName, pulumi.output(cluster.imageName).apply(userOf), rules),
    logins,
    ready: [server, extensions],
    onDelete: server.metadata.apply((known) => (known?.annotations?.[ORPHAN] === KEEP_VOLUMES[ORPHAN] ? "retain" : "delete")),
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

/**
 * Name of the archive that backups go to. A server that begins anew, or a major upgrade, would write over what is in a former one, or be
 * kept from archiving. The name of the component is that of its first day.
 */
function archiveName(name: string, { imageName }: ResolvedCloudNativePg, child: EngineContext["child"]): pulumi.Output<string> {
  const { keepers, result } = new random.RandomUuid(
    `${name}-archive`,
    { keepers: { name, version: pulumi.output(imageName).apply(majorOfImage) } },
    child({ ignoreChanges: ["keepers.name"], retainOnDelete: false }),
  );
  return pulumi.all([keepers, result]).apply(([kept, uuid]) => `${kept?.name ?? name}-${(uuid ?? "").slice(0, 8)}`);
}

/** Says how to install the operator when that is what is missing. */
const installHint = (name: string) =>
  onUnknownKind(
    `${name}-operator`,
    "database.cloudNativePg: the CloudNativePG operator, or for backups its Barman Cloud plugin, is not installed in this cluster. " +
      "Install the operator with `helm upgrade --install cnpg --namespace cnpg-system --create-namespace cloudnative-pg --repo https://cloudnative-pg.github.io/charts`, " +
      "the plugin as https://cloudnative-pg.io/plugin-barman-cloud says, and run `pulumi up` again.",
  );
