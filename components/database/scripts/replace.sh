#!/bin/sh
# Sourced by restore.sh: brings the database back to the backup $dump although it holds things. In one transaction: while it lasts
# nobody else can use the tables, and who waited for them finds the former content.
# shellcheck disable=SC2154 # what restore.sh has set

# How long to wait for a table that is in use, because everybody who comes later waits behind it.
lock_seconds=$((TIMEOUT_SECONDS < 60 ? (TIMEOUT_SECONDS + 1) / 2 : 30))

# All that psql is to do. If pg_restore fails or is killed the end is missing, and the server undoes what there was.
statements() {
  echo 'BEGIN;'
  cat "$here/made.sql" "$here/replace.sql"
  # Which keys the data is written with (keys.sql) stays as recorded, unless the backup has a record of its own.
  ! grep -q ' TABLE postgres_app keys ' "$scratch/restored" || echo 'DROP TABLE IF EXISTS postgres_app.keys;'
  content objects --no-acl &&
    { content blobs && echo 'DELETE FROM unfinished;'; } | sed -e '/^BEGIN;$/d' -e '/^COMMIT;$/d' &&
    printf '%s\n' '\set ON_ERROR_STOP off' '\set ON_ERROR_ROLLBACK on' &&
    content links &&
    printf '%s\n' '\set ON_ERROR_STOP on' 'COMMIT;' '\echo committed'
}

# content LIST OPTION...: SQL for a list of the backup's entries.
content() {
  entries=$scratch/$1
  shift
  [ ! -s "$entries" ] || pg_restore --file=- --no-owner "$@" --use-list="$entries" "$dump"
}

# For `attended`, whose child has to be psql itself (or timeout, which passes on what it is told): psql alone, left behind, would go on.
replace() {
  mkfifo "$scratch/statements"
  exec 4<>"$scratch/statements" # both ends at once, so that opening them waits for nobody
  exec 5<"$scratch/statements"
  exec 6>"$scratch/statements" 4>&-
  rm "$scratch/statements"
  # By exec, because a shell keeps what it redirects for a function alone, and a reading end that is kept would never let it end.
  {
    exec >&6 3>&- 5<&- 6>&-
    statements
  } &
  exec timeout "$((begun + TIMEOUT_SECONDS - $(date +%s)))" \
    psql -X -q -A -t -w -v ON_ERROR_STOP=1 ${CONNECTION_URI:+-d "$CONNECTION_URI"} \
    -v lock_timeout="${lock_seconds}s" -f - <&5 5<&- 6>&-
}

# Prints how the transaction has ended, also when the connection was lost before the answer came.
outcome() {
  [ "$(tail -n 1 "$scratch/out")" != committed ] || { echo committed && return; }
  transaction=$(sed -n 's/^transaction //p' "$scratch/out")
  [ -n "$transaction" ] || { echo aborted && return; }
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    status_of_it=$(query -c "SELECT txid_status($transaction)") || return 0
    [ "$status_of_it" = 'in progress' ] || break
    sleep 1 # the server has not noticed yet that nobody is there
  done
  echo "$status_of_it"
}

# Who is in the way, if it can still be seen.
blockers() {
  query -f "$here/made.sql" -f "$here/blockers.sql" >"$scratch/blockers" || true
  if [ -s "$scratch/blockers" ]; then
    echo " by $(head -n 3 "$scratch/blockers" | tr '\n' ';' | sed 's/;$//; s/;/; /g') (sessions in all: $(grep -c '' "$scratch/blockers")), and was not free within $lock_seconds s: let them end (SELECT pg_terminate_backend(<pid>)) or stop the application, then run it again"
  else
    echo ": within $lock_seconds s a table was not free, and who used it is gone by now: run it again"
  fi
}

bring_back() {
  # The bytes of large objects apart: pg_restore writes a transaction of their own around them.
  grep -E "${entry}BLOBS " "$scratch/restored" >"$scratch/blobs" || true
  grep -v -E "${entry}BLOBS " "$scratch/restored" >"$scratch/objects" || true
  # Rights that others have on what is the owner's, as far as they are still there, and what publications had of it.
  role=$(query -c 'SELECT current_user')
  grep -E "$entry(ACL|DEFAULT ACL|PUBLICATION TABLE) " "$scratch/list" >"$scratch/linked" || true
  while read -r line; do case $line in *" $role") echo "$line" ;; esac; done <"$scratch/linked" >"$scratch/links"
  grep -E "${entry}SCHEMA - " "$scratch/list" >"$scratch/schemas" || true
  export SCHEMAS="$scratch/schemas"

  attended replace || true
  for _ in 1 2; do
    grep -q 'deadlock detected' "$said" || break
    echo "the application was in the way (deadlock): trying again"
    attended replace || true
  done
  case $(outcome) in
    committed)
      ! grep -q 'ERROR: ' "$said" || echo "restored, but for what the lines above complain of: give these rights (GRANT), or the publication its tables, by hand"
      return
      ;;
    aborted) ;;
    *) fail "the connection was lost, and the server does not say whether the restore came to its end: run it again" ;;
  esac
  ! grep -q -e 'lock timeout' -e 'deadlock detected' "$said" ||
    fail "the database is exactly as before, because it is in use$(blockers)"
  [ "$status" -ne 124 ] ||
    fail "the database is exactly as before, because the restore was not done within $TIMEOUT_SECONDS s: allow it more time (timeoutSeconds)"
  ! grep -q 'must be owner' "$said" ||
    fail "the restore failed, and the database is exactly as before: give what the lines above name to the role that owns the database (ALTER … OWNER TO)"
  [ "$status" -ne 0 ] || # psql has done all that it was given
    fail "pg_restore did not come to its end, and the database is exactly as before: the lines above say why, or it needs more memory than resources.limits allow"
  failed "exactly as before"
}
