import * as pulumi from "@pulumi/pulumi";
import { types } from "@pulumi/kubernetes";
import { podPlacement } from "../common/placement";
import { checkResources, ContainerResourcesArgs } from "../common/resources";
import { imageReference, kubernetesName, oneOf, quantity, wholeNumber } from "../common/rules";
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
   * User id that Postgres runs as. It must have an entry in the image's /etc/passwd and own the data. Defaults to what is known of
   * the image: 70 for Alpine's (TimescaleDB's too), 1000 for timescaledb-ha, 26 for CloudNativePG's, 1001 for Bitnami's, else 999.
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
   * Name of a claim that is there already, in place of one of the component's own: its data is taken over, whoever made it.
   * `storage` and `storageClassName` do not apply. A change is refused. Defaults to none.
   */
  existingClaim?: string;
  /**
   * Directory of the data on the existing claim's volume. Defaults to "pgdata". Official images leave it at ".", the volume itself, or
   * at "pgdata"; Bitnami's at "data". An empty volume gets its database there. Needs `existingClaim`.
   */
  subPath?: string;
  /**
   * Server parameters: `{ max_connections: "200", shared_buffers: "1GB" }`. Those that the component itself sets (addresses,
   * files, TLS) are refused. Defaults to Postgres' own. A change restarts the database.
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
  runAsUser: pulumi.Input<number>;
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
const VOLUME = "/var/lib/postgresql/data";
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

export function resolveEmbedded(args: EmbeddedPostgresArgs, path: string, validation: Validation): ResolvedEmbedded {
  const check: Validation["check"] = (property, value, rule) => validation.check(`${path}.${property}`, value, rule);
  const version = check("version", args.version, wholeNumber(13, 99));
  const image =
    check("image", args.image, imageReference) ??
    pulumi.output(version).apply((given) => `docker.io/library/postgres:${given ?? 17}`);
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
    storage: check("storage", args.storage, quantity) ?? "10Gi",
    storageClassName: args.storageClassName,
    existingClaim: check("existingClaim", args.existingClaim, kubernetesName),
    subPath: check("subPath", args.subPath, relativePath) ?? "pgdata",
    parameters: checkParameters(validation, `${path}.parameters`, args.parameters, OURS) ?? {},
    tls: check("tls", args.tls, oneOf(Object.values(EmbeddedTls))) ?? "offered",
    resources: checkResources(validation, `${path}.resources`, args.resources, { cpu: "100m", memory: "256Mi" }),
  };
}

const relativePath = (value: string) =>
  /^(\.|[\w.-]+(\/[\w.-]+)*)$/.test(value) && !value.split("/").includes("..")
    ? undefined
    : `${JSON.stringify(value)} is not a path inside the volume: write for example "pgdata", "." for the volume itself`;

/** Files of the start ConfigMap. */
export function startFiles(database: ResolvedEmbedded): pulumi.Input<Record<string, pulumi.Input<string>>> {
  return {
    "start.sh": script("start.sh"),
    "pg_hba.conf": accessRules(database.tls),
    "postgresql.conf": pulumi.output(database.parameters).apply((parameters) => configuration(database, parameters)),
  };
}

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

/** The server's configuration: what initdb or another installer left beside the data, if anything, then what counts. */
function configuration({ subPath, tls }: ResolvedEmbedded, parameters: Record<string, string>): string {
  const certificate =
    tls === "off"
      ? { ssl: "off" }
      : { ssl: "on", ssl_cert_file: `${CERTIFICATE}/tls.crt`, ssl_key_file: `${CERTIFICATE}/tls.key` };
  const line = ([name, value]: [string, string]) => `${name} = '${value.replace(/'/g, "''")}'`;
  return [
    `include_if_exists '${dataDirectory(subPath)}/postgresql.conf'`,
    ...Object.entries(parameters)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(line),
    ...Object.entries(certificate).map(line),
    "",
  ].join("\n");
}

/** Always a directory in the volume unless told otherwise: a volume's root may hold lost+found. */
const dataDirectory = (subPath: string) => (subPath === "." ? VOLUME : `${VOLUME}/${subPath}`);

