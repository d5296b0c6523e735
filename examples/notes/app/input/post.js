const { z } = require("zod");
const { author, text } = require("./fields");

module.exports = z.object({ body: text(10_000), author });
