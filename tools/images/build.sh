#!/usr/bin/env bash
# Builds the layers of the local cluster's images, which has no registry to pull from: each an archive in the cache under a key of
# its recipe and sources, so that none is built twice, and what images have in common is there once.
# build.sh [NAME...]: those missing of the named images (default: all).
source "$(dirname "${BASH_SOURCE[0]}")/images.sh"

# Seconds that building it took on two cores.
usual() {
  case $1 in
    base-*) echo 45 ;;
    label-studio-*) echo 90 ;;
    miniflux-*) echo 75 ;; # of which it takes none when tools/build.sh has built the program
    n8n-*) echo 240 ;;
    strapi-*) echo 180 ;;
    unleash-*) echo 45 ;;
    s3) echo 115 ;; # of which it takes none when tools/build.sh has built the program
    postgres-* | rails) echo 30 ;;
    node | node-* | notes-modules | rclone | pgbouncer) echo 15 ;;
    *) echo 2 ;;
  esac
}

# --- for the recipes, which are sourced with $folder (to be filled), $work (to be used up) and $layer (their name) ---

# The machine's own Debian mirror, as apt knows it, which has every release of Debian, not only the machine's; debootstrap has one of
# its own for machines that are not Debian.
mirror() {
  # shellcheck disable=SC2016 # for apt-get to fill in
  apt-get indextargets --format '$(LABEL) $(COMPONENT) $(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
    awk '$1 == "Debian" && $2 == "main" { print $3; exit }'
}

# The proxy that apt uses, for programs that ask the environment.
with_proxy() (
  eval "$(apt-config shell http_proxy Acquire::http::Proxy https_proxy Acquire::https::Proxy)"
  export ${http_proxy+http_proxy} ${https_proxy+https_proxy}
  "$@"
)

# A mount namespace of its own: what is mounted in there is gone when the command is.
unmounted() { unshare --mount --propagation private "$@"; }

# bootstrap RELEASE FOLDER
bootstrap() {
  local from
  from=$(mirror)
  with_proxy unmounted debootstrap --variant=minbase "$1" "$2" ${from:+"$from"} >&2
}

# install_debian FOLDER PACKAGE...: in a root file system made by bootstrap.
install_debian() {
  local folder=$1
  shift
  printf '#!/bin/sh\nexit 101\n' >"$folder/usr/sbin/policy-rc.d"
  chmod +x "$folder/usr/sbin/policy-rc.d"
  cp -L /etc/resolv.conf "$folder/etc/resolv.conf"
  # The archive of authorities is needed only where the mirror is an https one, and only now.
  cp -L /etc/ssl/certs/ca-certificates.crt "$folder/tmp/authorities.crt" 2>/dev/null || true
  # shellcheck disable=SC2016 # for the shell inside
  with_proxy unmounted sh -eu -c '
    folder=$1
    shift
    mount -t proc proc "$folder/proc"
    export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8
    chroot "$folder" apt-get -qq -o Acquire::https::CaInfo=/tmp/authorities.crt update
    chroot "$folder" apt-get -qq -o Acquire::https::CaInfo=/tmp/authorities.crt -o Dpkg::Use-Pty=0 -o Dpkg::Options::=--force-confold \
      install -y --no-install-recommends "$@"
  ' sh "$folder" "$@" >&2
  rm "$folder/usr/sbin/policy-rc.d" "$folder/etc/resolv.conf"
}

# in_debian FOLDER COMMAND...: with the network, and with the settings that pip has here.
in_debian() {
  local folder=$1 index
  shift
  index=$(pip config get global.index-url 2>/dev/null || true)
  cp -L /etc/resolv.conf "$folder/etc/resolv.conf"
  cp -L /etc/ssl/certs/ca-certificates.crt "$folder/tmp/authorities.crt"
  # shellcheck disable=SC2016 # for the shell inside
  with_proxy env LC_ALL=C.UTF-8 {PIP_CERT,REQUESTS_CA_BUNDLE,SSL_CERT_FILE}=/tmp/authorities.crt ${index:+PIP_INDEX_URL="$index"} \
    unshare --mount --propagation private sh -eu -c 'mount -t proc proc "$1/proc"; exec chroot "$@"' sh "$folder" "$@" >&2
  rm "$folder/etc/resolv.conf"
}

