// What may be posted. Both the JSON API and the forms come through here.
const post = require("./post");
const thread = require("./thread");

class InvalidInput extends Error {
  status = 400;
  constructor(errors) {
    super("the input is not valid");
    this.errors = errors;
  }
}

function parse(schema, value) {
  // A request without a body has `undefined` here: report the missing fields, not the missing object.
  const { success, data, error } = schema.safeParse(value ?? {});
  if (success) return data;
  throw new InvalidInput(error.issues.map(({ path, message }) => ({ field: path.join("."), message })));
}

module.exports = { InvalidInput, parse, post, thread };
