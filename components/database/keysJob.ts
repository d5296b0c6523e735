import { createHash } from "crypto";
import * as pulumi from "@pulumi/pulumi";
import { types } from "@pulumi/kubernetes";
import { byName } from "../common/environment";
import { writable } from "../common/security";
import { clientEnv, scriptContainer, scriptFiles, scriptPod } from "./backupPods";
import { PostgresClient } from "./client";
import { dataAnnotation, setupDeadline } from "./setup";

/** Tells values apart without telling them. Frozen: databases and their dumps hold it. */
export const fingerprint = (variable: string, value: string) =>
  createHash("sha256").update(`pulumi-postgres-app\0${variable}\0${value}`).digest("hex");

/** What the Job compares: a line "<variable> <fingerprint> <rotation>" for each key. */
export function keysRecord(
  keys: Record<string, { value: pulumi.Input<string>; rotation: pulumi.Input<number> }>,
): pulumi.Output<string> {
  const lines = byName(keys).map(([variable, { value, rotation }]) =>
    pulumi.all([value, rotation]).apply(([known, number]) => `${variable} ${fingerprint(variable, known)} ${number}\n`),
  );
  return pulumi.secret(pulumi.all(lines).apply((all) => all.join("")));
}

/** Files of the ConfigMap for the Job. */
export const keysFiles = () => scriptFiles(["backup-lib.sh", "keys.sh", "keys.sql"]);

/** The Job that compares the application's keys with those that its data was written with, and records them. */
export function keysJob(around: {
  application: string;
  client: PostgresClient;
  connectTimeoutSeconds: number;
  /** Secret with the record under "keys". */
  keysSecret: pulumi.Input<string>;
  /** Secret with the values, for messages. */
  keptSecret: pulumi.Input<string>;
  scripts: pulumi.Input<string>;
  labels: Record<string, string>;
  dataId?: pulumi.Input<string>;
  /** The Job that filled the database, if one did: other data, other keys. */
  restoredBy?: pulumi.Input<string>;
}): types.input.batch.v1.JobSpec {
  const { client, connectTimeoutSeconds, restoredBy } = around;
  const scratch = writable(["/tmp"]);
  const annotations = {
    ...dataAnnotation(around.dataId),
    ...(restoredBy === undefined ? {} : { "pulumi-postgres-app/restored-by": restoredBy }),
  };
  const compare = scriptContainer(
    {
      name: "keys",
      script: ["keys.sh"],
      image: client.image,
      env: clientEnv(client, [
        { name: "APPLICATION", value: around.application },
        { name: "NAMESPACE", valueFrom: { fieldRef: { fieldPath: "metadata.namespace" } } },
        { name: "KEPT_SECRET", value: around.keptSecret },
        { name: "KEYS", valueFrom: { secretKeyRef: { name: around.keysSecret, key: "keys" } } },
        { name: "CONNECT_TIMEOUT_SECONDS", value: String(connectTimeoutSeconds) },
      ]),
      resources: { requests: { cpu: "50m", memory: "64Mi" } },
    },
    [...client.volumeMounts, ...scratch.volumeMounts],
  );
  return {
    backoffLimit: 0,
    activeDeadlineSeconds: setupDeadline(connectTimeoutSeconds),
    template: scriptPod({ ...around, annotations }, [...client.volumes, ...scratch.volumes], { containers: [compare] }),
  };
}
