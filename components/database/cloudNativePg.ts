import * as pulumi from "@pulumi/pulumi";
import { ClusterRules, ownImage } from "../common/clusterRules";
import { podPlacement } from "../common/placement";
import { checkResources, ContainerResourcesArgs } from "../common/resources";
import { imageReference, kubernetesName, volumeSize, wholeNumber } from "../common/rules";
import { Rule, Validation } from "../common/validation";
import { checkParameters } from "./image";

/** Replicated Postgres in the cluster, run by the CloudNativePG operator (1.26 or newer), which has to be installed. */
export interface CloudNativePgArgs {
  /**
   * Number of servers: one that writes, the others follow it and take over within seconds when it is lost. Replication is
   * asynchronous: a take-over may lose the last transactions. Defaults to 3, so that after losing one there is still a spare; on one
   * node or for tests 1 is enough, which has no spare and is down while its pod moves. A change adds or removes followers, and the
   * volumes of those that are removed.
   */
  instances?: pulumi.Input<number>;
  /**
   * Major version of Postgres. Decides the image unless `imageName` is given. Defaults to 17.
   * A higher one, at least 16, upgrades the data in place: the database is down meanwhile, backups begin anew in an archive of their own,
   * and those from before cannot be used to go back to a moment after. A lower one is refused.
   */
  version?: pulumi.Input<number>;
  /**
   * Image that the operator can run, with a tag that begins with Postgres' version ("17.6-standard-trixie"): the operator reads it
   * there. Defaults to `ghcr.io/cloudnative-pg/postgresql:<version>-standard-trixie`, which has pgvector and PGAudit. A change
   * restarts the servers one after the other; another distribution (trixie, bookworm) may sort text differently: reindex then.
   */
  imageName?: pulumi.Input<string>;
  /**
   * Size of each server's volume, a quantity such as "10Gi". Defaults to "10Gi". More makes the volumes grow in place where their
   * storage class can (`allowVolumeExpansion`); less is refused by the operator, because volumes cannot shrink.
   */
  storage?: pulumi.Input<string>;
  /**
   * StorageClass of the volumes. Defaults to the cluster's default class. A change holds for servers that are made after it.
   */
  storageClassName?: pulumi.Input<string>;
  /**
   * Server parameters: `{ max_connections: "200", shared_preload_libraries: "pg_cron" }`. Those that the operator sets itself
   * (addresses, files, TLS, logs, archiving, replication) and secret values are refused. `shared_buffers` has to fit the requested memory.
   * Defaults to the operator's. A change reloads the servers, or restarts them one after the other where the parameter needs it.
   */
  parameters?: pulumi.Input<Record<string, pulumi.Input<string>>>;
  /**
   * Name of the archive that `restoreFrom.s3` takes, without `restoreFrom.backup`: the directory of the bucket, or of its prefix, that a
   * Cluster's backups are in. Every life of a Cluster and every major version has one of its own, `<name>-db-` under a PostgresApp and
   * eight characters after it; those of earlier versions of this package have the Cluster's name alone. Needed for such a restore, and read
   * only when the Cluster is made.
   */
  restoreServerName?: pulumi.Input<string>;
  /**
   * CPU and memory of each server. Defaults to requests of 100m CPU and 256Mi of memory and no limits.
   * A change restarts the servers one after the other.
   */
  resources?: ContainerResourcesArgs;
}

export interface ResolvedCloudNativePg {
  instances: pulumi.Input<number>;
  imageName: pulumi.Input<string>;
  storage: pulumi.Input<string>;
  storageClassName?: pulumi.Input<string>;
  parameters: pulumi.Input<Record<string, pulumi.Input<string>>>;
  restoreServerName?: pulumi.Input<string>;
  resources: ContainerResourcesArgs;
}

