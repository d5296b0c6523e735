const assert = require("node:assert/strict");
const { after, before, beforeEach, afterEach, describe, it } = require("node:test");
const fs = require("node:fs");
const path = require("node:path");
const { Sequelize } = require("sequelize");
const { app, cli, createDatabase, layout, serve } = require("./support");

const TABLES = ["SequelizeMeta", "categories", "notifications", "post_reactions", "posts", "reports", "threads", "users"];
const PINNED = "20251203090000-add-pinned-to-threads.js";

describe("migrations", { timeout: 300_000 }, () => {
  const images = {};
  let database;
  before(() => {
    for (const version of ["1.0.0", "1.1.0", "1.1.0-broken"]) images[version] = layout(version);
  });
  after(() => Object.values(images).forEach((image) => image.remove()));
  beforeEach(async () => (database = await createDatabase()));
  afterEach(() => database.drop());

  const names = async (sql) => (await database.rows(sql)).map(({ name }) => name).sort();
  const tables = () => names("SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'");
  const applied = () => names('SELECT name FROM "SequelizeMeta"');
  const columns = (table) => names(`SELECT column_name AS name FROM information_schema.columns WHERE table_name = '${table}'`);
  // All that the migrations make, as one text to compare: columns with their types and defaults, indexes, constraints.
  const schema = async () =>
    JSON.stringify(
      await database.rows(`
        SELECT table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable || ' ' || coalesce(column_default, '') AS what
          FROM information_schema.columns WHERE table_schema = 'public'
        UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
        UNION ALL SELECT conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid)
          FROM pg_constraint WHERE connamespace = 'public'::regnamespace
        ORDER BY 1`),
      null,
      1,
    );
  async function succeeds(version, task, env) {
    const { code, output } = await cli(images[version], database, task, env);
    assert.equal(code, 0, output);
    return output;
  }

  it("go up from an empty database, down again and up again", async () => {
    await succeeds("1.0.0", "db:migrate");
    assert.equal((await applied()).length, 11);
    assert.deepEqual(await applied(), fs.readdirSync(path.join(app, "migrations")).sort());
    assert.deepEqual(await tables(), TABLES);
    const first = await schema();

    await succeeds("1.0.0", "db:migrate:undo:all");
    assert.deepEqual(await applied(), []);
    assert.deepEqual(await tables(), ["SequelizeMeta"]);

    await succeeds("1.0.0", "db:migrate");
    assert.equal((await applied()).length, 11);
    assert.equal(await schema(), first);
  });

  it("do nothing when there is nothing to do", async () => {
    await succeeds("1.0.0", "db:migrate");
    const before = await schema();
    assert.match(await succeeds("1.0.0", "db:migrate"), /No migrations were executed/);
    assert.equal(await schema(), before);
  });

  it("undo one by one, each leaving what was there before it", async () => {
    const folder = path.join(images["1.1.0"].directory, "migrations");
    const files = fs.readdirSync(folder).sort();
    assert.equal(files.length, 12);
    const sequelize = new Sequelize(database.url, { logging: false });
    try {
      for (const file of files) {
        const { up, down } = require(path.join(folder, file));
        const before = await schema();
        await up(sequelize.getQueryInterface(), Sequelize);
        const after = await schema();
        assert.notEqual(after, before, file);
        await down(sequelize.getQueryInterface(), Sequelize);
        assert.equal(await schema(), before, file);
        await up(sequelize.getQueryInterface(), Sequelize);
        assert.equal(await schema(), after, file);
      }
    } finally {
      await sequelize.close();
    }
  });

  it("take the database from DB_HOST, DB_PORT, DB_NAME, DB_USER and DB_PASSWORD as well", async () => {
    const url = new URL(database.url);
    await succeeds("1.0.0", "db:migrate", {
      DATABASE_URL: "",
      DB_HOST: url.hostname,
      DB_PORT: url.port,
      DB_NAME: database.name,
      DB_USER: decodeURIComponent(url.username),
      DB_PASSWORD: decodeURIComponent(url.password),
    });
    assert.equal((await applied()).length, 11);
  });

  it("fail without a database, and say so without the password", async () => {
    const unset = await cli(images["1.0.0"], undefined, "db:migrate");
    assert.equal(unset.code, 1);
    assert.match(unset.output, /no database configured: set DATABASE_URL, or DB_HOST/);
    for (const url of [
      "postgres://admin:s3cret@127.0.0.1:1/none",
      "postgres://admin:s3cret@[",
      "postgres://admin:s3cret@h/d?sslmode=require",
    ]) {
      const { code, output } = await cli(images["1.0.0"], undefined, "db:migrate", { DATABASE_URL: url });
      assert.equal(code, 1, output);
      assert.match(output, /ERROR/);
      assert.doesNotMatch(output, /s3cret/);
    }
  });

  it("of 1.1.0 come on top of those of 1.0.0, and 1.0.0 goes on serving", async () => {
    await succeeds("1.0.0", "db:migrate");
    const old = await serve(images["1.0.0"], database);
    try {
      assert.equal((await old.post("/api/threads", { title: "before", body: "text" })).status, 201);
      await succeeds("1.1.0", "db:migrate");
      assert.equal((await applied()).length, 12);
      assert.equal((await applied()).at(-1), PINNED);
      assert.ok((await columns("threads")).includes("pinned"));
      assert.deepEqual(await tables(), TABLES);

      assert.equal((await old.get("/ready")).status, 200);
      const { status, body } = await old.post("/api/threads", { title: "after", body: "text" });
      assert.equal(status, 201);
      assert.equal((await old.post(`/api/threads/${body.id}/posts`, { body: "reply" })).status, 201);
      const { threads } = (await old.get("/api/threads")).body;
      assert.deepEqual(
        threads.map(({ title }) => title),
        ["after", "before"],
      );
      assert.equal((await old.get("/")).status, 200);
    } finally {
      await old.stop();
    }
    // A second start of the old version, as after a rollback of the application alone.
    const again = await serve(images["1.0.0"], database);
    const { status } = await again.get("/ready");
    await again.stop();
    assert.equal(status, 200);
  });

  it("of 1.1.0 make it list pinned threads first", async () => {
    await succeeds("1.0.0", "db:migrate");
    const server = await serve(images["1.1.0"], database);
    try {
      const { status, body } = await server.get("/ready");
      assert.equal(status, 503);
      assert.deepEqual(body, { ready: false, reason: "migrations are pending", pending: [PINNED] });
      await succeeds("1.1.0", "db:migrate");
      assert.equal((await server.get("/ready")).status, 200);

      assert.equal((await server.post("/api/threads", { title: "first", body: "text", pinned: true })).body.pinned, true);
      assert.equal((await server.post("/api/threads", { title: "second", body: "text" })).body.pinned, false);
      assert.equal((await server.post("/api/threads", { title: "third", body: "text", pinned: "maybe" })).status, 400);
      const { threads } = (await server.get("/api/threads")).body;
      assert.deepEqual(
        threads.map(({ title }) => title),
        ["first", "second"],
      );
      assert.match((await server.get("/")).body, /Pinned:/);
      assert.equal((await server.get("/api/version")).body.version, "1.1.0");
    } finally {
      await server.stop();
    }
  });

  it("of 1.1.0-broken fail and leave nothing half-applied; those of 1.1.0 then apply", async () => {
    await succeeds("1.0.0", "db:migrate");
    const before = await schema();
    for (const attempt of ["first", "second"]) {
      const { code, output } = await cli(images["1.1.0-broken"], database, "db:migrate");
      assert.equal(code, 1, attempt);
      assert.match(output, /ERROR: column "pined" does not exist/);
      assert.equal((await applied()).length, 11);
      assert.equal(await schema(), before);
    }
    const broken = await serve(images["1.1.0-broken"], database);
    const { status } = await broken.get("/ready");
    await broken.stop();
    assert.equal(status, 503);

    await succeeds("1.1.0", "db:migrate");
    assert.equal((await applied()).length, 12);
    const server = await serve(images["1.1.0"], database);
    const ready = await server.get("/ready");
    await server.stop();
    assert.equal(ready.status, 200);
  });

  it("1.1.0-broken differs from 1.1.0 in its migration only", () => {
    const files = (version) => {
      const folder = path.join(app, "versions", version);
      const list = fs.readdirSync(folder, { recursive: true }).filter((file) => fs.statSync(path.join(folder, file)).isFile());
      return Object.fromEntries(list.sort().map((file) => [file, fs.readFileSync(path.join(folder, file), "utf8")]));
    };
    const [fixed, broken] = [files("1.1.0"), files("1.1.0-broken")];
    assert.deepEqual(Object.keys(broken), Object.keys(fixed));
    const different = Object.keys(fixed).filter((file) => fixed[file] !== broken[file]);
    assert.deepEqual(different, [path.join("migrations", PINNED)]);
  });
});
