import * as pulumi from "@pulumi/pulumi";
import { types } from "@pulumi/kubernetes";
import { podMetadata } from "../common/clusterRules";
import { podPlacement } from "../common/placement";
import { ownResources } from "../common/resources";
import { restrictedContainer, restrictedPod, writable } from "../common/security";
import { Connection, libpqFiles, libpqVariables } from "./connection";
import { tlsVolumes, withDefaults } from "./tlsFiles";
import { ResolvedCredentials } from "./credentials";
import { Engine } from "./engine";
import { databaseScript as script } from "../common/scripts";

const FILES = "/etc/postgres-app/scripts";
const CLUSTER = "/etc/postgres-app/cluster";

/** The Job's deadline, from the one number that bounds its wait for the server: time for pulling the image and for its work. */
export const setupDeadline = (connectTimeoutSeconds: number) => connectTimeoutSeconds + 240;

/** Files of the setup ConfigMap. */
export function setupFiles(
  settings: pulumi.Input<Record<string, pulumi.Input<string>>> | undefined,
): pulumi.Input<Record<string, pulumi.Input<string>>> {
  const names = [
    "setup.sh",
    "libpq-uri.sh",
    "passing.sh",
    "session.sh",
    "own-roles.sql",
    "owned.sql",
    "roles.sql",
    "unlogged.sql",
    "logins.sql",
    "hand-over.sql",
    "rights.sql",
    "extensions.sql",
    "settings.sql",
    "act-as-owner.sql",
    "missing-extensions.sql",
    "may-create.sql",
  ];
  return {
    ...Object.fromEntries(names.map((name) => [name, script(name)])),
    ...(settings === undefined
      ? {}
      : {
          settings: pulumi.output(settings).apply((known) =>
            Object.entries(known)
              .sort(([a], [b]) => (a < b ? -1 : 1))
              .map(([name, value]) => `${name}=${value}\n`)
              .join(""),
          ),
        }),
  };
}

interface SetupArgs {
  engine: Engine;
  connection: Connection;
  databaseName: pulumi.Input<string>;
  owner: pulumi.Input<string>;
  credentials: ResolvedCredentials;
  /** Namespace and name of the component, and the id of its memory: with them roles are marked as its own. */
  place: pulumi.Input<string>;
  id: pulumi.Input<string>;
  /** Secret with the passwords of the logins that are ours. */
  loginsSecret?: pulumi.Input<string>;
  imagePullSecrets?: pulumi.Input<pulumi.Input<string>[]>;
  extensions: pulumi.Input<pulumi.Input<string>[]>;
  settings: boolean;
  /** Whether the volume is one that others left. */
  adopted: boolean;
  /** Where there may be data from before on the volume: which of databaseName and user the user has not named. */
  notNamed: string[];
  connectTimeoutSeconds: number;
  files: pulumi.Input<string>;
  labels: Record<string, string>;
}

/** The Job that makes roles, logins and database, or says why the application will not be able to log in. */
export function setupJob(setup: SetupArgs): types.input.batch.v1.JobSpec {
  const { engine, connectTimeoutSeconds } = setup;
  const scratch = writable(["/tmp"]);
  const tls = tlsVolumes(setup.connection, true);
  const cluster = engine.admin ? clusterVolume : { volumes: [], volumeMounts: [] };
  return {
    backoffLimit: 0,
    activeDeadlineSeconds: setupDeadline(connectTimeoutSeconds),
    template: {
      // The same roles have to be made again when the data is other data.
      metadata: podMetadata({ labels: setup.labels, annotations: dataAnnotation(engine.dataId) }, engine.client.rules),
      spec: {
        restartPolicy: "Never",
        automountServiceAccountToken: false,
        enableServiceLinks: false,
        ...podPlacement({ imagePullSecrets: setup.imagePullSecrets }),
        securityContext: restrictedPod(engine.client.uid),
        containers: [
          {
            name: "setup",
            image: engine.client.image,
            command: ["sh", `${FILES}/setup.sh`],
            env: [
              ...(engine.logins ? makingVariables(setup) : checkingVariables(setup)),
              ...plain({
                EXTENSIONS: pulumi.output(setup.extensions).apply((names) => [...names].sort().join(" ")),
                CONNECT_TIMEOUT_SECONDS: String(connectTimeoutSeconds),
                ...clientSecret(setup.connection),
              }),
            ],
            resources: ownResources({ cpu: "50m", memory: "64Mi" }, engine.client.rules.limits),
            securityContext: restrictedContainer(),
            terminationMessagePolicy: "FallbackToLogsOnError",
            volumeMounts: [
              { name: "scripts", mountPath: FILES, readOnly: true },
              ...tls.volumeMounts,
              ...cluster.volumeMounts,
              ...scratch.volumeMounts,
            ],
          },
        ],
        volumes: [{ name: "scripts", configMap: { name: setup.files } }, ...tls.volumes, ...cluster.volumes, ...scratch.volumes],
      },
    },
  };
}

