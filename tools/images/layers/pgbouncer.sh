# shellcheck shell=bash disable=SC2154 # sourced by build.sh, which sets $folder, $work and others
# PgBouncer of Debian, for tests. Over the layer of a Postgres, which has most of what its package depends on.
install_debian "$folder" pgbouncer
rm -rf "$folder"/usr/share/{doc,man}/pgbouncer*
clean_debian "$folder"
