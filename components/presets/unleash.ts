import { PostgresAppArgs } from "../postgresAppArgs";
import { asks, DatabaseTls, preset, PresetOptions, Product } from "./preset";

/** Read from unleash-server 8.2.0 (npm) and Unleash/unleash: Dockerfile, create-config.ts, migrator.ts, routes/ready-check.ts. */
const UNLEASH: Product = {
  name: "unleash",
  options: "UnleashOptions",
  repository: "docker.io/unleashorg/unleash-server",
  newest: "8.2.0",
  oldest: "7.4.0",
  clientCertificate: { DATABASE_SSL_CERT_FILE: "sslcert", DATABASE_SSL_KEY_FILE: "sslkey" },
};

/** Feature flags. */
export interface UnleashOptions extends PresetOptions {
  /**
   * Name of the first administrator. Its password is generated: UNLEASH_DEFAULT_ADMIN_PASSWORD in the application's Secret. It is only
   * read while there is no user at all; with LOG_LEVEL "info" Unleash logs it then. Defaults to "admin".
   */
  adminUsername?: string;
}

/** There is no command for it, but what the server itself calls before it listens (migrator.ts) can be called alone. */
const MIGRATE = [
  'import { createConfig } from "/unleash/dist/lib/create-config.js";',
  'import { migrateDb } from "/unleash/dist/migrator.js";',
  "await migrateDb(createConfig({}));",
  "process.exit(0);",
].join(" ");

/** Unleash, feature flags: `new PostgresApp("unleash", unleash({ host: "flags.example.org" }))`. */
export function unleash(options: UnleashOptions = {}): PostgresAppArgs {
  return preset(UNLEASH, options, ({ options, image, url, tls }) => ({
    image,
    port: 4242,
    runAsUser: 1000,
    // Not the URI: what it says of TLS is mixed with a default that does not verify (create-config.ts, databaseSSL).
    connectionEnv: {
      DATABASE_HOST: "host",
      DATABASE_PORT: "port",
      DATABASE_NAME: "dbname",
      DATABASE_USERNAME: "user",
      DATABASE_PASSWORD: "password",
      ...(tls === "verified" ? { DATABASE_SSL_CA_FILE: "sslrootcert" } : {}),
    },
    env: {
      ...encryption(tls),
      DATABASE_DISABLE_MIGRATION: "true",
      UNLEASH_DEFAULT_ADMIN_USERNAME: options.adminUsername ?? "admin",
      ...(url === undefined ? {} : { UNLEASH_URL: url, SECURE_HEADERS: "true" }),
    },
    generatedSecrets: {
      // Signs sessions, which are kept in the database: with another one people log in again.
      UNLEASH_SECRET: { encryptsData: false },
      UNLEASH_DEFAULT_ADMIN_PASSWORD: { length: 32, encryptsData: false },
    },
    migration: {
      command: ["node", "--input-type=module", "-e", MIGRATE],
      env: encryption(tls),
      resources: { requests: { cpu: "100m", memory: "256Mi" } },
    },
    probes: asks({ readiness: "/ready", liveness: "/health" }), // dist/lib/routes/health-check.js:27
    resources: { requests: { cpu: "100m", memory: "256Mi" } },
  }));
}

/** Without a word it encrypts and does not verify; with an authority's file it verifies. */
const encryption = (tls: DatabaseTls): Record<string, string> => (tls === "off" ? { DATABASE_SSL: "false" } : {});
