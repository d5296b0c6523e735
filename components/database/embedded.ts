import { createHash } from "crypto";
import * as pulumi from "@pulumi/pulumi";
import { types } from "@pulumi/kubernetes";
import { ClusterRules, ownImage, podMetadata } from "../common/clusterRules";
import { podPlacement } from "../common/placement";
import { checkResources, ContainerResourcesArgs, limited, ownResources } from "../common/resources";
import { imageReference, kubernetesName, oneOf, volumeSize, wholeNumber } from "../common/rules";
import { restrictedContainer, restrictedPod, writable } from "../common/security";
import { Validation } from "../common/validation";
import { checkParameters, majorOf, userOf } from "./image";
import { databaseScript as script } from "../common/scripts";

/** Whether connections to the embedded server are encrypted. */
export const EmbeddedTls = {
  /** The server has a certificate, our connection forms ask for it to be verified, and programs that cannot do TLS get in without. */
  Offered: "offered",
  /** The server refuses connections without TLS. */
  Required: "required",
  /** The server has no certificate. */
  Off: "off",
} as const;
export type EmbeddedTls = (typeof EmbeddedTls)[keyof typeof EmbeddedTls];

/** One Postgres server in the cluster, with its data on a volume. */
export interface EmbeddedPostgresArgs {
  /**
   * Major version of Postgres. Decides the image unless `image` is given, of which it then says the version. Defaults to the one
   * in the image's tag ("17-alpine", "pg17"), else to 17.
   * Caution: data belongs to its major version. A change is refused, before anything is touched; move the data with a backup.
   */
  version?: pulumi.Input<number>;
  /**
   * Image that carries Postgres: the official one, or any with `postgres`, `initdb` and `psql` on its PATH, such as pgvector's,
   * PostGIS' or TimescaleDB's. Defaults to `docker.io/library/postgres:<version>`. A change restarts the database.
   */
  image?: pulumi.Input<string>;
  /**
   * User id that Postgres runs as, which has to own the data; the image need not know it. Defaults to what is known of the image
   * with which the database was first deployed: 70 for Alpine's (TimescaleDB's too), 1000 for timescaledb-ha, 26 for CloudNativePG's,
   * 1001 for Bitnami's, else 999. On an existing claim of another owner the server does not start, and says which number to write.
   * A change restarts the database.
   */
  runAsUser?: pulumi.Input<number>;
  /**
   * Size of the volume, a quantity such as "10Gi". Defaults to "10Gi". More makes the volume grow in place, without a restart where
   * its storage class can (`allowVolumeExpansion`); less than it has is refused, because volumes cannot shrink.
   */
  storage?: pulumi.Input<string>;
  /**
   * StorageClass of the volume. Defaults to the cluster's default class. A change is refused: a volume cannot change its class.
   */
  storageClassName?: pulumi.Input<string>;
  /**
   * Name of a claim that is there already, in place of one of the component's own: its data is taken over, whoever made it. The
   * server that used it has to be stopped before. Nothing is initialized on it unless the volume is empty, and no database is made
   * beside those that are on it unless `databaseName` says so: write that and `user` as they are there.
   * `storage` and `storageClassName` do not apply. A change is refused. Defaults to none.
   */
  existingClaim?: string;
  /**
   * Directory of the data on the existing claim's volume. Defaults to "pgdata". Official images leave it at ".", the volume itself, or
   * at "pgdata", from 18 on at "18/docker"; Bitnami's at "data". An empty volume gets its database there. Where the volume has a database
   * elsewhere, nothing is changed, and the server says where. Needs `existingClaim`. A change is refused once the server was ready.
   */
  subPath?: string;
  /**
   * Server parameters: `{ max_connections: "200", shared_buffers: "1GB" }`. They win over files beside the data and over ALTER SYSTEM.
   * Those that the component itself sets (addresses, files, TLS) are refused, and so is a secret value. Defaults to Postgres' own. A
   * change restarts the database.
   */
  parameters?: pulumi.Input<Record<string, pulumi.Input<string>>>;
  /**
   * Whether connections are encrypted: "offered", "required" or "off". With the first two the connection's forms say
   * `sslmode=verify-full` and where the authority's certificate is. Defaults to "offered", so that programs that cannot do TLS get
   * in too; "off" is for those that do not understand the URI's parameters. A change restarts the database.
   */
  tls?: EmbeddedTls;
  /**
   * CPU and memory of the server. Defaults to requests of 100m CPU and 256Mi of memory and no limits.
   * A change restarts the database.
   */
  resources?: ContainerResourcesArgs;
}

