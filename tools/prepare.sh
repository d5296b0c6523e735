#!/usr/bin/env bash
# Everything that has to be there before a program is run: packages, the build, the Pulumi CLI, and, unless CONTEXT names a
# cluster, a local one with its images.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

if [ -n "${CONTEXT:-}" ]; then "$tools/install.sh"; else "$tools/install.sh" cluster; fi

# The compiled package and tools, unless they are what their sources make.
stamp=$root/node_modules/.compiled
sources=$(content_key "$root/index.ts" "$root/components" "$root/tsconfig.json" "$root/package-lock.json" "$tools/providers" "$tools/pulumi" "$tools/tsconfig.json")
if [ ! -d "$root/bin" ] || [ ! -d "$tools/dist" ] || [ "$(cat "$stamp" 2>/dev/null)" != "$sources" ]; then
  say "compiling the package: about 20 s"
  (cd "$root" && npm run --silent build)
  echo "$sources" >"$stamp"
fi

wanted=()
own_pulumi || wanted+=(pulumi)
[ -n "${CONTEXT:-}" ] || wanted+=(kubernetes kubectl coredns)
[ ${#wanted[@]} -eq 0 ] || "$tools/build.sh" "${wanted[@]}"

if [ -n "${CONTEXT:-}" ]; then
  say "using the cluster of context \"$CONTEXT\"; nothing is started on this machine"
else
  "$tools/cluster/up.sh"
  "$tools/images/build.sh"
  "$tools/images/load.sh"
  # shellcheck disable=SC2086 # one word each
  if [ -n "${PRODUCTS:-}" ]; then
    "$tools/images/build.sh" $PRODUCTS
    "$tools/images/load.sh" $PRODUCTS
  fi
fi
