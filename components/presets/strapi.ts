import * as pulumi from "@pulumi/pulumi";
import { path } from "../common/rules";
import { PostgresAppArgs } from "../postgresAppArgs";
import { asks, DatabaseTls, preset, PresetOptions, Product } from "./preset";

/**
 * Read from @strapi/strapi 5.55.1, @strapi/core and @strapi/database 5.54.0 and the configuration that create-strapi-app 5.54.0 makes
 * (npm): config/database, config/server, config/admin, commands/start, Strapi.load, schema.sync.
 */
const STRAPI: Product = { name: "strapi", options: "StrapiOptions", repository: "strapi", newest: "5.55.1", oldest: "5.0.0" };

/** A headless CMS. */
export interface StrapiOptions extends PresetOptions {
  /**
   * The image that you have built of your project: Strapi publishes none, because content types are code. Its command is to start Strapi
   * in production (`strapi start`) from the project's directory, with the admin panel built.
   */
  image: pulumi.Input<string>;
  /**
   * Directory of the project in the image. Defaults to "/opt/app", as in Strapi's own guide.
   */
  directory?: string;
  /**
   * Size of the volume for uploads, `public/uploads` of the project. False where the project keeps them elsewhere (S3). Defaults to
   * "10Gi". It is for one replica.
   */
  storage?: string | false;
}

/**
 * Strapi synchronizes the schema whenever it is loaded, and has no command that does only that: this loads it as `strapi start` does, and
 * ends. Started afterwards, it finds that nothing has changed; it cannot be told not to look.
 */
const MIGRATE = [
  'const { existsSync } = require("fs"), { join } = require("path"), { createStrapi } = require("@strapi/strapi");',
  "const appDir = process.cwd();",
  'const distDir = existsSync(join(appDir, "tsconfig.json")) ? join(appDir, "dist") : appDir;',
  "createStrapi({ appDir, distDir }).load().then((app) => app.destroy())",
  ".then(() => process.exit(0), (error) => { console.error(error); process.exit(1); });",
].join(" ");

/**
 * A Strapi project: `new PostgresApp("cms", strapi({ image: "registry.example.org/cms:1.4.0", host: "cms.example.org" }))`. The project's
 * config files are to read the environment as those of create-strapi-app do; `url: env("PUBLIC_URL")` in config/server tells it the host.
 * The image is to have the directories `database/migrations`, which Strapi otherwise makes at each start and cannot here, and
 * `public/uploads`, as projects made by it have.
 */
export function strapi(options: StrapiOptions): PostgresAppArgs {
  return preset(STRAPI, options, ({ options, image, url, tls, validation }) => {
    validation.required("image", options.image, () => undefined, "name the image that you have built of your project");
    const directory = validation.check("directory", options.directory, path) ?? "/opt/app";
    const database = { NODE_ENV: "production", DATABASE_CLIENT: "postgres", ...encryption(tls) };
    const storage = options.storage ?? "10Gi";
    return {
      image,
      port: 1337,
      runAsUser: 1000,
      connectionEnv: {
        DATABASE_HOST: "host",
        DATABASE_PORT: "port",
        DATABASE_NAME: "dbname",
        DATABASE_USERNAME: "user",
        DATABASE_PASSWORD: "password",
        // The configuration wants an authority's text, where we have a file: Node itself reads that.
        ...(tls === "verified" ? { NODE_EXTRA_CA_CERTS: "sslrootcert" } : {}),
      },
      env: {
        ...database,
        HOME: "/tmp", // `strapi` makes ~/.config before it does anything
        HOST: "0.0.0.0",
        PORT: "1337",
        STRAPI_TELEMETRY_DISABLED: "true",
        ...(url === undefined ? {} : { PUBLIC_URL: url, IS_PROXIED: "true" }),
      },
      // All of them are asked for when it is loaded. API and transfer tokens are stored as hashes with their salts.
      generatedSecrets: {
        APP_KEYS: { encryptsData: false, migration: true },
        ADMIN_JWT_SECRET: { encryptsData: false, migration: true },
        JWT_SECRET: { encryptsData: false, migration: true },
        API_TOKEN_SALT: { migration: true },
        TRANSFER_TOKEN_SALT: { migration: true },
        ENCRYPTION_KEY: { migration: true },
      },
      migration: {
        command: ["node", "-e", MIGRATE],
        env: database,
        resources: { requests: { cpu: "200m", memory: "512Mi" } },
      },
      probes: asks({ readiness: "/_health", liveness: "/_health" }), // @strapi/core dist/services/server/index.js:37: a 204, and nothing asked
      resources: { requests: { cpu: "200m", memory: "512Mi" } },
      ingressNeeds: { maxBodySize: "200Mi", timeoutSeconds: 300 }, // the upload plugin's limit
      ...(storage === false ? {} : { volumes: [{ mountPath: `${directory}/public/uploads`, storage }] }),
    };
  });
}

const encryption = (tls: DatabaseTls): Record<string, string> =>
  tls === "off"
    ? { DATABASE_SSL: "false" }
    : { DATABASE_SSL: "true", DATABASE_SSL_REJECT_UNAUTHORIZED: String(tls === "verified") };
