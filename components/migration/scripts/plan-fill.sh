#!/bin/sh
# Fills the rehearsal's server from the real database, and notes what is there. Run by plan-copy.sh.
# Connects to the real one with CONNECTION_URI or libpq's own variables.
# shellcheck source=components/database/scripts/backup-lib.sh
. "$(dirname "$0")/backup-lib.sh"
umask 022
here=$(dirname "$0")
run=/postgres-app/run/copy
name=$POSTGRES_APP_DATABASE

# on DATABASE COMMAND...: with the rehearsal's server.
on() {
  place=$1
  shift
  env PGHOST=127.0.0.1 PGPORT=5432 PGUSER="$POSTGRES_APP_LOGIN" PGDATABASE="$place" PGPASSWORD='' PGSSLMODE=disable PGSSLROOTCERT='' \
    "$@"
}
sql() { on "$1" psql -X -q -A -t -v ON_ERROR_STOP=1 -v name="$name" "$@"; }
own_image="set ${ARGUMENT_PREFIX}rehearsal.image to the image that the server runs"

connect_for_session
facts=$(query -F '|' -c "SELECT current_setting('server_version_num')::int / 10000, pg_database_size(oid), pg_encoding_to_char(encoding), datcollate, datctype FROM pg_database WHERE datname = current_database()")
IFS='|' read -r major bytes encoding collate ctype <<FACTS
$facts
FACTS
# \conninfo's host, as it was written.
query -c '\echo :HOST' >"$run/host"
client=$(major_of pg_dump)
[ "$major" -le "$client" ] ||
  fail "the server is Postgres $major, and the image for the rehearsal has $client, which cannot copy a newer one: $own_image, or one of version $major"
see_all_rows

# room BYTES WHAT: two thirds of what is reserved, half of what is free.
room() {
  [ "$bytes" -le "$1" ] || fail "the database has $(human "$bytes"), and there is room for a copy of $(human "$1") at most: $2"
}
if [ -n "${STORAGE:-}" ]; then
  room "$((STORAGE * 2 / 3))" "raise ${ARGUMENT_PREFIX}rehearsal.storage"
else
  room "$(($(free /postgres-app/copy) / 2))" "the node's disk is too full; set ${ARGUMENT_PREFIX}rehearsal.storage to reserve some on another node"
fi

# 1. Roles by their names, so that the migration may give them something; settings as the migration's login has them.
query -c "SELECT format('CREATE ROLE %I;', rolname) FROM pg_roles WHERE rolname !~ '^pg_'" >"$scratch/roles"
on postgres psql -X -q -f "$scratch/roles" >/dev/null 2>&1 || true
on postgres psql -X -q -c 'CREATE DATABASE postgres_app' 2>"$said" || fail "$(cat "$said")"
create() {
  sql postgres_app -v encoding="$encoding" -v collate="$1" -v ctype="$2" 2>"$said" <<'SQL'
DROP DATABASE IF EXISTS :"name";
CREATE DATABASE :"name" TEMPLATE template0 ENCODING :'encoding' LC_COLLATE :'collate' LC_CTYPE :'ctype';
SQL
}
create "$collate" "$ctype" || {
  echo "the image has not the locale $collate: the copy sorts by bytes ($(head -n 1 "$said"))"
  create C C || fail "$(cat "$said")"
}
query -v name="$name" -f "$here/plan-defaults.sql" >"$scratch/settings"
on postgres_app psql -X -q -f "$scratch/settings" >/dev/null 2>&1 || true

# 2. The data, past any file.
doing=copying
progress() { echo "copying: $(sql postgres_app -c "SELECT pg_size_pretty(pg_database_size('$(printf '%s' "$name" | sed "s/'/''/g")'))") of $(human "$bytes"), $(elapsed)"; }
whole=dbname=\'$(printf '%s' "$name" | sed "s/[\\\\']/\\\\&/g")\'
transfer() {
  {
    pg_dump --format=custom --compress=0 --no-password --no-owner --no-acl --no-publications --no-subscriptions \
      ${dump_as:+"--role=$dump_as"} ${CONNECTION_URI:+-d "$CONNECTION_URI"} || : >"$scratch/not-dumped"
  } | on "$name" pg_restore --no-password --no-owner --no-acl --exit-on-error --dbname="$whole" && [ ! -e "$scratch/not-dumped" ]
}
attended transfer || {
  ! disk_full || fail "the disk for the copy is full: raise ${ARGUMENT_PREFIX}rehearsal.storage"
  ! grep -q -E 'extension .* is not available|extension control file|shared_preload_libraries' "$said" ||
    fail "the copy cannot be made, because the image for the rehearsal lacks an extension (see above): $own_image"
  ! grep -q 'permission denied' "$said" ||
    fail "the database holds something that the migration's login may not read (see above): give it to the role that owns the database (ALTER … OWNER TO)"
  tail -n 5 "$said"
  fail "the copy cannot be made: the lines above say why"
}
took=$(elapsed)
doing=analyzing
attended on "$name" psql -X -q -c 'SET client_min_messages = error' -c ANALYZE || fail "the copy cannot be analyzed: see above"
echo "copied $(human "$bytes") in $took" | tee "$run/copied"

# 3. What is there before the migration, beside the copy, so that nothing of ours is in it but what notes DDL.
sql postgres_app -c 'CREATE TABLE snapshot (moment text, kind text, fact jsonb); CREATE TABLE held (at timestamptz, relid oid, reads boolean); CREATE TABLE noted (line text)'
sql "$name" -v moment=before -f "$here/plan-snapshot.sql" >"$scratch/before"
sql postgres_app -c 'COPY snapshot FROM STDIN' <"$scratch/before"
sql "$name" -f "$here/plan-note.sql"
