// What the tests share: databases of their own on the server of DATABASE_URL, and the application laid out as in its image.
const { spawn } = require("node:child_process");
const { randomBytes } = require("node:crypto");
const { once } = require("node:events");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { Client } = require("pg");

if (!process.env.DATABASE_URL) {
  throw new Error(
    "set DATABASE_URL to a Postgres server for tests, e.g. postgres://user:password@127.0.0.1:5432/postgres; the user must be allowed to create databases",
  );
}

const app = path.join(__dirname, "..");
const parts = [".sequelizerc", "package.json", "app.js", "db.js", "errors.js", "server.js", "store.js"];
const folders = ["config", "input", "migrations", "models", "public", "routes", "views"];

/** The application at a version, laid out as its Dockerfile does it: the version's files over the application's. */
function layout(version) {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), "notes-"));
  for (const part of [...parts, ...folders]) fs.cpSync(path.join(app, part), path.join(directory, part), { recursive: true });
  const overlay = path.join(app, "versions", version);
  if (fs.existsSync(overlay)) fs.cpSync(overlay, directory, { recursive: true });
  fs.symlinkSync(path.join(app, "node_modules"), path.join(directory, "node_modules"));
  return { version, directory, remove: () => fs.rmSync(directory, { recursive: true }) };
}

async function connect(url) {
  const client = new Client({ connectionString: url });
  await client.connect();
  return client;
}

/** A database that is dropped with the test, and a query function on it. */
async function createDatabase() {
  const name = `notes_test_${randomBytes(6).toString("hex")}`;
  const url = new URL(process.env.DATABASE_URL);
  url.pathname = `/${name}`;
  const admin = await connect(process.env.DATABASE_URL);
  await admin.query(`CREATE DATABASE ${name}`);
  const client = await connect(url.href);
  return {
    name,
    url: url.href,
    client,
    rows: async (sql, values) => (await client.query(sql, values)).rows,
    async drop() {
      await client.end();
      await admin.query(`DROP DATABASE ${name} WITH (FORCE)`);
      await admin.end();
    },
  };
}

function launch(image, database, command, args, env) {
  const child = spawn(command, args, {
    cwd: image.directory,
    env: {
      PATH: process.env.PATH,
      NODE_ENV: "production",
      APP_VERSION: image.version,
      ...(database && { DATABASE_URL: database.url }),
      ...env,
    },
  });
  const run = { child, output: "" };
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (run.output += chunk));
  run.ended = once(child, "close").then(([code]) => ({ code, output: run.output }));
  return run;
}

/** Runs sequelize-cli in the image's folder, as the migration Job does: with no option. */
function cli(image, database, task, env) {
  const command = path.join(image.directory, "node_modules", ".bin", "sequelize-cli");
  return launch(image, database, command, [task], env).ended;
}

/** Starts the server on a free port and waits for its first line. */
async function serve(image, database, env) {
  const run = launch(image, database, process.execPath, ["server.js"], { PORT: "0", ...env });
  const port = await new Promise((resolve, reject) => {
    run.child.stdout.on("data", () => {
      const match = /listening on port (\d+)/.exec(run.output);
      if (match) resolve(match[1]);
    });
    run.ended.then(() => reject(new Error(`the server ended: ${run.output}`)));
  });
  const origin = `http://127.0.0.1:${port}`;
  const request = async (route, options) => {
    const response = await fetch(origin + route, options);
    const isJson = response.headers.get("content-type")?.includes("json");
    return { status: response.status, headers: response.headers, body: isJson ? await response.json() : await response.text() };
  };
  return {
    ...run,
    origin,
    output: () => run.output,
    get: request,
    post: (route, body) =>
      request(route, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: typeof body === "string" ? body : JSON.stringify(body),
      }),
    stop() {
      run.child.kill("SIGTERM");
      return run.ended;
    },
  };
}

module.exports = { app, cli, createDatabase, layout, serve };
