# shellcheck shell=bash disable=SC2154 # sourced by build.sh, which sets $folder, $work and others
# Miniflux from its Go module, at the path of the official image.
"$tools/build.sh" miniflux
install -D "$("$tools/build.sh" --path miniflux)" "$folder/usr/bin/miniflux"
