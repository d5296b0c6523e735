#!/bin/sh
# Shared by backup.sh, upload.sh, fetch.sh, restore.sh and keys.sh. Sourced, never run. What a backup is:
# <database>-<UTC time>.dump or <database>-<UTC time>.<label>.dump, and beside it <the same>.sha256. One without the other is what a
# run left that was cut off.
# Needs only sh and what both coreutils and busybox have.
set -eu
exec 2>&1 3>&1 # one stream, or a log's last line would not be the last one said
umask 027
export LC_ALL=C PGCLIENTENCODING=UTF8 PGCONNECT_TIMEOUT="${PGCONNECT_TIMEOUT:-15}"

program=$(basename "$0" .sh)
scratch=$(mktemp -d) # in /tmp
said=$scratch/said
child='' ticker=''

explained=''
fail() {
  printf '%s: %s\n' "$program" "$*" >&3
  explained=true
  exit 1
}

# finished LINE: closes the log with a line for machines, and gives it to Kubernetes as the container's message.
finished() {
  printf '%s\n' "$1"
  [ ! -w /dev/termination-log ] || printf '%s\n' "$1" >/dev/termination-log
}

# --- commands that take long ---

# How far the command is. Replaced by scripts that have more to say; those that call what speaks for itself leave $doing empty.
doing=''
progress() { [ -z "$doing" ] || echo "$doing, $(elapsed)"; }
elapsed() { echo "$(($(date +%s) - since)) s"; }

# attended COMMAND...: runs it and says how far it is every 10 s. Its output is in $scratch/out, its complaints in $said too.
attended() {
  since=$(date +%s)
  "$@" >"$scratch/out" 2>"$said" &
  child=$!
  while sleep 10 >/dev/null 2>&1 3>&-; do progress || true; done &
  ticker=$!
  status=0
  wait "$child" || status=$?
  child=''
  kill -9 "$ticker" 2>/dev/null || true # a shell that has just been forked loses a TERM, and would be waited for without end
  wait "$ticker" 2>/dev/null || true
  ticker=''
  cat "$said" >&2
  [ "$status" -ne 137 ] || fail "$1 was killed: most likely it needs more memory than resources.limits allow"
  return "$status"
}

# Replaced by scripts that leave something behind.
tidy() { :; }

ended() {
  code=$?
  if [ -n "$child" ]; then
    kill "$child" 2>/dev/null || true
    (sleep 10 && kill -9 "$child") >/dev/null 2>&1 3>&- &
    wait "$child" 2>/dev/null || true
  fi
  [ -z "$ticker" ] || kill -9 "$ticker" 2>/dev/null || true
  tidy
  rm -rf "$scratch"
  [ "$code" -eq 0 ] || [ -n "$explained" ] || echo "$program: failed: the lines above say why"
}
trap ended EXIT
trap 'fail "stopped before it was done: by its deadline (timeoutSeconds), or because the pod was deleted"' TERM INT HUP

# disk_full: whether the complaint was of our own disk, not of the server's.
disk_full() { grep -E 'No space left on device|[Dd]isk quota exceeded' "$said" | grep -q -v 'ERROR:'; }

# --- files ---

writable() { [ -w "$1" ] && [ -x "$1" ]; } # a folder
readable() {
  for each in "$@"; do
    [ -r "$each" ] || return 1
    [ ! -d "$each" ] || [ -x "$each" ] || return 1
  done
}

human() {
  if [ "$1" -ge 1073741824 ]; then
    tenths "$1" 1073741824 GiB
  elif [ "$1" -ge 1048576 ]; then
    tenths "$1" 1048576 MiB
  else
    tenths "$1" 1024 KiB
  fi
}
tenths() { echo "$(($1 / $2)).$(($1 * 10 / $2 % 10)) $3"; }

size() { stat -c %s "$1"; }

# free FOLDER: bytes.
free() { echo "$(($(df -Pk "$1" | tail -n 1 | sed -E 's/ +/ /g' | cut -d ' ' -f 4) * 1024))"; }

# --- the database ---

# shellcheck source=components/database/scripts/libpq-uri.sh
. "$(dirname "$0")/libpq-uri.sh"
# shellcheck source=components/database/scripts/passing.sh
. "$(dirname "$0")/passing.sh"
# shellcheck source=components/database/scripts/session.sh
. "$(dirname "$0")/session.sh"
libpq_uri || fail "the URI in the Secret $uri_problem"

query() { psql -X -q -A -t -w -v ON_ERROR_STOP=1 ${CONNECTION_URI:+-d "$CONNECTION_URI"} "$@"; }

