// Scripts that run in containers are read at run time from beside the compiled JavaScript.
const { cpSync } = require("fs");
const { join } = require("path");

const root = join(__dirname, "..");
const scripts = join("components", "database", "scripts");
cpSync(join(root, scripts), join(root, "bin", scripts), { recursive: true });
