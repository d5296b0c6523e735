# shellcheck shell=sh disable=SC2034,SC2154 # guard.sh has the rest
# Sourced by guard.sh, never run: the lock of the database, that it holds, and whether who had it before is at an end.

# Two numbers, so that no program's own lock is met by accident: Rails' and golang-migrate's are of one.
lock='1885823344, 1'
# Everybody sees a session's name, but not everybody since when it is there: that stands in the name, as soon as a migration may be under way.
holder_sql="SELECT concat_ws(', ', 'pid ' || a.pid, 'application ' || quote_literal(regexp_replace(a.application_name, ' \\d{8}T\\d{6}Z\$', '')),
    'since ' || to_char(to_timestamp(substring(a.application_name FROM ' (\\d{8}T\\d{6})Z\$'), 'YYYYMMDD\"T\"HH24MISS'), 'YYYY-MM-DD HH24:MI:SS') || ' UTC',
    'from ' || host(a.client_addr)), CASE WHEN a.application_name ~ ' \\d{8}T\\d{6}Z\$' THEN a.application_name END
  FROM pg_locks l JOIN pg_stat_activity a USING (pid)
  WHERE l.locktype = 'advisory' AND l.granted AND (l.classid, l.objid, l.objsubid) = (1885823344, 1, 2)
    AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
# Of a second connection: whether the first has the lock. What it takes here ends with the statement.
proof_sql="SELECT CASE WHEN pg_try_advisory_xact_lock($lock) THEN 'free' ELSE 'held' END"
# What there is of sessions that only the holder of the lock may have, ended where that is allowed.
leftovers_sql="SELECT concat_ws(', ', 'pid ' || pid, 'application ' || quote_literal(application_name),
    CASE WHEN pg_has_role(usesysid, 'USAGE') AND pg_terminate_backend(pid) THEN 'ended' ELSE 'which this role may not end' END)
  FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE '% migrating'"
# Which session it is, for good: numbers of processes come again.
self_sql="SELECT concat_ws(' ', pid, backend_start) FROM pg_stat_activity WHERE pid = pg_backend_pid()"
# The lock ends with its connection, and what it is held for does not end at once. Who waits for it remembers who had it, and hears of its
# end, whether or not it had the lock still. Nothing of that stays in the database.
channel=postgres_app_migration
# Who is not heard of is gone after so many seconds without the lock. It is a second until it is missed here. The other guard asks for it
# every 2 s, and needs 2 s to connect again and be refused it; run.sh looks once a second, lets its command end in order for 10 s, which are
# 11 or 12 as it counts them, and kills it. One more is for the container to end.
life=20
# Only what the server knows: idle_session_timeout came with version 14. The rest is for a server that would not notice for hours that
# this node is gone.
settings_sql="SET ROLE NONE; LISTEN $channel; SELECT count(set_config(name, value, false)) FROM pg_settings JOIN (VALUES ('idle_session_timeout', '0'),
  ('tcp_keepalives_idle', '10'), ('tcp_keepalives_interval', '5'), ('tcp_keepalives_count', '3')) AS wanted (name, value) USING (name)"

# --- in the background ---

