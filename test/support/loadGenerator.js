// Requests on a schedule that waits for no answer, as users do who know nothing of each other: node loadGenerator.js URL PER_SECOND FOLDER
// Runs in a pod of the example's image. FOLDER/phase names what goes on and is counted by; FOLDER/stop ends it. One of five requests
// writes a thread, the others ask the database something small, so that two cores do for it all. Nothing is tried again. Prints one line of JSON at the end.
const { existsSync, readFileSync, writeSync } = require("fs");
const { performance } = require("perf_hooks");

const [url, perSecond, folder] = process.argv.slice(2);
const http = require(url.startsWith("https:") ? "https" : "http");
const LIMIT_MS = 10_000;
const CLIENTS = 8;

// Each is a client of its own, with Node's own settings: connections are kept and used again.
const clients = Array.from({ length: CLIENTS }, () => new http.Agent({ keepAlive: true, scheduling: "lifo", timeout: 5000 }));
const phases = {};
const failures = {};
let phase;
let acknowledged = 0;
let unanswered = 0;

function lookAround() {
  phase = readFileSync(`${folder}/phase`, "utf8").trim();
  phases[phase] ??= { sent: 0, ok: 0, failed: 0, answers: {}, milliseconds: [] };
}

/** Sends the request of a number. What it took is counted from the moment when it was due: being late is the server's fault. */
function send(number, due) {
  const counted = phases[phase];
  const during = phase;
  const write = number % 5 === 0;
  const body = write ? JSON.stringify({ title: `load ${number}`, body: "text", author: `writer-${number % 20}` }) : "";
  let over = false;
  counted.sent++;
  unanswered++;
  const end = (reason) => {
    if (over) return;
    over = true;
    unanswered--;
    counted.milliseconds.push(performance.now() - due);
    if (reason === undefined) {
      counted.ok++;
      if (write) acknowledged++;
      return;
    }
    counted.failed++;
    const kind = `${during}: ${write ? "write" : "read"} on a ${request.reusedSocket ? "kept" : "new"} connection: ${reason}`;
    const failure = (failures[kind] ??= { times: 0, first: new Date().toISOString() });
    failure.times++;
    failure.last = new Date().toISOString();
    failure.milliseconds = Math.round(performance.now() - due);
  };
  const request = http.request(
    `${url}/api/${write ? "threads" : "version"}`,
    {
      agent: clients[number % CLIENTS],
      method: write ? "POST" : "GET",
      headers: write ? { "content-type": "application/json", "content-length": Buffer.byteLength(body) } : {},
    },
    (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk) => (text += chunk));
      response.on("error", (error) => end(`answer cut off: ${error.code ?? error.message}`));
      response.on("end", () => {
        counted.answers[response.statusCode] = (counted.answers[response.statusCode] ?? 0) + 1;
        if (response.statusCode === (write ? 201 : 200) && complete(text)) end();
        else end(`${response.statusCode} ${text.slice(0, 200)}`);
      });
    },
  );
  request.on("error", (error) => end(error.code ?? error.message));
  setTimeout(() => {
    end(`no answer in ${LIMIT_MS} ms`);
    request.destroy();
  }, LIMIT_MS).unref();
  request.end(body);
}

function complete(text) {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function summary() {
  const all = Object.values(phases);
  const sum = (field) => all.reduce((total, counted) => total + counted[field], 0);
  const rounded = (milliseconds) => Math.round(milliseconds * 10) / 10;
  const percentiles = ({ milliseconds, ...counted }) => {
    const sorted = milliseconds.sort((a, b) => a - b);
    const at = (share) => rounded(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]);
    return { ...counted, ...(sorted.length ? { p50: at(0.5), p99: at(0.99), max: rounded(sorted[sorted.length - 1]) } : {}) };
  };
  return {
    sent: sum("sent"),
    ok: sum("ok"),
    failed: sum("failed"),
    acknowledged,
    failures,
    phases: Object.fromEntries(Object.entries(phases).map(([name, counted]) => [name, percentiles(counted)])),
  };
}

lookAround();
const begun = performance.now();
let number = 0;
const ticking = setInterval(() => {
  for (;;) {
    const due = begun + (number * 1000) / Number(perSecond);
    if (due > performance.now()) break;
    send(number++, due);
  }
}, 5);
const looking = setInterval(() => {
  lookAround();
  if (!existsSync(`${folder}/stop`)) return;
  clearInterval(ticking);
  clearInterval(looking);
  // The last ones have their limit too.
  const waiting = setInterval(() => {
    if (unanswered > 0) return;
    clearInterval(waiting);
    writeSync(1, `${JSON.stringify(summary())}\n`); // all of it, before the end
    process.exit();
  }, 50);
}, 100);
