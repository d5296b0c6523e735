#!/usr/bin/env bash
# Shared by up.sh, node.sh and down.sh: the cluster's names and addresses, and how its processes are recorded.
# Sourced, never run.
# shellcheck disable=SC2034 # the variables are for the scripts that source this file

source "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

export PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"

network=pulumi-postgres-app
bridge=ppa0
bridge_address=10.88.0.1
dns_address=10.88.0.2
pod_range=10.88.0.0/16
service_range=10.96.0.0/16
api_port=16443
# CoreDNS has a network namespace of its own on the bridge, so that it meets no other name server of the machine.
dns_namespace=$network-dns

pki=$cluster/pki
lock=$cache/cluster.lock

# of_node NAME: from now on, what these scripts know of a node is of that one. Nodes share the bridge and with it the rules of one
# kube-proxy, and nothing else: each has its part of the pods' addresses, and its control groups, where no other kubelet looks.
of_node() {
  node=$1
  case $1 in
    # In the order in which they are started. Its folder is the cluster's.
    node1)
      processes='etcd containerd kube-apiserver kube-controller-manager kube-scheduler kubelet kube-proxy coredns volume-keeper'
      folder=$cluster kubelet=kubelet groups=$network kubelet_port=10250 health_port=10248
      first_pod_address=10.88.0.10 last_pod_address=10.88.127.255 taints="[]"
      ;;
    # The second one, which node.sh starts when a test wants it.
    node2)
      processes='containerd kubelet'
      folder=$cluster/node2 kubelet=kubelet-node2 groups=$network/node2 kubelet_port=10350 health_port=10348
      first_pod_address=10.88.128.1 last_pod_address=10.88.255.254
      # The volumes and most of the images are on the first node: only pods that say so are put here.
      taints="[{ key: $network/$node, effect: NoSchedule }]"
      ;;
    *) fail "no node called $1" ;;
  esac
  socket=$folder/run/containerd.sock
}
of_node node1

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

record() { printf '%s\n%s\n' "$2" "$(identity "$2")" >"$folder/pids/$1"; }

# pid_of NAME: the recorded process, if it still is that one.
pid_of() {
  local pid started
  { read -r pid && read -r started; } 2>/dev/null <"$folder/pids/$1" || return 1
  [ "$(identity "$pid")" = "$started" ] || return 1
  echo "$pid"
}