export interface ResolvedEmbedded {
  image: pulumi.Input<string>;
  /** Known where it is given or stands in the image's tag; data of another one is refused at preview then. */
  version: pulumi.Output<number | undefined>;
  /** The image's, unless it is given. */
  runAsUser: pulumi.Input<number>;
  runAsUserGiven: boolean;
  storage: pulumi.Input<string>;
  storageClassName?: pulumi.Input<string>;
  existingClaim?: string;
  subPath: string;
  parameters: pulumi.Input<Record<string, pulumi.Input<string>>>;
  tls: EmbeddedTls;
  resources: ContainerResourcesArgs;
}

export const POSTGRES_PORT = 5432;
export const ADMIN_USER = "postgres";

const FILES = "/etc/postgres-app/scripts";
const CREDENTIALS = "/etc/postgres-app/admin";
const CERTIFICATE = "/etc/postgres-app/certificate";
/** A path that no image has: of some, the usual /var/lib/postgresql/data is a link. */
const VOLUME = "/var/lib/postgres-app";
const SOCKETS = "/var/run/postgresql";
/** Name of the claim template, and with it of the claims that were made from it: it can never change. */
export const CLAIM_TEMPLATE = "data";

/** Parameters without which the component would not find its own server, or the server not its files. */
const OURS = [
  "listen_addresses",
  "port",
  "unix_socket_directories",
  "data_directory",
  "config_file",
  "hba_file",
  "logging_collector",
  "ssl",
  "ssl_cert_file",
  "ssl_key_file",
];

export function resolveEmbedded(
  args: EmbeddedPostgresArgs,
  path: string,
  validation: Validation,
  rules: ClusterRules,
): ResolvedEmbedded {
  const check: Validation["check"] = (property, value, rule) => validation.check(`${path}.${property}`, value, rule);
  const version = check("version", args.version, wholeNumber(13, 99));
  const image =
    check("image", args.image, imageReference) ??
    ownImage(
      pulumi.output(version).apply((given) => `docker.io/library/postgres:${given ?? 17}`),
      rules,
    );
  if (args.subPath !== undefined && args.existingClaim === undefined)
    validation.problem(`${path}.subPath`, "says where the data is on an existing claim: name that in existingClaim too");
  if (args.existingClaim !== undefined) {
    for (const property of ["storage", "storageClassName"] as const) {
      if (args[property] !== undefined)
        validation.problem(`${path}.${property}`, "is for a claim of the component's own: leave it out beside existingClaim");
    }
  }
  return {
    image,
    version: pulumi.all([version, image]).apply(([given, name]) => given ?? majorOf(name)),
    runAsUser: check("runAsUser", args.runAsUser, wholeNumber(1)) ?? pulumi.output(image).apply(userOf),
    runAsUserGiven: args.runAsUser !== undefined,
    storage: check("storage", args.storage, volumeSize) ?? "10Gi",
    storageClassName: args.storageClassName,
    existingClaim: check("existingClaim", args.existingClaim, kubernetesName),
    subPath: check("subPath", args.subPath, relativePath) ?? "pgdata",
    parameters: checkParameters(validation, `${path}.parameters`, args.parameters, OURS) ?? {},
    tls: check("tls", args.tls, oneOf(Object.values(EmbeddedTls))) ?? "offered",
    resources: checkResources(validation, `${path}.resources`, args.resources, { cpu: "100m", memory: "256Mi" }),
  };
}

