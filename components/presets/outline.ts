import * as pulumi from "@pulumi/pulumi";
import { PostgresAppArgs } from "../postgresAppArgs";
import { A_CONNECTION, asks, preset, PresetOptions, Product } from "./preset";
import { checkS3, given, PresetRedis, PresetS3, PresetSmtp, redisUrl, resolveRedis, resolveSmtp, s3Region } from "./services";

/** Read from outline/outline at 1.9.2: Dockerfile, server/env.ts, server/config/database.js, server/storage/database.ts, server/main.ts. */
const OUTLINE: Product = {
  name: "outline",
  options: "OutlineOptions",
  repository: "docker.io/outlinewiki/outline",
  newest: "1.9.2",
  oldest: "1.0.0",
};

/** A wiki. */
export interface OutlineOptions extends PresetOptions {
  /**
   * Redis: Outline does not run without one.
   */
  redis: PresetRedis;
  /**
   * Bucket for attachments; needed with more than one replica. Defaults to none: then they are on a volume.
   */
  s3?: PresetS3;
  /**
   * Size of the volume for attachments. Defaults to "10Gi". Not with `s3`.
   */
  storage?: string;
  /**
   * Mail server. Defaults to none.
   */
  smtp?: PresetSmtp;
}

/**
 * Outline, a wiki: `new PostgresApp("wiki", outline({ host: "wiki.example.org", redis: { host: "redis" } }))`. People log in by another
 * service (OIDC, Google, Slack, …): give its variables in `env` and `secretEnv`. It encrypts the connection to the database and does not
 * verify the server's certificate, which cannot be changed.
 */
export function outline(options: OutlineOptions): PostgresAppArgs {
  return preset(OUTLINE, options, ({ options, image, url, tls, validation }) => {
    const { s3, storage } = options;
    const redis = validation.required("redis", options.redis, () => undefined, "Outline does not run without: { host: … }");
    const smtp = resolveSmtp(options.smtp, validation);
    if (redis) resolveRedis(redis, validation);
    checkS3(s3, validation);
    if (s3 && storage !== undefined) validation.problem("storage", "is for attachments without s3: keep one of the two");
    const encryption: Record<string, string> = tls === "off" ? { PGSSLMODE: "disable" } : {};
    return {
      image,
      port: 3000,
      runAsUser: 1001,
      command: ["node", "build/server/index.js", "--no-migrate"],
      // Not the URI: Sequelize would take what it says of TLS for options of its own.
      connectionEnv: {
        DATABASE_HOST: "host",
        DATABASE_PORT: "port",
        DATABASE_NAME: "dbname",
        DATABASE_USER: "user",
        DATABASE_PASSWORD: "password",
      },
      env: {
        PORT: "3000",
        WEB_CONCURRENCY: "1",
        URL: url ?? "http://localhost:3000",
        FORCE_HTTPS: String(url !== undefined),
        ...encryption,
        ...(s3
          ? given({
              FILE_STORAGE: "s3",
              AWS_REGION: s3Region(s3),
              AWS_S3_UPLOAD_BUCKET_NAME: s3.bucket,
              AWS_S3_UPLOAD_BUCKET_URL: s3.endpoint ?? pulumi.interpolate`https://s3.${s3Region(s3)}.amazonaws.com`,
              AWS_S3_FORCE_PATH_STYLE: s3.endpoint === undefined ? "false" : "true",
            })
          : { FILE_STORAGE: "local", FILE_STORAGE_LOCAL_ROOT_DIR: DATA }),
        ...(smtp &&
          given({
            SMTP_HOST: smtp.host,
            SMTP_PORT: smtp.port,
            SMTP_FROM_EMAIL: smtp.from,
            SMTP_USERNAME: smtp.user,
            SMTP_SECURE: String(smtp.implicitTls),
          })),
      },
      secretEnv: given({
        REDIS_URL: redis && redisUrl(redis),
        AWS_ACCESS_KEY_ID: s3?.accessKeyId,
        AWS_SECRET_ACCESS_KEY: s3?.secretAccessKey,
        SMTP_PASSWORD: smtp?.password,
      }),
      generatedSecrets: {
        // Exactly 64 hexadecimal digits (server/env.ts).
        SECRET_KEY: { length: 64, format: "hex" },
        UTILS_SECRET: { length: 64, format: "hex", encryptsData: false },
      },
      database: { extensions: ["uuid-ossp", "unaccent", "pg_trgm", "btree_gin"] },
      migration: {
        command: [
          "node_modules/.bin/sequelize",
          "db:migrate",
          `--env=${tls === "off" ? "production-ssl-disabled" : "production"}`,
        ],
        resources: { requests: { cpu: "200m", memory: "384Mi" } },
      },
      // server/index.ts:159 asks the database and Redis, and the limit of requests before every other path (:98) asks Redis.
      probes: asks({ readiness: "/_health", liveness: A_CONNECTION }),
      resources: { requests: { cpu: "250m", memory: "768Mi" } },
      ingressNeeds: { maxBodySize: "250Mi", timeoutSeconds: 3600 }, // people write together over WebSockets
      ...(s3 ? {} : { volumes: [{ mountPath: DATA, storage: storage ?? "10Gi" }] }),
    };
  });
}

const DATA = "/var/lib/outline/data";
