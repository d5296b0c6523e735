#!/usr/bin/env bash
# Builds, lints and runs the tests: unit, schema, engine, cluster and one product; with NIGHTLY=1 those of test/nightly too, and longer
# ones of the others. Ends with a line "N passed, N failed".
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# Products that run for real too, of those that tools/images knows; `make products` runs all of them. With a cluster of yours its own images of them.
export PRODUCTS=${PRODUCTS-miniflux}

# stage NAME: says how long the one before took.
stage() {
  [ -z "${current:-}" ] || say "$current took $(minutes $((SECONDS - begun)))"
  current=$1
  begun=$SECONDS
  say "$1"
}

stage preparation
"$tools/prepare.sh"
"$tools/scanners.sh" & # mostly waits for downloads
scanners=$!
environment=$("$tools/env.sh")
eval "$environment"
cd "$root"
stage "lint: types, eslint, prettier, shellcheck"
linted=0
npm run --silent lint || linted=$?
wait "$scanners"
[ "$linted" -eq 0 ] || exit "$linted"
stage tests
# A file waits for pods more than half of its time: two are well served by two cores.
folders=(test/unit test/schema test/engine test/cluster test/products)
first=()
if [ -n "${NIGHTLY:-}" ]; then
  export CYCLES=${CYCLES:-100} LONG=${LONG:-300}
  folders+=(test/nightly)
  first=(test/cluster/story.test.ts) # the longest by far: what begins last is waited for alone
fi
mapfile -t others < <(find "${folders[@]}" -name '*.test.ts' | sort)
specs=("${first[@]}")
for file in "${others[@]}"; do [ "$file" = "${first[0]:-}" ] || specs+=("$file"); done
exec npx mocha --parallel --jobs "${JOBS:-2}" "${specs[@]}"
