#!/usr/bin/env bash
# Deploys the example's next version on what `make up` has deployed.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

"$tools/prepare.sh"
environment=$("$tools/env.sh")
eval "$environment"

cd "$root/examples/notes"
pulumi stack select dev 2>/dev/null || fail "nothing is deployed yet: make up"
pulumi config set image docker.io/local/notes:1.1.0
say "pulumi up"
pulumi up --yes
"$tools/show.sh"
