# shellcheck shell=bash disable=SC2154 # sourced by build.sh, which sets $folder, $work and others
# A project of Strapi's as its guide has one in an image, but without the admin panel, which takes minutes to build.
cp "$fixtures/strapi/package.json" "$work"
npm_install 2026-11-01 # what package.json asks for
mkdir -p "$folder/opt/app/public/uploads"
cp -R "$fixtures/strapi/." "$folder/opt/app"
mv "$work/node_modules" "$folder/opt/app"
slim_modules "$folder/opt/app"
