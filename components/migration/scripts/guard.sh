#!/bin/sh
# Stands by the migration (run.sh), in a container of its own that has Postgres' programs: holds a lock for as long as it runs, makes the
# backup before it, tells how far it is, and on failure lets it be rolled back or brings the backup back. Connects with CONNECTION_URI
# or libpq's own variables, as the migration does.
# shellcheck source=components/database/scripts/backup-lib.sh
. "$(dirname "$0")/backup-lib.sh"
# shellcheck source=/dev/null
. "$(dirname "$0")/settings" # TIMEOUT_SECONDS HOLD_LOCK RESTORE_ON_FAILURE
export TIMEOUT_SECONDS PGAPPNAME="$POD"
run=/postgres-app/run
here=$(dirname "$0")
trap '' PIPE
# The lock is kept until the migration has ended too, which gets the same signal.
terminated='' deleted=''
trap 'terminated=yes deleted=yes' TERM INT HUP

# Two numbers, so that no program's own lock is met by accident: Rails' and golang-migrate's are of one.
lock='1885823344, 1'
# Everybody sees a session's name, but not everybody since when it is there: that stands in the name.
holder_sql="SELECT concat_ws(', ', 'pid ' || a.pid, 'application ' || quote_literal(regexp_replace(a.application_name, ' \\d{8}T\\d{6}Z\$', '')),
    'since ' || to_char(to_timestamp(substring(a.application_name FROM ' (\\d{8}T\\d{6})Z\$'), 'YYYYMMDD\"T\"HH24MISS'), 'YYYY-MM-DD HH24:MI:SS') || ' UTC',
    'from ' || host(a.client_addr))
  FROM pg_locks l JOIN pg_stat_activity a USING (pid)
  WHERE l.locktype = 'advisory' AND l.granted AND (l.classid, l.objid, l.objsubid) = (1885823344, 1, 2)
    AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
# What there is of sessions that only the holder of the lock may have, ended where that is allowed.
leftovers_sql="SELECT concat_ws(', ', 'pid ' || pid, 'application ' || quote_literal(application_name),
    CASE WHEN pg_has_role(usesysid, 'USAGE') AND pg_terminate_backend(pid) THEN 'ended' ELSE 'which this role may not end' END)
  FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE '% migrating'"
# Only what the server knows: idle_session_timeout came with version 14. The rest is for a server that would not notice for hours that
# this node is gone.
settings_sql="SET ROLE NONE; SELECT count(set_config(name, value, false)) FROM pg_settings JOIN (VALUES ('idle_session_timeout', '0'),
  ('tcp_keepalives_idle', '10'), ('tcp_keepalives_interval', '5'), ('tcp_keepalives_count', '3')) AS wanted (name, value) USING (name)"

rm -f "$run/abort" # of the try before, in a pod that tries again
# Both sides open them in this order. Nothing is locked before the migration's container is there, whose time begins with it.
{
  [ -z "${ROLLBACK:-}" ] || command exec 9>"$run/to-rollback" 4<"$run/from-rollback"
  command exec 8<"$run/to-guard" 7>"$run/to-migration"
} 2>/dev/null || fail "stopped before the migration's container was there"
begun=$(date +%s)
left() { echo "$((TIMEOUT_SECONDS - ($(date +%s) - begun)))"; }
# in_time: whether it is worth going on.
in_time() { [ -z "$deleted" ] && [ "$(left)" -gt 0 ]; }

stop() {
  echo "stop $1" >&7
  printf '%s: %s\n' "$program" "$1"
}

# --- the lock ---

