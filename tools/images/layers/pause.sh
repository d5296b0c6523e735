# shellcheck shell=bash disable=SC2154 # sourced by build.sh, which sets $folder, $work and others
# What a pod's first container runs.
gcc -static -Os -s -o "$folder/pause" "$tools/images/pause.c"
