#!/usr/bin/env bash
# Loads built images into the cluster's containerd, unless that has them: each carries the key of what it is made of as a label.
# load.sh [--node NODE] [NAME...]: the named images (default: all), into the first node's or another's.
source "$(dirname "${BASH_SOURCE[0]}")/../cluster/common.sh"
# shellcheck source=tools/images/images.sh
source "$tools/images/images.sh"

if [ "${1:-}" = --node ]; then
  of_node "$2"
  shift 2
fi
label=pulumi-postgres-app/key

containerd_images() { ctr --address "$socket" --namespace k8s.io images "$@"; }

# shellcheck disable=SC2046,SC2086 # one word each
if [ $# -gt 0 ]; then set -- $(named "$@"); else set -- $names; fi
there=$(containerd_images list) || fail "containerd does not answer: start the cluster first"
wanted=() archive=()
declare -A keys
for name in "$@"; do
  tag=$(tag "$name")
  keys[$tag]=$label=$(image_key "$name")
  ! grep -qE "^$tag .*[ ,]${keys[$tag]}(,| |\$)" <<<"$there" || continue
  wanted+=("$tag")
  archive+=("$tag" "$(config "$name")")
  for layer in $(layers "$name"); do
    path=$(layer_path "$layer")
    [ -e "$path" ] || fail "the layer $layer of the image $name is not built: run tools/images/build.sh"
    archive+=("$path")
  done
  archive+=(--)
done
[ ${#wanted[@]} -gt 0 ] || exit 0

begun=$SECONDS
say "loading ${wanted[*]}: at most about $(minutes 30)"
python3 "$tools/images/image.py" archive "${archive[@]}" | containerd_images import - >/dev/null
for tag in "${wanted[@]}"; do containerd_images label "$tag" "${keys[$tag]}" >/dev/null; done
say "loaded them in $((SECONDS - begun)) s"
