#!/usr/bin/env bash
# node.sh up|down: a second node for the running cluster, for tests that empty one. It takes only pods that tolerate its taint,
# knows only the images that are loaded into it here, and has no volumes. down.sh ends it too.
source "$(dirname "${BASH_SOURCE[0]}")/starting.sh"
source "$(dirname "${BASH_SOURCE[0]}")/ending.sh"

up() {
  local begun=$SECONDS
  api_ready >/dev/null || fail "there is no cluster: tools/cluster/up.sh starts one"
  may_start
  node_folders
  (umask 077 && kubelet_credentials)
  node_configuration
  control_group
  start_containerd
  ready containerd 60 "the second containerd" ctr --address "$socket" version
  "$tools/images/load.sh" --node "$node" pause notes-1.0.0 notes-1.1.0
  start_kubelet
  ready kubelet 90 "the second node" node_ready
  say "the node $node is ready after $((SECONDS - begun)) s"
}

# The API server forgets it first, or it would wait for the pods of a node that says nothing any more.
down() {
  if [ -n "$(kubectl get node "$node" --ignore-not-found -o name)" ]; then
    kubectl delete pods --all-namespaces --field-selector "spec.nodeName=$node" --force --grace-period=0 >/dev/null 2>&1
    kubectl delete node "$node" >/dev/null
  fi
  stop_node
  rm -rf --one-file-system "$folder"
  say "the node $node is removed"
}

of_node node2
take_lock
case ${1:-} in
  up | down) "$1" ;;
  *) fail "usage: node.sh up|down" ;;
esac
