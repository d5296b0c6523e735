#!/bin/sh
# Tries whether a server with the settings in $SETTINGS_FILE starts, on a database of its own, and stops it again.
set -eu
cat "$SETTINGS_FILE" >/tmp/settings
echo archive_mode=off >>/tmp/settings # the archive is that of the real data
# The pod of the trial has none of the node's huge pages, which the server's may have.
! grep -qix 'huge_pages=on' /tmp/settings || echo huge_pages=off >>/tmp/settings

od -An -tx1 -N16 /dev/urandom | tr -d ' \n' >/tmp/password
ADMIN_PASSWORD_FILE=/tmp/password SETTINGS_FILE=/tmp/settings sh "$(dirname "$0")/start.sh" &
server=$!
until pg_isready -q -h 127.0.0.1; do
  kill -0 "$server" 2>/dev/null || {
    wait "$server" || exit $?
    exit 1
  }
  sleep 0.2
done
pg_ctl stop -s -D "$PGDATA" -m fast -w
