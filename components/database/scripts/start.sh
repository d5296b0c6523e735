#!/bin/sh
# Starts Postgres on $PGDATA. The administrator's password in $ADMIN_PASSWORD_FILE wins over whatever the data remembers.
# $PGDATA is $VOLUME, where that is mounted, or a directory in it. $EXISTING_CLAIM names the volume's claim if somebody else made it.
# Needs only what every Postgres image has: sh, initdb, postgres. Exit 78: the data or the settings need a person.
set -eu

fail() {
  echo "postgres-start: $*" >&2
  exit 78
}

newline='
'
me=$(id -u)
trap 'exit 143' TERM INT # as process 1 a shell ignores them otherwise; postgres has its own handlers

# not_ours PATH: says who has to be Postgres there.
not_ours() {
  owner=$(stat -c %u "$1")
  case $owner in
    "$me") fail "uid $me may not write $1, which belongs to it (mode $(stat -c %a "$1")), nothing was changed: give it the rights with chmod u+rwx" ;;
    0) fail "$1 belongs to root, as which Postgres does not run, nothing was changed: give it to uid $me with chown -R" ;;
    *) fail "$1 belongs to uid $owner, and Postgres runs as uid $me, nothing was changed: set database.embedded.runAsUser to $owner, or give the volume to uid $me with chown -R" ;;
  esac
}

# sub_path DIRECTORY: what database.embedded.subPath has to say for it.
sub_path() {
  if [ "$1" = "$VOLUME" ]; then echo .; else echo "${1#"$VOLUME"/}"; fi
}

# Directories of the volume that hold a database cluster, at most four levels down.
clusters() {
  for version in "$VOLUME"/PG_VERSION "$VOLUME"/*/PG_VERSION "$VOLUME"/*/*/PG_VERSION "$VOLUME"/*/*/*/PG_VERSION "$VOLUME"/*/*/*/*/PG_VERSION; do
    found=${version%/PG_VERSION}
    [ ! -s "$version" ] || [ ! -e "$found/global/pg_control" ] || [ "$found" = "$PGDATA.new" ] || echo "$found"
  done
}

# entries DIRECTORY [NAME]: what is in it beside NAME, and beside what a file system or this script has put there.
entries() {
  for entry in "$1"/* "$1"/.[!.]* "$1"/..?*; do
    case ${entry##*/} in "${2:-}" | lost+found | .postgres-app.lock | .postgres-app.new) continue ;; esac
    if [ -e "$entry" ] || [ -L "$entry" ]; then echo "${entry##*/}"; fi
  done
}