const relativePath = (value: string) =>
  value === "." || value.split("/").every((step) => /^[\w.-]+$/.test(step) && !/^\.\.?$/.test(step))
    ? undefined
    : `${JSON.stringify(value)} is not a path inside the volume: write for example "pgdata", "." for the volume itself`;

/** Files of the start ConfigMap. */
export function startFiles(database: ResolvedEmbedded): pulumi.Input<Record<string, pulumi.Input<string>>> {
  return {
    "start.sh": script("start.sh"),
    "try.sh": script("try.sh"),
    "pg_hba.conf": accessRules(database.tls),
    // What initdb or another installer left beside the data, if anything; the settings come after it.
    "postgresql.conf": `include_if_exists '${dataDirectory(database.subPath)}/postgresql.conf'\n`,
    settings: pulumi.output(database.parameters).apply((parameters) => settings(database.tls, parameters)),
    passwd: pulumi.output(database.runAsUser).apply(passwd),
  };
}

/** What decides whether a server starts on any data, in short. */
export const startSettings = ({ image, parameters, tls, resources }: ResolvedEmbedded): pulumi.Output<string> =>
  pulumi.all([image, parameters, resources.limits]).apply(([image, parameters, limits]) =>
    createHash("sha256")
      .update(JSON.stringify([image, settings(tls, parameters), Object.entries(limits ?? {}).sort()]))
      .digest("hex"),
  );

/** Postgres' programs look their user up, and an image knows only its own. */
export const passwd = (uid: number): string =>
  ["root:x:0:0:root:/root:/bin/sh", `postgres:x:${uid}:${uid}:PostgreSQL:/tmp:/bin/sh`, ""].join("\n");

/** Everybody proves who they are with a password (SCRAM): over the network, and on the socket inside the pod. */
export function accessRules(tls: EmbeddedTls): string {
  const network = tls === "required" ? "hostssl" : "host";
  return [
    "local   all         all              scram-sha-256",
    `${network.padEnd(7)} all         all all          scram-sha-256`,
    `${network.padEnd(7)} replication all all          scram-sha-256`,
    "",
  ].join("\n");
}

/** What the server is told on its command line, one a line; of two, the latter counts. */
export function settings(tls: EmbeddedTls, parameters: Record<string, string>): string {
  const certificate =
    tls === "off"
      ? { ssl: "off" }
      : { ssl: "on", ssl_cert_file: `${CERTIFICATE}/tls.crt`, ssl_key_file: `${CERTIFICATE}/tls.key` };
  const given = Object.entries(parameters).sort(([a], [b]) => (a < b ? -1 : 1));
  return [...Object.entries(LEFT_BEHIND), ...given, ...Object.entries({ port: String(POSTGRES_PORT), ...certificate })]
    .map(([name, value]) => `${name}=${value}\n`)
    .join("");
}

/** What may stand beside the data of another installer, and would keep our server from starting or our logins from working. */
const LEFT_BEHIND = { password_encryption: "scram-sha-256", ssl_ca_file: "", ssl_crl_file: "", ssl_dh_params_file: "" };

/** Always a directory in the volume unless told otherwise: a volume's root may hold lost+found. */
const dataDirectory = (subPath: string) => (subPath === "." ? VOLUME : `${VOLUME}/${subPath}`);

/** What a server's pod names beside its own arguments. */
export interface ServerFiles {
  files: pulumi.Input<string>;
  /** With the administrator's password; a trial has one of its own. */
  adminSecret?: pulumi.Input<string>;
  certificateSecret?: pulumi.Input<string>;
  imagePullSecrets?: pulumi.Input<pulumi.Input<string>[]>;
}

