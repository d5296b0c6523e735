// Starts and stops the application. It never migrates: that is `sequelize-cli db:migrate`, run before this version starts.
// Started on an older database it stays up and not ready until the migrations are there.
const { createServer } = require("node:http");

const STOP_LIMIT_MS = 5000;

function start() {
  const { hostname, port, version } = require("./config/app");
  const { sequelize } = require("./db");
  const server = createServer(require("./app"));

  let stopping = false;
  // First in line: the application's own listener may have answered before a later one is called.
  server.prependListener("request", (request, response) => {
    if (stopping) response.setHeader("Connection", "close");
  });

  function stop(signal) {
    if (stopping) return;
    stopping = true;
    console.log(`notes ${version}: ${signal}, stopping`);
    setTimeout(() => {
      console.error(`notes ${version}: stopped with requests unfinished after ${STOP_LIMIT_MS} ms`);
      process.exit(0);
    }, STOP_LIMIT_MS);
    // Closes the listening socket and the idle connections. A connection whose request was being answered when the signal
    // came turns idle only later, and would be kept alive.
    const sweep = setInterval(() => server.closeIdleConnections(), 50);
    server.close(async () => {
      clearInterval(sweep);
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
