import * as pulumi from "@pulumi/pulumi";
import { types } from "@pulumi/kubernetes";
import { restrictedContainer, restrictedPod, writable } from "../common/security";
import { ConnectionKey } from "./connection";

/** How long the setup Job looks for a server that should be ready already. */
const CONNECT_TIMEOUT_SECONDS = 60;
/** The setup Job's deadline; it does a second's work once it is connected. */
export const SETUP_TIMEOUT_SECONDS = 300;

/** The Job that makes the application's role and database with the administrator's rights. */
export function setupJob(setup: {
  image: pulumi.Input<string>;
  uid: pulumi.Input<number>;
  scripts: pulumi.Input<string>;
  connectionSecret: pulumi.Input<string>;
  adminSecret: pulumi.Input<string>;
  labels: Record<string, string>;
}): types.input.batch.v1.JobSpec {
  const from = (secret: pulumi.Input<string>, key: ConnectionKey | "username") => ({ secretKeyRef: { name: secret, key } });
  const scratch = writable(["/tmp"]);
  return {
    backoffLimit: 0,
    activeDeadlineSeconds: SETUP_TIMEOUT_SECONDS,
    template: {
      metadata: { labels: setup.labels },
      spec: {
        restartPolicy: "Never",
        automountServiceAccountToken: false,
        enableServiceLinks: false,
        securityContext: restrictedPod(setup.uid),
        containers: [
          {
            name: "setup",
            image: setup.image,
            command: ["sh", "/etc/postgres-app/scripts/setup.sh"],
            env: [
              { name: "PGHOST", valueFrom: from(setup.connectionSecret, "host") },
              { name: "PGPORT", valueFrom: from(setup.connectionSecret, "port") },
              { name: "PGUSER", valueFrom: from(setup.adminSecret, "username") },
              { name: "PGPASSWORD", valueFrom: from(setup.adminSecret, "password") },
              { name: "PGCONNECT_TIMEOUT", value: "5" },
              { name: "APP_DATABASE", valueFrom: from(setup.connectionSecret, "dbname") },
              { name: "APP_USER", valueFrom: from(setup.connectionSecret, "user") },
              { name: "APP_PASSWORD", valueFrom: from(setup.connectionSecret, "password") },
              { name: "CONNECT_TIMEOUT_SECONDS", value: String(CONNECT_TIMEOUT_SECONDS) },
            ],
            resources: { requests: { cpu: "50m", memory: "64Mi" } },
            securityContext: restrictedContainer(),
            terminationMessagePolicy: "FallbackToLogsOnError",
            volumeMounts: [{ name: "scripts", mountPath: "/etc/postgres-app/scripts", readOnly: true }, ...scratch.volumeMounts],
          },
        ],
        volumes: [{ name: "scripts", configMap: { name: setup.scripts } }, ...scratch.volumes],
      },
    },
  };
}
