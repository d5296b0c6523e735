# shellcheck shell=bash disable=SC2154 # sourced by build.sh, which sets $folder, $work and others
# The app, with the files of this version laid over it.
mkdir -p "$folder/app"
tar -c -C "$app" --exclude-from="$app/.dockerignore" --exclude=./versions . | tar -x -C "$folder/app" --no-same-owner
version=$app/versions/${layer#notes-}
[ ! -d "$version" ] || cp -R "$version/." "$folder/app"
chmod -R u=rwX,go=rX "$folder/app"
