import { PostgresAppArgs } from "../postgresAppArgs";
import { asks, preset, PresetOptions, Product } from "./preset";

/** Read from go-vikunja/vikunja at 2.5.0: Dockerfile, pkg/cmd/migrate.go, pkg/initialize/init.go, pkg/config/config.go, pkg/db/db.go. */
const VIKUNJA: Product = {
  name: "vikunja",
  options: "VikunjaOptions",
  repository: "docker.io/vikunja/vikunja",
  newest: "2.5.0",
  oldest: "1.0.0",
  clientCertificate: { VIKUNJA_DATABASE_SSLCERT: "sslcert", VIKUNJA_DATABASE_SSLKEY: "sslkey" },
};

/** To-do lists. */
export interface VikunjaOptions extends PresetOptions {
  /**
   * Whether anybody may sign up. Defaults to true.
   */
  registration?: boolean;
  /**
   * Size of the volume for attachments. Defaults to "10Gi". It is for one replica.
   */
  storage?: string;
}

/** Vikunja, to-do lists: `new PostgresApp("todo", vikunja({ host: "todo.example.org" }))`. An external server's port has to be 5432. */
export function vikunja(options: VikunjaOptions = {}): PostgresAppArgs {
  return preset(VIKUNJA, options, ({ options, image, url, tls, since }) => {
    const database = { VIKUNJA_DATABASE_TYPE: "postgres" };
    return {
      image,
      port: 3456,
      runAsUser: 1000,
      connectionEnv: {
        VIKUNJA_DATABASE_HOST: "host",
        VIKUNJA_DATABASE_DATABASE: "dbname",
        VIKUNJA_DATABASE_USER: "user",
        VIKUNJA_DATABASE_PASSWORD: "password",
        VIKUNJA_DATABASE_SSLMODE: "sslmode",
        ...(tls === "verified" ? { VIKUNJA_DATABASE_SSLROOTCERT: "sslrootcert" } : {}),
      },
      env: {
        ...database,
        VIKUNJA_SERVICE_INTERFACE: ":3456",
        VIKUNJA_SERVICE_ENABLEREGISTRATION: String(options.registration ?? true),
        VIKUNJA_FILES_BASEPATH: FILES,
        ...(url === undefined ? {} : { VIKUNJA_SERVICE_PUBLICURL: url }),
      },
      // Signs sessions.
      generatedSecrets: { [since("2.3.0") ? "VIKUNJA_SERVICE_SECRET" : "VIKUNJA_SERVICE_JWTSECRET"]: { encryptsData: false } },
      // The server asks again when it starts, and has nothing to do then: it cannot be told not to.
      migration: { command: ["/app/vikunja/vikunja", "migrate"], env: database },
      // pkg/routes/healthcheck.go:29 asks the database; files of the frontend are in the program (pkg/routes/static.go:148).
      probes: asks({ readiness: "/health", liveness: "/robots.txt" }),
      resources: { requests: { cpu: "50m", memory: "128Mi" } },
      ingressNeeds: { maxBodySize: "20Mi" },
      volumes: [{ mountPath: FILES, storage: options.storage ?? "10Gi" }],
    };
  });
}

const FILES = "/app/vikunja/files";
