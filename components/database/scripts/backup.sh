#!/bin/sh
# Writes a backup of the database into $FOLDER, and removes the ones that are older than $RETENTION_DAYS; with $UPLOAD the folder is
# only a station, and upload.sh goes on. $LABEL, such as the name of the Job that the backup is for, becomes a part of its name.
# `backup.sh check` finds out whether it could, and leaves nothing.
# Connects with CONNECTION_URI or libpq's own variables.
# Needs sh, psql, pg_dump, pg_restore and what both coreutils and busybox have.
# shellcheck source=components/database/scripts/backup-lib.sh
. "$(dirname "$0")/backup-lib.sh"

begun=$(date +%s)
partial=''
tidy() { [ -z "$partial" ] || rm -f "$partial" "${partial%.partial}.sha256"; }

case ${LABEL:-} in
  *[!a-z0-9-]*) fail "$LABEL cannot be a part of a backup's name: use lower-case letters, digits and \"-\" only" ;;
esac
connect_for_session
facts=$(query -F ' ' -c "SELECT $file_name_sql, current_setting('server_version_num')::int / 10000,
  pg_database_size(current_database()), current_setting('server_version')")
read -r database major bytes version <<FACTS
$facts
FACTS
client=$(major_of pg_dump)
[ "$major" -le "$client" ] ||
  fail "the server is Postgres $major, and pg_dump of this image is $client, which refuses a newer server: set $(programs_of "$major")"
see_all_rows
writable "$FOLDER" ||
  fail "$WHERE cannot be written by uid $(id -u): give the folder to this user or group, or name another in $destination_argument"
if [ "${1:-}" = check ]; then
  if [ -z "${UPLOAD:-}" ]; then
    tried() {
      partial=$(mktemp "$FOLDER/.postgres-app-check.XXXXXX") && echo "$database" >"$partial" &&
        find "$FOLDER" -maxdepth 1 -name "${partial##*/}" | grep -q . && [ "$(cat "$partial")" = "$database" ] && rm "$partial"
    }
    tried ||
      fail "a file in $WHERE cannot be written, found, read and removed again, so no backup could be: the lines above say why; correct the volume, or name another in $destination_argument"
    echo "files in $WHERE can be written, listed, read and removed"
  fi
  finished "pg_dump $client can back up database $database of Postgres $version, and pg_restore bring it back"
  exit 0
fi

# remove NAMES WHY: files of the folder, a line each.
remove() {
  for each in $1; do
    rm -f "$FOLDER/$each"
    echo "removed $each: $2"
  done
}
remove "$(find "$FOLDER" -maxdepth 1 -type f | sed 's|.*/||' | unfinished "$database")" "left by a run that was cut off"
echo "backing up database $database ($(human "$bytes")) of Postgres $version to $WHERE, $(human "$(free "$FOLDER")") free"

# 1. Dump, under a name that is no backup's.
until name=$database-$(date -u +%Y%m%dT%H%M%SZ)${LABEL:+.$LABEL}.dump && [ ! -e "$FOLDER/$name" ] && [ ! -e "$FOLDER/$name.partial" ]; do
  sleep 1 # another run began in the same second
done
(set -C && : >"$FOLDER/$name.partial") || fail "$FOLDER/$name.partial cannot be made: see the line above"
partial=$FOLDER/$name.partial

progress() { echo "$doing: $(human "$(size "$partial")") so far, $(elapsed)"; }
full() {
  fail "the disk is full: the dump took $(human "$(size "$partial")") of $WHERE and was removed again; make the volume larger, or shorten backups.retention"
}

doing=dumping
attended pg_dump --format=custom --no-password ${dump_as:+"--role=$dump_as"} ${CONNECTION_URI:+-d "$CONNECTION_URI"} --file="$partial" || {
  ! disk_full || full
  ! grep -q 'permission denied' "$said" ||
    fail "the database holds something that its login may not read (see above): give it to the role that owns the database (ALTER … OWNER TO)"
  fail "pg_dump failed, and nothing was kept: the lines above say why"
}

# 2. Read it to its end: the list of contents alone says nothing about the data behind it. Its checksum is computed beside that: both read
# at much the same place, so the disk is read once.
verification() {
  sha256sum "$partial" &
  pg_restore --file=/dev/null "$partial" && wait $!
}
doing=verifying
attended verification || fail "the dump cannot be read back and was removed: check the disk of $WHERE"
read -r sum _ <"$scratch/out"

# 3. The name that counts comes last.
(echo "$sum  $name" >"$FOLDER/$name.sha256") 2>"$said" || { cat "$said" >&2 && full; }
bytes=$(size "$partial")
sync -f "$FOLDER" 2>/dev/null || sync
mv "$partial" "$FOLDER/$name"
partial=''
sync -f "$FOLDER" 2>/dev/null || sync
seconds=$(($(date +%s) - begun))

if [ -n "${UPLOAD:-}" ]; then
  echo "$begun" >"$FOLDER/begun"
  echo "dumped $name: $(human "$bytes") in $seconds s, sha256 $sum"
  exit 0
fi
echo "wrote $name: $(human "$bytes") in $seconds s, sha256 $sum"

# 4. What is older goes.
remove "$(find "$FOLDER" -maxdepth 1 -type f | sed 's|.*/||' | expired "$database" "$name")" "older than $RETENTION_DAYS days"
finished "backup=$name bytes=$bytes sha256=$sum seconds=$seconds"