# reachable SECONDS: one bounded wait for the server, whose name may take a moment to reach every DNS cache. What waiting does not help
# against is not waited for. Why not is in $answer.
reachable() {
  deadline=$(($(date +%s) + $1))
  until answer=$(query -c 'SELECT 1' 2>&1); do
    # libpq shows what it cannot read, with the password in it.
    [ -z "${CONNECTION_URI:-}" ] || case $answer in
      *"$CONNECTION_URI"* | *percent-encoded*)
        answer="the connection's URI cannot be read"
        return 1
        ;;
    esac
    # Of a host's addresses the one that was tried last has the last word.
    passing "${answer##*connection to server at}" && [ "$(date +%s)" -lt "$deadline" ] && in_time || return 1
    sleep 1
  done
}
# Replaced by scripts that may be told to end meanwhile.
in_time() { :; }
connect() {
  reachable "${CONNECT_TIMEOUT_SECONDS:-60}" ||
    fail "no connection to the database${passing:+ within ${CONNECT_TIMEOUT_SECONDS:-60} s}: $answer"
}
# connect_for_session: ... where what is set holds for a session, as pg_dump's search_path does: behind a pooler in transaction mode the
# application would have it next.
direct_host='give the host of the server itself in database.external.directHost (for a MigrationJob by itself: in the Secret of connectionSecretName)'
connect_for_session() {
  connect
  kept query || fail "the connection goes through a pooler in transaction mode, which keeps no session: $direct_host"
}

# A database's name as it stands in names of files: what could mean something to a shell, a store or a pattern is written =<hex>.
# shellcheck disable=SC2034 # for the scripts that source this file
file_name_sql="(SELECT string_agg(CASE WHEN c COLLATE \"C\" ~ '^[A-Za-z0-9_-]\$' THEN c
  ELSE regexp_replace(encode(convert_to(c, 'UTF8'), 'hex'), '(..)', '=\\1', 'g') END, '' ORDER BY n)
  FROM regexp_split_to_table(current_database(), '') WITH ORDINALITY AS letters(c, n))"

# Tables with rows that policies keep from this session (FORCE ROW LEVEL SECURITY does so from their owner too), of those that are dumped.
hidden_sql="SELECT oid FROM pg_class WHERE relkind = 'r' AND relrowsecurity AND row_security_active(oid)
  AND relnamespace NOT IN (SELECT oid FROM pg_namespace WHERE nspname ~ '^pg_' OR nspname = 'information_schema')
  AND NOT EXISTS (SELECT FROM pg_depend JOIN pg_extension ON pg_extension.oid = refobjid
    WHERE classid = 'pg_class'::regclass AND objid = pg_class.oid AND deptype = 'e' AND pg_class.oid <> ALL (coalesce(extconfig, '{}')))"

# see_all_rows: sets $dump_as to a role that the login may act as and that no policy holds for, where that is needed. Without one nothing is
# dumped: pg_dump would fail in the middle.
see_all_rows() {
  dump_as=''
  hidden=$(query -c "SELECT string_agg(oid::regclass::text, ', ') FROM ($hidden_sql) AS hidden")
  [ -n "$hidden" ] || return 0
  dump_as=$(query -c "SELECT rolname FROM pg_roles WHERE (rolbypassrls OR rolsuper) AND pg_has_role(session_user, oid, 'MEMBER')
    AND NOT EXISTS (SELECT FROM ($hidden_sql) AS hidden WHERE NOT has_table_privilege(pg_roles.oid, hidden.oid, 'SELECT'))
    ORDER BY rolsuper, rolname LIMIT 1")
  [ -n "$dump_as" ] || fail "a backup would lack rows of $hidden, because their policies hold for the login itself (row level security, FORCE): let an administrator make a role that sees all rows, which backups find by themselves: $(query -c "SELECT format('CREATE ROLE %I NOLOGIN BYPASSRLS IN ROLE %I; GRANT %1\$I TO %3\$s', left(current_user, 56) || '_backup', current_user,
    (SELECT string_agg(quote_ident(rolname), ', ' ORDER BY rolname) FROM pg_roles WHERE rolname = session_user AND rolname <> current_user
      OR oid IN (SELECT member FROM pg_auth_members WHERE roleid = current_user::regrole)))")"
}

major_of() { "$1" --version | sed 's/[^0-9]*\([0-9]*\).*/\1/'; }

# programs_of MAJOR: which argument to set to what, for Postgres' programs of that version.
programs_of() {
  case ${VERSION_ARGUMENT:-} in
    *mage) echo "$VERSION_ARGUMENT to an image of Postgres $1" ;;
    *) echo "${VERSION_ARGUMENT:-the version of the database} to $1" ;;
  esac
}

# --- the object store ---

# store COMMAND...: rclone, for `attended`. It says itself how far it is, and is told to stop itself.
store() { exec rclone --config= --stats=10s --stats-one-line --stats-log-level=NOTICE "$@" 2>&3; }

