# shellcheck shell=bash disable=SC2154 # sourced by build.sh, which sets $folder, $work and others
# rclone of Debian. The official image is an Alpine's: there sh, date and the others are busybox's, so they are here, lest a script that
# works only with GNU's passes.
install_debian "$folder" rclone ca-certificates busybox
for command in $(chroot "$folder" busybox --list); do ln -s /usr/bin/busybox "$folder/usr/local/bin/$command"; done
ln -sf busybox "$folder/usr/bin/sh"
mkdir "$folder/data"
clean_debian "$folder"
