import { createHash } from "crypto";
import * as pulumi from "@pulumi/pulumi";
import { types } from "@pulumi/kubernetes";
import { byName } from "../common/environment";
import { ownResources } from "../common/resources";
import { writable } from "../common/security";
import { clientEnv, scriptContainer, scriptFiles, scriptPod } from "./backupPods";
import { PostgresClient } from "./client";
import { dataAnnotation, setupDeadline } from "./setup";

/** Tells values apart without telling them. Frozen: databases and their dumps hold it. */
export const fingerprint = (variable: string, value: string) =>
  createHash("sha256").update(`pulumi-postgres-app\0${variable}\0${value}`).digest("hex");

/** A key by reference: another Secret has its value, under the variable's name. */
export interface FormerKey {
  variable: string;
  secret: string;
  rotation: number;
}

/** What the Job compares: a line "<variable> <fingerprint> <rotation>" for each key whose value is known here. */
export function keysRecord(
  keys: Record<
    string,
    { value: pulumi.Input<string>; rotation: pulumi.Input<number>; keptIn?: pulumi.Input<string | undefined> }
  >,
): pulumi.Output<string> {
  const lines = byName(keys).map(([variable, { value, rotation, keptIn }]) =>
    pulumi
      .all([value, rotation, keptIn])
      .apply(([known, number, elsewhere]) =>
        elsewhere === undefined ? `${variable} ${fingerprint(variable, known)} ${number}\n` : "",
      ),
  );
  return pulumi.secret(pulumi.all(lines).apply((all) => all.join("")));
}

/** Files of the ConfigMap for the Job. */
export const keysFiles = () => scriptFiles(["backup-lib.sh", "keys.sh", "keys.sql", "own-rights.sql"]);

/** The Job that compares the application's keys with those that its data was written with, and records them. */
export function keysJob(around: {
  application: string;
  client: PostgresClient;
  connectTimeoutSeconds: number;
  /** Secret with the record under "keys". */
  keysSecret: pulumi.Input<string>;
  /** Secret with the values, for messages. */
  keptSecret: pulumi.Input<string>;
  /** Keys whose values the Job takes from other Secrets. */
  former?: pulumi.Output<FormerKey[]>;
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
      env: pulumi
        .all([clientEnv(client, []), around.former ?? []])
        .apply(([connection, former]) => [
          ...connection,
          { name: "APPLICATION", value: around.application },
          { name: "NAMESPACE", valueFrom: { fieldRef: { fieldPath: "metadata.namespace" } } },
          { name: "KEPT_SECRET", value: around.keptSecret },
          { name: "KEYS", valueFrom: { secretKeyRef: { name: around.keysSecret, key: "keys" } } },
          { name: "CONNECT_TIMEOUT_SECONDS", value: String(connectTimeoutSeconds) },
          ...formerVariables(former),
        ]),
      resources: ownResources({ cpu: "50m", memory: "64Mi" }, client.rules.limits),
    },
    [...client.volumeMounts, ...scratch.volumeMounts],
  );
  return {
    backoffLimit: 0,
    activeDeadlineSeconds: setupDeadline(connectTimeoutSeconds),
    template: scriptPod({ ...around, annotations }, [...client.volumes, ...scratch.volumes], { containers: [compare] }),
  };
}

/** None at all where there is no such key: more of them would be a change of Jobs that have run. */
function formerVariables(former: FormerKey[]): types.input.core.v1.EnvVar[] {
  if (former.length === 0) return [];
  const lines = former.map(({ variable, rotation, secret }) => `${variable} ${rotation} ${secret}\n`);
  return [
    { name: "FORMER_KEYS", value: lines.join("") },
    // Where one is missing, the Job says so.
    ...former.map(({ variable, secret }) => ({
      name: `KEY_${variable}`,
      valueFrom: { secretKeyRef: { name: secret, key: variable, optional: true } },
    })),
  ];
}
