import { PostgresAppArgs } from "../postgresAppArgs";
import { asks, preset, PresetOptions, Product } from "./preset";

/**
 * Read from the tags 1.0.0 and 1.0.1 of TY1Fan/Educard (Dockerfile.production, src, k8s); the one image with a version's tag is v1.0.0.
 * Run from its source on a read-only file system as another user: migrations, start, sessions, TLS verified and not, a login without
 * rights to make tables.
 */
const EDUCARD: Product = {
  name: "educard",
  options: "PresetOptions",
  repository: "docker.io/tyifan/educard",
  tag: (version) => `v${version}`,
  newest: "1.0.0",
  oldest: "1.0.0",
};

/** The image has no sequelize-cli, a development dependency: npx fetches the version of its package-lock.json. */
const CLI = ["npx", "--yes", "--cache", "/tmp/.npm", "--package", "sequelize-cli@6.6.3", "--", "sh", "-c"];

/**
 * The table of threads refers to that of users, whose migration is dated later: on an empty database the first one fails. So the later
 * one goes first, where it is pending: asked for again while others are, it would be an error. The table of sessions is made here too,
 * because each pod makes it when it starts if it is not there, and two that start together would both.
 */
const MIGRATE = `set -e
migrate() {
  of=$1
  shift
  sequelize-cli "db:migrate$of" --config /app/src/config/database.js --migrations-path /app/src/migrations --env production "$@"
}
users=20251113182902-create-users-table.js
if migrate :status | grep -q "^down $users"; then migrate '' --name "$users"; fi
migrate ''
node -e '
  const { sequelize } = require("/app/src/config/database");
  const Store = require("connect-session-sequelize")(require("express-session").Store);
  new Store({ db: sequelize, checkExpirationInterval: -1 }).sync().then(() => sequelize.close());
'
`;

/** Educard, a forum for teaching. Its migration fetches sequelize-cli from the npm registry. */
export function educard(options: PresetOptions = {}): PostgresAppArgs {
  return preset(EDUCARD, options, ({ image, url, tls }) => {
    // Nothing of TLS is in its configuration; pg reads libpq's variable, in which "require" verifies too and "no-verify" does not.
    const connection = { NODE_ENV: "production", ...(tls === "unverified" ? { PGSSLMODE: "no-verify" } : {}) };
    return {
      image,
      runAsUser: 1001, // the image names its user, which Kubernetes cannot tell from root
      port: 3000,
      connectionEnv: {
        DB_HOST: "host",
        DB_PORT: "port",
        DB_NAME: "dbname",
        DB_USER: "user",
        DB_PASSWORD: "password",
        ...(tls === "verified" ? { PGSSLMODE: "sslmode", NODE_EXTRA_CA_CERTS: "sslrootcert" } : {}),
      },
      migration: { command: [...CLI, MIGRATE], env: { ...connection, npm_config_update_notifier: "false" } },
      env: { ...connection, PORT: "3000", ...(url === undefined ? {} : { APP_URL: url, SITE_URL: url }) },
      generatedSecrets: { SESSION_SECRET: { encryptsData: false } },
      // A session is stored in the database for every request without a cookie, for /health too (1.0.1, src/app.js:76); files come before
      // that (:48).
      probes: asks({ readiness: "/health", liveness: "/robots.txt" }),
      resources: { requests: { cpu: "250m", memory: "256Mi" } }, // as in its k8s/app-deployment.yaml
    };
  });
}
