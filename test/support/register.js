// TypeScript tests run without a build of their own; types are checked by `npm run lint`.
process.env.TS_NODE_PROJECT = require("path").join(__dirname, "..", "tsconfig.json");
// Tests run many short programs written in Go, which have nothing to collect in their time.
process.env.GOGC ??= "400";
require("ts-node/register/transpile-only");
