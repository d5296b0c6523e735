"use strict";
// Loads the compiled stand-in, or says in one sentence what is missing.
const path = require("node:path");

require("node:module").enableCompileCache?.(); // from Node 22 on: the engine starts these programs for every command

module.exports = function load(name) {
  const compiled = path.join(__dirname, "../../dist", `${name}.js`);
  try {
    require.resolve(compiled);
  } catch {
    console.error(`${path.basename(process.argv[1])}: ${compiled} is not built yet, run "make build" first`);
    process.exit(1);
  }
  require(compiled);
};
