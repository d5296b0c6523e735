// TypeScript tests run without a build of their own; types are checked by `npm run lint`.
process.env.TS_NODE_PROJECT = require("path").join(__dirname, "..", "tsconfig.json");
require("ts-node/register/transpile-only");
