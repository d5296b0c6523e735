#!/usr/bin/env bash
# Everything that has to be there before a program is run: packages, the build, the Pulumi CLI, and, unless CONTEXT names a
# cluster, a local one with its images.
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

"$tools/install.sh"

# The compiled package and tools, unless they are newer than what they are made of.
stamp=$root/node_modules/.built
if [ ! -e "$stamp" ] || [ "$(cat "$stamp")" != "$(content_key "$root/index.ts" "$root/components" "$root/tsconfig.json" "$tools/providers" "$tools/pulumi" "$tools/tsconfig.json" "$root/package-lock.json")" ]; then
  say "compiling the package: about 20 s"
  (cd "$root" && npm run --silent build)
  content_key "$root/index.ts" "$root/components" "$root/tsconfig.json" "$tools/providers" "$tools/pulumi" "$tools/tsconfig.json" "$root/package-lock.json" >"$stamp"
fi

if [ -n "${CONTEXT:-}" ]; then
  say "using the cluster of context \"$CONTEXT\"; nothing is started on this machine"
  "$tools/build.sh" pulumi
else
  "$tools/build.sh" pulumi kubernetes coredns
  "$tools/cluster/up.sh"
  "$tools/images/build.sh"
  "$tools/images/load.sh"
fi
