// Notes what this program took of the machine, where the benchmark looks for it: the most memory that it had, in KiB, and its processor's time, in µs.
"use strict";
const { writeFileSync } = require("fs");

process.on("exit", () => {
  const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
  writeFileSync(process.env.BENCH_USAGE, `${maxRSS} ${userCPUTime + systemCPUTime}`);
});
