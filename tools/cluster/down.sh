#!/usr/bin/env bash
# Ends the cluster and removes all of it, from whatever state it is in: its processes and containers (those and no others), its
# mounts, its network, its folder. The cache of builds and images stays, so that the next start is quick.
source "$(dirname "${BASH_SOURCE[0]}")/ending.sh"

remove_network() {
  local link
  ip netns delete "$dns_namespace" 2>/dev/null || true
  if ip link show "$bridge" >/dev/null 2>&1; then
    for link in $(ip -o link show master "$bridge" | awk -F '[ :@]+' '{print $2}'); do ip link delete "$link" 2>/dev/null || true; done
    ip link delete "$bridge"
  fi
  rmdir /var/lib/cni/results /var/lib/cni/cache /var/lib/cni 2>/dev/null || true
}

# Those of kube-proxy by itself, with the two that it leaves to a kubelet; those of up.sh by their comment. Those of policies.sh are there
# only when it was killed.
remove_rules() {
  local table rules rule chain
  command -v iptables >/dev/null || return 0
  "$tools/cluster/policies.sh" remove
  [ ! -x "$cache/bin/kube-proxy" ] || [ ! -d "$cluster" ] || "$cache/bin/kube-proxy" --cleanup >/dev/null 2>&1 || true
  for chain in INPUT OUTPUT; do iptables -w -D "$chain" -j KUBE-FIREWALL 2>/dev/null || true; done
  iptables -w -X KUBE-FIREWALL 2>/dev/null || true
  for table in mangle nat filter; do iptables -w -t "$table" -X KUBE-PROXY-CANARY 2>/dev/null || true; done
  for table in nat filter; do
    rules=$(iptables -w -t "$table" -S 2>/dev/null | grep -e "--comment $network " -e "--comment \"$network\" ") || continue
    while read -r rule; do
      # shellcheck disable=SC2086 # the words of a rule, none with a space
      iptables -w -t "$table" -D ${rule#-A }
    done <<<"$rules"
  done
}

# What the kubelet leaves outside of its folder.
remove_leftovers() {
  [ ! -d /var/log/containers ] || find /var/log/containers -type l -lname "$cluster/*" -delete
  rmdir /var/log/containers 2>/dev/null || true
  [ ! -e "$cluster/made-var-lib-kubelet" ] || rm -rf --one-file-system /var/lib/kubelet
}

take_lock
if [ ! -d "$cluster" ]; then
  say "no cluster to stop"
  exit
fi
[ "$(id -u)" -eq 0 ] || fail "root is needed to stop the cluster"
for name in node2 node1; do
  of_node "$name"
  stop_node
done
remove_network
remove_rules
remove_leftovers
rm -rf --one-file-system "$cluster"
say "the cluster is stopped and removed"
