#!/usr/bin/env bash
# Measures what the component costs, as ratios, on the same cluster as the tests. BENCH_ROUNDS=1 is a quick look.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

"$tools/prepare.sh"
environment=$("$tools/env.sh")
eval "$environment"
cd "$root"
exec node -r ./test/support/register.js bench/run.ts
