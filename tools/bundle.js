// The language host and the stand-ins of plugins, each one file that runs without this tree: tools/pulumi/install.sh copies them into the
// cache, where clones of the repository do not get in each other's way.
const { chmodSync } = require("fs");
const { join } = require("path");
const { buildSync } = require("esbuild");

const programs = {
  "pulumi-language-nodejs": "pulumi/languageHost.ts",
  "pulumi-resource-random": "providers/random/main.ts",
  "pulumi-resource-tls": "providers/tls/main.ts",
  "conformance.js": "providers/conformance.ts",
};

for (const [name, source] of Object.entries(programs)) {
  const outfile = join(__dirname, "dist", name);
  buildSync({
    entryPoints: [join(__dirname, source)],
    outfile,
    bundle: true,
    platform: "node",
    target: "node20",
    banner: { js: "#!/usr/bin/env node" },
    logLevel: "warning",
  });
  chmodSync(outfile, 0o755);
}
