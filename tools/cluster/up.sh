#!/usr/bin/env bash
# Starts a Kubernetes of one node on this machine, or what of it is not running; done at once when all is.
# Everything it keeps is in one folder of the cache; what died (a reboot, a kill) comes back with its data.
source "$(dirname "${BASH_SOURCE[0]}")/starting.sh"

free_volumes='ReadWriteOnce=8 ReadWriteOncePod=2'

# --- what is run ---

# Under the names by which the one Kubernetes binary knows what to be, and where users find kubectl and pulumi.
link_programs() {
  local kubernetes name
  kubernetes=$("$tools/build.sh" --path kubernetes)
  mkdir -p "$bin"
  for name in kube-apiserver kube-controller-manager kube-scheduler kubelet kube-proxy; do
    ln -sfn "$kubernetes" "$bin/$name"
  done
  for name in kubectl coredns pulumi; do ln -sfn "$("$tools/build.sh" --path "$name")" "$bin/$name"; done
}

# --- credentials ---

# In a subshell, so that only these files are for nobody but root: what the programs make is for others too.
credentials() (
  umask 077
  certificate_authority
  certificate etcd /CN=etcd IP:127.0.0.1
  certificate kube-apiserver /CN=kube-apiserver \
    "IP:127.0.0.1,IP:$bridge_address,IP:${service_range%.*}.1,DNS:localhost,DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,DNS:kubernetes.default.svc.cluster.local"
  certificate kube-apiserver-client /O=system:masters/CN=kube-apiserver
  kubelet_credentials
  certificate admin /O=system:masters/CN=admin
  for name in kube-controller-manager kube-scheduler kube-proxy; do certificate "$name" "/CN=system:$name"; done
  for name in coredns volume-keeper; do certificate "$name" "/CN=$name"; done
  [ -e "$pki/service-accounts.key" ] || openssl ecparam -name prime256v1 -genkey -noout -out "$pki/service-accounts.key"
  for name in kube-controller-manager kube-scheduler kube-proxy coredns; do
    access "$name" "$pki/$name.kubeconfig" "https://$bridge_address:$api_port"
  done
  access admin "$kubeconfig" "https://127.0.0.1:$api_port"
)

# --- configuration ---

folders() {
  node_folders
  mkdir -p "$pki" "$cluster/volumes"
  chmod 0700 "$cluster" "$pki"
  # The kubelet makes this folder, whatever its own is: it is ours to remove only if it was not there before.
  [ -e /var/lib/kubelet ] || touch "$cluster/made-var-lib-kubelet"
}

configuration() {
  node_configuration
  render Corefile "$cluster/config/Corefile"
}

# --- network: nothing listens anywhere but on loopback and on the bridge ---

bridge_up() {
  if ! ip link show "$bridge" >/dev/null 2>&1; then
    # Its own address, or it would take that of whichever pod comes first and change when that goes.
    ip link add "$bridge" address 0a:58:0a:58:00:01 type bridge
  fi
  ip address replace "$bridge_address/${pod_range#*/}" dev "$bridge"
  ip link set "$bridge" up
  # Service addresses are reached from this machine too: they only need a way that leads to the packet filter.
  ip route replace "$service_range" dev "$bridge" src "$bridge_address"
  modprobe br_netfilter 2>/dev/null || true # built in or in the kernel already, or the next line says so
  [ "$(cat /proc/sys/net/bridge/bridge-nf-call-iptables)" = 1 ] || echo 1 >/proc/sys/net/bridge/bridge-nf-call-iptables
  [ "$(cat /proc/sys/net/ipv4/ip_forward)" = 1 ] || echo 1 >/proc/sys/net/ipv4/ip_forward
}

# rule TABLE CHAIN RULE...: adds it unless it is there.
rule() {
  local table=$1 chain=$2
  shift 2
  iptables -w -t "$table" -C "$chain" "$@" 2>/dev/null || iptables -w -t "$table" -I "$chain" "$@"
}

rules() {
  # The API server listens on the bridge alone, so that pods reach it; this machine's users know it as 127.0.0.1.
  rule nat OUTPUT -d 127.0.0.1/32 -p tcp --dport "$api_port" -m comment --comment "$network" -j DNAT --to-destination "$bridge_address:$api_port"
  # Other software on the machine may have closed forwarding.
  rule filter FORWARD -i "$bridge" -o "$bridge" -m comment --comment "$network" -j ACCEPT
}

dns_namespace_up() {
  local inside=(ip -n "$dns_namespace")
  ip netns exec "$dns_namespace" true 2>/dev/null || {
    ip netns delete "$dns_namespace" 2>/dev/null || true # only its name is left
    ip netns add "$dns_namespace"
  }
  if ! "${inside[@]}" link show eth0 >/dev/null 2>&1; then
    ip link delete "$bridge-dns" 2>/dev/null || true
    ip link add "$bridge-dns" type veth peer name eth0 netns "$dns_namespace"
  fi
  ip link set "$bridge-dns" master "$bridge" up
  "${inside[@]}" link set lo up
  "${inside[@]}" address replace "$dns_address/${pod_range#*/}" dev eth0
  "${inside[@]}" link set eth0 up
  "${inside[@]}" route replace default via "$bridge_address"
}

# --- the processes ---

