import * as pulumi from "@pulumi/pulumi";
import { types } from "@pulumi/kubernetes";
import { podMetadata } from "../common/clusterRules";
import { podPlacement } from "../common/placement";
import { restrictedContainer, restrictedPod } from "../common/security";
import { PostgresClient } from "./client";
import { databaseScript as script } from "../common/scripts";

/** What the pods of backups, restores and other scripts that connect are given from outside. */
export interface BackupSurroundings {
  client: PostgresClient;
  /** Name of the ConfigMap with the scripts. */
  scripts: pulumi.Input<string>;
  labels: Record<string, string>;
  annotations?: Record<string, pulumi.Input<string>>;
  /** The argument that decides the version of the client's programs, for messages: "database.external.version". */
  versionArgument?: string;
}

const SCRIPTS = "/etc/postgres-app/scripts";

export const scriptFiles = (files: string[]) =>
  Object.fromEntries(
    (files.includes("backup-lib.sh") ? ["libpq-uri.sh", "passing.sh", "session.sh", ...files] : files).map((file) => [
      file,
      script(file),
    ]),
  );

/** A container that runs one of the scripts. */
export function scriptContainer(
  container: types.input.core.v1.Container & { name: string; script: string[] },
  volumeMounts: types.input.core.v1.VolumeMount[],
): types.input.core.v1.Container {
  const { script, ...rest } = container;
  return {
    ...rest,
    command: ["sh", `${SCRIPTS}/${script[0]}`, ...script.slice(1)],
    securityContext: restrictedContainer(),
    terminationMessagePolicy: "FallbackToLogsOnError",
    volumeMounts: [{ name: "scripts", mountPath: SCRIPTS, readOnly: true }, ...volumeMounts],
  };
}

/** What of a pod is the same for all scripts that connect. */
export function scriptPod(
  { client, scripts, labels, annotations }: BackupSurroundings,
  volumes: types.input.core.v1.Volume[],
  containers: Pick<types.input.core.v1.PodSpec, "containers" | "initContainers">,
): types.input.core.v1.PodTemplateSpec {
  return {
    metadata: podMetadata({ labels, annotations }, client.rules),
    spec: {
      restartPolicy: "Never", // a new pod for each try: the failed one keeps its log
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      ...podPlacement({ imagePullSecrets: client.imagePullSecrets }),
      securityContext: restrictedPod(client.uid),
      ...containers,
      volumes: [{ name: "scripts", configMap: { name: scripts } }, ...volumes],
    },
  };
}

/** Variables of a container that connects to the database, with more of its own. */
export function clientEnv(client: PostgresClient, own: types.input.core.v1.EnvVar[]) {
  return pulumi.output(client.env).apply((env) => [...(env as types.input.core.v1.EnvVar[]), ...own]);
}
