// Mocha's own reporter, with what each file took and, where only the end of a log is kept, what failed once more. The last line is the
// one that continuous integration reads, with pending tests counted as failures: a test that does not run proves nothing.
const { relative } = require("path");
const { Spec } = require("mocha").reporters;

const LONGEST = 10;
// Of what a failed test said: enough to see what differed, little enough that several fit into the end of a log.
const LINES = 12;
const WIDTH = 300;

const shortened = (line) => (line.length > 2 * WIDTH ? `${line.slice(0, WIDTH)} … ${line.slice(-WIDTH)}` : line);
/** The first line, and those of a difference or else the last ones, each once: of a failed `pulumi up` its diagnostics. */
function said(error) {
  const [first, ...rest] = String(error?.message ?? error)
    .split("\n")
    .filter((line) => line.trim());
  const changed = rest.filter((line) => /^[+-] /.test(line));
  const shown = changed.length ? changed.slice(0, LINES) : [...new Set(rest)].slice(-LINES);
  return [first, ...shown.map((line) => `    ${line}`)].map(shortened).join("\n");
}

module.exports = class extends Spec {
  constructor(runner, options) {
    super(runner, options);
    const took = new Map();
    const failed = [];
    runner.on("fail", (test, error) => failed.push(`${test.fullTitle()}: ${said(error)}`));
    const count = ({ file, duration }) => file && took.set(file, (took.get(file) ?? 0) + (duration ?? 0));
    runner.on("test end", count);
    runner.on("hook end", count);
    runner.once("end", () => {
      const longest = [...took].sort(([, a], [, b]) => b - a).slice(0, LONGEST);
      if (longest.length > 1) console.log(`\nThe longest of ${took.size} files, in seconds:`);
      if (longest.length > 1)
        for (const [file, ms] of longest) console.log(`${(ms / 1000).toFixed(0).padStart(6)}  ${relative(process.cwd(), file)}`);
      const { passes, failures, pending, duration } = runner.stats;
      if (duration) console.log(`\nAll tests took ${(duration / 60_000).toFixed(1)} min`);
      if (failed.length) console.log(`\nFailed:\n${failed.map((one) => `  ${one}`).join("\n")}`);
      console.log(`\n${passes} passed, ${failures + pending} failed`);
    });
  }
};
