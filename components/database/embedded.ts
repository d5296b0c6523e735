import { readFileSync } from "fs";
import { join } from "path";
import * as pulumi from "@pulumi/pulumi";
import { types } from "@pulumi/kubernetes";
import { checkResources, ContainerResourcesArgs } from "../common/resources";
import { imageReference, quantity, wholeNumber } from "../common/rules";
import { restrictedContainer, restrictedPod, writable } from "../common/security";
import { Validation } from "../common/validation";

/** One Postgres server in the cluster, with its data on a volume. */
export interface EmbeddedPostgresArgs {
  /**
   * Major version of Postgres. Decides the image unless `image` is given. Defaults to 17.
   * Caution: data belongs to its major version. With another one the server refuses to start, touches nothing and says so;
   * move the data with pg_dump and pg_restore.
   */
  version?: pulumi.Input<number>;
  /**
   * Image that carries Postgres: the official one, or any with `postgres`, `initdb` and `psql` on its PATH.
   * Defaults to `docker.io/library/postgres:<version>`. A change restarts the database.
   */
  image?: pulumi.Input<string>;
  /**
   * User id that Postgres runs as. It must have an entry in the image's /etc/passwd and own the data.
   * Defaults to 70 for images with "alpine" in their name and to 999 for others, as the official images have it.
   */
  runAsUser?: pulumi.Input<number>;
  /**
   * Size of the volume, a quantity such as "10Gi". Defaults to "10Gi".
   * Caution: read only when the volume is made; a later change does nothing to a volume that exists.
   */
  storage?: pulumi.Input<string>;
  /**
   * StorageClass of the volume. Defaults to the cluster's default class.
   * Caution: read only when the volume is made.
   */
  storageClassName?: pulumi.Input<string>;
  /**
   * CPU and memory of the server. Defaults to requests of 100m CPU and 256Mi of memory and no limits.
   * A change restarts the database.
   */
  resources?: ContainerResourcesArgs;
}

export interface ResolvedEmbedded {
  image: pulumi.Input<string>;
  runAsUser: pulumi.Input<number>;
  storage: pulumi.Input<string>;
  storageClassName?: pulumi.Input<string>;
  resources: ContainerResourcesArgs;
}

export const POSTGRES_PORT = 5432;
export const ADMIN_USER = "postgres";

const SCRIPTS = "/etc/postgres-app/scripts";
const CREDENTIALS = "/etc/postgres-app/admin";
const DATA = "/var/lib/postgresql/data";
const SOCKETS = "/var/run/postgresql";

/** Shell that runs in containers is kept in files of its own, so that it can be read, checked and tested as what it is. */
export const script = (file: string) => readFileSync(join(__dirname, "scripts", file), "utf8");

export function resolveEmbedded(args: EmbeddedPostgresArgs, path: string, validation: Validation): ResolvedEmbedded {
  const version = validation.check(`${path}.version`, args.version, wholeNumber(13, 99)) ?? 17;
  const image =
    validation.check(`${path}.image`, args.image, imageReference) ??
    pulumi.output(version).apply((v) => `docker.io/library/postgres:${v}`);
  return {
    image,
    runAsUser:
      validation.check(`${path}.runAsUser`, args.runAsUser, wholeNumber(1)) ??
      pulumi.output(image).apply((name) => (name.includes("alpine") ? 70 : 999)),
    storage: validation.check(`${path}.storage`, args.storage, quantity) ?? "10Gi",
    storageClassName: args.storageClassName,
    resources: checkResources(validation, `${path}.resources`, args.resources, { cpu: "100m", memory: "256Mi" }),
  };
}

/** Files of the start ConfigMap. */
export const startFiles = () => ({ "start.sh": script("start.sh"), "pg_hba.conf": script("pg_hba.conf") });

/** The StatefulSet of the server. `name` is fixed: an auto-named one that is replaced would look for a claim of another name. */
export function embeddedStatefulSet(
  database: ResolvedEmbedded,
  names: {
    name: string;
    selector: Record<string, string>;
    labels: Record<string, string>;
    scripts: pulumi.Input<string>;
    adminSecret: pulumi.Input<string>;
  },
): types.input.apps.v1.StatefulSetSpec {
  const scratch = writable(["/tmp", SOCKETS]);
  return {
    serviceName: names.name,
    replicas: 1,
    selector: { matchLabels: names.selector },
    // The life-time of the data is not that of the StatefulSet: deleting, replacing or scaling it leaves the claim alone.
    persistentVolumeClaimRetentionPolicy: { whenDeleted: "Retain", whenScaled: "Retain" },
    volumeClaimTemplates: [
      {
        metadata: { name: "data" },
        spec: {
          accessModes: ["ReadWriteOnce"],
          storageClassName: database.storageClassName,
          resources: { requests: { storage: database.storage } },
        },
      },
    ],
    template: {
      metadata: { labels: names.labels },
      spec: {
        automountServiceAccountToken: false,
        enableServiceLinks: false,
        securityContext: restrictedPod(database.runAsUser),
        terminationGracePeriodSeconds: 120, // a fast shutdown writes a checkpoint first
        containers: [
          {
            name: "postgres",
            image: database.image,
            command: ["sh", `${SCRIPTS}/start.sh`],
            env: [
              { name: "PGDATA", value: `${DATA}/pgdata` }, // a volume's root may hold lost+found
              { name: "ADMIN_USER", value: ADMIN_USER },
              { name: "ADMIN_PASSWORD_FILE", value: `${CREDENTIALS}/password` },
              { name: "HBA_FILE", value: `${SCRIPTS}/pg_hba.conf` },
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
              { name: "data", mountPath: DATA },
              { name: "scripts", mountPath: SCRIPTS, readOnly: true },
              { name: "admin", mountPath: CREDENTIALS, readOnly: true },
              { name: "shared-memory", mountPath: "/dev/shm" },
              ...scratch.volumeMounts,
            ],
          },
        ],
        volumes: [
          { name: "scripts", configMap: { name: names.scripts } },
          {
            name: "admin",
            secret: { secretName: names.adminSecret, defaultMode: 0o440, items: [{ key: "password", path: "password" }] },
          },
          { name: "shared-memory", emptyDir: { medium: "Memory" } }, // a container's own is 64 MiB, too little for parallel queries
          ...scratch.volumes,
        ],
      },
    },
  };
}

/** Asks the network listener, which is there only when the real server is. */
const PG_ISREADY = ["pg_isready", "-q", "-h", "127.0.0.1", "-p", String(POSTGRES_PORT)];

/** What would make the provider replace the StatefulSet, and with it stop the database, for a change that it does not need. */
export const NEVER_REPLACE = [
  "spec.volumeClaimTemplates",
  "spec.selector",
  "spec.serviceName",
  "spec.podManagementPolicy",
  "spec.revisionHistoryLimit",
];
