// Starts and stops the application. It never migrates: that is `sequelize-cli db:migrate`, run before this version starts.
// Started on an older database it stays up and not ready until the migrations are there.
const { createServer } = require("node:http");
const net = require("node:net");

// How long a connection is kept for a next request. Clients are told, and stop using it a little earlier.
const KEEP_ALIVE_MS = 5000;
const STOP_LIMIT_MS = KEEP_ALIVE_MS + 3000;

function start() {
  const { hostname, port, version } = require("./config/app");
  const { sequelize } = require("./db");
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, require("./app"));

  let stopping = false;
  const unanswered = new Set();
  const lastOfItsConnection = (response) => response.headersSent || response.setHeader("Connection", "close");
  // First in line: the application's own listener may have answered before a later one is called.
  server.prependListener("request", (request, response) => {
    unanswered.add(response);
    response.on("close", () => unanswered.delete(response));
    if (stopping) lastOfItsConnection(response);
  });

  function stop(signal) {
    if (stopping) return;
    stopping = true;
    console.log(`notes ${version}: ${signal}, stopping`);
    setTimeout(() => {
      console.error(`notes ${version}: stopped with requests unfinished after ${STOP_LIMIT_MS} ms`);
      process.exit(0);
    }, STOP_LIMIT_MS);
    // Closes the listening socket only. http.Server's own close() would cut idle connections, and with them the requests that are
    // already on their way there: each ends with its next answer, or when it has been idle for as long as clients were told.
    unanswered.forEach(lastOfItsConnection);
    net.Server.prototype.close.call(server, async () => {
      await sequelize.close();
      console.log(`notes ${version}: stopped`);
      process.exit(0);
    });
  }
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);

  server.on("error", fail);
  server.listen(port, "0.0.0.0", () => {
    console.log(`notes ${version}: listening on port ${server.address().port}, host ${hostname}`);
  });
}

// Only the message: an error's other fields may show more than a log should hold.
function fail(error) {
  console.error(`notes: cannot start: ${error.message}`);
  process.exit(1);
}

try {
  start();
} catch (error) {
  fail(error);
}
