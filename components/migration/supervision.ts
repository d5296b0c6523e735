import * as pulumi from "@pulumi/pulumi";
import { types } from "@pulumi/kubernetes";
import { ownResources } from "../common/resources";
import { migrationScript } from "../common/scripts";
import { restrictedContainer } from "../common/security";
import { backupFiles } from "../database/backup";
import { Client } from "../database/engine";
import { restoreFiles } from "../database/restore";
import { ArgumentNames } from "./argumentNames";

/**
 * How a command is run in the user's image by a script of ours, whatever the image has: an init container of an image that we know
 * copies a shell and its libraries into a volume (tools.sh), and the shell runs run.sh there.
 */

const SCRIPTS = "/etc/postgres-app/migration";
const TOOLS = "/postgres-app/tools";
/** Where the containers of a pod talk to each other. */
export const RUN = "/postgres-app/run";

export const scriptsMount = { name: "migration-scripts", mountPath: SCRIPTS, readOnly: true };
const toolsMount = { name: "migration-tools", mountPath: TOOLS };
const runMount = { name: "migration-run", mountPath: RUN };

/** Mounts of every container that runs one of the scripts. */
export const supervisionMounts: types.input.core.v1.VolumeMount[] = [scriptsMount, { ...toolsMount, readOnly: true }, runMount];

/** The volumes behind them; `scripts` is a ConfigMap by its plain name, so that new scripts are no change of the pod. */
export const supervisionVolumes = (scripts: string): types.input.core.v1.Volume[] => [
  { name: scriptsMount.name, configMap: { name: scripts } },
  { name: toolsMount.name, emptyDir: {} },
  { name: runMount.name, emptyDir: {} },
];

/** What of a run is not its identity: it stands in a ConfigMap of a fixed name, and the next run reads it. */
export interface RunSettings {
  timeoutSeconds: number;
  tries: pulumi.Input<number>;
  lock: boolean;
  restoreOnFailure: boolean;
  goBack: pulumi.Input<boolean>;
  names: ArgumentNames;
}

/** Key of the manifest of a Job that brings a backup back. */
export const RESTORE_MANIFEST = "restore.json";
/** Stands in it for the backup's name. */
export const BACKUP_PLACE = "BACKUP_NAME";

/** Files of the ConfigMap; `restore` is that manifest. */
export function supervisionFiles(settings: RunSettings, restore?: pulumi.Input<string>): Record<string, pulumi.Input<string>> {
  const yes = (flag: boolean) => (flag ? "yes" : "no");
  const files = [
    ...["tools.sh", "run.sh", "left-behind.sh", "ahead.sh", "guard.sh", "lock.sh", "gate-upload.sh", "progress.sql"],
    ...["bring-back.sh", "stayed.sh", "before.sql", "writers.sql", "stayed.sql", "in-the-way.sql"],
  ];
  return {
    ...Object.fromEntries(files.map((file) => [file, migrationScript(file)])),
    ...backupFiles(),
    ...restoreFiles(),
    ...(restore === undefined ? {} : { [RESTORE_MANIFEST]: restore }),
    settings: pulumi.interpolate`TIMEOUT_SECONDS=${settings.timeoutSeconds}
ATTEMPTS=${settings.tries}
HOLD_LOCK=${yes(settings.lock)}
RESTORE_ON_FAILURE=${yes(settings.restoreOnFailure)}
GO_BACK=${pulumi.output(settings.goBack).apply(yes)}
ARGUMENT_PREFIX=${settings.names.prefix}
SHARED_PREFIX=${settings.names.shared}
DESTINATION_ARGUMENT=${settings.names.backup}
VERSION_ARGUMENT=${settings.names.client}
`,
  };
}

/** The command of a script that runs in an image which has a shell. */
export const ownScript = (file: string) => ["sh", `${SCRIPTS}/${file}`];

/** Our shell in an image of which nothing is known. */
export const ownShell = [`${TOOLS}/loader`, "--library-path", `${TOOLS}/lib`, `${TOOLS}/bin/sh`];

/** The command of run.sh in an image of which nothing is known. */
export function supervised(
  mode: "migrate" | "rollback" | "check" | "pending" | "rehearse",
  command: pulumi.Input<pulumi.Input<string>[]>,
  afterwards: pulumi.Input<pulumi.Input<string>[]> = [],
): pulumi.Output<string[]> {
  return pulumi
    .all([command, afterwards])
    .apply(([words, more]) => [...ownShell, `${SCRIPTS}/run.sh`, mode, String(words.length), ...words, ...more] as string[]);
}

/** Where the pod is, for messages. */
const place = (prefix: string): types.input.core.v1.EnvVar[] => [
  { name: `${prefix}NAMESPACE`, valueFrom: { fieldRef: { fieldPath: "metadata.namespace" } } },
  { name: `${prefix}POD`, valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
];
/** For run.sh, which takes them out of the environment again before it runs the command. */
export const supervisedEnv = place("POSTGRES_APP_");
export const ownEnv = place("");

/** An image with Postgres' programs, its user, and what holds for the pods that run it. */
export interface ClientImage extends Client {
  imagePullSecrets?: pulumi.Input<pulumi.Input<string>[]>;
}

/** A container of an image of ours in a pod whose user is the application's. */
export function ownContainer(
  { image, uid }: Pick<ClientImage, "image" | "uid">,
  container: Omit<types.input.core.v1.Container, "image" | "securityContext">,
): types.input.core.v1.Container {
  return {
    ...container,
    image,
    securityContext: { ...restrictedContainer(), runAsUser: uid, runAsGroup: uid },
    terminationMessagePolicy: "FallbackToLogsOnError",
  };
}

/** The init container that makes the tools. */
export const toolsContainer = (client: ClientImage): types.input.core.v1.Container =>
  ownContainer(client, {
    name: "tools",
    command: ownScript("tools.sh"),
    env: [
      { name: "TOOLS", value: TOOLS },
      { name: "RUN", value: RUN },
    ],
    resources: ownResources({ cpu: "10m", memory: "16Mi" }, client.rules.limits),
    volumeMounts: [scriptsMount, toolsMount, runMount],
  });