# list_store FORMAT: lines of names (p) or sizes and names (sp). 3: there is no such folder, which in a bucket is an empty one.
list_store() {
  code=0
  rclone --config= lsf --files-only --format "$1" --separator ' ' "$remote" 2>"$scratch/complaints" || code=$?
  [ "$code" -eq 0 ] || [ "$code" -eq 3 ] || {
    cat "$scratch/complaints" >&2
    return "$code"
  }
}
if [ -n "${S3_BUCKET:-}" ]; then
  export HOME=/tmp RCLONE_CONTIMEOUT=10s RCLONE_TIMEOUT=60s RCLONE_LOW_LEVEL_RETRIES=5
  # shellcheck disable=SC2034 # for the scripts that source this file
  remote=store:$S3_BUCKET${S3_PREFIX:+/${S3_PREFIX%/}}
fi

# --- names of backups ---

# What follows the database's name. Neither that nor a label has a dot in it.
moment='[0-9]{8}T[0-9]{6}Z'
ending="-$moment(\\.[a-z0-9-]+)?\\.dump"

# Where a person says which one, for messages, and where they are kept.
backup_argument=${BACKUP_ARGUMENT:-restoreFrom.backup}
# shellcheck disable=SC2034 # for the scripts that source this file
destination_argument=${DESTINATION_ARGUMENT:-database.backups.destination}
[ "${BACKUP:-}" != newest ] || BACKUP=''

database_of() {
  stem=${1%%.*}
  echo "${stem%-*}"
}

# time_of NAME: 14 digits.
time_of() {
  time=${1%%Z.*}
  time=${time##*-}
  echo "${time%T*}${time#*T}"
}

# meant NAME: whether $BACKUP, a name with or without .dump or a label, means it.
meant() {
  case $1 in
    "${BACKUP%.dump}.dump" | *"Z.${BACKUP%.dump}.dump") ;;
    *) return 1 ;;
  esac
}

ours() { grep -E "^$1$ending(\.partial|\.sha256)?\$" || true; }

# older_than SECONDS: of the names on standard input those from before.
older_than() {
  limit=$(date -u -d "@$(($(date +%s) - $1))" +%Y%m%d%H%M%S)
  while read -r each; do [ "$(time_of "$each")" -ge "$limit" ] || echo "$each"; done
}

# expired DATABASE KEEP: of the names on standard input the database's that are older than the retention.
expired() { ours "$1" | grep -v -x -F -e "$2" -e "$2.sha256" | older_than "$((RETENTION_DAYS * 86400))"; }

# unfinished DATABASE: of the names on standard input the database's that no run can be working at any more.
unfinished() { ours "$1" | { grep '\.partial$' || true; } | older_than "$((TIMEOUT_SECONDS + 60))"; }

# whole LIST: of a file with lines "<bytes> <name>" the whole backups, newest first, as lines "<UTC time> <bytes> <name>".
whole() {
  cut -d ' ' -f 2- "$1" >"$scratch/names"
  sed -n -E "s/^([0-9]+) (.*-($moment)(\.[a-z0-9-]+)?\.dump)\$/\3 \1 \2/p" "$1" | sort -r | while read -r at of each; do
    ! grep -q -x -F -e "$each.sha256" "$scratch/names" || echo "$at $of $each"
  done
}

# choose LIST DATABASE: sets $name to the backup that $BACKUP means or else the newest, $bytes to its size.
choose() {
  whole "$1" >"$scratch/whole"
  if [ -n "${BACKUP:-}" ]; then
    # A Job that was tried again has left several of its label: the oldest is from before its first try.
    while read -r at of each; do ! meant "$each" || echo "$at $of $each"; done <"$scratch/whole" | sort >"$scratch/meant"
    [ -s "$scratch/meant" ] || {
      show_whole
      fail "there is no backup $BACKUP in $WHERE: set $backup_argument to one of those listed above"
    }
  else
    cp "$scratch/whole" "$scratch/meant"
    [ -s "$scratch/meant" ] ||
      fail "there is no backup in $WHERE: set restoreFrom to where they are (a claim's subPath, a bucket's prefix)"
  fi
  # Of the database of this name, if it has any; else of the only one there is.
  grep -E " $2$ending\$" "$scratch/meant" >"$scratch/chosen" || cp "$scratch/meant" "$scratch/chosen"
  if [ "$(sed -E "s/.* (.*)$ending\$/\1/" "$scratch/chosen" | sort -u | wc -l)" -gt 1 ]; then
    show_whole
    fail "$WHERE has backups of several databases, none of them $2: name one in $backup_argument"
  fi
  # shellcheck disable=SC2034 # for the scripts that source this file
  read -r _ bytes name <"$scratch/chosen"
}

show_whole() {
  count=$(grep -c '' "$scratch/whole" || true)
  echo "backups in $WHERE, newest first ($count$([ "$count" -le 20 ] || echo ', 20 of them shown')):"
  head -n 20 "$scratch/whole" | while read -r _ of each; do echo "  $each  $(human "$of")"; done
}
