// The one place that turns the environment into a database configuration: sequelize-cli reads it through
// .sequelizerc, the server through db.js. No message made here may hold a password or the URL.

function fromUrl(text) {
  let url;
  try {
    url = new URL(text);
  } catch {
    // Not rethrown: Node's own error carries the whole URL, password included.
    throw new Error("DATABASE_URL is not a valid URL");
  }
  if (!["postgres:", "postgresql:"].includes(url.protocol)) throw new Error("DATABASE_URL must start with postgres://");
  // This example speaks no TLS. Refuse to connect in the clear where the URL asks for an encrypted connection.
  const sslMode = url.searchParams.get("sslmode") ?? "disable";
  if (!["disable", "allow", "prefer"].includes(sslMode)) throw new Error("DATABASE_URL asks for TLS: not supported here");
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, "$1"), // an IPv6 address without its brackets
    port: url.port,
    database: decode(url.pathname.slice(1)),
    username: decode(url.username),
    password: decode(url.password),
  };
}

function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new Error("DATABASE_URL holds a % that is not percent-encoded");
  }
}

function fromParts(env) {
  return { host: env.DB_HOST, port: env.DB_PORT, database: env.DB_NAME, username: env.DB_USER, password: env.DB_PASSWORD };
}

function databaseConfig(env) {
  const config = env.DATABASE_URL ? fromUrl(env.DATABASE_URL) : fromParts(env);
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
    dialectOptions: { application_name: "notes-migrate", connectionTimeoutMillis: 5000 },
  };
}

module.exports = databaseConfig(process.env);
