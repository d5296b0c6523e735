#!/usr/bin/env bash
# Builds what cannot be downloaded as a binary, each from its Go module: the Kubernetes components, CoreDNS, the Pulumi CLI and its
# Kubernetes plugin, for the tests an S3 server, kubeconform, Miniflux, promtool, metrics-server and kube-router, and Helm for the benchmark.
# A build is kept in the cache under a key of its recipe and never made twice.
# build.sh [NAME...]: those missing of the named recipes (default: all but Miniflux, promtool, metrics-server, kube-router and Helm).
# build.sh --path NAME: where the binary is.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

version=k8s.io/component-base/version
version="-X=$version.gitVersion=v1.34.4,-X=$version.gitMajor=1,-X=$version.gitMinor=34"

# name, module (a folder of tools/build), package, flags for the linker, seconds a cold build took on 2 cores.
# The plugin is in one module with the CLI, and kubectl and CoreDNS (1.12.4, the first that is made with the libraries of 1.34) are in one
# with Kubernetes: what they have in common is compiled once. So is what Helm has in common with the plugin, whose libraries its module names.
plugin_module=github.com/pulumi/pulumi-kubernetes/provider/v4
recipes="
pulumi      pulumi       github.com/pulumi/pulumi/pkg/v3/cmd/pulumi  -s,-w,-X=github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v3.246.0  300
plugin      pulumi       $plugin_module/cmd/pulumi-resource-kubernetes  -s,-w,-X=$plugin_module/pkg/version.Version=4.25.0  150
kubernetes  kubernetes   .  -s,-w,$version  440
kubectl     kubernetes   ./kubectl  -s,-w,$version  30
coredns     kubernetes   ./coredns  -s,-w  15
s3          s3           .  -s,-w  115
kubeconform kubeconform  github.com/yannh/kubeconform/cmd/kubeconform  -s,-w  25
miniflux    miniflux     miniflux.app/v2  -s,-w  75
metrics-server  metrics-server  sigs.k8s.io/metrics-server/cmd/metrics-server  -s,-w  90
kube-router kube-router  github.com/cloudnativelabs/kube-router/v2/cmd/kube-router  -s,-w  150
promtool    prometheus   github.com/prometheus/prometheus/cmd/promtool  -s,-w  120
helm        helm         helm.sh/helm/v3/cmd/helm  -s,-w,-X=helm.sh/helm/v3/internal/version.version=v3.18.6  40
"

recipe() { awk -v name="$1" '$1 == name' <<<"$recipes"; }
module() { recipe "$1" | awk '{ print $2 }'; }
binary() { echo "$cache/build/$1-$(content_key "$tools/build/$(module "$1")")/$1"; }

if [ "${1:-}" = --path ]; then
  binary "$2"
  exit
fi

# plugin_flags FOLDER: what `go build` takes for the plugin. Its module is not complete as it is served (its own build writes the two
# embedded files), and what tools/build/pulumi/await explains is added: it is built from a copy in FOLDER.
plugin_flags() {
  local from
  "$go" mod download "$plugin_module"
  from=$("$go" list -m -f '{{.Dir}}' "$plugin_module")
  rm -rf "$1"
  cp -r "$from" "$1"
  chmod -R u+w "$1"
  cp "$1/cmd/pulumi-resource-kubernetes/schema.json" "$1/cmd/pulumi-resource-kubernetes/schema-embed.json"
  cp "$1/cmd/pulumi-resource-kubernetes/terraform-mapping.json" "$1/cmd/pulumi-resource-kubernetes/terraform-mapping-embed.json"
  cp await/*.go "$1/pkg/await/"
  cp go.mod "$1.mod"
  cp go.sum "$1.sum"
  "$go" mod edit -replace "$plugin_module=$1" "$1.mod"
  echo "-modfile=$1.mod"
}

# build NAME NEXT...: compiles one recipe, and downloads meanwhile what the next one is made of.
build() {
  local name=$1 next after=0 module package flags usual target go log total compiled begun=$SECONDS pid left
  shift
  for next in "$@"; do after=$((after + $(recipe "$next" | awk '{ print $5 }'))); done
  read -r _ module package flags usual <<<"$(recipe "$name")"
  target=$(binary "$name")
  go=$(go_command "$(awk '$1 == "go" { print $2 }' "$tools/build/$module/go.mod")")
  log=$cache/build/$name.log
  mkdir -p "$(dirname "$target")"
  say "building $name from its Go module: about $(minutes "$usual") on two cores; about $(minutes $((usual + after))) for all that is left to build"
  (
    cd "$tools/build/$module"
    more=()
    [ "$name" != plugin ] || more=("$(plugin_flags "$(dirname "$target")/source")")
    # Without what finds targets at a dozen providers of clouds.
    [ "$name" != promtool ] || more=(-tags remove_all_sd)
    # -x would be too much; -v prints a line for each package that is compiled, which makes the percentage.
    exec "$go" build "${more[@]}" -v -trimpath -buildvcs=false -gcflags=all=-dwarf=false -ldflags "${flags//,/ }" -o "$target.partial" "$package"
  ) >"$log" 2>&1 &
  pid=$!
  trap 'kill "$pid" 2>/dev/null || true' EXIT # who is stopped stops the compiler too
  total=$(dependencies "$name" | wc -l)
  [ $# -eq 0 ] || dependencies "$1" >/dev/null &
  while kill -0 "$pid" 2>/dev/null; do
    sleep 15 &
    wait -n "$pid" $! 2>/dev/null || true
    kill -0 "$pid" 2>/dev/null || break
    compiled=$(grep -vc '^go: ' "$log" || true)
    left=$((usual - (SECONDS - begun)))
    [ "$left" -gt 5 ] || left=5
    say "  $name: $compiled of $total packages, $(minutes $((SECONDS - begun))) so far, about $(minutes $((left + after))) left in all"
  done
  if ! wait "$pid"; then
    tail -n 20 "$log" >&2
    fail "building $name failed; the whole log is $log"
  fi
  trap - EXIT
  mv "$target.partial" "$target"
  rm -rf "$(dirname "$target")/source"*
  say "built $name in $(minutes $((SECONDS - begun)))"
}

# dependencies NAME: the packages a recipe is made of, one a line; downloads what of their modules is not there.
dependencies() {
  local module package
  read -r _ module package _ <<<"$(recipe "$1")"
  (cd "$tools/build/$module" && "$go" list -deps "$package" 2>/dev/null) || true
}

export GOFLAGS=-mod=mod CGO_ENABLED=0 GOTOOLCHAIN=local
# A third of a compiler's time goes into collecting its garbage: where there is memory, a process has its share of a quarter of it first.
share=$(($(awk '$1 == "MemAvailable:" { print $2 }' /proc/meminfo 2>/dev/null || echo 0) / 1024 / 4 / $(getconf _NPROCESSORS_ONLN)))
[ "$share" -lt 2048 ] || export GOGC=off GOMEMLIMIT="${share}MiB"

[ $# -gt 0 ] || set -- pulumi plugin kubernetes kubectl coredns s3 kubeconform
missing=()
for name in "$@"; do
  [ -n "$(recipe "$name")" ] || fail "no recipe called $name"
  [ -x "$(binary "$name")" ] || missing+=("$name")
done
while [ ${#missing[@]} -gt 0 ]; do
  build "${missing[@]}"
  missing=("${missing[@]:1}")
done
