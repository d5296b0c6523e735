const { Router, json } = require("express");
const { hostname, version } = require("../config/app");
const { appliedMigrations, tables } = require("../db");
const input = require("../input");
const store = require("../store");

const router = Router();
router.use(json({ limit: "64kb" }));

router.get("/version", async (request, response) => {
  response.json({ version, hostname, migrations: await appliedMigrations() });
});

router.get("/tables", async (request, response) => response.json({ tables: await tables() }));

router
  .route("/threads")
  .get(async (request, response) => response.json({ threads: await store.listThreads() }))
  .post(async (request, response) => {
    response.status(201).json(await store.createThread(input.parse(input.thread, request.body)));
  });

router
  .route("/threads/:id/posts")
  .get(async (request, response) => {
    const thread = await store.getThread(request.params.id);
    response.json({ thread, posts: await store.listPosts(thread.id) });
  })
  .post(async (request, response) => {
    response.status(201).json(await store.createPost(request.params.id, input.parse(input.post, request.body)));
  });

module.exports = router;
