# shellcheck shell=bash disable=SC2154 # sourced by build.sh, which sets $folder, $work and others
# The S3 server of the tests, which says itself what it is; over a Debian for those who want to look at its files.
"$tools/build.sh" s3
install -D "$("$tools/build.sh" --path s3)" "$folder/usr/local/bin/s3"
mkdir "$folder/data"
