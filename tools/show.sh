#!/usr/bin/env bash
# Shows what examples/notes has deployed: the URL, the migrations that were applied, the tables. Needs the environment of env.sh.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

cd "$root/examples/notes"
namespace=$(pulumi stack output namespace)
# Through the API server, which works with every cluster, wherever this runs.
ask() { kubectl get --raw "/api/v1/namespaces/$namespace/services/http:notes:80/proxy$1"; }
list() { node -e 'const o = JSON.parse(require("fs").readFileSync(0)); for (const line of o[process.argv[1]]) console.log("  " + (line.name ?? line))' "$1"; }

echo
if [ -n "${CONTEXT:-}" ]; then
  echo "URL: http://localhost:8080 while this runs: kubectl --context $CONTEXT --namespace $namespace port-forward service/notes 8080:80"
else
  echo "URL: http://$(kubectl --namespace "$namespace" get service notes -o 'jsonpath={.spec.clusterIP}')"
fi
# A database that has just been restarted has ended the application's connections, which it notices with its next request.
wait_for 60 "the application to answer" ask /api/version
echo "Migrations applied:"
ask /api/version | list migrations
echo "Tables:"
ask /api/tables | list tables