/** What is said of a client certificate that is not there. */
function clientSecret({ clientCertificate }: Connection): Record<string, pulumi.Input<string>> {
  if (clientCertificate === undefined) return {};
  const { secretName, certificateKey, privateKeyKey } = withDefaults(clientCertificate);
  return { CLIENT_SECRET: secretName, CLIENT_KEYS: pulumi.interpolate`${certificateKey} and ${privateKeyKey}` };
}

/** The certificate of the cluster's authority, which Kubernetes puts into every namespace: what tells one cluster from another. */
const clusterVolume = {
  volumes: [{ name: "cluster", configMap: { name: "kube-root-ca.crt", optional: true } }],
  volumeMounts: [{ name: "cluster", mountPath: CLUSTER, readOnly: true }],
};

/** On a pod template, makes the Job run again when the data is other data. */
export function dataAnnotation(dataId: pulumi.Input<string> | undefined): Record<string, pulumi.Input<string>> | undefined {
  return dataId === undefined ? undefined : { "pulumi-postgres-app/data": dataId };
}

const plain = (values: Record<string, pulumi.Input<string>>): types.input.core.v1.EnvVar[] =>
  Object.entries(values).map(([name, value]) => ({ name, value }));

const whether = (value: pulumi.Input<boolean>) => pulumi.output(value).apply(String);

/** A connection that is only tried. */
function checkingVariables({ engine, connection }: SetupArgs): pulumi.Input<types.input.core.v1.EnvVar>[] {
  const { direct, pooled, directNames = {} } = engine;
  const { user, dbname } = directNames;
  return [
    ...plain({
      MODE: "check",
      ...(pooled ? { SERVER_HOST: direct.host, SERVER_PORT: direct.port.apply(String) } : {}),
      ...(user === undefined ? {} : { SERVER_USER: user }),
      ...(dbname === undefined ? {} : { SERVER_DATABASE: dbname }),
    }),
    ...libpqVariables(connection),
  ];
}

/** Roles and logins that are ours. */
function makingVariables(setup: SetupArgs): types.input.core.v1.EnvVar[] {
  const { engine, credentials, connection } = setup;
  const { admin, server, direct } = engine;
  const logins = engine.logins!;
  const secret = (name: string, secretName: pulumi.Input<string>, key: pulumi.Input<string>) => ({
    name,
    valueFrom: { secretKeyRef: { name: secretName, key } },
  });
  return [
    ...plain({
      MODE: admin ? "admin" : "owner",
      SERVER_HOST: direct.host,
      SERVER_PORT: direct.port.apply(String),
      APP_HOST: server.host,
      APP_PORT: server.port.apply(String),
      DATABASE: setup.databaseName,
      OWNER: setup.owner,
      LOGIN_A: logins.a.user,
      LOGIN_B: logins.b.user,
      MIGRATOR: logins.migratorUser,
      RUNTIME: logins.runtimeRole,
      CURRENT: logins.current,
      SEPARATE_MIGRATOR: String(credentials.separateMigrator),
      LOCK_FORMER: whether(credentials.lockFormerLogin),
      SETTINGS: String(setup.settings),
      PGSSLMODE: engine.sslmode,
      ...libpqFiles(connection),
      ...(admin
        ? {
            ADMIN_USER: admin.user,
            ADMIN_DATABASE: admin.databaseName,
            OWNS_SERVER: String(admin.ownsServer),
            PLACE: setup.place,
            ID: setup.id,
            ROTATION: pulumi.output(credentials.rotation).apply(String),
            CLUSTER_CA: `${CLUSTER}/ca.crt`,
          }
        : {}),
      ...(setup.adopted ? { ADOPTED: "true" } : {}),
      ...(setup.notNamed.length ? { NOT_NAMED: setup.notNamed.join(" ") } : {}),
      ...(admin?.takeOver ? { TAKE_OVER: pulumi.output(admin.takeOver).apply((roles) => [...roles].sort().join(" ")) } : {}),
    }),
    ...(admin ? [secret("ADMIN_PASSWORD", admin.secretName, admin.passwordKey)] : []),
    secret("PASSWORD_A", setup.loginsSecret!, "a"),
    secret("PASSWORD_B", setup.loginsSecret!, "b"),
    ...(logins.migrator ? [secret("PASSWORD_MIGRATOR", setup.loginsSecret!, "migrator")] : []),
  ];
}
