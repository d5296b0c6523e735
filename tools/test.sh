#!/usr/bin/env bash
# Builds, lints and runs all tests: unit, schema, engine and cluster. Ends with a line "N passed, N failed".
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# Products that run for real too, of those that tools/images knows; `make products` runs all of them. With a cluster of yours its own images of them.
export PRODUCTS=${PRODUCTS-miniflux}

"$tools/prepare.sh"
"$tools/scanners.sh"
environment=$("$tools/env.sh")
eval "$environment"
cd "$root"
say "lint: types, eslint, prettier, shellcheck"
npm run --silent lint
say "tests"
# On two cores one file at a time is nearly as fast as two, and says more clearly what took long.
exec npx mocha --parallel --jobs "${JOBS:-1}" 'test/**/*.test.ts'
