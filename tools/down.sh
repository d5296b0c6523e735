#!/usr/bin/env bash
# Removes what `make up` has deployed. The volume with the data stays, and the next `make up` finds it again.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

environment=$("$tools/env.sh")
eval "$environment"
cd "$root/examples/notes"
pulumi stack select dev 2>/dev/null || fail "nothing is deployed: there is no stack \"dev\""
namespace=$(pulumi stack output namespace 2>/dev/null || echo default)
pulumi destroy --yes --skip-preview
pulumi config rm image 2>/dev/null || true
echo
echo "The data is kept on the claim data-notes-db-0. To delete it too: kubectl --namespace $namespace delete pvc data-notes-db-0"