/** A pod with a server, and where its data is; `volumes` has that volume unless a claim template makes it. */
export function serverPod(
  database: ResolvedEmbedded,
  around: ServerFiles,
  data: { name: string; directory: string; volumes: types.input.core.v1.Volume[] },
  container: Partial<types.input.core.v1.Container>,
) {
  const scratch = writable(["/tmp", SOCKETS]);
  const secret = (name: string, secretName: pulumi.Input<string>, keys: string[]): types.input.core.v1.Volume => ({
    name,
    // Root's and readable for the group, as Postgres asks it of a key.
    secret: { secretName, defaultMode: 0o440, items: keys.map((key) => ({ key, path: key })) },
  });
  return {
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    ...podPlacement({ imagePullSecrets: around.imagePullSecrets }),
    securityContext: restrictedPod(database.runAsUser),
    containers: [
      {
        name: "postgres",
        image: database.image,
        command: ["sh", `${FILES}/start.sh`],
        securityContext: restrictedContainer(),
        terminationMessagePolicy: "FallbackToLogsOnError",
        volumeMounts: [
          { name: data.name, mountPath: VOLUME },
          { name: "scripts", mountPath: FILES, readOnly: true },
          { name: "scripts", mountPath: "/etc/passwd", subPath: "passwd", readOnly: true },
          ...(around.adminSecret ? [{ name: "admin", mountPath: CREDENTIALS, readOnly: true }] : []),
          ...(around.certificateSecret ? [{ name: "certificate", mountPath: CERTIFICATE, readOnly: true }] : []),
          { name: "shared-memory", mountPath: "/dev/shm" },
          ...scratch.volumeMounts,
        ],
        ...container,
        env: [
          { name: "VOLUME", value: VOLUME },
          { name: "PGDATA", value: data.directory },
          { name: "ADMIN_USER", value: ADMIN_USER },
          { name: "ADMIN_PASSWORD_FILE", value: `${CREDENTIALS}/password` },
          { name: "CONFIG_FILE", value: `${FILES}/postgresql.conf` },
          { name: "SETTINGS_FILE", value: `${FILES}/settings` },
          { name: "HBA_FILE", value: `${FILES}/pg_hba.conf` },
          { name: "SOCKET_DIRECTORY", value: SOCKETS },
          ...((container.env ?? []) as types.input.core.v1.EnvVar[]),
        ],
      },
    ],
    volumes: [
      ...data.volumes,
      { name: "scripts", configMap: { name: around.files } },
      ...(around.adminSecret ? [secret("admin", around.adminSecret, ["password"])] : []),
      ...(around.certificateSecret ? [secret("certificate", around.certificateSecret, ["tls.crt", "tls.key"])] : []),
      { name: "shared-memory", emptyDir: { medium: "Memory" } }, // a container's own is 64 MiB, too little for parallel queries
      ...scratch.volumes,
    ],
  };
}