# What building a Debian leaves and running one does not need.
clean_debian() {
  rm -rf "$1"/var/cache/apt/* "$1"/var/cache/debconf/*-old "$1"/var/lib/apt/lists/* "$1"/var/log/* "$1"/tmp/* "$1"/etc/hostname
}

# npm_unpack PACKAGE FOLDER: what the package holds; nothing of it is run.
npm_unpack() {
  local archive
  mkdir -p "$2"
  archive=$(cd "$work" && npm pack --silent "$1")
  tar -xzf "$work/$archive" -C "$2" --strip-components=1 --no-same-owner
  rm "$work/$archive"
}

# npm_install DAY PACKAGE...: into $work/node_modules, with all that they need as it was on that day; nothing of it is run. This machine's
# npm does for the image too, as nothing is compiled for this machine's Node.
npm_install() {
  (cd "$work" && npm install --before "$1" --omit dev --ignore-scripts --no-save --no-package-lock --no-audit --no-fund "${@:2}")
}

# slim_modules FOLDER: without what tells developers about the code, which is up to half of the files.
slim_modules() {
  find "$1" -type f \( -name '*.map' -o -name '*.d.ts' -o -name '*.d.mts' -o -name '*.d.cts' -o -iname 'readme*' -o -iname 'changelog*' \) -delete
  chmod -R u=rwX,go=rX "$1"
  chown -R 0:0 "$1"
}

# --- building ---

# below LAYER: the archives of the layers that it changes; only such a one is built over them.
below() {
  case $1 in
    postgres-15 | label-studio-*) layer_path base-bookworm ;;
    postgres-17 | rclone | rails) layer_path base-trixie ;;
    pgbouncer) layer_path base-trixie && layer_path postgres-17 ;;
  esac
}

build_layer() (
  layer=$1
  path=$(layer_path "$layer")
  [ ! -e "$path" ] || exit 0
  say "building the layer $layer: about $(minutes "$(usual "$layer")")"
  work=$(mktemp -d "$images/work.XXXXXX")
  trap 'rm -rf --one-file-system "$work"' EXIT
  folder=$work/root
  mkdir -m 0755 "$folder"
  mapfile -t under < <(below "$layer")
  for each in "${under[@]}"; do tar -xpf "$each" -C "$folder" --numeric-owner; done
  # In the background, because a shell whose failure is asked for (by || or if) would go on after one.
  # shellcheck source=/dev/null
  (source "$(recipe "$layer")") >"$images/logs/$layer.log" 2>&1 &
  wait $! || {
    tail -n 20 "$images/logs/$layer.log" >&2
    fail "building the layer $layer failed; the whole log is $images/logs/$layer.log"
  }
  python3 "$here/image.py" layer "$folder" "$work/layer.tar" "${under[@]}"
  mv "$work/layer.tar" "$path"
  remove_superseded "$path"
  say "built the layer $layer ($(du -m "$path" | cut -f1) MB)"
)

# Layers of the same name under other keys are of no more use.
remove_superseded() {
  find "$images/layers" -name "$(basename "${1%-*}")-????????????????.tar" ! -path "$1" -delete
}

# shellcheck disable=SC2046,SC2086 # one word each
if [ $# -gt 0 ]; then set -- $(named "$@"); else set -- $names; fi
umask 022
mkdir -p "$images/layers" "$images/logs"
exec 8>"$images/lock"
flock --wait 900 8 || fail "another build of images has been at work for 15 minutes (lock: $images/lock)"
for name in "$@"; do
  tag "$name" >/dev/null
  for layer in $(layers "$name"); do build_layer "$layer"; done
done
