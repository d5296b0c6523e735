// Notes the most memory that this program had, where the benchmark looks for it.
"use strict";
const { writeFileSync } = require("fs");

process.on("exit", () => writeFileSync(process.env.BENCH_PEAK_MEMORY, String(process.resourceUsage().maxRSS)));
