#!/bin/sh
# Starts Postgres on $PGDATA. The administrator's password in $ADMIN_PASSWORD_FILE wins over whatever the data remembers.
# $PGDATA is $VOLUME, where that is mounted, or a directory in it.
# Needs only what every Postgres image has: sh, initdb, postgres. Exit 78: the data or the settings need a person.
set -eu

fail() {
  echo "postgres-start: $*" >&2
  exit 78
}

newline='
'

# 1. Refuse what cannot work, before anything is touched.
if [ ! -w "$VOLUME" ] || [ ! -x "$VOLUME" ]; then
  fail "$VOLUME cannot be written by uid $(id -u): the volume belongs to another user; give it to uid $(id -u), or set database.embedded.runAsUser to its owner"
fi

password=$(cat "$ADMIN_PASSWORD_FILE")
[ -n "$password" ] || fail "the Secret's password is empty"
case $password in *"$newline"*) fail "the Secret's password has more than one line" ;; esac

# Postgres only detects a second server by process id, which another pod on the same volume does not share: hold a lock on the
# volume for as long as any process of this server lives (they inherit descriptor 9). A pod that is just stopping gets a minute.
if command -v flock >/dev/null; then
  exec 9>"$VOLUME/.postgres-app.lock"
  flock -w 60 9 2>/dev/null || flock -n 9 || fail "another pod is running Postgres on this volume: stop it first"
fi

image_major=$(postgres --version | sed 's/[^0-9]*\([0-9]*\).*/\1/')
if [ -d "$PGDATA" ] && ! { [ -r "$PGDATA" ] && [ -x "$PGDATA" ] && [ -O "$PGDATA" ]; }; then
  fail "$PGDATA does not belong to uid $(id -u) (ls says: $(ls -ldn "$PGDATA")): set database.embedded.runAsUser to its owner"
elif [ -s "$PGDATA/PG_VERSION" ]; then
  data_major=$(cat "$PGDATA/PG_VERSION")
  [ "$data_major" = "$image_major" ] ||
    fail "the data is Postgres $data_major, the image is Postgres $image_major, nothing was changed: set database.embedded.version to $data_major, or move the data with pg_dump and pg_restore"
elif [ "$PGDATA" = "$VOLUME" ]; then
  fail "$VOLUME holds no PG_VERSION: it is not a Postgres data directory, nothing was changed; say in database.embedded.subPath where on the volume the data is, or leave that out for a new database"
elif [ -n "$(ls -A "$PGDATA" 2>/dev/null)" ]; then
  fail "$PGDATA is not empty and holds no PG_VERSION: it is not a Postgres data directory, nothing was changed"
else
  # 2. A new data directory, moved into place when it is whole: killed in the middle, the next start begins again.
  mkdir -p "$(dirname "$PGDATA")"
  rm -rf "$PGDATA.new"
  initdb --pgdata="$PGDATA.new" --username="$ADMIN_USER" --pwfile="$ADMIN_PASSWORD_FILE" --auth=scram-sha-256 \
    --encoding=UTF8 --locale=C.UTF-8 --data-checksums --no-instructions
  [ ! -d "$PGDATA" ] || rmdir "$PGDATA"
  mv "$PGDATA.new" "$PGDATA"
  new=yes
fi
chmod 0700 "$PGDATA" # fsGroup opens it to the group at every mount, and Postgres refuses that

# 3. The Secret wins: a single-user server, which listens nowhere and asks for no password, is told the role and its password.
# Logging is off before the password is mentioned, and extensions (pgaudit and the like) are not loaded.
# A recovery that a crash left behind happens here, with the settings of the real server.
# New data has its password from initdb.
quote() { printf '%s' "$1" | sed "s/'/''/g"; }
[ -n "${new:-}" ] || printf '%s\n' \
  "SET log_statement = none; SET log_min_duration_statement = -1; SET log_duration = off; SET standard_conforming_strings = on" \
  "SET password_encryption = 'scram-sha-256'" \
  "SET postgres_app.role = '$(quote "$ADMIN_USER")'; SET postgres_app.password = '$(quote "$password")'" \
  "DO \$\$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = current_setting('postgres_app.role')) THEN EXECUTE format('CREATE ROLE %I', current_setting('postgres_app.role')); END IF; EXECUTE format('ALTER ROLE %I LOGIN SUPERUSER CONNECTION LIMIT -1 VALID UNTIL ''infinity'' PASSWORD %L', current_setting('postgres_app.role'), current_setting('postgres_app.password')); END \$\$" |
  postgres --single -D "$PGDATA" -c config_file="$CONFIG_FILE" -c exit_on_error=on -c log_min_error_statement=panic -c logging_collector=off \
    -c shared_preload_libraries= -c session_preload_libraries= -c local_preload_libraries= -c synchronous_standby_names= \
    template1 >/dev/null ||
  fail "the password could not be set; the lines above say why"
unset password

# 4. The real server. Settings and access rules are the mounted files' word; the data directory's own settings come first in those.
exec postgres -D "$PGDATA" -c config_file="$CONFIG_FILE" -c listen_addresses='*' -c hba_file="$HBA_FILE" -c unix_socket_directories="$SOCKET_DIRECTORY" \
  -c logging_collector=off "$@"
