#!/usr/bin/env bash
# Builds, lints and runs all tests: unit, schema, engine and cluster. Ends with a line "N passed, N failed".
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# Products that run for real too, of those that tools/images knows; `make products` runs all of them. With a cluster of yours its own images of them.
export PRODUCTS=${PRODUCTS-miniflux}

"$tools/prepare.sh"
"$tools/scanners.sh" & # mostly waits for downloads
scanners=$!
environment=$("$tools/env.sh")
eval "$environment"
cd "$root"
say "lint: types, eslint, prettier, shellcheck"
linted=0
npm run --silent lint || linted=$?
wait "$scanners"
[ "$linted" -eq 0 ] || exit "$linted"
say "tests"
# A file waits for pods more than half of its time: two are well served by two cores.
exec npx mocha --parallel --jobs "${JOBS:-2}" 'test/**/*.test.ts'
