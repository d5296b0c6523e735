#!/usr/bin/env bash
# Shared by build.sh and load.sh: what the images are, of which layers, and where those are kept.
# Sourced, never run.

source "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

here=$tools/images
app=$root/examples/notes/app
images=$cache/images
# shellcheck disable=SC2034 # for the scripts that source this file
names='pause postgres-15 postgres-17 rclone s3 notes-1.0.0 notes-1.1.0 notes-1.1.0-broken'

# --- what the images are ---

tag() {
  case $1 in
    pause) echo docker.io/local/pause:1 ;;
    postgres-*) echo "docker.io/library/postgres:${1#postgres-}" ;; # stands in for the official image of that name
    rclone) echo docker.io/rclone/rclone:1 ;;                       # so does this, with the older version that Debian has
    s3) echo docker.io/local/s3:1 ;;
    notes-*) echo "docker.io/local/notes:${1#notes-}" ;;
    *) fail "no image called $1" ;;
  esac
}

# From the lowest to the topmost.
layers() {
  case $1 in
    pause) echo pause ;;
    postgres-15) echo base-bookworm postgres-15 ;;
    postgres-17 | rclone | s3) echo base-trixie "$1" ;;
    notes-*) echo base-bookworm node notes-modules "$1" ;;
  esac
}

config() {
  local path=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
  case $1 in
    pause) echo '{"Entrypoint": ["/pause"]}' ;;
    postgres-*)
      cat <<JSON
{
  "Env": ["PATH=/usr/lib/postgresql/${1#postgres-}/bin:$path", "LANG=C.UTF-8", "PG_MAJOR=${1#postgres-}", "PGDATA=/var/lib/postgresql/data"],
  "Cmd": ["postgres"],
  "ExposedPorts": {"5432/tcp": {}},
  "Volumes": {"/var/lib/postgresql/data": {}},
  "StopSignal": "SIGINT"
}
JSON
      ;;
    rclone) echo '{"Env": ["PATH='$path'", "XDG_CONFIG_HOME=/config"], "Entrypoint": ["rclone"], "WorkingDir": "/data"}' ;;
    s3) echo '{"Env": ["PATH='$path'"], "Entrypoint": ["s3"], "Cmd": ["/data"], "User": "1000:1000", "ExposedPorts": {"9000/tcp": {}}}' ;;
    notes-*)
      cat <<JSON
{
  "Env": ["PATH=/app/node_modules/.bin:$path", "NODE_ENV=production", "APP_VERSION=${1#notes-}"],
  "Cmd": ["node", "server.js"],
  "WorkingDir": "/app",
  "User": "1000:1000",
  "ExposedPorts": {"3000/tcp": {}}
}
JSON
      ;;
  esac
}

# What a layer is made of, besides its recipe: when that changes, it is built again.
inputs() {
  case $1 in
    pause) echo "$here/pause.c" ;;
    postgres-* | rclone) echo "$here/layers/base.sh" ;; # is the difference to it
    s3) echo "$tools/build/s3" ;;
    notes-modules) printf '%s\n' "$app/package.json" "$app/package-lock.json" ;;
    notes-*) echo "$app" ;;
  esac
}

recipe() {
  case $1 in
    base-*) echo "$here/layers/base.sh" ;;
    postgres-*) echo "$here/layers/postgres.sh" ;;
    notes-modules) echo "$here/layers/notes-modules.sh" ;;
    notes-*) echo "$here/layers/notes.sh" ;;
    *) echo "$here/layers/$1.sh" ;;
  esac
}

# --- where they are ---

layer_path() {
  local sources
  mapfile -t sources < <(recipe "$1" && inputs "$1")
  echo "$images/layers/$1-$(content_key "${sources[@]}").tar"
}

# image_key NAME: changes with anything that the image is made of.
image_key() {
  local layer
  {
    tag "$1"
    config "$1"
    for layer in $(layers "$1"); do basename "$(layer_path "$layer")"; done
  } | sha256sum | cut -c1-16
}