# hold: in the background. A session that holds the lock, and again when its connection is lost; $scratch/held says that it does.
# It asks again and again instead of waiting in Postgres: a statement that waits keeps a snapshot, for which CREATE INDEX CONCURRENTLY
# of the one who holds the lock would wait in turn.
hold() {
  mkfifo "$scratch/ask" "$scratch/answers"
  had=''
  while :; do
    query <"$scratch/ask" >"$scratch/answers" 2>"$scratch/lock-said" &
    exec 5>"$scratch/ask" 6<"$scratch/answers"
    ask "$settings_sql" &&
      until ask "SELECT pg_try_advisory_lock($lock)" && [ "$answer" = t ]; do
        [ -n "$answer" ] || break
        [ -z "$had" ] || echo "another migration began when the connection that held the lock was lost" >"$run/abort"
        query -c "SET ROLE NONE" -c "$holder_sql" >"$scratch/asked" 2>/dev/null && mv "$scratch/asked" "$scratch/holder"
        sleep 1
      done
    [ "$answer" != t ] || ask "SET application_name = '$(printf %.46s "$POD") $(date -u +%Y%m%dT%H%M%SZ)'; SELECT true" || answer=''
    while [ "$answer" = t ]; do
      had=yes
      : >"$scratch/held"
      sleep 2
      ask "SELECT true" || answer=''
    done
    rm -f "$scratch/held"
    exec 5>&- 6<&-
    cat "$scratch/lock-said"
    echo "the connection for the lock was lost: connecting again"
    sleep 1
  done
}
ask() {
  answer=''
  echo "$1;" >&5 && IFS= read -r answer <&6
}

# locked: waits for it, until the migration's time is over. That it was held once proves nothing: it has to be so now.
locked() {
  told=''
  rm -f "$scratch/held"
  until [ -e "$scratch/held" ]; do
    in_time || return 1
    if [ -s "$scratch/holder" ] && [ "$told" != "$(cat "$scratch/holder")" ]; then
      told=$(cat "$scratch/holder")
      echo "waiting for another migration of this database: $told"
    fi
    sleep 0.2
  done
}

# cleared: ends what a run that was killed left behind in the database, and waits for its end. A server notices only between statements
# that its client is gone.
cleared() {
  told='' end=$(($(date +%s) + $1))
  while query -c "SET ROLE NONE" -c "$leftovers_sql" >"$scratch/leftovers" 2>/dev/null && [ -s "$scratch/leftovers" ]; do
    [ "$(date +%s)" -lt "$end" ] || return 1
    [ -n "$told" ] || sed 's/^/left by a run that was killed: /' "$scratch/leftovers"
    told=yes
    sleep 0.5
  done
}

# reachable: what only another configuration can change is not waited for.
reachable() {
  deadline=$(($(date +%s) + 60))
  until query -c 'SELECT 1' >"$scratch/answer" 2>&1; do
    ! grep -q -E 'password authentication failed|(database|role) ".*" does not exist|no pg_hba.conf entry|certificate verify failed|does not support SSL|not permitted to log in' "$scratch/answer" || deadline=0
    # libpq shows what it cannot read, with the password in it.
    ! grep -q -F -e 'percent-encoded' -e "${CONNECTION_URI:-percent-encoded}" "$scratch/answer" || {
      echo "the connection's URI cannot be read" >"$scratch/answer"
      deadline=0
    }
    [ "$(date +%s)" -lt "$deadline" ] && in_time || return 1
    sleep 1
  done
}

# --- what is to be done before, while and after ---

backed_up() {
  : >"$scratch/backup" # there before it is followed
  env ${UPLOAD:+"WHERE=the node"} LABEL="${POD%-*}" sh "$here/backup.sh" >"$scratch/backup" 2>&1 &
  dump=$!
  tail -n +1 -f "$scratch/backup" &
  follower=$!
  status=0
  wait "$dump" || status=$?
  sleep 1
  kill -9 "$follower" 2>/dev/null || true
  [ "$status" -eq 0 ] || return 1
  if [ -n "${UPLOAD:-}" ]; then
    uploaded=yes
    echo upload >"$run/to-upload"
    IFS= read -r word <"$run/from-upload" || word=''
    [ "$word" = "done" ] || {
      echo "it could not be uploaded: see container upload" >>"$scratch/backup"
      return 1
    }
  fi
  backup=$(sed -n -E 's/^(wrote|dumped) ([^:]+): .*/\2/p' "$scratch/backup")
  {
    echo "the backup from before: $backup in $WHERE; to bring the database back to it:"
    printf '%s\n' "$RESTORE_COMMAND" | sed "s/{backup}/$backup/"
  } >"$run/backup"
}

