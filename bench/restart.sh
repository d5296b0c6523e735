#!/bin/sh
# Starts Postgres on the same data in turns, with its own command and with the component's start script, and prints one line for
# each: how it was started, and the seconds until it answered on the network. Runs in the database's image: restart.sh ROUNDS
set -eu
rounds=$1

plain() {
  exec postgres -D "$PGDATA" -c listen_addresses='*' -c hba_file="$HBA_FILE" -c unix_socket_directories="$SOCKET_DIRECTORY" \
    -c logging_collector=off
}

script() {
  exec sh /scripts/start.sh
}

now() { date +%s%N; }

# answers PID: waits at most a minute for the server that was started as PID.
answers() {
  tries=0
  until pg_isready -q -h 127.0.0.1; do
    tries=$((tries + 1))
    if [ "$tries" -gt 2000 ] || ! kill -0 "$1" 2>/dev/null; then
      echo "waited for a server that does not answer; its log:" >&2
      cat /tmp/log >&2
      exit 1
    fi
    sleep 0.02
  done
}

# measure HOW: starts, measures and stops the server.
measure() {
  begin=$(now)
  "$1" >/tmp/log 2>&1 &
  answers $!
  end=$(now)
  pg_ctl stop -s -D "$PGDATA" -m fast -w -t 60
  wait $!
  echo "$1 $(((end - begin) / 1000000))"
}

measure script >/dev/null # makes the data directory
for _ in $(seq "$rounds"); do
  measure plain
  measure script
done
