# shellcheck shell=bash disable=SC2154 # sourced by build.sh, which sets $folder, $work and others
# What the app depends on, from its lock file. None of it is compiled, so that this machine's npm does for the image too.
mkdir -p "$folder/app"
cp "$app/package.json" "$app/package-lock.json" "$work"
(cd "$work" && npm ci --omit=dev --ignore-scripts --no-audit --no-fund)
mv "$work/node_modules" "$folder/app/node_modules"
chown -R 0:0 "$folder/app"
