const { text } = require("./fields");
const post = require("./post");

// A thread comes with its first post.
module.exports = post.extend({ title: text(200), category: text(50).default("general") });
