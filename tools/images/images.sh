#!/usr/bin/env bash
# Shared by build.sh and load.sh: what the images are, of which layers, and where those are kept.
# Sourced, never run.

source "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

here=$tools/images
app=$root/examples/notes/app
images=$cache/images
# shellcheck disable=SC2034 # for the scripts that source this file
names='pause postgres-15 postgres-17 pgbouncer rclone s3 notes-1.0.0 notes-1.1.0 notes-1.1.0-broken'
# Products that there are presets for, whose code comes from registries; only built and loaded where they are named.
products='miniflux-2.3.3 unleash-7.6.5 unleash-8.2.0 n8n-2.41.1 strapi-5.54.0 label-studio-1.23.2'
fixtures=$root/test/fixtures/products

# named NAME...: the images that these are, where a product's name stands for all its versions that are known here.
named() {
  local name each found
  for name in "$@"; do
    found=$name
    for each in $products; do [ "${each%-*}" != "$name" ] || found+=" $each"; done
    found=${found#"$name "}
    echo "$found"
  done
}

# --- what the images are ---

tag() {
  case $1 in
    pause) echo docker.io/local/pause:1 ;;
    postgres-*) echo "docker.io/library/postgres:${1#postgres-}" ;; # stands in for the official image of that name
    rclone) echo docker.io/rclone/rclone:1 ;;                       # so does this, with the older version that Debian has
    s3 | pgbouncer) echo "docker.io/local/$1:1" ;;
    rails) echo docker.io/local/rails:7.2 ;; # built and unpacked by the one test that needs it
    notes-*) echo "docker.io/local/notes:${1#notes-}" ;;
    # These stand in for the official images too: what registries have of the products, where those have it.
    miniflux-*) echo "docker.io/miniflux/miniflux:${1##*-}" ;;
    unleash-*) echo "docker.io/unleashorg/unleash-server:${1##*-}" ;;
    n8n-*) echo "docker.io/n8nio/n8n:${1##*-}" ;;
    label-studio-*) echo "docker.io/heartexlabs/label-studio:${1##*-}" ;;
    strapi-*) echo "docker.io/local/strapi:${1##*-}" ;; # there is no official one
    *) fail "no image called $1" ;;
  esac
}

# From the lowest to the topmost.
layers() {
  case $1 in
    pause) echo pause ;;
    postgres-15) echo base-bookworm postgres-15 ;;
    postgres-17 | rclone | s3 | rails) echo base-trixie "$1" ;;
    pgbouncer) echo base-trixie postgres-17 pgbouncer ;;
    notes-*) echo base-bookworm node notes-modules "$1" ;;
    miniflux-* | label-studio-*) echo base-bookworm "$1" ;;
    unleash-* | strapi-*) echo base-bookworm node "$1" ;;
    n8n-*) echo base-bookworm node-24 "$1" ;;
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
    pgbouncer) echo '{"Env": ["PATH='$path'"], "Entrypoint": ["pgbouncer"], "User": "1000:1000", "ExposedPorts": {"6432/tcp": {}}}' ;;
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
    miniflux-*)
      cat <<JSON
{
  "Env": ["PATH=$path", "LISTEN_ADDR=0.0.0.0:8080"],
  "Cmd": ["/usr/bin/miniflux"],
  "User": "65534",
  "ExposedPorts": {"8080/tcp": {}}
}
JSON
      ;;
    unleash-*)
      cat <<JSON
{
  "Env": ["PATH=$path", "NODE_ENV=production", "TZ=UTC"],
  "Cmd": ["node", "dist/server.js"],
  "WorkingDir": "/unleash",
  "User": "node",
  "ExposedPorts": {"4242/tcp": {}}
}
JSON
      ;;
    n8n-*)
      cat <<JSON
{
  "Env": ["PATH=$path", "NODE_ENV=production", "N8N_RELEASE_TYPE=stable", "SHELL=/bin/sh"],
  "Entrypoint": ["/docker-entrypoint.sh"],
  "WorkingDir": "/home/node",
  "User": "node",
  "ExposedPorts": {"5678/tcp": {}}
}
JSON
      ;;
    strapi-*)
      cat <<JSON
{
  "Env": ["PATH=/opt/app/node_modules/.bin:$path", "NODE_ENV=production"],
  "Cmd": ["strapi", "start"],
  "WorkingDir": "/opt/app",
  "User": "1000:1000",
  "ExposedPorts": {"1337/tcp": {}}
}
JSON
      ;;
    label-studio-*)
      cat <<JSON
{
  "Env": [
    "PATH=/label-studio/.venv/bin:$path", "LS_DIR=/label-studio", "HOME=/label-studio", "OPT_DIR=/opt/heartex/instance-data/etc",
    "LABEL_STUDIO_BASE_DATA_DIR=/label-studio/data", "DJANGO_SETTINGS_MODULE=core.settings.label_studio", "PYTHONUNBUFFERED=1"
  ],
  "Entrypoint": ["./deploy/docker-entrypoint.sh"],
  "Cmd": ["label-studio"],
  "WorkingDir": "/label-studio",
  "User": "1001",
  "ExposedPorts": {"8080/tcp": {}}
}
JSON
      ;;
  esac
}

# What a layer is made of, besides its recipe: when that changes, it is built again.
inputs() {
  case $1 in
    pause) echo "$here/pause.c" ;;
    postgres-* | rclone | rails) echo "$here/layers/base.sh" ;; # is the difference to it
    pgbouncer) printf '%s\n' "$here"/layers/{base,postgres}.sh ;; # to both
    s3) echo "$tools/build/s3" ;;
    miniflux-*) echo "$tools/build/miniflux" ;;
    notes-modules) printf '%s\n' "$app/package.json" "$app/package-lock.json" ;;
    notes-*) echo "$app" ;;
    strapi-* | label-studio-*) echo "$fixtures/${1%-*}" ;;
  esac
}

recipe() {
  case $1 in
    base-*) echo "$here/layers/base.sh" ;;
    postgres-*) echo "$here/layers/postgres.sh" ;;
    notes-modules) echo "$here/layers/notes-modules.sh" ;;
    notes-*) echo "$here/layers/notes.sh" ;;
    node | node-*) echo "$here/layers/node.sh" ;;
    miniflux-* | unleash-* | n8n-* | strapi-* | label-studio-*) echo "$here/layers/${1%-*}.sh" ;;
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
