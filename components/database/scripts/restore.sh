#!/bin/sh
# Fills an empty database from a backup: `restore.sh` with one that is in $FOLDER; `restore.sh check` only looks at the database, so
# that nothing is downloaded in vain. Safe to run again: the database remembers which backup it is from (mark.sql).
# `restore.sh replace` brings a database that holds things back to $BACKUP; `restore.sh replace check` comes before fetch.sh.
# All of it within $TIMEOUT_SECONDS, or nothing.
# Connects with CONNECTION_URI or libpq's own variables, as the role that owns the database.
# Needs sh, psql, pg_restore and what both coreutils and busybox have.
# shellcheck source=components/database/scripts/backup-lib.sh
. "$(dirname "$0")/backup-lib.sh"

# shellcheck disable=SC2034 # for transaction.sh
begun=$(date +%s)
: "${TIMEOUT_SECONDS:=3600}"
here=$(dirname "$0")
replace='' check=''
for word in "$@"; do
  case $word in
    replace) replace=true ;;
    check) check=true ;;
    *) fail "no argument $word: use replace, check, both or none" ;;
  esac
done
[ -z "$replace" ] || [ -n "${BACKUP:-}" ] ||
  fail "a database that holds things is brought back to a backup that is named only: set $backup_argument"
# shellcheck source=components/database/scripts/transaction.sh
. "$here/transaction.sh"

connect_for_session
facts=$(query -F ' ' -c "SELECT $file_name_sql, current_setting('server_version_num')::int / 10000")
read -r database major <<FACTS
$facts
FACTS

# 1. Only an empty database is filled, unless it is to be brought back. That leaves the mark as it is: with it a program's restoreFrom
# is compared, which says what the database was filled from in the beginning.
contents() { query -f "$here/made.sql" -f "$here/contents.sql"; }
found=''
[ -n "$replace" ] || found=$(contents)
from=$(query -f "$here/marked.sql")
if [ -n "$found" ]; then
  count=$(printf '%s\n' "$found" | grep -c '')
  [ -n "$from" ] ||
    fail "database $database is not empty ($(printf '%s\n' "$found" | head -n 3 | tr '\n' ',' | sed 's/,$//; s/,/, /g'); objects in all: $count), and nothing was changed: remove restoreFrom to keep what it holds, or back it up and empty it first"
  [ -z "${BACKUP:-}" ] || meant "$from" ||
    fail "database $database was filled from $from, and nothing was changed: set restoreFrom.backup back to it or remove restoreFrom; $BACKUP would need an empty database"
  if [ -n "$check" ]; then : >"$FOLDER/restored"; else query -f "$here/large-objects.sql"; fi
  echo "database $database is restored already"
  finished "restored=$from"
  exit 0
fi
if [ -n "$check" ]; then
  echo "$database" >"$FOLDER/database"
  [ -n "$replace" ] || echo "database $database of Postgres $major is empty"
  exit 0
fi

# failed STATE: of the database.
failed() {
  [ -z "$missing" ] ||
    fail "the restore failed, and the database is $1; if the lines above miss something of an extension, add it to database.extensions:$missing"
  fail "the restore failed, and the database is $1: the lines above say why"
}

# 2. The backup, if it is whole.
readable "$FOLDER" || fail "$WHERE cannot be read by uid $(id -u): give the folder to this user or group"
if [ -n "${FETCHED:-}" ]; then
  read -r name <"$FOLDER/chosen"
else
  find "$FOLDER" -maxdepth 1 -type f -exec stat -c '%s %n' {} + | sed -E 's|^([0-9]+) .*/|\1 |' >"$scratch/list"
  choose "$scratch/list" "$database"
fi
dump=$FOLDER/$name
readable "$dump" "$dump.sha256" || fail "$name in $WHERE cannot be read by uid $(id -u): give it to this user or group"
echo "restoring database $database from $name ($(human "$(size "$dump")"))"

doing=verifying
attended sha256sum "$dump" || fail "$name cannot be read: check the disk of $WHERE"
read -r sum _ <"$scratch/out"
read -r right _ <"$dump.sha256"
[ "$sum" = "$right" ] ||
  fail "$name is damaged (sha256 $sum instead of $right), and nothing was changed: name an older backup in $backup_argument"

# 3. What to leave out: extensions that are there already or take an administrator, and what belongs to servers rather than data.
pg_restore --list "$dump" >"$scratch/list" 2>"$said" || {
  cat "$said" >&2
  ! grep -q 'unsupported version' "$said" ||
    fail "$name was made by a newer pg_dump than this image's pg_restore, $(major_of pg_restore): set $(programs_of "that version")"
  fail "$name cannot be read: name an older backup in $backup_argument"
}
query -f "$here/leave-out.sql" >"$scratch/left-out"
query -c "SELECT extname FROM pg_extension" >"$scratch/extensions"
# Without superuser's rights, a database's owner can make those that are marked as trusted; before Postgres 13 none is.
query -c "SELECT name FROM pg_available_extension_versions v WHERE to_jsonb(v) ->> 'trusted' = 'true'" >"$scratch/trusted"
missing=''
sed -n -E 's/^[0-9]+; [0-9]+ [0-9]+ EXTENSION - (.*) [^ ]*$/\1/p' "$scratch/list" >"$scratch/needed"
while read -r extension; do
  if ! grep -q -x -F -e "$extension" "$scratch/extensions"; then
    ! grep -q -x -F -e "$extension" "$scratch/trusted" || continue
    missing="$missing $extension"
  fi
  echo " EXTENSION - $extension " >>"$scratch/left-out"
done <"$scratch/needed"
if [ -n "$replace" ]; then
  stay=$(query -c "SELECT extname FROM pg_extension WHERE oid >= 16384" | { grep -v -x -F -f "$scratch/needed" || true; } | tr '\n' ' ')
  [ -z "$stay" ] || echo "extensions that the backup does not have stay, so what makes them needs IF NOT EXISTS: ${stay% }"
fi
[ -z "$missing" ] || echo "left out: extensions that the database does not have:$missing"
entry='^[0-9]+; [0-9]+ [0-9]+ '
foreign="$entry(COMMENT - EXTENSION |(COMMENT - )?(EVENT TRIGGER|PUBLICATION|SUBSCRIPTION) )"
[ -n "$replace" ] || # where they are as they were
  grep -E "$foreign" "$scratch/list" | grep -v 'COMMENT - ' | sed -E "s/$entry/left out, for an administrator to make: /" || true
grep -v -E "$foreign" "$scratch/list" | { grep -v -F -f "$scratch/left-out" || true; } >"$scratch/restored"

# 4. All or nothing.
progress() { echo "restoring: $(query -c 'SELECT pg_size_pretty(pg_database_size(current_database()))') in the database, $(elapsed)"; }
transact
took=$(elapsed)
query -f "$here/large-objects.sql" # not in the transaction: each takes a lock, of which a server has a limited number

progress() { echo "analyzing, $(elapsed)"; }
attended query -c 'SET statement_timeout = 0' -c 'SET client_min_messages = error' -c ANALYZE || echo "ANALYZE failed: Postgres will do it by itself"
echo "restored database $database from $name in $took"
finished "restored=$name"
