#!/usr/bin/env bash
# Network policies on the local cluster, whose own network plugin enforces none.
# policies.sh enforce: enforces them, says "enforced" on its standard output when it does, and ends with its standard input, so that they
# are not enforced for longer than whoever wanted it lives. policies.sh remove: removes what an enforcer that was killed has left.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

log=$cluster/logs/kube-router.log

# All at once, and nothing but kube-router's own: its --cleanup-config is for its router and its proxy, and leaves the firewall's.
remove() {
  local rules chains
  rules=$(iptables-save -t filter)
  chains=$(sed -n -E 's/^:(KUBE-(ROUTER|POD-FW|NWPLCY)-[^ ]+) .*/\1/p' <<<"$rules")
  {
    echo '*filter'
    sed -n -E 's/^-A ((INPUT|FORWARD|OUTPUT) .*-j KUBE-ROUTER-.*)/-D \1/p' <<<"$rules"
    # shellcheck disable=SC2086 # one word each
    [ -z "$chains" ] || printf -- '-F %s\n' $chains
    # shellcheck disable=SC2086
    [ -z "$chains" ] || printf -- '-X %s\n' $chains
    echo COMMIT
  } | iptables-restore --wait --noflush
  command -v ipset >/dev/null || return 0 # then it never ran
  ipset list -name | grep -E '^KUBE-(SRC|DST)-' | while read -r set; do ipset destroy "$set"; done || true
}

# The rule with which it ends each of its chains, once every policy has its own.
enforced() { iptables -w -S KUBE-ROUTER-FORWARD | grep -q 'explicitly ACCEPT'; }

# Its firewall alone: the network and the Services' addresses have others. It listens nowhere.
enforce() {
  remove
  NODE_NAME=$node "$cache/bin/kube-router" --kubeconfig "$kubeconfig" --hostname-override "$node" --run-firewall=true \
    --run-router=false --run-service-proxy=false --service-cluster-ip-range "$service_range" --health-port 0 --metrics-port 0 \
    >"$log" 2>&1 &
  pid=$!
  trap 'kill "$pid" 2>/dev/null || true; wait "$pid" || true; remove' EXIT
  wait_for 60 "network policies to be enforced (log: $log)" enforced
  echo enforced
  cat >/dev/null
  kill -0 "$pid" 2>/dev/null || fail "kube-router ended by itself; its log is $log"
}

case ${1:-} in
  enforce | remove) "$1" ;;
  *) fail "usage: policies.sh enforce|remove" ;;
esac
