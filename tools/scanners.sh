#!/usr/bin/env bash
# Installs what the tests look at manifests with, into the cache: kubeconform from its Go module, checkov from PyPI. And for NIGHTLY what
# runs alerts, measures pods and enforces network policies there: promtool, metrics-server and kube-router.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

checkov=3.3.30

mkdir -p "$cache/bin"
for program in kubeconform ${NIGHTLY:+promtool metrics-server kube-router}; do
  "$tools/build.sh" "$program"
  ln -sfn "$("$tools/build.sh" --path "$program")" "$cache/bin/$program"
done

venv=$cache/checkov-$checkov
if [ ! -e "$venv/complete" ]; then
  say "installing checkov $checkov from PyPI into the cache: about $(minutes 95)"
  rm -rf "$cache"/checkov-*
  python3 -m venv "$venv" >&2
  "$venv/bin/pip" install --quiet --disable-pip-version-check "checkov==$checkov" >&2
  touch "$venv/complete"
fi
ln -sfn "$venv/bin/checkov" "$cache/bin/checkov"
