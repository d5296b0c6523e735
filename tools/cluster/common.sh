#!/usr/bin/env bash
# Shared by up.sh and down.sh: the cluster's names and addresses, and how its processes are recorded.
# Sourced, never run.
# shellcheck disable=SC2034 # the variables are for the scripts that source this file

source "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

export PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"

network=pulumi-postgres-app
node=node1
bridge=ppa0
bridge_address=10.88.0.1
dns_address=10.88.0.2
first_pod_address=10.88.0.10
pod_range=10.88.0.0/16
service_range=10.96.0.0/16
api_port=16443
# CoreDNS has a network namespace of its own on the bridge, so that it meets no other name server of the machine.
dns_namespace=$network-dns

socket=$cluster/run/containerd.sock
lock=$cache/cluster.lock

# In the order in which they are started.
processes='etcd containerd kube-apiserver kube-controller-manager kube-scheduler kubelet kube-proxy coredns volume-keeper'

# One at a time: two scripts that start and stop the same processes would trip over each other.
take_lock() {
  exec 9>"$lock"
  flock --wait 300 9 || fail "another up.sh or down.sh has been at work for 5 minutes (lock: $lock)"
}

# identity PID: the boot and the clock tick at which the process was started, which no other process with that number shares.
# Fails when there is no such process, or only its remains.
identity() {
  local stat fields boot
  { read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 1
  read -r -a fields <<<"${stat##*) }"
  [ "${fields[0]}" != Z ] || return 1
  read -r boot </proc/sys/kernel/random/boot_id
  echo "${fields[19]} $boot"
}

record() { printf '%s\n%s\n' "$2" "$(identity "$2")" >"$cluster/pids/$1"; }

# pid_of NAME: the recorded process, if it still is that one.
pid_of() {
  local pid started
  { read -r pid && read -r started; } 2>/dev/null <"$cluster/pids/$1" || return 1
  [ "$(identity "$pid")" = "$started" ] || return 1
  echo "$pid"
}