/** A role that logs in, or one whose rights others have as its members. */
export interface ManagedRole {
  name: pulumi.Input<string>;
  /** Without it the role is there and keeps what it owns, but nobody gets in with it any more. */
  login: pulumi.Input<boolean>;
  /** Roles whose rights it has. They have to be the owner or in the list themselves; memberships of other origin are revoked. */
  inRoles: pulumi.Input<string>[];
  /** Secret as `rolePasswordSecret` makes it. New content has to come under a new name. Without one the role has no password. */
  passwordSecret?: pulumi.Input<string>;
  /** Whether no policy of row level security holds for it. Defaults to false. */
  bypassRls?: boolean;
  /** Removed where it is there. The operator leaves alone what is not listed: such a role would go on logging in. */
  absent?: boolean;
}

/** Where backups go: either to an object store, with every transaction after them, or to snapshots of the volumes. */
export interface ClusterBackup {
  /** Name of an ObjectStore in the same namespace. */
  objectStore?: pulumi.Input<string>;
  /** Directory in the store. Defaults to the Cluster's name. It has to be empty when the Cluster, or its major version, is new. */
  serverName?: pulumi.Input<string>;
  /** VolumeSnapshotClass of the snapshots. They stay until somebody deletes them: the operator has no retention for them. */
  volumeSnapshotClassName?: pulumi.Input<string>;
}

/** What fills a new Cluster: either what is in an object store, or a Backup that was made of volume snapshots. */
export interface ClusterRestore {
  /** Name of an ObjectStore in the same namespace, whatever namespace the former Cluster was in. */
  objectStore?: pulumi.Input<string>;
  /** Directory in the store: the former Cluster's name, if it was given no other. */
  serverName?: pulumi.Input<string>;
  /** Moment to go back to, with its zone ("2026-01-31T12:00:00Z"). Needs an object store. Defaults to the last transaction there. */
  targetTime?: pulumi.Input<string>;
  /** Name of a Backup of volume snapshots. The operator cannot restore the plugin's Backups by name: they take the store. */
  backupName?: pulumi.Input<string>;
}

/** A bucket of S3, or of what speaks its protocol. */
export interface ObjectDestination {
  /** URL of the service. Without one it is Amazon's. */
  endpoint?: pulumi.Input<string>;
  bucket: pulumi.Input<string>;
  /** Folder in the bucket, without a slash at either end. */
  path?: pulumi.Input<string>;
  region?: pulumi.Input<string>;
  credentialsSecret: pulumi.Input<string>;
  accessKeyIdKey: pulumi.Input<string>;
  secretAccessKeyKey: pulumi.Input<string>;
}

export const CLOUD_NATIVE_PG_API = "postgresql.cnpg.io/v1";
export const OBJECT_STORE_API = "barmancloud.cnpg.io/v1";
/** The plugin for object stores: the operator's own support for them is deprecated since 1.26 and announced to end with 1.31. */
const BARMAN_CLOUD = "barman-cloud.cloudnative-pg.io";
/** How a Cluster's spec calls the Cluster that it was restored from. */
const ORIGIN = "origin";

/** Name of the Service that leads to the server that writes. */
export const readWriteService = (cluster: string) => `${cluster}-rw`;
/** Name of the Secret with the authority of the servers' certificates, in ca.crt. The operator keeps its private key beside it. */
export const authoritySecret = (cluster: string) => `${cluster}-ca`;

/** The major version of Postgres, from the image's tag: the operator reads it there too. */
export const majorOfImage = (image: string) => /:(\d\d)(?!\d)[\w.-]*(@|$)/.exec(image)?.[1] ?? "";

