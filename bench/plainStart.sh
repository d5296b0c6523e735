#!/bin/sh
# Starts Postgres on $PGDATA as one would without the component's script, with the same settings: initdb with the password where
# there is no data, then the server. Data that is there keeps whatever password it remembers.
set -eu

if [ ! -s "$PGDATA/PG_VERSION" ]; then
  initdb --pgdata="$PGDATA" --username="$ADMIN_USER" --pwfile="$ADMIN_PASSWORD_FILE" --auth=scram-sha-256 \
    --encoding=UTF8 --locale=C.UTF-8 --data-checksums --no-instructions
fi
chmod 0700 "$PGDATA" # fsGroup opens it to the group at every mount, and Postgres refuses that
exec postgres -D "$PGDATA" -c config_file="$CONFIG_FILE" -c listen_addresses='*' -c hba_file="$HBA_FILE" \
  -c unix_socket_directories="$SOCKET_DIRECTORY" -c logging_collector=off
