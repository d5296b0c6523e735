#!/bin/sh
# Sourced by restore.sh: restores the backup $dump in one transaction, all of it or nothing. With $replace the database is emptied first:
# while that lasts nobody else can use its tables, and who waited for them finds the former content.
# shellcheck disable=SC2154 # what restore.sh has set

# How long to wait for a table that is in use, because everybody who comes later waits behind it.
lock_seconds=$((TIMEOUT_SECONDS < 60 ? (TIMEOUT_SECONDS + 1) / 2 : 30))
tab=$(printf '\t')

# All that psql is to do. If pg_restore fails or is killed the end is missing, and the server undoes what there was.
statements() {
  rm -f "$scratch/incomplete"
  echo 'BEGIN;'
  cat "$here/begin.sql"
  [ -z "$replace" ] || cat "$here/made.sql" "$here/replace.sql"
  # Which keys an empty database is for (keys.sql) means nothing for the data of the backup. A database that is brought back keeps its
  # record, unless the backup has one.
  if [ -z "$replace" ] || grep -q ' TABLE postgres_app keys ' "$scratch/restored"; then echo 'DROP TABLE IF EXISTS postgres_app.keys;'; fi
  content objects --no-acl &&
    { content blobs | sed -e '/^BEGIN;$/d' -e '/^COMMIT;$/d'; } && [ ! -e "$scratch/incomplete" ] &&
    cat "$here/attempt.sql" "$scratch/attempts" && echo '\.' && cat "$here/attempted.sql" &&
    { [ -n "$replace" ] || cat "$here/mark.sql"; } &&
    cat "$here/own-rights.sql" &&
    printf '%s\n' 'DELETE FROM unfinished;' 'COMMIT;' '\echo committed'
}

# content LIST OPTION...: SQL for a list of the backup's entries.
content() {
  entries=$scratch/$1
  shift
  [ -s "$entries" ] || return 0
  if [ -z "$unknown" ]; then
    pg_restore --file=- --no-owner "$@" --use-list="$entries" "$dump" || : >"$scratch/incomplete"
  else
    { pg_restore --file=- --no-owner "$@" --use-list="$entries" "$dump" || : >"$scratch/incomplete"; } |
      sed "1,40{/^SET \\($unknown\\) = /d;}"
  fi
  [ ! -e "$scratch/incomplete" ]
}

# unknown_settings: those that pg_restore sets in the beginning and an older server does not know, for sed.
unknown_settings() {
  : >"$scratch/none"
  query -c 'SELECT name FROM pg_settings' >"$scratch/settings"
  pg_restore --file=- --use-list="$scratch/none" "$dump" | sed -n 's/^SET \([a-z_]*\) = .*/\1/p' |
    { grep -v -x -F -f "$scratch/settings" || true; } | tr '\n' ' ' | sed 's/ $//; s/ /\\|/g'
}

# attempts: what may be left out, where roles are missing: a line for COPY for each entry, with its kind and the SQL that makes it.
attempts() {
  content links >"$scratch/links.sql" || return 1
  # Rights on the database itself, under whatever name it had. What was taken away from PUBLIC there is the administrator's decision.
  pg_restore --create --list "$dump" | grep -E "${entry}ACL - DATABASE " >"$scratch/database" || true
  [ -n "$replace" ] || content database --create >"$scratch/database.sql" || return 1
  [ ! -e "$scratch/database.sql" ] || sed -n -E "s/^GRANT .* ON DATABASE .*/DATABASE$tab&/p" "$scratch/database.sql"
  sed -e 's/\\/\\\\/g' -e "s/$tab/\\\\t/g" "$scratch/links.sql" | {
    kind='' sql=''
    while IFS= read -r line; do
      case $line in
        '-- Name: '*'; Type: '*'; Schema: '*)
          [ -z "$kind" ] || printf '%s\t%s\n' "$kind" "$sql"
          kind=${line##*; Type: } sql=''
          kind=${kind%%; Schema: *}
          ;;
        '-- PostgreSQL database dump complete') break ;;
        *) sql="$sql\\n$line" ;;
      esac
    done
    [ -z "$kind" ] || printf '%s\t%s\n' "$kind" "$sql"
  }
}

# For `attended`, whose child has to be psql itself (or timeout, which passes on what it is told): psql alone, left behind, would go on.
run() {
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
    -v lock_timeout="${lock_seconds}s" -v mark="$name" -f - <&5 5<&- 6>&-
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

# transact: restores, or fails with the database as it was.
transact() {
  as_before='exactly as before'
  [ -n "$replace" ] || as_before='empty as before'
  unknown=$(unknown_settings)
  # The bytes of large objects apart: pg_restore writes a transaction of its own around them.
  grep -E "${entry}BLOBS " "$scratch/restored" >"$scratch/blobs" || true
  # Apart too what roles are needed for, and what nobody else depends on. Where a database is brought back, of rights those on what is
  # the owner's, and what publications had of it: all else is as it was.
  rights="$entry(ACL|DEFAULT ACL|PUBLICATION TABLES?( IN SCHEMA)?) "
  others="$entry(POLICY|MATERIALIZED VIEW DATA|COMMENT [^ ]+ POLICY) "
  grep -v -E "$rights|$others|${entry}BLOBS " "$scratch/restored" >"$scratch/objects" || true
  grep -E "$others" "$scratch/restored" >"$scratch/links" || true
  if [ -n "$replace" ]; then
    role=$(query -c 'SELECT current_user')
    grep -E "$rights" "$scratch/list" | { grep -v -F -f "$scratch/left-out" || true; } >"$scratch/rights"
    while read -r line; do case $line in *" $role") echo "$line" ;; esac; done <"$scratch/rights" >>"$scratch/links"
  else
    grep -E "$rights" "$scratch/restored" >>"$scratch/links" || true
  fi
  grep -E "${entry}SCHEMA - " "$scratch/list" >"$scratch/schemas" || true
  export SCHEMAS="$scratch/schemas"
  attempts >"$scratch/attempts" || failed "$as_before"

  attended run || true
  for _ in 1 2; do
    grep -q 'deadlock detected' "$said" || break
    echo "the application was in the way (deadlock): trying again"
    attended run || true
  done
  case $(outcome) in
    committed)
      grep '^left out' "$scratch/out" || true
      return
      ;;
    aborted) ;;
    *) fail "the connection was lost, and the server does not say whether the restore came to its end: run it again" ;;
  esac
  ! grep -q -e 'lock timeout' -e 'deadlock detected' "$said" ||
    fail "the database is $as_before, because it is in use$(blockers)"
  [ "$status" -ne 124 ] ||
    fail "the database is $as_before, because the restore was not done within $TIMEOUT_SECONDS s: allow it more time (timeoutSeconds)"
  ! grep -q 'must be owner' "$said" ||
    fail "the restore failed, and the database is $as_before: give what the lines above name to the role that owns the database (ALTER … OWNER TO)"
  ! grep -q 'permission denied for database' "$said" ||
    fail "the restore failed, and the database is $as_before: the login may not make schemas, which the backup or the note of the restore needs: let an administrator run GRANT CREATE ON DATABASE $(query -c "SELECT format('%I TO %I', current_database(), current_user)")"
  [ "$status" -ne 0 ] || # psql has done all that it was given
    fail "pg_restore did not come to its end, and the database is $as_before: the lines above say why, or it needs more memory than resources.limits allow"
  failed "$as_before"
}