/** What the operator sets itself and refuses from others. shared_preload_libraries is not among them: it has a place of its own. */
const OPERATORS = [
  ...["allow_system_table_mods", "archive_cleanup_command", "archive_command", "archive_mode", "bonjour", "bonjour_name"],
  ...["cluster_name", "config_file", "data_directory", "data_sync_retry", "event_source", "external_pid_file", "hba_file"],
  ...["hot_standby", "ident_file", "jit_provider", "listen_addresses", "log_destination", "log_directory", "log_file_mode"],
  ...["log_filename", "log_rotation_age", "log_rotation_size", "log_truncate_on_rotation", "logging_collector"],
  ...["pg_failover_slots.primary_dsn", "pg_failover_slots.standby_slot_names", "port", "primary_conninfo", "primary_slot_name"],
  ...["promote_trigger_file", "recovery_end_command", "recovery_min_apply_delay", "recovery_target", "recovery_target_action"],
  ...["recovery_target_inclusive", "recovery_target_lsn", "recovery_target_name", "recovery_target_time"],
  ...["recovery_target_timeline", "recovery_target_xid", "restart_after_crash", "restore_command", "ssl", "ssl_ca_file"],
  ...["ssl_cert_file", "ssl_crl_file", "ssl_dh_params_file", "ssl_ecdh_curve", "ssl_key_file", "ssl_passphrase_command"],
  ...["ssl_passphrase_command_supports_reload", "ssl_prefer_server_ciphers", "stats_temp_directory"],
  ...["synchronized_standby_slots", "synchronous_standby_names", "syslog_facility", "syslog_ident", "syslog_sequence_numbers"],
  ...["syslog_split_messages", "temp_tablespaces", "unix_socket_directories", "unix_socket_group", "unix_socket_permissions"],
];

/** Labels that the operator gives its objects: with other values from us it would correct them for ever. */
const LABELS = ["name", "instance", "version", "component", "managed-by"].map((label) => `app.kubernetes.io/${label}`);

export function resolveCloudNativePg(
  args: CloudNativePgArgs,
  path: string,
  validation: Validation,
  rules: ClusterRules,
): ResolvedCloudNativePg {
  const check: Validation["check"] = (property, value, rule) => validation.check(`${path}.${property}`, value, rule);
  const version = check("version", args.version, wholeNumber(14, 99)) ?? 17;
  const resources = checkResources(validation, `${path}.resources`, args.resources, { cpu: "100m", memory: "256Mi" });
  return {
    instances: check("instances", args.instances, wholeNumber(1)) ?? 3,
    imageName:
      check("imageName", args.imageName, versionedImage) ??
      // The distribution is frozen: with another one text may sort differently, and indexes would be wrong.
      ownImage(
        pulumi.output(version).apply((v) => `ghcr.io/cloudnative-pg/postgresql:${v}-standard-trixie`),
        rules,
      ),
    storage: check("storage", args.storage, volumeSize) ?? "10Gi",
    storageClassName: args.storageClassName,
    restoreServerName: check("restoreServerName", args.restoreServerName, kubernetesName),
    parameters:
      validation.check(
        `${path}.parameters`,
        checkParameters(validation, `${path}.parameters`, args.parameters, OPERATORS),
        sharedBuffersWithin(resources),
      ) ?? {},
    resources,
  };
}

const versionedImage: Rule<string> = (image) =>
  imageReference(image) ??
  (/:(1[4-9]|[2-9]\d)(?!\d)[\w.-]*(@|$)/.test(image)
    ? undefined
    : `"${image}" does not say its version: use a tag that begins with it, such as :17.6-standard-trixie, with a digest after it or not`);

const BYTES: Record<string, number> = {
  "": 1,
  B: 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
};

/** The operator refuses more shared buffers than requested memory, and takes a number without a unit for megabytes: Postgres does not. */
const sharedBuffersWithin =
  ({ requests }: ContainerResourcesArgs): Rule<unknown> =>
  (parameters) => {
    const buffers = (parameters as Record<string, unknown> | undefined)?.shared_buffers;
    if (typeof buffers !== "string") return undefined;
    const [, size, unit] = /^(\d+) ?(B|kB|MB|GB|TB)$/.exec(buffers) ?? [];
    if (!unit) return `shared_buffers is "${buffers}": write it with a unit, such as "512MB"`;
    const memory = (requests as Record<string, unknown> | undefined)?.memory;
    const [, requested, prefix] = (typeof memory === "string" && /^([\d.]+)([kMGT]|[KMGT]i)?$/.exec(memory)) || [];
    if (!requested) return undefined;
    const factor = unit === "B" ? 1 : BYTES[`${unit[0].toUpperCase()}i`];
    return Number(size) * factor <= Number(requested) * BYTES[prefix ?? ""]
      ? undefined
      : `shared_buffers of ${buffers} are more than the ${memory} of memory that are requested: raise resources.requests.memory`;
  };

