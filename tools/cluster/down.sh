#!/usr/bin/env bash
# Ends the cluster and removes all of it, from whatever state it is in: its processes and containers (those and no others), its
# mounts, its network, its folder. The cache of builds and images stays, so that the next start is quick.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

tasks=$cluster/run/containerd/io.containerd.runtime.v2.task/k8s.io

# kill_all PID...: at once; what they would tidy up is removed below. Waits until they are gone.
kill_all() {
  [ $# -gt 0 ] || return 0
  kill -KILL "$@" 2>/dev/null || true
  wait_for 10 "the end of the processes $*" gone "$@"
}

gone() {
  local pid
  for pid in "$@"; do ! identity "$pid" >/dev/null || return 1; done
}

stop_processes() {
  local name
  # shellcheck disable=SC2046 # numbers, or nothing
  kill_all $(for name in $processes; do pid_of "$name" || true; done)
}

# The processes that keep our containers: they name our containerd's socket, which is nobody else's.
shims() {
  local file arguments
  for file in /proc/[0-9]*/cmdline; do
    { mapfile -d '' -t arguments <"$file"; } 2>/dev/null || continue
    [[ ${arguments[0]:-} == *containerd-shim* && " ${arguments[*]} " == *" -address $socket "* ]] || continue
    file=${file#/proc/}
    echo "${file%/cmdline}"
  done
}

# What runs in our containers: its control group is named by the container, whose id is the name of a folder of our containerd.
contained() {
  local file group
  for file in /proc/[0-9]*/cgroup; do
    while IFS=: read -r _ _ group; do
      group=${group##*/}
      [ -n "$group" ] && [ -d "$tasks/$group" ] || continue
      file=${file#/proc/}
      echo "${file%/cgroup}"
      break
    done 2>/dev/null <"$file" || true
  done
}

# Shims first: one that sees its container end would call for more programs.
stop_containers() {
  # shellcheck disable=SC2046 # numbers, or nothing
  kill_all $(shims)
  # shellcheck disable=SC2046
  kill_all $(contained)
}

# Mounts below our folder, the last one first. In the list, a space in a path is \040.
mounts() {
  local path
  while read -r _ _ _ _ path _; do
    printf -v path '%b' "${path//\\/\\0}"
    [[ $path != "$cluster"/* ]] || printf '%s\n' "$path"
  done </proc/self/mountinfo | tac
}

# One may take others of the list with it, or lay bare another below it: again until there are none.
unmount() {
  local path attempt
  for attempt in 1 2 3 4 5 6 7 8 9 10; do
    [ -n "$(mounts)" ] || return 0
    mounts | while read -r path; do umount "$path" 2>/dev/null || umount --lazy "$path" 2>/dev/null || true; done
  done
  [ -z "$(mounts)" ] || fail "after $attempt attempts these mounts are still there: $(mounts | tr '\n' ' ')"
}

# The shims' sockets are in a folder that all of containerd's shims share; each task says which is its own.
remove_shim_sockets() {
  local file address
  for file in "$tasks"/*/address; do
    [ -e "$file" ] || continue
    address=$(cat "$file")
    rm -f "${address#unix://}"
  done
}

remove_network() {
  local link result
  ip netns delete "$dns_namespace" 2>/dev/null || true
  if ip link show "$bridge" >/dev/null 2>&1; then
    for link in $(ip -o link show master "$bridge" | awk -F '[ :@]+' '{print $2}'); do ip link delete "$link" 2>/dev/null || true; done
    ip link delete "$bridge"
  fi
  # Each names the network namespace that it is of, which was in our folder.
  grep -lsF "$cluster/" /var/lib/cni/results/* | while read -r result; do rm -f "$result"; done || true
  rmdir /var/lib/cni/results /var/lib/cni/cache /var/lib/cni 2>/dev/null || true
}

# Those of kube-proxy by itself, with the two that it leaves to a kubelet; those of up.sh by their comment.
remove_rules() {
  local table rules rule chain
  command -v iptables >/dev/null || return 0
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

remove_groups() {
  local folder
  for folder in /sys/fs/cgroup/"$network" /sys/fs/cgroup/*/"$network"; do
    [ ! -d "$folder" ] || find "$folder" -depth -type d -exec rmdir {} +
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
stop_processes
stop_containers
unmount
remove_shim_sockets
remove_network
remove_rules
remove_groups
remove_leftovers
rm -rf --one-file-system "$cluster"
say "the cluster is stopped and removed"
