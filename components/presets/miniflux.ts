import { PostgresAppArgs } from "../postgresAppArgs";
import { asks, preset, PresetOptions, Product } from "./preset";
import { IN_URI } from "./clientCertificate";

/** Read from miniflux/v2 at 2.3.3: packaging/docker/alpine/Dockerfile, internal/cli/cli.go, internal/http/server/routes.go. */
const MINIFLUX: Product = {
  name: "miniflux",
  options: "MinifluxOptions",
  repository: "docker.io/miniflux/miniflux",
  newest: "2.3.3",
  oldest: "2.2.10",
  clientCertificate: IN_URI,
};

/** A feed reader. */
export interface MinifluxOptions extends PresetOptions {
  /**
   * Name of the first administrator. Its password is generated: ADMIN_PASSWORD in the application's Secret. It is only read when
   * there is no user of that name. Defaults to "admin".
   */
  adminUsername?: string;
}

/** Miniflux, a feed reader: `new PostgresApp("miniflux", miniflux({ host: "feeds.example.org" }))`. */
export function miniflux(options: MinifluxOptions = {}): PostgresAppArgs {
  return preset(MINIFLUX, options, ({ options, image, url }) => ({
    image,
    port: 8080,
    runAsUser: 65534,
    // The driver (lib/pq) understands the URI's sslmode and sslrootcert.
    connectionEnv: { DATABASE_URL: "uri" },
    env: {
      LISTEN_ADDR: "0.0.0.0:8080",
      CREATE_ADMIN: "1",
      ADMIN_USERNAME: options.adminUsername ?? "admin",
      ...(url === undefined ? {} : { BASE_URL: url, HTTPS: "1" }),
    },
    generatedSecrets: {
      ADMIN_PASSWORD: { length: 32, encryptsData: false },
      // Signs the addresses of proxied images; without one each start would make its own.
      MEDIA_PROXY_PRIVATE_KEY: { length: 32, encryptsData: false },
    },
    // It only migrates when it starts with RUN_MIGRATIONS, and without it refuses a schema that is not up to date.
    migration: { command: ["/usr/bin/miniflux", "-migrate"] },
    probes: asks({ readiness: "/readiness", liveness: "/liveness" }), // internal/http/server/routes.go:61
    resources: { requests: { cpu: "50m", memory: "96Mi" } },
  }));
}
