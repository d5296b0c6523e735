const os = require("node:os");
const manifest = require("../package.json");

function integer(env, name, fallback, { min, max }) {
  const text = env[name] || String(fallback);
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < min || value > max) throw new Error(`${name} must be a whole number from ${min} to ${max}`);
  return value;
}

module.exports = {
  port: integer(process.env, "PORT", 3000, { min: 0, max: 65535 }),
  poolMax: integer(process.env, "DB_POOL_MAX", 5, { min: 1, max: 100 }),
  version: process.env.APP_VERSION || manifest.version,
  hostname: os.hostname(), // in Kubernetes: the pod's name
};
