import { PostgresAppArgs } from "../postgresAppArgs";
import { asks, DatabaseTls, preset, PresetOptions, Product } from "./preset";
import { given, PresetRedis, resolveRedis } from "./services";

/** Read from n8n 2.41.3, @n8n/db 1.41.2 and @n8n/config 2.39.0 (npm): base-command, db-connection, abstract-server, the config classes. */
const N8N: Product = {
  name: "n8n",
  options: "N8nOptions",
  repository: "docker.io/n8nio/n8n",
  newest: "2.41.3",
  oldest: "2.0.0",
  clientCertificate: { DB_POSTGRESDB_SSL_CERT_FILE: "sslcert", DB_POSTGRESDB_SSL_KEY_FILE: "sslkey" },
};

/** Workflow automation. */
export interface N8nOptions extends PresetOptions {
  /**
   * Redis for queue mode, in which `workers` run the workflows and not the process that serves. Defaults to none: one process for all.
   */
  redis?: PresetRedis;
  /**
   * Number of pods that run workflows in queue mode. Needs `redis`. Defaults to 2.
   */
  workers?: number;
}

const MEMORY = { requests: { cpu: "100m", memory: "512Mi" } };

/**
 * n8n, workflow automation: `new PostgresApp("n8n", n8n({ host: "n8n.example.org" }))`. It serves from one pod: more than one main process
 * needs a licence. What workflows produce as files is kept in the database. Community packages are gone with the pod, unless
 * N8N_REINSTALL_MISSING_PACKAGES is set. No usage data is sent, without which n8n has no "Ask AI" in its Code node: set
 * N8N_DIAGNOSTICS_ENABLED to "true" in both `env` and `migration.env` to have it.
 */
export function n8n(options: N8nOptions = {}): PostgresAppArgs {
  return preset(N8N, options, ({ options, image, url, tls, since, validation }) => {
    const redis = options.redis && resolveRedis(options.redis, validation);
    if (options.workers !== undefined && !redis)
      validation.problem("workers", "needs redis, through which they get their work: add it, or leave workers out");
    // Each command, the migration's too, would send usage data.
    const shared = { DB_TYPE: "postgresdb", ...encryption(tls), N8N_DIAGNOSTICS_ENABLED: "false" };
    return {
      image,
      port: 5678,
      runAsUser: 1000,
      writablePaths: ["/tmp", "/home/node"],
      connectionEnv: {
        DB_POSTGRESDB_HOST: "host",
        DB_POSTGRESDB_PORT: "port",
        DB_POSTGRESDB_DATABASE: "dbname",
        DB_POSTGRESDB_USER: "user",
        DB_POSTGRESDB_PASSWORD: "password",
        ...(tls === "verified" ? { DB_POSTGRESDB_SSL_CA_FILE: "sslrootcert" } : {}),
      },
      env: {
        ...shared,
        N8N_PORT: "5678",
        N8N_DEFAULT_BINARY_DATA_MODE: "database",
        ...(url === undefined
          ? { N8N_SECURE_COOKIE: "false" } // logging in over plain HTTP is refused otherwise
          : {
              N8N_EDITOR_BASE_URL: url,
              [since("2.41.0") ? "N8N_WEBHOOK_URL" : "WEBHOOK_URL"]: url,
              N8N_PROXY_HOPS: "1",
            }),
        ...(redis &&
          given({
            EXECUTIONS_MODE: "queue",
            OFFLOAD_MANUAL_EXECUTIONS_TO_WORKERS: "true",
            QUEUE_BULL_REDIS_HOST: redis.host,
            QUEUE_BULL_REDIS_PORT: redis.port,
            QUEUE_BULL_REDIS_USERNAME: redis.user,
            QUEUE_BULL_REDIS_TLS: redis.tls ? "true" : undefined,
          })),
      },
      secretEnv: given({ QUEUE_BULL_REDIS_PASSWORD: redis?.password }),
      // The migration keeps things in the database that are encrypted with it.
      generatedSecrets: { N8N_ENCRYPTION_KEY: { length: 48, migration: true } },
      // Every command but `start` migrates, does its work and ends; this one only reads. `start` asks again, under n8n's own lock, and has
      // nothing to do then: it cannot be told not to.
      migration: { command: ["n8n", "list:workflow", "--active=true", "--onlyId"], env: shared, resources: MEMORY },
      probes: asks({ readiness: "/healthz/readiness", liveness: "/healthz" }), // dist/abstract-server.js:95
      resources: MEMORY,
      ingressNeeds: { maxBodySize: "16Mi", timeoutSeconds: 3600 }, // N8N_PAYLOAD_SIZE_MAX; the editor's push connection
      ...(redis
        ? { workers: { worker: { command: ["n8n", "worker"], replicas: options.workers ?? 2, resources: MEMORY } } }
        : {}),
    };
  });
}

const encryption = (tls: DatabaseTls): Record<string, string> =>
  tls === "off"
    ? {}
    : {
        DB_POSTGRESDB_SSL_ENABLED: "true",
        DB_POSTGRESDB_SSL_REJECT_UNAUTHORIZED: String(tls === "verified"),
      };
