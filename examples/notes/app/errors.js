const { ConnectionError, ConnectionAcquireTimeoutError } = require("sequelize");
const { UNDEFINED_TABLE } = require("./db");

// An error in one line without what was sent to the database. Postgres and Node name their errors by a code.
function describe(error) {
  const cause = error.original ?? error;
  return [error.name, cause.code, cause.message].filter(Boolean).join(": ").replace(/\s+/g, " ");
}

// Which errors are the database's state and not a fault of the program: worth trying again later, hence 503.
const isUnavailable = (error) =>
  error instanceof ConnectionError ||
  error instanceof ConnectionAcquireTimeoutError ||
  error.original?.code === UNDEFINED_TABLE ||
  /^(57P|08|53)/.test(error.original?.code ?? "") || // shut down, connection lost, out of resources
  /Connection terminated|Query read timeout/.test(error.message);

// Express's own errors (a body that is no JSON, or too long) carry a status, and so do those of store.js and input.js.
function statusOf(error) {
  if (error.status >= 400 && error.status < 500) return error.status;
  return isUnavailable(error) ? 503 : 500;
}

const messages = { 500: "something went wrong", 503: "the database is not available" };

// Express knows an error handler by its four parameters.
// eslint-disable-next-line @typescript-eslint/no-unused-vars
function errorHandler(error, request, response, next) {
  const status = statusOf(error);
  // One line for each request that failed; what the client did wrong is the client's to read.
  if (status >= 500) console.error(`${request.method} ${request.path} ${status} ${describe(error)}`);
  const body = { error: messages[status] ?? error.message, ...(error.errors && status === 400 && { errors: error.errors }) };
  response.status(status);
  if (request.path.startsWith("/api/")) response.json(body);
  else response.render("error", { status, ...body });
}

module.exports = { describe, errorHandler };