/** The spec of the Cluster. Its name is at most 50 characters, begins with a letter and has no dot. */
export function cloudNativePgCluster(
  database: ResolvedCloudNativePg,
  around: {
    name: string;
    labels: Record<string, string>;
    databaseName: pulumi.Input<string>;
    owner: pulumi.Input<string>;
    /** Roles whose rights the owner has too. They have to be in the list. */
    ownerInRoles?: pulumi.Input<string>[];
    roles: ManagedRole[];
    imagePullSecrets?: pulumi.Input<pulumi.Input<string>[]>;
    backup?: ClusterBackup;
    restoreFrom?: ClusterRestore;
  },
): pulumi.Inputs {
  const { databaseName, owner, ownerInRoles, backup, restoreFrom } = around;
  const application = { database: databaseName, owner };
  return {
    instances: database.instances,
    imageName: database.imageName,
    ...podPlacement({ imagePullSecrets: around.imagePullSecrets }),
    inheritedMetadata: { labels: Object.fromEntries(Object.entries(around.labels).filter(([name]) => !LABELS.includes(name))) },
    enableSuperuserAccess: false,
    // The budget for disruptions of one server allows none: nodes could not be drained.
    enablePDB: pulumi.output(database.instances).apply((instances) => instances > 1),
    storage: { size: database.storage, storageClass: database.storageClassName },
    resources: database.resources,
    postgresql: pulumi.output(database.parameters).apply(postgresql),
    // Read only when the Cluster is made: a later change of it does nothing.
    bootstrap: restoreFrom
      ? { recovery: { ...recovery(restoreFrom), ...application } }
      : { initdb: { ...application, encoding: "UTF8", localeCollate: "C.UTF-8", localeCType: "C.UTF-8", dataChecksums: true } },
    externalClusters: restoreFrom?.objectStore
      ? [{ name: ORIGIN, plugin: { name: BARMAN_CLOUD, parameters: storeParameters(restoreFrom) } }]
      : undefined,
    managed: {
      roles: [
        // The operator makes the owner with a login and gives its password a Secret of its own, which nobody needs.
        { name: owner, ensure: "present", login: false, inRoles: ownerInRoles?.length ? ownerInRoles : undefined },
        ...around.roles.map(managedRole),
        // Made in this order, and nobody can become a member of what is not there yet.
      ].sort((a, b) => (a.inRoles?.length ?? 0) - (b.inRoles?.length ?? 0)),
    },
    plugins: backup?.objectStore ? [{ name: BARMAN_CLOUD, isWALArchiver: true, parameters: storeParameters(backup) }] : undefined,
    backup: backup?.volumeSnapshotClassName ? { volumeSnapshot: { className: backup.volumeSnapshotClassName } } : undefined,
  };
}

interface ManagedRoleSpec {
  name: pulumi.Input<string>;
  ensure: string;
  inRoles?: pulumi.Input<string>[];
  [field: string]: unknown;
}

function managedRole({ name, login, inRoles, passwordSecret, bypassRls, absent }: ManagedRole): ManagedRoleSpec {
  if (absent) return { name, ensure: "absent" };
  return {
    name,
    ensure: "present",
    login,
    inRoles: inRoles.length ? inRoles : undefined,
    bypassrls: bypassRls,
    ...(passwordSecret === undefined ? { disablePassword: true } : { passwordSecret: { name: passwordSecret } }),
  };
}

