const { setTimeout: sleep } = require("node:timers/promises");
const { Router } = require("express");
const { pendingMigrations } = require("../db");
const { describe } = require("../errors");

const router = Router();

// Alive: the process answers. The database has no say here: restarting the application mends no database.
router.get("/health", (request, response) => response.json({ status: "ok" }));

// The probe asks every few seconds: only a change is worth a line in the log.
let logged;
function log(line) {
  if (line !== logged) console.log(line);
  logged = line;
}

// A database that hangs must not make the probe hang: whoever asks gives up unanswered, and learns less than from this.
const LIMIT_MS = 2000;
async function late() {
  await sleep(LIMIT_MS, undefined, { ref: false });
  throw new Error(`no answer within ${LIMIT_MS} ms`);
}

// Ready: the database answers and has every migration that this version of the application brings.
router.get("/ready", async (request, response) => {
  response.set("Cache-Control", "no-store");
  try {
    const pending = await Promise.race([pendingMigrations(), late()]);
    log(pending.length === 0 ? "ready" : `not ready: migrations are pending: ${pending.join(", ")}`);
    if (pending.length === 0) response.json({ ready: true });
    else response.status(503).json({ ready: false, reason: "migrations are pending", pending });
  } catch (error) {
    // The log says what is wrong, the answer only its code: who may read the answer is not known here.
    log(`not ready: ${describe(error)}`);
    response.status(503).json({ ready: false, reason: "the database does not answer", code: error.original?.code });
  }
});

module.exports = router;
