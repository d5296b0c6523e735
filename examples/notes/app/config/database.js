// The one place that turns the environment into a database configuration: sequelize-cli reads it through
// .sequelizerc, the server through db.js. No message made here may hold a password or the URL.

const { readFileSync } = require("node:fs");

function fromUrl(text) {
  let url;
  try {
    url = new URL(text);
  } catch {
    // Not rethrown: Node's own error carries the whole URL, password included.
    throw new Error("DATABASE_URL is not a valid URL");
  }
  if (!["postgres:", "postgresql:"].includes(url.protocol)) throw new Error("DATABASE_URL must start with postgres://");
  const [mode, ...files] = ["sslmode", "sslrootcert", "sslcert", "sslkey"].map((name) => url.searchParams.get(name));
  return {
    ssl: tls(mode ?? "disable", ...files),
    host: url.hostname.replace(/^\[(.*)\]$/, "$1"), // an IPv6 address without its brackets
    port: url.port,
    database: decode(url.pathname.slice(1)),
    username: decode(url.username),
    password: decode(url.password),
  };
}

// TLS as libpq's modes say it: from verify-ca on, the server has to show a certificate of the authority in the file. The other two files
// are what the server may ask for: the client's own certificate and its key.
function tls(mode, ...files) {
  if (["disable", "allow", "prefer"].includes(mode)) return undefined;
  const [ca, cert, key] = files.map((file) => (file ? readFileSync(file, "utf8") : undefined));
  if (mode === "require") return { ca, cert, key, rejectUnauthorized: false };
  if (mode === "verify-ca") return { ca, cert, key, checkServerIdentity: () => undefined };
  if (mode === "verify-full") return { ca, cert, key };
  throw new Error("sslmode must be disable, require, verify-ca or verify-full");
}

function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new Error("DATABASE_URL holds a % that is not percent-encoded");
  }
}

function fromParts(env) {
  return {
    host: env.DB_HOST,
    port: env.DB_PORT,
    database: env.DB_NAME,
    username: env.DB_USER,
    password: env.DB_PASSWORD,
    ssl: tls(env.DB_SSLMODE ?? "disable", env.DB_SSLROOTCERT, env.DB_SSLCERT, env.DB_SSLKEY),
  };
}

function databaseConfig(env) {
  const { ssl, ...config } = env.DATABASE_URL ? fromUrl(env.DATABASE_URL) : fromParts(env);
  if (!config.host || !config.database || !config.username) {
    throw new Error("no database configured: set DATABASE_URL, or DB_HOST, DB_NAME, DB_USER and DB_PASSWORD (DB_PORT: 5432)");
  }
  const port = Number(config.port || 5432);
  if (!Number.isInteger(port) || port < 1 || port > 65535) throw new Error("the database port must be a number from 1 to 65535");
  return {
    ...config,
    port,
    dialect: "postgres",
    logging: false,
    // What pg_stat_activity shows for a migration; the server puts its own name over it.
    dialectOptions: { application_name: "notes-migrate", connectionTimeoutMillis: 5000, ...(ssl ? { ssl } : {}) },
  };
}

module.exports = databaseConfig(process.env);
