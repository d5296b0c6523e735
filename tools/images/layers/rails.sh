# shellcheck shell=bash disable=SC2154 # sourced by build.sh, which sets $folder, $work and others
# Active Record with its tasks, of Debian: the tool of products that cannot be had here themselves. It is no image that runs in the cluster.
install_debian "$folder" ruby-railties ruby-activerecord ruby-pg ruby-bundler rake
clean_debian "$folder"