start_etcd() {
  start etcd etcd --name "$node" --data-dir "$cluster/etcd" \
    --listen-client-urls https://127.0.0.1:12379 --advertise-client-urls https://127.0.0.1:12379 \
    --listen-peer-urls https://127.0.0.1:12380 --initial-advertise-peer-urls https://127.0.0.1:12380 \
    --initial-cluster "$node=https://127.0.0.1:12380" \
    --client-cert-auth --trusted-ca-file "$pki/ca.crt" --cert-file "$pki/etcd.crt" --key-file "$pki/etcd.key" \
    --peer-client-cert-auth --peer-trusted-ca-file "$pki/ca.crt" --peer-cert-file "$pki/etcd.crt" --peer-key-file "$pki/etcd.key"
}

start_apiserver() {
  start kube-apiserver "$bin/kube-apiserver" \
    --bind-address="$bridge_address" --advertise-address="$bridge_address" --secure-port="$api_port" \
    --etcd-servers=https://127.0.0.1:12379 --etcd-cafile="$pki/ca.crt" \
    --etcd-certfile="$pki/kube-apiserver-client.crt" --etcd-keyfile="$pki/kube-apiserver-client.key" \
    --tls-cert-file="$pki/kube-apiserver.crt" --tls-private-key-file="$pki/kube-apiserver.key" \
    --client-ca-file="$pki/ca.crt" --authorization-mode=Node,RBAC --enable-admission-plugins=NodeRestriction \
    --kubelet-client-certificate="$pki/kube-apiserver-client.crt" --kubelet-client-key="$pki/kube-apiserver-client.key" \
    --kubelet-certificate-authority="$pki/ca.crt" --kubelet-preferred-address-types=InternalIP \
    --service-cluster-ip-range="$service_range" --allow-privileged=true \
    --service-account-issuer=https://kubernetes.default.svc.cluster.local \
    --service-account-key-file="$pki/service-accounts.key" --service-account-signing-key-file="$pki/service-accounts.key"
}

start_controllers() {
  start kube-controller-manager "$bin/kube-controller-manager" --kubeconfig="$pki/kube-controller-manager.kubeconfig" \
    --bind-address=127.0.0.1 --leader-elect=false --use-service-account-credentials=true \
    --service-account-private-key-file="$pki/service-accounts.key" --root-ca-file="$pki/ca.crt" \
    --flex-volume-plugin-dir="$cluster/kubelet/volume-plugins"
  start kube-scheduler "$bin/kube-scheduler" --kubeconfig="$pki/kube-scheduler.kubeconfig" \
    --bind-address=127.0.0.1 --leader-elect=false
}

start_proxy() {
  start kube-proxy "$bin/kube-proxy" --kubeconfig="$pki/kube-proxy.kubeconfig" --hostname-override="$node" \
    --proxy-mode=iptables --cluster-cidr="$pod_range" --nodeport-addresses="$pod_range" --iptables-localhost-nodeports=false \
    --healthz-bind-address=127.0.0.1:10256 --metrics-bind-address=127.0.0.1:10249 \
    --conntrack-max-per-core=0 --conntrack-tcp-timeout-established=0s --conntrack-tcp-timeout-close-wait=0s
}

start_dns() { start coredns ip netns exec "$dns_namespace" "$bin/coredns" -conf "$cluster/config/Corefile"; }

start_volume_keeper() {
  # shellcheck disable=SC2086 # one word each
  start volume-keeper node "$tools/cluster/volumeKeeper.js" "https://$bridge_address:$api_port" "$pki" "$cluster/volumes" "$node" $free_volumes
}

default_account() { kubectl get serviceaccount default; }
a_volume() { [ -n "$(kubectl get persistentvolumes -o name)" ]; }
dns_ready() (
  exec 3<>"/dev/tcp/$dns_address/8181"
  printf 'GET /ready HTTP/1.0\r\n\r\n' >&3
  grep -q '200 OK' <&3
)

# The one part that may have changed while the cluster runs: its objects, and the keeper that they are for.
keeper_recipe() { content_key "$tools/cluster/volumeKeeper.js" "$tools/cluster/config/manifests.yaml"; }
keeper_is_current() { [ "$(cat "$cluster/config/volume-keeper" 2>/dev/null)" = "$(keeper_recipe)" ]; }
keeper_is_gone() { ! pid_of volume-keeper; }
keeper_up() {
  local pid
  if pid=$(pid_of volume-keeper) && ! keeper_is_current; then
    kill "$pid"
    wait_for 10 "the end of the volume keeper" keeper_is_gone
  fi
  kubectl apply --server-side --force-conflicts -f "$tools/cluster/config/manifests.yaml" >/dev/null
  start_volume_keeper
  keeper_recipe >"$cluster/config/volume-keeper"
}

link_programs
if all_running && api_ready >/dev/null 2>&1; then
  keeper_is_current || (take_lock && keeper_up)
  say "the cluster is up (KUBECONFIG=$kubeconfig)"
  exit
fi

may_start
take_lock
"$tools/build.sh" kubernetes kubectl coredns
say "starting the cluster: about $(minutes 15)"
begun=$SECONDS
folders
credentials
configuration
bridge_up
rules
dns_namespace_up
control_group
"$tools/images/build.sh" pause
start_etcd
start_containerd
start_apiserver
ready containerd 60 "containerd" ctr --address "$socket" version
"$tools/images/load.sh" pause
ready kube-apiserver 120 "the API server" api_ready
start_controllers
start_kubelet
start_proxy
start_dns
keeper_up
ready kubelet 90 "the node" node_ready
ready kube-controller-manager 60 "the service account of the default namespace" default_account
ready coredns 60 "the name server" dns_ready
ready volume-keeper 60 "a volume" a_volume
say "the cluster is up after $((SECONDS - begun)) s (KUBECONFIG=$kubeconfig)"
