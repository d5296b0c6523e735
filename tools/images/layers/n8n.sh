# shellcheck shell=bash disable=SC2154 # sourced by build.sh, which sets $folder, $work and others
# n8n at the paths of the official image, without its tini and its Python. isolated-vm brings its native part; SQLite's is left out, as
# the database is Postgres.
npm_install 2026-11-01 "n8n@${layer#n8n-}"
mkdir -p "$folder/usr/local/lib" "$folder/usr/local/bin"
mv "$work/node_modules" "$folder/usr/local/lib/node_modules"
slim_modules "$folder/usr/local/lib/node_modules"
ln -s ../lib/node_modules/n8n/bin/n8n "$folder/usr/local/bin/n8n"
printf '#!/bin/sh\nexec n8n "$@"\n' >"$folder/docker-entrypoint.sh"
chmod +x "$folder/docker-entrypoint.sh"
