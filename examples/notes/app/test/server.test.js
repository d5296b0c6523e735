const assert = require("node:assert/strict");
const http = require("node:http");
const { once } = require("node:events");
const { setTimeout: sleep } = require("node:timers/promises");
const { after, afterEach, before, beforeEach, describe, it } = require("node:test");
const { cli, createDatabase, layout, serve } = require("./support");

describe("server", { timeout: 300_000 }, () => {
  let image, database, server;
  before(() => (image = layout("1.0.0")));
  after(() => image.remove());
  beforeEach(async () => (database = await createDatabase()));
  afterEach(async () => {
    await server?.stop();
    await database.drop();
  });
  async function migrate() {
    const { code, output } = await cli(image, database, "db:migrate");
    assert.equal(code, 0, output);
  }

  it("is alive at once, and ready only after the migrations", async () => {
    server = await serve(image, database);
    assert.deepEqual((await server.get("/health")).body, { status: "ok" });
    const { status, body } = await server.get("/ready");
    assert.equal(status, 503);
    assert.equal(body.reason, "migrations are pending");
    assert.equal(body.pending.length, 11);
    assert.deepEqual((await server.get("/api/version")).body.migrations, []);
    assert.deepEqual((await server.get("/api/tables")).body.tables, []); // it did not migrate by itself
    assert.equal((await server.get("/")).status, 503);
    assert.equal((await server.get("/api/threads")).status, 503);

    await migrate();
    assert.deepEqual((await server.get("/ready")).body, { ready: true });
    const { version, hostname, migrations } = (await server.get("/api/version")).body;
    assert.equal(version, "1.0.0");
    assert.ok(hostname);
    assert.equal(migrations.length, 11);
    assert.equal((await server.get("/api/tables")).body.tables.length, 8);
    const sessions = await database.rows("SELECT DISTINCT application_name FROM pg_stat_activity WHERE datname = $1", [
      database.name,
    ]);
    assert.ok(sessions.some((session) => session.application_name === "notes"));
  });

  it("is alive and not ready without a database, and logs no password", async () => {
    server = await serve(image, undefined, { DATABASE_URL: "postgres://reader:s3cret@127.0.0.1:1/none" });
    assert.equal((await server.get("/health")).status, 200);
    assert.deepEqual(await server.get("/ready").then(({ status, body }) => ({ status, body })), {
      status: 503,
      body: { ready: false, reason: "the database does not answer", code: "ECONNREFUSED" },
    });
    const threads = await server.get("/api/threads");
    assert.equal(threads.status, 503);
    assert.deepEqual(threads.body, { error: "the database is not available" });
    const { code, output } = await server.stop();
    assert.equal(code, 0);
    assert.match(output, /GET \/api\/threads 503 .*ECONNREFUSED/);
    assert.doesNotMatch(output, /s3cret|postgres:/);
  });

  it("comes back when the database does", async () => {
    await migrate();
    server = await serve(image, database);
    assert.equal((await server.get("/ready")).status, 200);
    await database.client.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND application_name = 'notes'`,
      [database.name],
    );
    const deadline = Date.now() + 3000;
    let status;
    do status = (await server.get("/ready")).status;
    while (status !== 200 && Date.now() < deadline);
    assert.equal(status, 200);
  });

  it("says that it is not ready in time when the database hangs", async () => {
    await migrate();
    server = await serve(image, database);
    assert.equal((await server.get("/ready")).status, 200);
    await database.client.query("BEGIN");
    await database.client.query('LOCK TABLE "SequelizeMeta" IN ACCESS EXCLUSIVE MODE');
    const started = Date.now();
    assert.equal((await server.get("/ready")).status, 503);
    assert.ok(Date.now() - started < 4000);
    await database.client.query("COMMIT");
    assert.equal((await server.get("/ready")).status, 200);
  });

  it("keeps threads and posts", async () => {
    await migrate();
    server = await serve(image, database);
    const created = await server.post("/api/threads", {
      title: " A <title> ",
      body: "first",
      author: "Reader",
      category: "questions",
    });
    assert.equal(created.status, 201);
    assert.equal(created.body.title, "A <title>");
    assert.equal(created.body.author, "reader");
    assert.equal(created.body.category, "questions");
    const { id } = created.body;
    const reply = await server.post(`/api/threads/${id}/posts`, { body: "<script>alert(1)</script>" });
    assert.equal(reply.status, 201);
    assert.equal(reply.body.author, "guest");

    const { threads } = (await server.get("/api/threads")).body;
    assert.deepEqual(
      threads.map(({ id, title, posts }) => ({ id, title, posts })),
      [{ id, title: "A <title>", posts: 2 }],
    );
    const { thread, posts } = (await server.get(`/api/threads/${id}/posts`)).body;
    assert.equal(thread.id, id);
    assert.deepEqual(
      posts.map(({ body }) => body),
      ["first", "<script>alert(1)</script>"],
    );

    await database.rows("UPDATE posts SET hidden = true WHERE body = 'first'");
    assert.equal((await server.get(`/api/threads/${id}/posts`)).body.posts.length, 1);
    const home = (await server.get("/")).body;
    assert.match(home, /A &lt;title&gt;/);
    assert.match(home, /1 post,/);
    assert.match(home, /version 1\.0\.0 on /);
    const page = (await server.get(`/threads/${id}`)).body;
    assert.match(page, /&lt;script&gt;/);
    assert.doesNotMatch(page, /<script>/);

    // A new post brings its thread to the top.
    await server.post("/api/threads", { title: "other", body: "text" });
    assert.equal((await server.get("/api/threads")).body.threads[0].title, "other");
    await server.post(`/api/threads/${id}/posts`, { body: "again" });
    assert.equal((await server.get("/api/threads")).body.threads[0].id, id);
  });

  it("takes the forms of its pages", async () => {
    await migrate();
    server = await serve(image, database);
    const submit = (route, fields) =>
      server.get(route, {
        method: "POST",
        redirect: "manual",
        headers: { "content-type": "application/x-www-form-urlencoded" },
        body: new URL(`x:?${fields}`).search.slice(1),
      });
    const thread = await submit("/threads", "category=general&title=T&author=reader&body=B");
    assert.equal(thread.status, 303);
    const route = thread.headers.get("location");
    assert.equal((await submit(`${route}/posts`, "author=admin&body=answer")).status, 303);
    assert.match((await server.get(route)).body, /answer/);
    const refused = await submit("/threads", "title=&author=reader&body=B");
    assert.equal(refused.status, 400);
    assert.match(refused.body, /title: /);
  });

  it("refuses what is not valid", async () => {
    await migrate();
    server = await serve(image, database);
    const valid = { title: "t", body: "b" };
    const { id } = (await server.post("/api/threads", valid)).body;
    const fields = async (route, body) => {
      const answer = await server.post(route, body);
      assert.equal(answer.status, 400, JSON.stringify(answer.body));
      return answer.body.errors?.map(({ field }) => field);
    };
    assert.deepEqual(await fields("/api/threads", {}), ["body", "title"]);
    assert.deepEqual(await fields("/api/threads", { ...valid, title: "  " }), ["title"]);
    assert.deepEqual(await fields("/api/threads", { ...valid, title: "x".repeat(201) }), ["title"]);
    assert.deepEqual(await fields("/api/threads", { ...valid, title: ["t"] }), ["title"]);
    assert.deepEqual(await fields("/api/threads", { ...valid, body: "a\0b" }), ["body"]);
    assert.deepEqual(await fields("/api/threads", { ...valid, author: { ne: "x" } }), ["author"]);
    assert.deepEqual(await fields("/api/threads", { ...valid, author: "no spaces" }), ["author"]);
    assert.deepEqual(await fields("/api/threads", { ...valid, category: "none" }), ["category"]);
    assert.deepEqual(await fields(`/api/threads/${id}/posts`, { body: 5 }), ["body"]);
    assert.equal(await fields("/api/threads", '{"title":'), undefined); // not JSON at all
    assert.equal((await server.post("/api/threads", { ...valid, body: "x".repeat(70_000) })).status, 413);
    for (const unknown of ["0", "-1", "1.5", "abc", "99999", "99999999999999999999", `${id}'`]) {
      assert.equal((await server.get(`/api/threads/${unknown}/posts`)).status, 404, unknown);
      assert.equal((await server.post(`/api/threads/${unknown}/posts`, { body: "b" })).status, 404, unknown);
    }
    assert.equal((await server.get("/api/none")).status, 404);

    await server.post("/api/threads", { ...valid, author: "reader" });
    await database.rows("UPDATE users SET banned_at = now() WHERE username = 'reader'");
    assert.equal((await server.post("/api/threads", { ...valid, author: "reader" })).status, 403);
    assert.equal((await server.get("/api/threads")).body.threads.length, 2); // nothing of the refused ones is left
  });

  it("finishes its requests on SIGTERM, then exits with 0", async () => {
    await migrate();
    server = await serve(image, database);
    // A kept-alive connection that is idle, and a request that waits for a lock.
    const agent = new http.Agent({ keepAlive: true });
    const [idle] = await once(http.get(`${server.origin}/health`, { agent }), "response");
    idle.resume();
    await once(idle, "end");
    await database.client.query("BEGIN");
    await database.client.query("LOCK TABLE threads IN ACCESS EXCLUSIVE MODE");
    const waiting = http.get(`${server.origin}/api/threads`, { agent: new http.Agent({ keepAlive: true }) });
    const answered = once(waiting, "response");
    // Not pg_stat_activity: within a transaction that shows the same state again and again.
    while ((await database.rows("SELECT 1 FROM pg_locks WHERE NOT granted")).length === 0) await sleep(10);

    const ended = server.stop();
    while (!server.output().includes("SIGTERM, stopping")) await sleep(10);
    await assert.rejects(server.get("/health")); // it accepts nothing new
    // What a client sends on a connection that is kept, not knowing, is answered.
    const [last] = await once(http.get(`${server.origin}/health`, { agent }), "response");
    assert.equal(last.statusCode, 200);
    assert.equal(last.headers.connection, "close");
    last.resume();
    await database.client.query("COMMIT");
    const [response] = await answered;
    assert.equal(response.statusCode, 200);
    response.resume();
    const started = Date.now();
    const { code, output } = await ended;
    assert.equal(code, 0);
    assert.ok(Date.now() - started < 2000);
    assert.match(output, /stopped\n$/);
    agent.destroy();
  });

  it("does not wait for a request without end", async () => {
    await migrate();
    server = await serve(image, database);
    await database.client.query("BEGIN");
    await database.client.query("LOCK TABLE threads IN ACCESS EXCLUSIVE MODE");
    const cut = assert.rejects(server.get("/api/threads"));
    const started = Date.now();
    const { code } = await server.stop();
    assert.equal(code, 0);
    assert.ok(Date.now() - started < 10_000);
    await cut;
    await database.client.query("COMMIT");
  });

  it("opens no more connections than DB_POOL_MAX", async () => {
    await migrate();
    server = await serve(image, database, { DB_POOL_MAX: "2" });
    const answers = await Promise.all(Array.from({ length: 20 }, () => server.get("/")));
    assert.ok(answers.every(({ status }) => status === 200));
    const [{ count }] = await database.rows(
      "SELECT count(*)::int FROM pg_stat_activity WHERE datname = $1 AND application_name = 'notes'",
      [database.name],
    );
    assert.ok(count >= 1 && count <= 2, `${count}`);
  });

  it("does not start with a setting that makes no sense", async () => {
    server = undefined;
    for (const env of [{ PORT: "http" }, { DB_POOL_MAX: "0" }, { DATABASE_URL: "mysql://h/d" }, { DATABASE_URL: "" }]) {
      await assert.rejects(serve(image, database, env), /cannot start: /);
    }
  });
});
