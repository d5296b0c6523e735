#!/usr/bin/env bash
# Compares the stand-ins with recordings of the official plugins, on the local cluster, or other scenarios that are named: the recordings are
# of Kubernetes plugin 4.32 and random plugin 4.21.
# usage: conformance.sh [--jobs N] CONFORMANCE_FOLDER [SCENARIO...]
# conformance.json lists what is not compared, with a reason for each.
source "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

jobs=3
if [ "${1:-}" = --jobs ]; then
  jobs=${2:?--jobs needs a number}
  shift 2
fi
folder=${1:?usage: conformance.sh [--jobs N] CONFORMANCE_FOLDER [SCENARIO...]}
shift

[ -f "$folder/run.js" ] || fail "$folder has no run.js: give the folder of the conformance harness and its recordings (not part of this repository)"
[ -f "$root/tools/dist/conformance.js" ] || fail 'the stand-ins are not built: run "make build" first'
[ -f "${KUBECONFIG:-$kubeconfig}" ] || fail "there is no cluster (${KUBECONFIG:-$kubeconfig}): start the local one, or set KUBECONFIG"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir "$scratch/state"
home=$("$tools/pulumi/install.sh")

export PATH="$home/bin:$PATH"
export PULUMI_HOME=$home PULUMI_BACKEND_URL=file://$scratch/state PULUMI_SKIP_UPDATE_CHECK=true
export NODE_PATH=$root/node_modules KUBECONFIG=${KUBECONFIG:-$kubeconfig}
export CONFORMANCE_IMAGE=${CONFORMANCE_IMAGE:-docker.io/library/postgres:15}
node "$root/tools/dist/conformance.js" "$(cd "$folder" && pwd)" "$jobs" "$@"