# How far the migration is, every 10 s: what its sessions do, which are those from this pod.
report() {
  while sleep 10; do
    echo "migrating, $(($(date +%s) - begun)) s$(query -c 'SET ROLE NONE' -f "$here/progress.sql" 2>/dev/null | sed 's/^/; /')"
  done
}

holder='' reporter='' granted='' result='' backup='' uploaded=''
tidy() { kill -9 ${holder:+"$holder"} ${reporter:+"$reporter"} 2>/dev/null || true; }

# grant: lets the migration begin, or says why not.
grant() {
  if [ -z "$granted" ] && [ "$HOLD_LOCK${FOLDER:-}" != no ]; then
    reachable || {
      stop "no connection to the database: $(cat "$scratch/answer")"
      return
    }
  fi
  if [ "$HOLD_LOCK" = yes ]; then
    if [ -z "$holder" ]; then
      hold &
      holder=$!
    fi
    locked || {
      [ -n "$deleted" ] || stop "another migration of this database has not ended within $TIMEOUT_SECONDS s, migration.timeoutSeconds ($(cat "$scratch/holder" 2>/dev/null || echo 'who it is cannot be seen')): wait for it, or end it with SELECT pg_terminate_backend(<pid>)"
      return
    }
    cleared "$(left)" || {
      stop "what a run that was killed left behind in the database has not ended within $TIMEOUT_SECONDS s, migration.timeoutSeconds ($(head -n 1 "$scratch/leftovers")): end it with SELECT pg_terminate_backend(<pid>)"
      return
    }
  fi
  if [ -n "${FOLDER:-}" ] && [ -z "$granted" ] && ! backed_up; then
    stop "no backup, no migration: $(tail -n 1 "$scratch/backup")"
    return
  fi
  if [ -z "$granted" ]; then
    report &
    reporter=$!
  fi
  granted=yes
  echo go >&7
}

while :; do
  if IFS= read -r word <&8; then
    case $word in
      ready) grant ;;
      '') ;; # only asks whether this is still here
      *) result=$word ;;
    esac
  elif [ -n "$terminated" ]; then
    terminated=''
  else
    break # its container has ended
  fi
done
exec 7>&-
[ -z "$reporter" ] || kill -9 "$reporter" 2>/dev/null || true

undo=''
[ -z "$granted" ] || [ "$result" = "done" ] || undo=yes
if [ -n "$undo" ] && [ "$HOLD_LOCK" = yes ]; then cleared 15 || true; fi
if [ -n "$undo" ] && [ -n "$deleted" ]; then
  [ -z "${ROLLBACK:-}" ] && [ "$RESTORE_ON_FAILURE" != yes ] || echo "the pod is being deleted: there is no time left to undo what the migration has done"
  undo=''
fi
[ -z "${UPLOAD:-}" ] || [ -n "$uploaded" ] || echo nothing >"$run/to-upload"
if [ -n "${ROLLBACK:-}" ]; then
  echo "${undo:+go}" >&9
  exec 9>&-
  terminated=''
  # Until its container has ended.
  while IFS= read -r word <&4 || [ -n "$terminated" ]; do terminated=''; done
fi
if [ -n "$undo" ] && [ "$RESTORE_ON_FAILURE" = yes ]; then
  echo "the migration failed: bringing the database back to $backup"
  BACKUP=$backup sh "$here/restore.sh" replace || exit 1
fi
[ -z "${SIDECAR:-}" ] || {
  tidy
  [ "$result" = "done" ] || exit 1 # started again, for the next try
  # Not in the foreground, where nothing would end it before the pod's grace period.
  trap 'exit 0' TERM INT HUP
  sleep 2147483647 &
  wait
}
