// Scripts that run in containers are read at run time from beside the compiled JavaScript.
const { cpSync } = require("fs");
const { join } = require("path");

const root = join(__dirname, "..");
for (const part of ["database", "migration"]) {
  const scripts = join("components", part, "scripts");
  cpSync(join(root, scripts), join(root, "bin", scripts), { recursive: true });
}
