const { z } = require("zod");

// Postgres takes no NUL character in a text.
const text = (max) =>
  z
    .string()
    .trim()
    .min(1)
    .max(max)
    .refine((value) => !value.includes("\0"), "must not hold a NUL character");

const author = z
  .string()
  .trim()
  .toLowerCase()
  .regex(/^[a-z0-9][a-z0-9_-]{1,29}$/, "must be 2 to 30 letters, digits, - or _")
  .default("guest");

module.exports = { author, text };
