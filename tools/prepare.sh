#!/usr/bin/env bash
# Everything that has to be there before a program is run: packages, the build, the Pulumi CLI, and, unless CONTEXT names a
# cluster, a local one with its images.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

if [ -n "${CONTEXT:-}" ]; then "$tools/install.sh"; else "$tools/install.sh" cluster; fi

# The compiled package and tools, unless they are what their sources make.
stamp=$root/node_modules/.compiled
sources=$(content_key "$root/index.ts" "$root/components" "$root/tsconfig.json" "$root/package-lock.json" "$tools/providers" "$tools/pulumi" "$tools/bundle.js" "$tools/scriptTexts.js" "$tools/shapes.js")
if [ ! -d "$root/bin" ] || [ ! -d "$tools/dist" ] || [ "$(cat "$stamp" 2>/dev/null)" != "$sources" ]; then
  say "compiling the package: about 20 s"
  (cd "$root" && npm run --silent build)
  echo "$sources" >"$stamp"
fi

wanted=()
own_pulumi || wanted+=(pulumi)
version=$(node -p "require('$root/node_modules/@pulumi/kubernetes/package.json').version")
[ -x "$HOME/.pulumi/plugins/resource-kubernetes-v$version/pulumi-resource-kubernetes" ] || wanted+=(plugin)
if [ -n "${CONTEXT:-}" ]; then
  [ ${#wanted[@]} -eq 0 ] || "$tools/build.sh" "${wanted[@]}"
  say "using the cluster of context \"$CONTEXT\"; nothing is started on this machine"
else
  # Compilers take what the machine has, images mostly wait for downloads and unpacking: beside each other.
  "$tools/build.sh" "${wanted[@]}" kubernetes kubectl coredns &
  building=$!
  trap 'kill "$building" 2>/dev/null || true' EXIT
  "$tools/images/build.sh"
  # shellcheck disable=SC2086 # one word each
  [ -z "${PRODUCTS:-}" ] || "$tools/images/build.sh" $PRODUCTS
  wait "$building"
  trap - EXIT
  "$tools/cluster/up.sh"
  "$tools/images/load.sh"
  # shellcheck disable=SC2086
  [ -z "${PRODUCTS:-}" ] || "$tools/images/load.sh" $PRODUCTS
fi
