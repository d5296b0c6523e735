#!/usr/bin/env bash
# Measures what the component costs, as ratios, on the same cluster as the tests; Helm, which is one side of some of them, is built for it.
# BENCH_ROUNDS=1 is a quick look, BENCH_WRITE=1 writes the results to docs/performance.md, BENCH_ONLY="beside passwords" measures only those.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

"$tools/prepare.sh"
"$tools/build.sh" helm
ln -sfn "$("$tools/build.sh" --path helm)" "$cache/bin/helm"
environment=$("$tools/env.sh")
eval "$environment"
cd "$root"
exec node -r ./test/support/register.js bench/run.ts
