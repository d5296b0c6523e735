import * as pulumi from "@pulumi/pulumi";
import { PostgresApp, sequelize } from "pulumi-postgres-app";

// Everything that an application of which people depend should have: each block can be taken out by itself.
const config = new pulumi.Config();
const host = config.get("host") ?? "notes.example.org";
const tool = sequelize();

const notes = new PostgresApp("notes", {
  image: config.require("image"), // best with @sha256:…
  namespace: config.require("namespace"),
  command: ["node", "server.js"],
  port: 3000,

  // The pods: as many as the load wants, spread over nodes and zones, and never all of them away for a drained node.
  kind: "Deployment",
  autoscaling: { minReplicas: 2, maxReplicas: 6 },
  resources: { requests: { cpu: "250m", memory: "256Mi" }, limits: { memory: "512Mi" } },
  preStopSeconds: 15,
  terminationGracePeriodSeconds: 60,
  probes: { liveness: { httpPath: "/health" }, readiness: { httpPath: "/ready" } },

  env: { LOG_LEVEL: "info" },
  generatedSecrets: { SESSION_SECRET: { encryptsData: false } },

  // The database: three instances with their backups in an object store.
  database: {
    cloudNativePg: { instances: 3, storage: "20Gi" },
    credentials: { separateMigrator: true },
    backups: {
      schedule: "30 2 * * *",
      destination: {
        s3: {
          bucket: "notes-backups",
          region: "eu-central-1",
          secretName: "notes-backups", // with access-key-id and secret-access-key
        },
      },
    },
  },

  // The migration: tried on a copy first, and one pod of the new version before all others.
  migration: { command: tool.migrate, pending: tool.status, rehearsal: {} },
  rollout: { canary: {}, timeoutSeconds: 600 },

  // From outside, and who may talk to whom.
  httpRoute: { hosts: [host], gateway: { name: "public", namespace: "gateways", sectionName: "https", httpSectionName: "http" } },
  networkPolicy: { clients: [{ namespace: "gateways" }], egress: [{ ports: [443] }] },
  monitoring: { labels: { release: "kube-prometheus-stack" } },
});

export const url = notes.url;
export const pending = notes.pendingMigrations;