# What is on the volume beside the way to $PGDATA.
beside() {
  way=$VOLUME
  while [ "$way" != "$PGDATA" ]; do
    step=${PGDATA#"$way"/}
    step=${step%%/*}
    entries "$way" "$step"
    way=$way/$step
  done
}

# may_initialize: a new database is a statement, never what is left over when data is looked for in the wrong place.
may_initialize() {
  for directory in "$VOLUME" "$VOLUME"/* "$VOLUME"/*/*; do
    [ ! -d "$directory" ] || [ "${directory##*/}" = lost+found ] || { [ -r "$directory" ] && [ -x "$directory" ]; } || not_ours "$directory"
  done
  there=$(clusters | { or='' && while IFS= read -r cluster; do printf '%s"%s"' "$or" "$(sub_path "$cluster")" && or=' or '; done; })
  if [ -n "$there" ]; then
    [ -n "$EXISTING_CLAIM" ] ||
      fail "the volume has a database of somebody else's, in $there, nothing was changed: to take it over, name the claim in database.embedded.existingClaim (data-$(uname -n)) and write $there for its subPath; to leave it alone, give the component another name"
    fail "$PGDATA holds no database, but the volume has one, nothing was changed: set database.embedded.subPath to $there"
  fi
  [ -z "$(entries "$PGDATA")" ] ||
    fail "$PGDATA is not empty and holds no PG_VERSION: it is not a Postgres data directory, nothing was changed; say in database.embedded.subPath where on the volume the data is"
  [ "$PGDATA" != "$VOLUME" ] ||
    fail "$VOLUME holds no PG_VERSION: it is not a Postgres data directory, nothing was changed; leave database.embedded.subPath out for a new database"
  [ -z "$EXISTING_CLAIM" ] || [ -z "$(beside)" ] ||
    fail "claim $EXISTING_CLAIM holds no database and is not empty ($(beside | head -n 5 | tr '\n' ' ')is there), nothing was changed: name the claim that has the data, or leave database.embedded.existingClaim out for a new database"
  [ -w "$VOLUME" ] || not_ours "$VOLUME"
}

# initialize: a new data directory, moved into place when it is whole. Killed in the middle, the next start begins again.
initialize() {
  new=$VOLUME/.postgres-app.new
  rm -rf "$new"
  set -- --pgdata="$new" --username="$ADMIN_USER" --pwfile="$ADMIN_PASSWORD_FILE" --auth=scram-sha-256 \
    --encoding=UTF8 --locale=C.UTF-8 --data-checksums --no-instructions
  # Where a node has huge pages that the pod may not use, already initdb's own server dies of them.
  huge=$(sed -n 's/^huge_pages=//p' "$SETTINGS_FILE" | tail -n 1)
  if [ -n "$huge" ] && [ "$image_major" -ge 16 ]; then
    set -- "$@" -c "huge_pages=$huge"
  elif [ -n "$huge" ]; then
    share=$(mktemp -d)
    cp -R "$(initdb --show --pgdata="$new" 2>&1 | sed -n 's/^share_path=//p')/." "$share"
    chmod -R u+w "$share"
    echo "huge_pages = $huge" >>"$share/postgresql.conf.sample"
    set -- "$@" -L "$share"
  fi
  initdb "$@"
  [ -z "$huge" ] || sed -i '/^huge_pages = /d' "$new/postgresql.conf" # what holds is said at each start
  mkdir -p "$(dirname "$PGDATA")"
  [ ! -d "$PGDATA" ] || rmdir "$PGDATA"
  mv "$new" "$PGDATA"
}

# A server in another pod cannot be asked, and its process id means nothing here. One that is not ours says so in the file in which each
# writes where its data is, or, under former versions of this package, by the command with which it was started.
of_another_server() {
  [ -e "$PGDATA/postmaster.pid" ] && [ "$(sed -n 2p "$PGDATA/postmaster.pid")" != "$PGDATA" ] &&
    ! grep -qsF "config_file=$CONFIG_FILE" "$PGDATA/postmaster.opts"
}

# What changes while a server is at work. Each reads its postmaster.pid once a minute, which shows in the time of the last access.
signs() {
  stat -c %X-%Y "$PGDATA/postmaster.pid" || :
  stat -c %Y "$PGDATA/global/pg_control" "$PGDATA/pg_wal" "$PGDATA"/pg_wal/* "$PGDATA"/pg_stat_tmp/* || :
} 2>&1

await_another_server() {
  echo "postgres-start: $PGDATA/postmaster.pid says that another server runs on this data: it has $OTHER_SERVER_SECONDS s to stop" >&2
  touch -a -t 200001010000 "$PGDATA/postmaster.pid" 2>/dev/null || :
  before=$(signs)
  seen='' waited=0
  while [ -e "$PGDATA/postmaster.pid" ] && [ "$waited" -lt "$OTHER_SERVER_SECONDS" ]; do
    sleep 1
    waited=$((waited + 1))
    [ "$(signs)" = "$before" ] || seen=yes
  done
  [ -e "$PGDATA/postmaster.pid" ] || return 0
  [ -z "$seen" ] ||
    fail "another server runs on this data, nothing was changed: stop it (scale its StatefulSet to 0, or uninstall its chart and keep the claim)"
  fail "another server has left $PGDATA/postmaster.pid and showed no sign of life for $waited s, but that does not prove that it was killed; nothing was changed: start that server once more and stop it in order, or, when you are sure that none runs on this volume, remove the file while this pod waits: kubectl exec $(uname -n) -- rm $PGDATA/postmaster.pid"
}

# Links in the data to other directories of the volume, which was mounted elsewhere when they were made.
relink() {
  for link in "$PGDATA"/pg_tblspc/* "$PGDATA/pg_wal"; do
    if [ ! -L "$link" ] || [ -e "$link" ]; then continue; fi
    rest=$(readlink "$link")
    # Its last parts name the directory on the volume, if that has there what Postgres makes in it.
    until [ -z "$rest" ] || [ -d "$VOLUME/$rest/archive_status" ] || entries "$VOLUME/$rest" | grep -q "^PG_${image_major}_"; do
      case $rest in */*) rest=${rest#*/} ;; *) rest= ;; esac
    done
    [ -n "$rest" ] ||
      fail "$link leads to $(readlink "$link"), which is not on the volume, nothing was changed: move the tablespace into the database with its former server (ALTER TABLE … SET TABLESPACE pg_default), or begin from a dump"
    ln -sfn "$VOLUME/$rest" "$link"
  done
}

# 1. Refuse what cannot work, before anything is touched.
password=$(cat "$ADMIN_PASSWORD_FILE")
[ -n "$password" ] || fail "the Secret's password is empty"
case $password in *"$newline"*) fail "the Secret's password has more than one line" ;; esac

: "${EXISTING_CLAIM:=}" "${OTHER_SERVER_SECONDS:=75}"
[ -x "$VOLUME" ] || not_ours "$VOLUME"
[ ! -d "$PGDATA" ] || { [ -r "$PGDATA" ] && [ -x "$PGDATA" ] && [ -O "$PGDATA" ]; } || not_ours "$PGDATA"

# Postgres only detects a second server by process id, which another pod on the same volume does not share: hold a lock on the
# volume for as long as any process of this server lives (they inherit descriptor 9). A pod that is just stopping has its time.
if command -v flock >/dev/null; then
  locked=$VOLUME
  [ -w "$VOLUME" ] || locked=$PGDATA
  if [ -w "$locked" ]; then
    exec 9>"$locked/.postgres-app.lock"
    flock -w "$OTHER_SERVER_SECONDS" 9 2>/dev/null || flock -n 9 || fail "another pod is running Postgres on this volume: stop it first"
  elif [ -d "$PGDATA" ]; then
    not_ours "$PGDATA"
  fi
fi

image_major=$(postgres --version | sed 's/[^0-9]*\([0-9]*\).*/\1/')
if [ -s "$PGDATA/PG_VERSION" ]; then
  data_major=$(cat "$PGDATA/PG_VERSION")
  [ "$data_major" = "$image_major" ] ||
    fail "the data is Postgres $data_major, the image is Postgres $image_major, nothing was changed: set database.embedded.version to $data_major, or move the data with pg_dump and pg_restore"
  for signal in standby recovery; do
    [ ! -e "$PGDATA/$signal.signal" ] ||
      fail "the data is that of a standby or of a restore that is not done ($signal.signal is there), nothing was changed: promote it where it comes from, and stop that server"
  done
  if of_another_server; then await_another_server; fi
  relink
  initialized=
else
  # 2. A new database, where one may begin.
  may_initialize
  initialize
  initialized=yes
fi
chmod 0700 "$PGDATA" # fsGroup opens it to the group at every mount, and Postgres refuses that

# What must hold stands on the command line, which files beside the data and ALTER SYSTEM do not overrule.
while IFS= read -r setting; do set -- "$@" -c "$setting"; done <"$SETTINGS_FILE"
set -- -D "$PGDATA" -c config_file="$CONFIG_FILE" -c data_directory="$PGDATA" "$@" -c logging_collector=off

# 3. The Secret wins: a single-user server, which listens nowhere and asks for no password, is told the role and its password.
# Nothing is logged of what it is told, and extensions (pgaudit and the like) are not loaded.
# A recovery that a crash left behind happens here, with the settings of the real server.
# New data has its password from initdb.
# Data that was sorted by other rules (another libc or ICU) is told of here, and used all the same.
collations="DO \$\$ DECLARE d record; BEGIN FOR d IN SELECT datname, datcollversion AS was, pg_database_collation_actual_version(oid) AS is FROM pg_database WHERE datcollversion <> pg_database_collation_actual_version(oid) LOOP RAISE LOG 'database % was sorted by version % of its collation, this image has version %: indexes on text may miss rows until REINDEX DATABASE %; then ALTER DATABASE % REFRESH COLLATION VERSION;', d.datname, d.was, d.is, quote_ident(d.datname), quote_ident(d.datname); END LOOP; EXCEPTION WHEN OTHERS THEN RAISE LOG 'versions of collations could not be compared: %', SQLERRM; END \$\$"
[ "$image_major" -ge 15 ] || collations=
quote() { printf '%s' "$1" | sed "s/'/''/g"; }
[ -n "$initialized" ] || printf '%s\n' \
  "SET standard_conforming_strings = on" \
  "SET password_encryption = 'scram-sha-256'" \
  "SET postgres_app.role = '$(quote "$ADMIN_USER")'; SET postgres_app.password = '$(quote "$password")'" \
  "DO \$\$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = current_setting('postgres_app.role')) THEN EXECUTE format('CREATE ROLE %I', current_setting('postgres_app.role')); END IF; EXECUTE format('ALTER ROLE %I LOGIN SUPERUSER CONNECTION LIMIT -1 VALID UNTIL ''infinity'' PASSWORD %L', current_setting('postgres_app.role'), current_setting('postgres_app.password')); END \$\$" \
  "$collations" |
  postgres --single "$@" -c exit_on_error=on -c log_min_error_statement=panic -c log_statement=none -c log_duration=off \
    -c log_min_duration_statement=-1 -c log_min_duration_sample=-1 -c log_transaction_sample_rate=0 \
    -c debug_print_parse=off -c debug_print_rewritten=off -c debug_print_plan=off \
    -c default_transaction_read_only=off -c statement_timeout=0 -c lock_timeout=0 \
    -c shared_preload_libraries= -c session_preload_libraries= -c local_preload_libraries= -c synchronous_standby_names= \
    template1 >/dev/null ||
  fail "the password could not be set; the lines above say why"
unset password

# 4. The real server. Access rules are the mounted files' word.
exec postgres "$@" -c listen_addresses='*' -c hba_file="$HBA_FILE" -c unix_socket_directories="$SOCKET_DIRECTORY"