/** The StatefulSet of the server. `name` is fixed: an auto-named one that is replaced would look for a claim of another name. */
export function embeddedStatefulSet(
  database: ResolvedEmbedded,
  around: ServerFiles & {
    name: string;
    selector: Record<string, string>;
    labels: Record<string, string>;
    whenDeleted: "Retain" | "Delete";
  },
): types.input.apps.v1.StatefulSetSpec {
  const { existingClaim, storageClassName, storage } = database;
  // Not the template's name: of a claim and a volume that are called alike, the template's would win.
  const dataVolume = existingClaim === undefined ? CLAIM_TEMPLATE : "existing-data";
  return {
    serviceName: around.name,
    replicas: 1,
    // A pod that cannot start is replaced when its template is corrected. One that was made with OrderedReady keeps it (NEVER_REPLACE).
    podManagementPolicy: "Parallel",
    selector: { matchLabels: around.selector },
    persistentVolumeClaimRetentionPolicy: { whenDeleted: around.whenDeleted, whenScaled: "Retain" },
    volumeClaimTemplates:
      existingClaim === undefined
        ? [
            {
              metadata: { name: CLAIM_TEMPLATE },
              spec: { accessModes: ["ReadWriteOnce"], storageClassName, resources: { requests: { storage } } },
            },
          ]
        : undefined,
    template: {
      metadata: { labels: around.labels },
      spec: {
        terminationGracePeriodSeconds: 120, // a fast shutdown writes a checkpoint first
        ...serverPod(
          database,
          around,
          {
            name: dataVolume,
            directory: dataDirectory(database.subPath),
            volumes:
              existingClaim === undefined ? [] : [{ name: dataVolume, persistentVolumeClaim: { claimName: existingClaim } }],
          },
          {
            env: existingClaim === undefined ? [] : [{ name: "EXISTING_CLAIM", value: existingClaim }],
            ports: [{ name: "postgres", containerPort: POSTGRES_PORT }],
            // Room for an hour of crash recovery. No liveness probe: a server that is full or slow is not helped by
            // killing it, and one that has died ends the container by itself.
            startupProbe: { exec: { command: PG_ISREADY }, periodSeconds: 1, failureThreshold: 3600 },
            readinessProbe: { exec: { command: PG_ISREADY }, periodSeconds: 10, timeoutSeconds: 5 },
            // Kubernetes' SIGTERM would be Postgres' smart shutdown, which waits for every client to go.
            lifecycle: { preStop: { exec: { command: ["sh", "-c", STOP] } } },
            resources: database.resources,
          },
        ),
      },
    },
  };
}

const only = (names: string[]) => (all: Record<string, string>) =>
  Object.fromEntries(Object.entries(all).filter(([name]) => names.includes(name)));

/** Seconds after which a trial has failed: mostly because of an image that cannot be pulled. */
export const TRIAL_SECONDS = 300;

/**
 * Tries on a database of its own whether a server with these settings starts, before the one that runs is stopped for them: a wrong one
 * would leave the application without any. `needed` is not on the first day, when there is none yet.
 */
export function trialJob(
  database: ResolvedEmbedded,
  {
    labels,
    needed,
    rules,
    ...around
  }: Omit<ServerFiles, "adminSecret"> & { labels: Record<string, string>; needed: pulumi.Input<boolean>; rules: ClusterRules },
): types.input.batch.v1.JobSpec {
  const { limits } = database.resources;
  const used = limits && pulumi.output(limits).apply(only(["cpu", "memory"]));
  const name = "trial-data";
  return {
    completions: pulumi.output(needed).apply((once) => (once ? 1 : 0)), // a Job of none is complete at once
    backoffLimit: 0,
    activeDeadlineSeconds: TRIAL_SECONDS,
    template: {
      metadata: podMetadata({ labels }, rules),
      spec: {
        restartPolicy: "Never",
        terminationGracePeriodSeconds: 5,
        ...serverPod(
          database,
          around,
          { name, directory: dataDirectory("trial"), volumes: [{ name, emptyDir: {} }] },
          {
            command: ["sh", `${FILES}/try.sh`],
            // As much as the server may use, and hardly anything of the node's that the server has reserved already.
            resources: ownResources({ cpu: "10m", memory: "16Mi" }, limited(used, rules.limits)),
          },
        ),
      },
    },
  };
}

/** Where the pod still waits for another server to stop, the file is that one's. */
const STOP = '[ "$(sed -n 2p "$PGDATA/postmaster.pid")" != "$PGDATA" ] || pg_ctl stop -D "$PGDATA" -m fast -w -t 110';

/** Asks the network listener, which is there only when the real server is. */
const PG_ISREADY = ["pg_isready", "-q", "-h", "127.0.0.1", "-p", String(POSTGRES_PORT)];

/**
 * What would make the provider replace the StatefulSet, and with it stop the database, for a change that it does not need; and what
 * a new name of the component would change in objects that the data hangs on.
 */
export const NEVER_REPLACE = [
  "metadata.name",
  "spec.volumeClaimTemplates",
  "spec.selector",
  "spec.template.metadata.labels",
  "spec.serviceName",
  "spec.podManagementPolicy",
  "spec.revisionHistoryLimit",
];
