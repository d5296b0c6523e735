#!/usr/bin/env bash
# Shared by up.sh and node.sh: how a process is started and waited for, what it is given, and what a node is made of.
# Sourced, never run.

source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

bin=$cache/bin

kubectl() { "$bin/kubectl" --kubeconfig "$kubeconfig" --request-timeout=5s "$@"; }

# Fails where nothing can be started.
may_start() {
  [ "$(id -u)" -eq 0 ] || fail "root is needed to start a cluster (containers, a bridge)"
  # The longest name of a socket that the kernel takes, less what is made of ours.
  [ ${#socket} -le 100 ] || fail "the path of the cache is too long for a socket: set PULUMI_POSTGRES_APP_CACHE to a shorter one"
}

# --- processes ---

# start NAME COMMAND...: unless it runs already. It outlives this shell and holds nothing of it.
start() {
  local name=$1 log=$folder/logs/$1.log
  shift
  ! pid_of "$name" >/dev/null || return 0
  [ ! -e "$log" ] || mv -f "$log" "$log.old"
  setsid "$@" </dev/null >"$log" 2>&1 9>&- &
  record "$name" $!
}

# ready NAME SECONDS WHAT COMMAND...: waits, and shows the end of the process's log when it never comes.
ready() {
  local name=$1
  shift
  wait_for "$@" && return
  tail -n 20 "$folder/logs/$name.log" >&2
  fail "the cluster did not start; the log above is $folder/logs/$name.log"
}

all_running() {
  local name
  for name in $processes; do pid_of "$name" >/dev/null || return 1; done
}

api_ready() { kubectl get --raw /readyz; }

# --- certificates: everybody has one of the cluster's own authority ---

# new_certificate ARGUMENTS...: an elliptic key and a certificate, with nothing of the machine's own configuration in it.
new_certificate() {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 \
    -config <(printf '[req]\ndistinguished_name = name\n[name]\n') "$@" 2>/dev/null
}

certificate_authority() {
  [ ! -e "$pki/ca.crt" ] || return 0
  new_certificate -subj "/CN=$network" \
    -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign -addext subjectKeyIdentifier=hash \
    -keyout "$pki/ca.key" -out "$pki/ca.crt.partial"
  mv "$pki/ca.crt.partial" "$pki/ca.crt"
}

# certificate NAME SUBJECT [ALTERNATIVE_NAMES]
certificate() {
  local name=$1 subject=$2 names=${3:-}
  [ ! -e "$pki/$name.crt" ] || return 0
  new_certificate -subj "$subject" -CA "$pki/ca.crt" -CAkey "$pki/ca.key" \
    -addext basicConstraints=critical,CA:FALSE -addext extendedKeyUsage=serverAuth,clientAuth \
    ${names:+-addext "subjectAltName=$names"} \
    -keyout "$pki/$name.key" -out "$pki/$name.crt.partial"
  mv "$pki/$name.crt.partial" "$pki/$name.crt"
}

# access NAME FILE SERVER: a kubeconfig for the holder of that certificate.
access() {
  local name=$1 file=$2
  [ ! -e "$file" ] || return 0
  user=$name server=$3 ca_data=$(base64 -w0 "$pki/ca.crt") certificate_data=$(base64 -w0 "$pki/$name.crt") \
    key_data=$(base64 -w0 "$pki/$name.key") render kubeconfig.yaml "$file.partial"
  mv "$file.partial" "$file"
}

# --- configuration ---

# render TEMPLATE FILE
render() {
  env cluster="$cluster" folder="$folder" socket="$socket" network="$network" bridge="$bridge" bridge_address="$bridge_address" \
    dns_address="$dns_address" first_pod_address="$first_pod_address" last_pod_address="$last_pod_address" pod_range="$pod_range" \
    groups="$groups" kubelet="$kubelet" kubelet_port="$kubelet_port" health_port="$health_port" taints="$taints" \
    envsubst <"$tools/cluster/config/$1" >"$2"
}

# --- control groups: a root of our own for the pods, in version 2 or in each hierarchy of version 1 ---

# Ours counts as one process beside all others of the machine: pods would not get the CPU that they request, while the machine
# compiles or tests. It gets ten times as much, for as long as it has use for it.

control_group() {
  local hierarchy group file
  if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
    mkdir -p "/sys/fs/cgroup/$groups"
    for hierarchy in /sys/fs/cgroup "/sys/fs/cgroup/$(dirname "$groups")"; do
      for group in cpuset cpu memory pids; do echo "+$group" >"$hierarchy/cgroup.subtree_control" 2>/dev/null || true; done
    done
    echo 1000 >"/sys/fs/cgroup/$network/cpu.weight"
    return
  fi
  for hierarchy in /sys/fs/cgroup/*/; do
    [ -e "$hierarchy/cgroup.procs" ] || continue
    group=$hierarchy/$groups
    mkdir -p "$group"
    for file in cpuset.cpus cpuset.mems; do
      # Without these no process can be put into a group, and they are not inherited.
      [ ! -e "$group/$file" ] || [ -n "$(cat "$group/$file")" ] || cat "$hierarchy/$file" >"$group/$file"
    done
    [ ! -e "$group/cpu.shares" ] || echo 10240 >"$hierarchy/$network/cpu.shares"
  done
}

# --- a node ---

node_folders() { mkdir -p "$folder"/{pids,logs,run,cni,config}; }

node_configuration() {
  render containerd.toml "$folder/config/containerd.toml"
  render kubelet.yaml "$folder/config/kubelet.yaml"
  render cni.conflist "$folder/cni/10-bridge.conflist"
}

kubelet_credentials() {
  certificate "$kubelet-serving" "/O=system:nodes/CN=system:node:$node" "IP:$bridge_address,DNS:$node"
  certificate "$kubelet" "/O=system:nodes/CN=system:node:$node"
  access "$kubelet" "$pki/$kubelet.kubeconfig" "https://$bridge_address:$api_port"
}

start_containerd() { start containerd containerd --config "$folder/config/containerd.toml"; }

start_kubelet() {
  kubelet_started=$(pid_of kubelet >/dev/null || date -u +%FT%TZ)
  start kubelet "$bin/kubelet" --kubeconfig="$pki/$kubelet.kubeconfig" --config="$folder/config/kubelet.yaml" \
    --root-dir="$folder/kubelet" --hostname-override="$node" --node-ip="$bridge_address"
}

# What the API server says of the node may be from before everything was killed: a kubelet that was started now must have said it.
node_ready() {
  local status since
  read -r status since < <(kubectl get node "$node" -o 'jsonpath={range .status.conditions[?(@.type=="Ready")]}{.status} {.lastHeartbeatTime}{end}')
  [ "$status" = True ] && [[ ! $since < $kubelet_started ]]
}
