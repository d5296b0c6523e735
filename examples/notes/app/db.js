const { readdir } = require("node:fs/promises");
const path = require("node:path");
const { QueryTypes, Sequelize } = require("sequelize");
const { poolMax } = require("./config/app");
const { dialectOptions, ...config } = require("./config/database");

const UNDEFINED_TABLE = "42P01";

const sequelize = new Sequelize({
  ...config,
  dialectOptions: {
    ...dialectOptions,
    application_name: "notes",
    // A page is worth no longer wait than this. The migrations, which may take their time, do not come through here.
    statement_timeout: 10_000,
    query_timeout: 12_000,
    connectionTimeoutMillis: 3000,
  },
  pool: { max: poolMax, min: 0, idle: 10_000, acquire: 5000 },
  define: { underscored: true },
});

const names = async (sql) => (await sequelize.query(sql, { type: QueryTypes.SELECT })).map(({ name }) => name).sort();

// The table sequelize-cli writes down what it applied in. It is not there before the first migration.
async function appliedMigrations() {
  try {
    return await names('SELECT name FROM "SequelizeMeta"');
  } catch (error) {
    if (error.original?.code === UNDEFINED_TABLE) return [];
    throw error;
  }
}

// Only what this version brings and the database lacks counts: migrations that are applied and unknown here belong to
// a newer version that is being rolled out, and this one goes on serving.
async function pendingMigrations() {
  const [files, applied] = await Promise.all([readdir(path.join(__dirname, "migrations")), appliedMigrations()]);
  return files.filter((file) => file.endsWith(".js") && !applied.includes(file)).sort();
}

const tables = () => names("SELECT tablename AS name FROM pg_tables WHERE schemaname = current_schema()");

module.exports = { sequelize, appliedMigrations, pendingMigrations, tables, UNDEFINED_TABLE };
