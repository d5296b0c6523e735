import * as pulumi from "@pulumi/pulumi";
import { PostgresApp, sequelize } from "pulumi-postgres-app";

// What no single node, zone or bad release takes away. Each block can be taken out by itself.
const config = new pulumi.Config();
const host = config.require("host");
const tool = sequelize();

const notes = new PostgresApp("notes", {
  image: config.require("image"), // best with @sha256:…
  namespace: config.get("namespace"),
  command: ["node", "server.js"],
  port: 3000,

  // The pods: three to nine of them as the load wants, spread over nodes and zones, at most one away at a time (a PodDisruptionBudget),
  // and a new one ready before a former one stops.
  kind: "Deployment",
  autoscaling: { minReplicas: 3, maxReplicas: 9 },
  resources: { requests: { cpu: "250m", memory: "256Mi" }, limits: { memory: "512Mi" } },
  preStopSeconds: 15,
  terminationGracePeriodSeconds: 60,
  probes: { liveness: { httpPath: "/health" }, readiness: { httpPath: "/ready" } },

  env: { LOG_LEVEL: "info" },
  generatedSecrets: { SESSION_SECRET: { encryptsData: false } },

  // The database: a primary and two replicas, which the application reaches by TLS with a verified certificate, and backups elsewhere.
  database: {
    cloudNativePg: { instances: 3, storage: "20Gi" },
    credentials: { separateMigrator: true },
    backups: {
      schedule: "30 2 * * *",
      destination: {
        s3: {
          bucket: config.get("bucket") ?? "notes-backups",
          region: config.get("region") ?? "eu-central-1",
          secretName: "notes-backups", // with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY
        },
      },
    },
  },

  // The migration: tried on a copy first, and one pod of the new version before all others.
  migration: { command: tool.migrate, pending: tool.status, rehearsal: {} },
  rollout: { canary: {}, timeoutSeconds: 600 },

  // From outside by TLS, and who may talk to whom.
  ingress: {
    controller: "traefik",
    hosts: [host],
    tls: { clusterIssuer: config.get("clusterIssuer") ?? "letsencrypt" },
  },
  networkPolicy: { clients: [{ namespace: "traefik" }], egress: [{ ports: [443] }] },
  monitoring: { labels: { release: "kube-prometheus-stack" } },
});

export const url = notes.url;
export const pending = notes.pendingMigrations;
