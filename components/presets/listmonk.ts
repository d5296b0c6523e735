import { PostgresAppArgs } from "../postgresAppArgs";
import { asks, preset, PresetOptions, Product } from "./preset";
import { LIBPQ } from "./clientCertificate";

/** Read from knadh/listmonk at 6.2.0: Dockerfile, docker-compose.yml, cmd/main.go, cmd/install.go, cmd/init.go, schema.sql. */
const LISTMONK: Product = {
  name: "listmonk",
  options: "ListmonkOptions",
  repository: "docker.io/listmonk/listmonk",
  tag: (version) => `v${version}`,
  newest: "6.2.0",
  oldest: "5.0.0",
  clientCertificate: LIBPQ,
};

/** Newsletters. */
export interface ListmonkOptions extends PresetOptions {
  /**
   * Name of the first administrator. Its password is generated: LISTMONK_ADMIN_PASSWORD in the application's Secret. Both are only read by the
   * first migration of an empty database. Defaults to "admin".
   */
  adminUsername?: string;
  /**
   * Size of the volume for pictures: set the directory /listmonk/uploads in its settings. Defaults to "5Gi". It is for one replica.
   */
  storage?: string;
}

/**
 * listmonk, newsletters: `new PostgresApp("news", listmonk({ host: "news.example.org" }))`. Its public address and its mail server are set
 * in its own settings, which it keeps in the database. It has to be the only one that sends: one replica.
 */
export function listmonk(options: ListmonkOptions = {}): PostgresAppArgs {
  return preset(LISTMONK, options, ({ options, image, tls }) => ({
    image,
    port: 9000,
    // The image's own user is root, only for its start script, which changes owners; the program needs nothing of it.
    runAsUser: 1000,
    command: ["./listmonk", "--config="],
    connectionEnv: {
      LISTMONK_db__host: "host",
      LISTMONK_db__port: "port",
      LISTMONK_db__database: "dbname",
      LISTMONK_db__user: "user",
      LISTMONK_db__password: "password",
      LISTMONK_db__ssl_mode: "sslmode",
      ...(tls === "verified" ? { PGSSLROOTCERT: "sslrootcert" } : {}), // the driver's (lib/pq)
    },
    env: { LISTMONK_app__address: "0.0.0.0:9000" },
    generatedSecrets: { LISTMONK_ADMIN_PASSWORD: { length: 32, encryptsData: false, migration: true } },
    database: { extensions: ["pgcrypto"] },
    migration: {
      command: ["sh", "-c", "./listmonk --config= --install --idempotent --yes && ./listmonk --config= --upgrade --yes"],
      env: { LISTMONK_ADMIN_USER: options.adminUsername ?? "admin" },
    },
    probes: asks({ readiness: "/health", liveness: "/health" }), // cmd/handlers.go:322: it says yes, and asks nothing
    resources: { requests: { cpu: "50m", memory: "128Mi" } },
    ingressNeeds: { maxBodySize: "50Mi", timeoutSeconds: 300 }, // lists of subscribers are imported as files
    volumes: [{ mountPath: "/listmonk/uploads", storage: options.storage ?? "5Gi" }],
  }));
}
