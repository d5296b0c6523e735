import { PostgresAppArgs } from "../postgresAppArgs";
import { wholeNumber } from "../common/rules";
import { A_CONNECTION, asks, DatabaseTls, preset, PresetOptions, Product } from "./preset";

/** Options of `heimdall`. */
export interface HeimdallOptions extends PresetOptions {
  /**
   * Mail address of the first administrator, made by the first migration; the password is the generated ADMIN_PASSWORD, and has to be
   * changed at the first login. Defaults to "admin@heimdall.local". A change runs the migration, and does nothing once there is one.
   */
  adminEmail?: string;
  /**
   * Largest upload in megabytes, here and in the Ingress. Defaults to 50. A change rolls the pods.
   */
  uploadMegabytes?: number;
}

/**
 * Read from the tags v2.10.0 to v2.13.1 of mitre/heimdall2 (Dockerfile, cmd.sh, apps/backend). Run from its source, v2.13.1, on a
 * read-only file system as another user: migrations, seed, start, login, TLS verified and not, a login without rights to make tables.
 */
const HEIMDALL: Product = {
  name: "heimdall",
  options: "HeimdallOptions",
  repository: "docker.io/mitre/heimdall2",
  newest: "2.13.1",
  oldest: "2.10.0",
};

const BACKEND = "/app/apps/backend";

/** MITRE Heimdall, a viewer of security results. */
export function heimdall(options: HeimdallOptions = {}): PostgresAppArgs {
  return preset(HEIMDALL, options, ({ options, image, url, tls, since, validation }) => {
    const megabytes = validation.check("uploadMegabytes", options.uploadMegabytes, wholeNumber(1, 4096)) ?? 50;
    // Not by yarn, which writes to its cache. Up to 2.12.6 the CLI's configuration is TypeScript, for which its script calls tsx.
    const cli = since("2.13.0") ? "node_modules/.bin/sequelize" : "node_modules/.bin/tsx node_modules/.bin/sequelize";
    const connection = { NODE_ENV: "production", ...tlsSettings(tls) };
    return {
      image,
      runAsUser: 1001,
      port: 3000,
      // The image's own command migrates, seeds and starts: all pods would do so at once, and Sequelize has no lock.
      command: ["node", `${BACKEND}/dist/src/main`],
      connectionEnv: {
        // Not DATABASE_URL, which is split without being decoded.
        DATABASE_HOST: "host",
        DATABASE_PORT: "port",
        DATABASE_NAME: "dbname",
        DATABASE_USERNAME: "user",
        DATABASE_PASSWORD: "password",
        ...(tls === "verified" ? { DATABASE_SSL_CA: "sslrootcert" } : {}),
      },
      migration: {
        // The seed makes the first administrator if there is none, and says the password, also a given one; errors go to the other stream.
        command: ["sh", "-c", `set -e\ncd ${BACKEND}\n${cli} db:migrate\n${cli} db:seed:all >/dev/null\n`],
        env: { ...connection, ADMIN_EMAIL: options.adminEmail ?? "admin@heimdall.local" },
      },
      env: {
        ...connection,
        PORT: "3000",
        JWT_EXPIRE_TIME: "1d", // the default is a minute
        MAX_FILE_UPLOAD_SIZE: String(megabytes),
        ...(url === undefined ? {} : { EXTERNAL_URL: url }),
      },
      generatedSecrets: {
        JWT_SECRET: { length: 128, format: "hex", encryptsData: false }, // signs logins; unset, each pod has its own
        API_KEY_SECRET: { length: 66, format: "hex" }, // API keys that are in use are worth nothing without it
        ADMIN_PASSWORD: { length: 32, encryptsData: false, migration: true },
      },
      // There is no path for health: this one answers without the database, which the start waits for (apps/backend/src/app.controller.ts:11).
      // With OAuth, up to 2.11 every request stores a session there (main.ts:75, saveUninitialized).
      probes: asks({ readiness: "/server", liveness: since("2.12.0") ? "/server" : A_CONNECTION }),
      resources: { requests: { cpu: "100m", memory: "512Mi" } },
      // OAuth's sessions are signed with a key of each process' own.
      ingressNeeds: { maxBodySize: `${megabytes + 1}Mi`, stickySessions: true },
    };
  });
}

/** DATABASE_SSL is taken for true whatever it is, "false" too. */
function tlsSettings(tls: DatabaseTls): Record<string, string> {
  return tls === "off" ? {} : { DATABASE_SSL: "true", DATABASE_SSL_INSECURE: String(tls !== "verified") };
}
