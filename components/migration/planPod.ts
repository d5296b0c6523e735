import * as pulumi from "@pulumi/pulumi";
import { types } from "@pulumi/kubernetes";
import { hashOf } from "../common/contentHash";
import { ownResources } from "../common/resources";
import { bytes } from "../common/rules";
import { migrationScript } from "../common/scripts";
import { restrictedPod, writable } from "../common/security";
import { Connection, connectionSecretData, libpqVariables } from "../database/connection";
import { keyGroup, tlsPaths, tlsVolumes } from "../database/tlsFiles";
import { passwd } from "../database/embedded";
import { clientOf } from "../database/engine";
import { userOf } from "../database/image";
import { dataAnnotation } from "../database/setup";
import { ArgumentNames } from "./argumentNames";
import { migrationJob, MigrationSurroundings, startSeconds, userContainer } from "./job";
import { ResolvedMigration, ResolvedRehearsal } from "./resolveMigration";
import {
  ClientImage,
  ownContainer,
  ownScript,
  scriptsMount,
  supervised,
  supervisionMounts,
  supervisionVolumes,
  toolsContainer,
} from "./supervision";

/** Whether something is to be found out before the migration. */
export const isPlanned = ({ pending, rehearsal }: ResolvedMigration) => pending !== undefined || rehearsal !== undefined;

/** Seconds within which the pod ends, whatever happens in it. */
export function planDeadline({ timeoutSeconds, pending, rehearsal }: ResolvedMigration): number {
  return startSeconds(timeoutSeconds) + (pending ? timeoutSeconds : 0) + (rehearsal ? 3 * rehearsal.timeoutSeconds : 0) + 180;
}

/** What is added to the files of the supervision: scripts, and the limits, which are read when they are needed. */
export function planFiles(
  migration: ResolvedMigration,
  around: MigrationSurroundings,
  { prefix }: ArgumentNames,
  id: pulumi.Output<string>,
): Record<string, pulumi.Input<string>> {
  const { timeoutSeconds, pending, rehearsal, goBack } = migration;
  const files = [
    ...["plan-run.sh", "plan-report.sh", "plan-copy.sh", "plan-fill.sh", "plan-compare.sh"],
    ...["plan-defaults.sql", "plan-note.sql", "plan-locks.sql", "plan-snapshot.sql", "plan-destructive.sql", "plan-report.sql"],
  ];
  return {
    ...Object.fromEntries(files.map((file) => [file, migrationScript(file)])),
    "plan-settings": pulumi.interpolate`GO_BACK=${goBack.apply((back) => (back ? "yes" : "no"))}
PENDING_SECONDS=${pending ? timeoutSeconds : 0}
REHEARSAL_SECONDS=${rehearsal?.timeoutSeconds ?? 0}
ARGUMENT_PREFIX=${prefix}
PLAN=${id}
`,
    ...(rehearsal ? { passwd: pulumi.output(rehearsalImage(rehearsal, around.client).uid).apply(passwd) } : {}),
  };
}

/** Tells the plan of one migration from that of another. Nothing in the specs of pods is secret. */
export function planId(migration: ResolvedMigration, around: MigrationSurroundings): pulumi.Output<string> {
  const { template } = migrationJob(migration, around);
  return hashOf([planPod(migration, around), planAnnotations(migration, around), template], 16);
}

/** The container whose message is the plan. */
export const REPORT = "report";
const COPY = "/postgres-app/copy";
/** Kubernetes gives the messages of a pod 12 KiB in all, the same part to each container, and 4 KiB at most to one. */
const messageBytes = (containers: number) => Math.min(4096, Math.floor((12 * 1024) / containers)) - 16;

/** A container that runs beside the others until they have ended; its own end is no failure of the pod. */
const beside = (container: types.input.core.v1.Container): types.input.core.v1.Container => ({
  ...container,
  restartPolicy: "Always",
});

/**
 * The pod that lists what the migration will do, and rehearses it. It never fails: the provider would wait for a failed pod until its
 * time is over. Whatever may fail or be killed runs in a sidecar, and the only other container says what came of it.
 */
export function planPod(migration: ResolvedMigration, around: MigrationSurroundings): types.input.core.v1.PodSpec {
  const { pending, rehearsal } = migration;
  const scratch = writable(around.writablePaths);
  const sidecars = [
    ...(pending ? [beside(userContainer("pending", migration, around, supervised("pending", pending)))] : []),
    ...(rehearsal ? [copyContainer(rehearsal, around), rehearsalContainer(migration, around)] : []),
  ];
  return {
    restartPolicy: "Never",
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    ...around.pod,
    terminationGracePeriodSeconds: 5,
    securityContext: { ...restrictedPod(around.uid), ...keyGroup(around.connection, around.uid) },
    // Nobody ever says so: the pod counts when it has ended, not while it runs.
    readinessGates: [{ conditionType: "pulumi-postgres-app/ended" }],
    initContainers: [toolsContainer(around.client), ...sidecars],
    containers: [reportContainer(migration, around, sidecars.length + 2)],
    volumes: [
      ...supervisionVolumes(around.scripts),
      { name: TMP.name, emptyDir: {} },
      ...(rehearsal
        ? [
            { name: "copy", emptyDir: {} },
            { name: "copy-tmp", emptyDir: {} },
            { name: "shared-memory", emptyDir: { medium: "Memory" } },
          ]
        : []),
      ...tlsVolumes(around.connection).volumes,
      ...scratch.volumes,
      ...migration.files.volumes,
    ],
  };
}

