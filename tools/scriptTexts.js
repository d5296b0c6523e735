// Puts the texts of the scripts that run in containers into the compiled package, in place of the module that reads their files: a program
// that is bundled into one file has no files beside it.
const { readdirSync, readFileSync, writeFileSync } = require("fs");
const { join } = require("path");

const components = join(__dirname, "..", "components");
const folders = ["database/scripts", "migration/scripts"];
const paths = folders.flatMap((folder) => readdirSync(join(components, folder)).map((file) => `${folder}/${file}`));
const texts = Object.fromEntries(paths.sort().map((path) => [path, readFileSync(join(components, path), "utf8")]));

writeFileSync(
  join(__dirname, "..", "bin", "components", "common", "scriptText.js"),
  `"use strict";
const texts = ${JSON.stringify(texts, null, 1)};
exports.scriptText = (path) => {
  if (!(path in texts)) throw new Error(\`there is no script \${path}\`);
  return texts[path];
};
`,
);
