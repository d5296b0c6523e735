// Everything the routes read from the database and write to it.
const { literal } = require("sequelize");
const { sequelize } = require("./db");
const { InvalidInput } = require("./input");
const { Category, Post, Thread, User } = require("./models");

const PAGE = 100; // a list is never longer: this is an example, it has no paging

class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

const withAuthor = { model: User, attributes: ["username"] };

// Records become plain objects with names in the place of keys of other tables. The other fields are the model's own: a
// version that adds a column to its model shows it without a change here.
function plain(record) {
  const { category, user, ...fields } = record.get({ plain: true });
  for (const internal of ["categoryId", "userId", "hidden"]) delete fields[internal];
  return { ...fields, ...(category && { category: category.slug }), author: user?.username ?? null };
}

const listCategories = () => Category.findAll({ order: ["position", "id"] });

async function listThreads() {
  const posts = literal('(SELECT count(*)::int FROM posts WHERE posts.thread_id = "thread".id AND NOT posts.hidden)');
  const threads = await Thread.findAll({
    attributes: { include: [[posts, "posts"]] },
    include: [{ model: Category, attributes: ["slug"] }, withAuthor],
    order: Thread.listOrder,
    limit: PAGE,
  });
  return threads.map(plain);
}

async function findThread(id) {
  // Anything that is no positive `integer` of Postgres cannot be a thread's number.
  const known = /^[1-9]\d{0,8}$/.test(id);
  const thread = known && (await Thread.findByPk(id, { include: [{ model: Category, attributes: ["slug"] }, withAuthor] }));
  if (!thread) throw new Refused(404, "no such thread");
  return thread;
}

const getThread = async (id) => plain(await findThread(id));

async function listPosts(threadId) {
  const posts = await Post.findAll({ where: { threadId }, include: withAuthor, order: ["createdAt", "id"], limit: PAGE });
  return posts.map(plain);
}

// There is no login: whoever posts under a name not seen before becomes a user.
async function findAuthor(username, transaction) {
  await User.bulkCreate([{ username }], { ignoreDuplicates: true, transaction });
  const user = await User.findOne({ where: { username }, transaction });
  if (user.bannedAt) throw new Refused(403, "this user is banned");
  return user;
}

async function createThread({ body, author, category: slug, ...fields }) {
  const id = await sequelize.transaction(async (transaction) => {
    const category = await Category.findOne({ where: { slug }, transaction });
    if (!category) throw new InvalidInput([{ field: "category", message: "no such category" }]);
    const user = await findAuthor(author, transaction);
    const thread = await Thread.create({ ...fields, categoryId: category.id, userId: user.id }, { transaction });
    await Post.create({ body, threadId: thread.id, userId: user.id }, { transaction });
    return thread.id;
  });
  return getThread(id);
}

async function createPost(threadId, { body, author }) {
  const thread = await findThread(threadId);
  return sequelize.transaction(async (transaction) => {
    const user = await findAuthor(author, transaction);
    const post = await Post.create({ body, threadId: thread.id, userId: user.id }, { transaction });
    // Brings the thread to the top. (Thread.update() does nothing where the timestamp is all there is to write.)
    thread.changed("updatedAt", true);
    await thread.save({ transaction });
    return { ...plain(post), author: user.username };
  });
}

module.exports = { createPost, createThread, getThread, listCategories, listPosts, listThreads };