/** What makes the pod another one beside its spec, as with the migration itself. */
export const planAnnotations = (migration: ResolvedMigration, around: MigrationSurroundings) => ({
  "kubectl.kubernetes.io/default-container": REPORT,
  ...dataAnnotation(around.dataId),
  ...(migration.rerun === undefined ? {} : { "pulumi-postgres-app/rerun": migration.rerun }),
});

const TMP = { name: "report-tmp", mountPath: "/tmp" };

function reportContainer(
  { pending, rehearsal }: ResolvedMigration,
  { client, connection }: MigrationSurroundings,
  containers: number,
): types.input.core.v1.Container {
  return {
    ...ownContainer(client, {
      name: REPORT,
      command: ownScript("plan-report.sh"),
      env: [
        ...libpqVariables(connection), // what must not be shown
        { name: "MESSAGE_BYTES", value: String(messageBytes(containers)) },
        ...(pending ? [{ name: "PENDING", value: "yes" }] : []),
        ...(rehearsal ? [{ name: "REHEARSAL", value: "yes" }] : []),
      ],
      resources: ownResources({ cpu: "10m", memory: "16Mi" }, client.rules.limits),
      volumeMounts: [...supervisionMounts, TMP],
    }),
    terminationMessagePolicy: "File",
  };
}

// --- the rehearsal ---

/** The server's names of the database and its login: the real ones, unless they stand only within a URI. */
function names({ secretName, keys, values }: Connection): types.input.core.v1.EnvVar[] {
  const part = (name: string, key: string): types.input.core.v1.EnvVar =>
    key in keys
      ? { name, valueFrom: { secretKeyRef: { name: secretName, key: keys[key] } } }
      : { name, value: values[key] ?? "rehearsal" };
  return [part("POSTGRES_APP_DATABASE", "dbname"), part("POSTGRES_APP_LOGIN", "user")];
}

const [DATABASE, LOGIN] = ["postgres-app.database", "postgres-app.login"];

/** The connection to the copy, which takes any password: its server listens within the pod only. */
export function copyConnection(connection: Connection): Connection {
  const forms = connectionSecretData(
    { host: "127.0.0.1", port: 5432, dbname: DATABASE, user: LOGIN, password: "rehearsal", sslmode: "disable" },
    connection.formats,
  );
  // Names that only the Secret knows are put in by Kubernetes.
  const known = Object.entries(forms).map(([part, form]) => {
    return [part, form.replaceAll(DATABASE, "$(POSTGRES_APP_DATABASE)").replaceAll(LOGIN, "$(POSTGRES_APP_LOGIN)")];
  });
  return {
    ...connection,
    keys: {},
    values: { sslrootcert: "", ...tlsPaths(connection), ...Object.fromEntries(known) },
  };
}

export const rehearsalImage = ({ image, uid }: ResolvedRehearsal, client: ClientImage): ClientImage =>
  image === undefined
    ? { ...client, uid: uid ?? client.uid }
    : { ...clientOf(image, pulumi.output(image).apply(userOf), client.rules), ...(uid === undefined ? {} : { uid }) };

/** The server with the copy. */
function copyContainer(
  rehearsal: ResolvedRehearsal,
  { client, connection }: MigrationSurroundings,
): types.input.core.v1.Container {
  const { storage, resources } = rehearsal;
  const reserved: Record<string, pulumi.Input<string>> = storage === undefined ? {} : { "ephemeral-storage": storage };
  return beside(
    ownContainer(rehearsalImage(rehearsal, client), {
      name: "copy",
      command: ownScript("plan-copy.sh"),
      env: [
        ...names(connection),
        ...libpqVariables(connection),
        ...(storage === undefined
          ? []
          : [{ name: "STORAGE", value: pulumi.output(storage).apply((size) => String(Math.floor(bytes(size)))) }]),
      ],
      resources: {
        ...resources,
        requests: pulumi.all([resources.requests, reserved]).apply(([given, more]) => ({ ...given, ...more })),
      },
      volumeMounts: [
        ...supervisionMounts,
        { ...scriptsMount, mountPath: "/etc/passwd", subPath: "passwd" },
        ...tlsVolumes(connection).volumeMounts,
        { name: "copy", mountPath: COPY },
        { name: "copy-tmp", mountPath: "/tmp" },
        { name: "shared-memory", mountPath: "/dev/shm" }, // a container's own is 64 MiB, too little for parallel queries
      ],
    }),
  );
}

/** Finds out in the start Job whether the copy's server could begin. */
export const copyStart = (rehearsal: ResolvedRehearsal, client: ClientImage): types.input.core.v1.Container =>
  ownContainer(rehearsalImage(rehearsal, client), {
    name: "check-copy",
    command: ["sh", "-c", "command -v initdb pg_dump"],
    resources: rehearsal.resources,
  });

/** The migration as it will be, but for where the database is. */
function rehearsalContainer(migration: ResolvedMigration, around: MigrationSurroundings): types.input.core.v1.Container {
  const command = supervised("rehearse", migration.command);
  const container = userContainer("rehearse", migration, { ...around, connection: copyConnection(around.connection) }, command);
  return beside({
    ...container,
    env: pulumi
      .output(container.env)
      .apply((env) => [...names(around.connection), ...((env ?? []) as types.input.core.v1.EnvVar[])]),
  });
}
