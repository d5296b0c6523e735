import { PostgresAppArgs } from "../postgresAppArgs";
import { asks, DatabaseTls, preset, PresetOptions, Product } from "./preset";
import { checkS3, given, PresetRedis, PresetS3, PresetSmtp, resolveRedis, resolveSmtp, s3Region } from "./services";

/** Read from directus 12.4.1, @directus/api 39.2.1 and @directus/env 6.3.0 (npm), and directus/directus: Dockerfile. */
const DIRECTUS: Product = {
  name: "directus",
  options: "DirectusOptions",
  repository: "docker.io/directus/directus",
  newest: "12.4.1",
  oldest: "11.0.0",
};

/** A data platform and headless CMS. */
export interface DirectusOptions extends PresetOptions {
  /**
   * E-mail address of the first administrator. Its password is generated: ADMIN_PASSWORD in the application's Secret. Both are only read by
   * the first migration of an empty database. Defaults to "admin@example.com".
   */
  adminEmail?: string;
  /**
   * Bucket for uploads; needed with more than one replica. Defaults to none: then they are on a volume.
   */
  s3?: PresetS3;
  /**
   * Size of the volume for uploads. Defaults to "10Gi". Not with `s3`.
   */
  storage?: string;
  /**
   * Redis, by which more than one replica share cache, rate limits and what they tell each other. Defaults to none.
   */
  redis?: PresetRedis;
  /**
   * Mail server. Defaults to none: then no mail is sent.
   */
  smtp?: PresetSmtp;
}

/** Directus, a data platform: `new PostgresApp("directus", directus({ host: "cms.example.org" }))`. */
export function directus(options: DirectusOptions = {}): PostgresAppArgs {
  return preset(DIRECTUS, options, ({ options, image, url, tls, validation }) => {
    const { s3, storage } = options;
    const redis = options.redis && resolveRedis(options.redis, validation);
    const smtp = resolveSmtp(options.smtp, validation);
    checkS3(s3, validation);
    if (s3 && storage !== undefined) validation.problem("storage", "is for uploads without s3: keep one of the two");
    const database = { DB_CLIENT: "pg", TEMP_PATH: "/tmp/directus", ...encryption(tls) };
    const admin = { ADMIN_EMAIL: options.adminEmail ?? "admin@example.com" };
    return {
      image,
      port: 8055,
      runAsUser: 1000,
      // The image's own command migrates (bootstrap) before it starts the server.
      command: ["node", "cli.js", "start"],
      connectionEnv: {
        DB_HOST: "host",
        DB_PORT: "port",
        DB_DATABASE: "dbname",
        DB_USER: "user",
        DB_PASSWORD: "password",
        ...(tls === "verified" ? { DB_SSL__CA_FILE: "sslrootcert" } : {}),
      },
      env: {
        ...database,
        ...(url === undefined ? {} : { PUBLIC_URL: url, IP_TRUST_PROXY: "true", ...secureCookies }),
        ...(s3
          ? given({
              STORAGE_LOCATIONS: "s3",
              STORAGE_S3_DRIVER: "s3",
              STORAGE_S3_BUCKET: s3.bucket,
              STORAGE_S3_REGION: s3Region(s3),
              STORAGE_S3_ENDPOINT: s3.endpoint,
              STORAGE_S3_FORCE_PATH_STYLE: s3.endpoint === undefined ? undefined : "true",
            })
          : { STORAGE_LOCATIONS: "local", STORAGE_LOCAL_ROOT: UPLOADS }),
        ...(redis && {
          ...given({
            REDIS_HOST: redis.host,
            REDIS_PORT: redis.port,
            REDIS_USERNAME: redis.user,
            REDIS_TLS: redis.tls ? "true" : undefined,
          }),
          CACHE_STORE: "redis",
          RATE_LIMITER_STORE: "redis",
          SYNCHRONIZATION_STORE: "redis",
        }),
        ...(smtp &&
          given({
            EMAIL_TRANSPORT: "smtp",
            EMAIL_FROM: smtp.from,
            EMAIL_SMTP_HOST: smtp.host,
            EMAIL_SMTP_PORT: smtp.port,
            EMAIL_SMTP_SECURE: String(smtp.implicitTls),
            EMAIL_SMTP_USER: smtp.user,
          })),
      },
      secretEnv: given({
        STORAGE_S3_KEY: s3?.accessKeyId,
        STORAGE_S3_SECRET: s3?.secretAccessKey,
        REDIS_PASSWORD: redis?.password,
        EMAIL_SMTP_PASSWORD: smtp?.password,
      }),
      generatedSecrets: {
        // Signs tokens, and no stored data depends on it: with another one people log in again. The migration needs it to start.
        SECRET: { encryptsData: false, migration: true },
        ADMIN_PASSWORD: { length: 32, encryptsData: false, migration: true },
      },
      // Installs where nothing is, else brings up to date.
      migration: {
        command: ["node", "cli.js", "bootstrap"],
        env: { ...database, ...admin },
        resources: { requests: { cpu: "100m", memory: "384Mi" } },
      },
      // @directus/api dist/app.js:217: before all that asks the database. /server/health also asks mail and storage, of which an outage is
      // none of every pod.
      probes: asks({ readiness: "/server/ping", liveness: "/server/ping" }),
      resources: { requests: { cpu: "200m", memory: "512Mi" } },
      ingressNeeds: { maxBodySize: "100Mi", timeoutSeconds: 300 },
      ...(s3 ? {} : { volumes: [{ mountPath: UPLOADS, storage: storage ?? "10Gi" }] }),
    };
  });
}

const UPLOADS = "/directus/uploads";
const secureCookies = { REFRESH_TOKEN_COOKIE_SECURE: "true", SESSION_COOKIE_SECURE: "true" };

const encryption = (tls: DatabaseTls): Record<string, string> =>
  tls === "off" ? {} : { DB_SSL__REJECT_UNAUTHORIZED: String(tls === "verified") };