# hold: a session that holds the lock, and again when its connection is lost; $scratch/held says that it does. It asks again and again
# instead of waiting in Postgres: a statement that waits keeps a snapshot, for which CREATE INDEX CONCURRENTLY of the one who holds the lock
# would wait in turn.
hold() {
  mkfifo "$scratch/ask" "$scratch/answers"
  had='' self='' name='' other='' heard=''
  while [ ! -s "$scratch/shared" ]; do
    query <"$scratch/ask" >"$scratch/answers" 2>"$scratch/lock-said" &
    exec 5>"$scratch/ask" 6<"$scratch/answers"
    ask "$settings_sql" && alone && ask "$self_sql" && self=$answer && seen=$(date +%s) &&
      until ask "SELECT pg_try_advisory_lock($lock)" && [ "$answer" = t ]; do
        [ -n "$answer" ] || break
        [ -z "$had" ] || echo "another migration began when the connection that held the lock was lost" >"$run/abort"
        look
        sleep 1
      done
    [ "$answer" != t ] || proven || answer=''
    [ "$answer" != t ] || outlived || answer=''
    [ "$answer" != t ] || named || answer=''
    [ "$answer" != t ] || rm -f "$scratch/holder"
    while [ "$answer" = t ]; do
      had=yes
      : >"$scratch/held"
      sleep 2
      same || answer=''
    done
    rm -f "$scratch/held"
    exec 5>&- 6<&-
    [ -s "$scratch/shared" ] || {
      cat "$scratch/lock-said"
      echo "the connection for the lock was lost: connecting again"
      sleep 1
    }
  done
}
# look: who has the lock, for $scratch/holder; whose migration may be under way, in $other, and until when it was so, in $seen. Who has the
# lock but only waits with it, as below, takes nobody's place.
look() {
  at_it=$other
  if query -c "SET ROLE NONE" -c "$holder_sql" >"$scratch/asked" 2>/dev/null && IFS= read -r found <"$scratch/asked"; then
    at_it=${found##*|}
    echo "${found%|*}" >"$scratch/asked" && mv "$scratch/asked" "$scratch/holder"
  fi
  [ -z "$at_it" ] || other=$at_it seen=$(date +%s)
}
# outlived: waits until who had the lock before has said that it has ended, or must have.
outlived() {
  told=''
  while [ -n "$other" ] && [ "$other" != "$heard" ] && [ "$(date +%s)" -lt "$((seen + life))" ]; do
    [ -n "$told" ] || echo "${other% *} had the lock and did not say that its migration had ended: waiting for that, $((seen + life - $(date +%s))) s at most"
    told=yes
    sleep 0.5
    same || return 1
  done
  other=''
}
# named: says that a migration may be under way from now on.
named() {
  [ -n "$name" ] || name="$(printf %.46s "$POD") $(date -u +%Y%m%dT%H%M%SZ)"
  ask "SET application_name = '$name'; SELECT true" && echo "$name" >"$scratch/name"
}
# alone: ends the session from before. Its server may not know yet that the connection is lost, and then it has the lock still: taken for
# another migration's it would stop this one.
alone() {
  while [ -n "$self" ]; do
    ask "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE concat_ws(' ', pid, backend_start) = '$self'" || return 1
    if [ "$answer" = 0 ]; then self=''; else sleep 0.5; fi
  done
}
# proven: whether a second connection is refused the lock, and the first is still the session that got it.
proven() {
  until query -c "$proof_sql" >"$scratch/proof" 2>"$scratch/unproven"; do
    ask "SELECT true" || return 1
    sleep 1
  done
  rm -f "$scratch/unproven"
  same || return 1
  ! grep -q held "$scratch/proof" || return 0
  shared
  return 1
}
# same: whether the connection has the session still that got the lock.
same() {
  ask "$self_sql" || return 1
  if [ "$answer" = "$self" ]; then answer=t; else
    shared
    return 1
  fi
}
# shared: a pooler gives the session to others. Gives the lock back, as long as the session that has it can be met.
shared() {
  for _ in 1 2 3 4 5 6 7 8 9; do
    if ask "SELECT pg_advisory_unlock($lock)" && [ "$answer" != t ]; then continue; else break; fi
  done
  echo "$no_lock" >"$scratch/shared"
  [ -z "$had" ] || echo "$no_lock" >"$run/abort"
}
no_lock="the connection goes through a pooler in transaction mode, behind which no lock holds: $direct_host. Where there is no way past it, set ${SHARED_PREFIX}lock to false; then nothing keeps two runs apart"
# ask SQL: one answer of one line. Before it may stand who has ended meanwhile.
ask() {
  answer=''
  echo "$1;" >&5 || return 1
  while IFS= read -r answer <&6; do
    case $answer in
      'Asynchronous notification "'*) heard=${answer#*payload \"} heard=${heard%%\"*} ;;
      *) return 0 ;;
    esac
  done
  return 1
}

# --- for guard.sh; what fails says why in $refusal ---

# locked: waits for the lock, until the migration's time is over. That it was held once proves nothing: it has to be so now.
locked() {
  if [ -z "$holder" ]; then
    kept query || {
      refusal=$no_lock
      return 1
    }
    hold &
    holder=$!
  fi
  told=''
  rm -f "$scratch/held"
  until [ -e "$scratch/held" ]; do
    if [ -s "$scratch/shared" ]; then
      refusal=$no_lock
      return 1
    fi
    in_time || {
      refusal="another migration of this database has not ended within $TIMEOUT_SECONDS s, ${ARGUMENT_PREFIX}timeoutSeconds ($(cat "$scratch/holder" 2>/dev/null || echo 'who it is cannot be seen')): wait for it, or end it with SELECT pg_terminate_backend(<pid>)"
      [ ! -s "$scratch/unproven" ] || refusal="whether the lock holds could not be found out within $TIMEOUT_SECONDS s, ${ARGUMENT_PREFIX}timeoutSeconds, because a second connection was not let in: $(head -n 1 "$scratch/unproven")"
      return 1
    }
    if [ -s "$scratch/holder" ] && [ "$told" != "$(cat "$scratch/holder")" ]; then
      told=$(cat "$scratch/holder")
      echo "waiting for another migration of this database: $told"
    fi
    sleep 0.2
  done
}

# cleared SECONDS: ends what a run that was killed left behind in the database, and waits for its end. A server notices only between
# statements that its client is gone.
cleared() {
  told='' end=$(($(date +%s) + $1))
  while query -c "SET ROLE NONE" -c "$leftovers_sql" >"$scratch/leftovers" 2>/dev/null && [ -s "$scratch/leftovers" ]; do
    [ "$(date +%s)" -lt "$end" ] || {
      refusal="what a run that was killed left behind in the database has not ended within $TIMEOUT_SECONDS s, ${ARGUMENT_PREFIX}timeoutSeconds ($(head -n 1 "$scratch/leftovers")): end it with SELECT pg_terminate_backend(<pid>)"
      return 1
    }
    [ -n "$told" ] || sed 's/^/left by a run that was killed: /' "$scratch/leftovers"
    told=yes
    sleep 0.5
  done
}

# holds SECONDS: whether the lock is this run's still, for what is to be undone under it. One that is lost may be back in a moment.
holds() {
  end=$(($(date +%s) + $1))
  rm -f "$scratch/held"
  until [ -e "$scratch/held" ]; do
    [ ! -s "$run/abort" ] && [ "$(date +%s)" -lt "$end" ] || return 1
    sleep 0.2
  done
}

# over: says that nothing of this run is at it any more, if ever it may have been.
over() {
  [ ! -s "$scratch/name" ] || query -c "NOTIFY $channel, '$(cat "$scratch/name")'" >/dev/null 2>&1 || true
  rm -f "$scratch/name"
}
