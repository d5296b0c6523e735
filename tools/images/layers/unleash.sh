# shellcheck shell=bash disable=SC2154 # sourced by build.sh, which sets $folder, $work and others
# Unleash in the layout of the official image: the package itself is the working directory.
npm_install 2026-11-01 "unleash-server@${layer#unleash-}"
mkdir "$folder/unleash"
mv "$work"/node_modules/unleash-server/* "$folder/unleash"
mv "$work/node_modules" "$folder/unleash/node_modules"
slim_modules "$folder/unleash"