/** The StatefulSet of the server. `name` is fixed: an auto-named one that is replaced would look for a claim of another name. */
export function embeddedStatefulSet(
  database: ResolvedEmbedded,
  around: {
    name: string;
    selector: Record<string, string>;
    labels: Record<string, string>;
    files: pulumi.Input<string>;
    adminSecret: pulumi.Input<string>;
    certificateSecret?: pulumi.Input<string>;
    imagePullSecrets?: pulumi.Input<pulumi.Input<string>[]>;
    whenDeleted: "Retain" | "Delete";
  },
): types.input.apps.v1.StatefulSetSpec {
  const scratch = writable(["/tmp", SOCKETS]);
  const { existingClaim, storageClassName, storage } = database;
  // Not the template's name: of a claim and a volume that are called alike, the template's would win.
  const dataVolume = existingClaim === undefined ? CLAIM_TEMPLATE : "existing-data";
  const secret = (name: string, secretName: pulumi.Input<string>, keys: string[]): types.input.core.v1.Volume => ({
    name,
    // Root's and readable for the group, as Postgres asks it of a key.
    secret: { secretName, defaultMode: 0o440, items: keys.map((key) => ({ key, path: key })) },
  });
  return {
    serviceName: around.name,
    replicas: 1,
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
        automountServiceAccountToken: false,
        enableServiceLinks: false,
        ...podPlacement({ imagePullSecrets: around.imagePullSecrets }),
        securityContext: restrictedPod(database.runAsUser),
        terminationGracePeriodSeconds: 120, // a fast shutdown writes a checkpoint first
        containers: [
          {
            name: "postgres",
            image: database.image,
            command: ["sh", `${FILES}/start.sh`],
            env: [
              { name: "VOLUME", value: VOLUME },
              { name: "PGDATA", value: dataDirectory(database.subPath) },
              { name: "ADMIN_USER", value: ADMIN_USER },
              { name: "ADMIN_PASSWORD_FILE", value: `${CREDENTIALS}/password` },
              { name: "CONFIG_FILE", value: `${FILES}/postgresql.conf` },
              { name: "HBA_FILE", value: `${FILES}/pg_hba.conf` },
              { name: "SOCKET_DIRECTORY", value: SOCKETS },
            ],
            ports: [{ name: "postgres", containerPort: POSTGRES_PORT }],
            // Room for an hour of crash recovery. No liveness probe: a server that is full or slow is not helped by
            // killing it, and one that has died ends the container by itself.
            startupProbe: { exec: { command: PG_ISREADY }, periodSeconds: 1, failureThreshold: 3600 },
            readinessProbe: { exec: { command: PG_ISREADY }, periodSeconds: 10, timeoutSeconds: 5 },
            // Kubernetes' SIGTERM would be Postgres' smart shutdown, which waits for every client to go.
            lifecycle: { preStop: { exec: { command: ["sh", "-c", 'pg_ctl stop -D "$PGDATA" -m fast -w -t 110'] } } },
            resources: database.resources,
            securityContext: restrictedContainer(),
            terminationMessagePolicy: "FallbackToLogsOnError",
            volumeMounts: [
              { name: dataVolume, mountPath: VOLUME },
              { name: "scripts", mountPath: FILES, readOnly: true },
              { name: "admin", mountPath: CREDENTIALS, readOnly: true },
              ...(around.certificateSecret ? [{ name: "certificate", mountPath: CERTIFICATE, readOnly: true }] : []),
              { name: "shared-memory", mountPath: "/dev/shm" },
              ...scratch.volumeMounts,
            ],
          },
        ],
        volumes: [
          ...(existingClaim === undefined ? [] : [{ name: dataVolume, persistentVolumeClaim: { claimName: existingClaim } }]),
          { name: "scripts", configMap: { name: around.files } },
          secret("admin", around.adminSecret, ["password"]),
          ...(around.certificateSecret ? [secret("certificate", around.certificateSecret, ["tls.crt", "tls.key"])] : []),
          { name: "shared-memory", emptyDir: { medium: "Memory" } }, // a container's own is 64 MiB, too little for parallel queries
          ...scratch.volumes,
        ],
      },
    },
  };
}

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
