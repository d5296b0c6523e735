// Mocha's own reporter, with what each file took and, where only the end of a log is kept, what failed once more. The last line is the
// one that continuous integration reads, with pending tests counted as failures: a test that does not run proves nothing.
const { relative } = require("path");
const { Spec } = require("mocha").reporters;

const LONGEST = 20;

module.exports = class extends Spec {
  constructor(runner, options) {
    super(runner, options);
    const took = new Map();
    const failed = [];
    runner.on("fail", (test, error) => failed.push(`${test.fullTitle()}: ${String(error?.message ?? error).split("\n")[0]}`));
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
      if (failed.length) console.log(`\nFailed:\n${failed.map((one) => `  ${one.slice(0, 400)}`).join("\n")}`);
      console.log(`\n${passes} passed, ${failures + pending} failed`);
    });
  }
};
