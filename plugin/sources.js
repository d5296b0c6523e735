// The package's sources, beside which they find the packages that are installed here: run by npm when Pulumi installs the plugin.
const { cpSync, rmSync } = require("fs");
const { join } = require("path");

for (const part of ["components", "index.ts"]) {
  rmSync(join(__dirname, part), { recursive: true, force: true });
  cpSync(join(__dirname, "..", part), join(__dirname, part), { recursive: true });
}
