const { Router, urlencoded } = require("express");
const input = require("../input");
const store = require("../store");

const router = Router();
const form = urlencoded({ extended: false, limit: "64kb" });

router.get("/", async (request, response) => {
  const [categories, threads] = await Promise.all([store.listCategories(), store.listThreads()]);
  response.render("home", { categories, threads });
});

router.get("/threads/:id", async (request, response) => {
  const thread = await store.getThread(request.params.id);
  response.render("thread", { thread, posts: await store.listPosts(thread.id) });
});

router.post("/threads", form, async (request, response) => {
  const { id } = await store.createThread(input.parse(input.thread, request.body));
  response.redirect(303, `/threads/${id}`);
});

router.post("/threads/:id/posts", form, async (request, response) => {
  const { threadId } = await store.createPost(request.params.id, input.parse(input.post, request.body));
  response.redirect(303, `/threads/${threadId}`);
});

module.exports = router;
