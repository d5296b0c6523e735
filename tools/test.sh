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
# Two files at a time: most of a test is waiting for Kubernetes.
exec npx mocha --parallel --jobs 2 'test/**/*.test.ts'