function postgresql({ shared_preload_libraries, ...parameters }: Record<string, string>) {
  const libraries = (shared_preload_libraries ?? "").split(",").map((library) => library.trim().replace(/^["']|["']$/g, ""));
  return { parameters, ...(shared_preload_libraries ? { shared_preload_libraries: libraries.filter(Boolean) } : {}) };
}

function recovery({ objectStore, backupName, targetTime }: ClusterRestore) {
  if (objectStore === undefined) return { backup: { name: backupName } };
  return { source: ORIGIN, recoveryTarget: targetTime === undefined ? undefined : { targetTime } };
}

const storeParameters = ({ objectStore, serverName }: ClusterBackup | ClusterRestore) => ({
  barmanObjectName: objectStore,
  serverName,
});

/**
 * The Secret with a role's password. The operator takes a new one when the Cluster names another Secret; the label makes it look at
 * the same one again, too, when somebody changes it by hand.
 */
export function rolePasswordSecret(
  role: pulumi.Input<string>,
  password: pulumi.Input<string>,
): { type: string; labels: Record<string, string>; stringData: Record<string, pulumi.Input<string>> } {
  return {
    type: "kubernetes.io/basic-auth",
    labels: { "cnpg.io/reload": "true" },
    stringData: { username: role, password },
  };
}

/** The spec of the Database, which has the operator make the extensions with the administrator's rights, in this order. */
export function cloudNativePgDatabase(around: {
  cluster: pulumi.Input<string>;
  databaseName: pulumi.Input<string>;
  owner: pulumi.Input<string>;
  extensions: pulumi.Input<pulumi.Input<string>[]>;
}): pulumi.Inputs {
  return {
    cluster: { name: around.cluster },
    name: around.databaseName,
    owner: around.owner,
    ensure: "present",
    databaseReclaimPolicy: "retain",
    extensions: pulumi.output(around.extensions).apply((names) => names.map((name) => ({ name, ensure: "present" }))),
  };
}

/** The spec of an ObjectStore. `retention` is for the one that backups go to. */
export function objectStore(destination: ObjectDestination, retention?: pulumi.Input<string>): pulumi.Inputs {
  const { endpoint, bucket, path, region, credentialsSecret, accessKeyIdKey, secretAccessKeyKey } = destination;
  const env = [
    ...(region === undefined ? [] : [{ name: "AWS_DEFAULT_REGION", value: region }]),
    // Amazon's client adds checksums that other services do not understand.
    ...(endpoint === undefined
      ? []
      : ["AWS_REQUEST_CHECKSUM_CALCULATION", "AWS_RESPONSE_CHECKSUM_VALIDATION"].map((name) => ({
          name,
          value: "when_required",
        }))),
  ];
  return {
    retentionPolicy: retention,
    configuration: {
      destinationPath: path === undefined ? pulumi.interpolate`s3://${bucket}` : pulumi.interpolate`s3://${bucket}/${path}`,
      endpointURL: endpoint,
      s3Credentials: {
        accessKeyId: { name: credentialsSecret, key: accessKeyIdKey },
        secretAccessKey: { name: credentialsSecret, key: secretAccessKeyKey },
      },
      // An idle database archives 16 MiB of nearly nothing every five minutes. snappy costs a backup no time; gzip takes ten times as long.
      wal: { compression: "gzip" },
      data: { compression: "snappy" },
    },
    instanceSidecarConfiguration: env.length ? { env } : undefined,
  };
}

/** The spec of the ScheduledBackup. The first backup is made at once: without one the archive is of no use. */
export function scheduledBackup(around: {
  cluster: pulumi.Input<string>;
  /** Five fields of cron, in the operator's time zone (UTC in its image). */
  schedule: pulumi.Input<string>;
  backup: ClusterBackup;
}): pulumi.Inputs {
  return {
    cluster: { name: around.cluster },
    schedule: pulumi.output(around.schedule).apply((schedule) => `0 ${schedule.trim()}`),
    immediate: true,
    ...(around.backup.objectStore
      ? { method: "plugin", pluginConfiguration: { name: BARMAN_CLOUD }, backupOwnerReference: "self" }
      : // Snapshots are found by their Backup: it has to outlive the schedule.
        { method: "volumeSnapshot", backupOwnerReference: "none" }),
  };
}
