#!/bin/sh
# A server of its own for the rehearsal, reachable from within the pod only, with a copy of the database; then what the rehearsed
# migration did to it. All that others need to know stands in files of /postgres-app/run/copy; "failed" says why there is no rehearsal.
# Needs sh, initdb, postgres, psql, pg_dump, pg_restore and what both coreutils and busybox have.
set -eu
exec 2>&1
umask 022
export LC_ALL=C
here=$(dirname "$0")
# shellcheck source=/dev/null
. "$here/plan-settings" # REHEARSAL_SECONDS ARGUMENT_PREFIX GO_BACK
export REHEARSAL_SECONDS ARGUMENT_PREFIX
shared=/postgres-app/run
run=$shared/copy
server=/postgres-app/copy

stay() {
  trap 'exit 0' TERM INT HUP
  sleep 2147483647 &
  wait $!
  exit 0
}
failed() {
  printf 'copy: %s\n' "$*"
  printf '%s\n' "$*" >"$run/failed.partial"
  mv "$run/failed.partial" "$run/failed"
  stay
}
[ "$GO_BACK" != yes ] || stay
# attempt WHAT COMMAND...: for scripts that fail with a last line that says why.
attempt() {
  what=$1
  shift
  "$@" >"$run/log" 2>&1 || {
    status=$?
    cat "$run/log"
    [ "$status" -ne 124 ] || failed "$what took more than $REHEARSAL_SECONDS s, ${ARGUMENT_PREFIX}rehearsal.timeoutSeconds: allow it more"
    failed "$(tail -n 8 "$run/log" | sed 's/^plan-[a-z]*: //')"
  }
  cat "$run/log"
}

[ ! -e "$shared/known" ] || stay # tools.sh
mkdir -p "$run"
if [ -e "$run/begun" ]; then
  if [ -e "$run/done" ] || [ -e "$run/failed" ]; then stay; fi
  failed "the copy's server was killed: most likely it needs more memory than ${ARGUMENT_PREFIX}rehearsal.resources.limits allow"
fi
: >"$run/begun"

# --- the server ---

mkdir -p "$server"
initdb -D "$server/data" -U "$POSTGRES_APP_LOGIN" --auth=trust --encoding=UTF8 --locale=C --no-sync >"$run/log" 2>&1 ||
  failed "the copy's server cannot be made: $(tail -n 3 "$run/log")"
# What it writes need not outlive it.
postgres -D "$server/data" -p 5432 -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off -c synchronous_commit=off \
  -c full_page_writes=off -c wal_level=minimal -c max_wal_senders=0 -c autovacuum=off -c log_connections=on \
  -c log_line_prefix='%m %d ' >"$server/log" 2>&1 &
tries=0
until PGSSLMODE=disable pg_isready -q -h 127.0.0.1 -p 5432; do
  tries=$((tries + 1))
  [ "$tries" -lt 300 ] || failed "the copy's server does not start: $(tail -n 3 "$server/log")"
  sleep 0.2
done

# --- the copy ---

attempt "copying the database" timeout "$REHEARSAL_SECONDS" sh "$here/plan-fill.sh"

bookkeeping() {
  env PGHOST=127.0.0.1 PGPORT=5432 PGUSER="$POSTGRES_APP_LOGIN" PGDATABASE=postgres_app PGPASSWORD='' PGSSLMODE=disable PGSSLROOTCERT='' \
    psql -X -q -A -t -v ON_ERROR_STOP=1 -v database="$POSTGRES_APP_DATABASE" "$@"
}
bookkeeping -f "$here/plan-locks.sql" >"$server/locks.log" 2>&1 &
connections() { grep -c -F "database=$POSTGRES_APP_DATABASE" "$server/log" || true; }
before=$(connections)
: >"$run/ready"
echo "the copy is ready"

# --- the rehearsal, in another container ---

until [ -s "$shared/rehearse/result" ]; do sleep 0.2; done
read -r code <"$shared/rehearse/result"
if [ "$code" -ne 0 ]; then
  : >"$run/done"
  stay
fi
[ "$(connections)" -gt "$before" ] ||
  failed "the migration's command succeeded, but never connected to the copy: let it find the database by the variables of connectionEnv alone"
grep -o 'postgres_app_[a-z]* .*' "$server/log" >"$server/noted" || true
attempt "comparing" timeout "$REHEARSAL_SECONDS" sh "$here/plan-compare.sh"
: >"$run/done"
stay
