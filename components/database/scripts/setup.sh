#!/bin/sh
# Makes the roles, logins and database, or brings those it finds in line. Safe to run again, and next to another run.
# $MODE: admin  $ADMIN_USER makes everything on $SERVER_HOST:$SERVER_PORT
#        owner  an operator has made the roles; each login tells the server whom it acts as
#        check  nothing is made: the connection in libpq's variables, or in $CONNECTION_URI, is only tried
# Needs sh and psql. One bounded wait, of $CONNECT_TIMEOUT_SECONDS.
# shellcheck disable=SC2030,SC2031,SC2153 # login sets libpq's variables for itself alone, and means it
set -eu

here=$(dirname "$0")
export LC_ALL=C PGCONNECT_TIMEOUT=5 PGAPPNAME=postgres-app-setup
deadline=$(($(date +%s) + CONNECT_TIMEOUT_SECONDS))

fail() {
  printf 'postgres-setup: %s\n' "$*" >&2
  exit 1
}

# What a client or server that says this is suffering from. Of a host's addresses, the one that was tried last has the last word:
# libpq tries the next one where one cannot be reached, and ends with the first that answers.
kind_of() {
  case ${1##*connection to server at} in
    *'could not translate host name'*) echo 'host not found' ;;
    *'Connection refused'*) echo 'connection refused' ;;
    *'pg_hba.conf '*'SSL encryption'* | *'pg_hba.conf '*'SSL on'*) echo 'not let in' ;;
    *'pg_hba.conf '*'no encryption'* | *'pg_hba.conf '*'SSL off'*) echo 'not let in without TLS' ;;
    *'timeout expired'* | *'timed out'* | *'No route to host'* | *'Network is unreachable'*) echo 'no answer' ;;
    *'does not support SSL'* | *'SSL error'* | *'certificate'*) echo 'TLS failure' ;;
    *'too many clients'* | *'too many connections'* | *'connection slots are reserved'*) echo 'too many connections' ;;
    *'is starting up'* | *'is shutting down'* | *'not yet accepting'* | *'in recovery mode'*) echo 'not ready' ;;
    *'authentication failed'* | *'no password supplied'* | *'is not permitted to log in'*) echo 'wrong password' ;;
    *'database "'*'" does not exist'*) echo 'no such database' ;;
    *'ermission denied'* | *'must be owner'* | *'must be superuser'* | *'must be a member'* | *'must be able to SET ROLE'* | *'must have'*)
      echo 'role lacks a right'
      ;;
    *) echo 'failure' ;;
  esac
}

# ... and what to do about it.
advice() {
  case $1 in
    'host not found') echo 'correct the host name, or the DNS that the cluster asks' ;;
    'connection refused') echo 'nothing listens there: correct host and port, or start the server' ;;
    'no answer') echo 'a firewall or network policy is in the way, or the host is down: let the cluster reach it' ;;
    'TLS failure') echo 'make external.tls (mode, ca) fit what the server offers, and the host name fit its certificate' ;;
    'too many connections') echo "raise the server's max_connections, or let the application open fewer" ;;
    'not ready') echo 'the server is starting or stopping: let it finish, then run pulumi up again' ;;
    'wrong password') echo 'correct the user or the password, which may have been changed in the server' ;;
    'not let in') echo "the server's pg_hba.conf (or its provider's access rules) has no line for this role from the cluster: add one" ;;
    'not let in without TLS')
      echo "the server wants TLS (external.tls.mode), or its pg_hba.conf has no line for this role from the cluster: change one of the two"
      ;;
    'no such database') echo 'create it, correct databaseName, or give external.admin so that it is made' ;;
    'role lacks a right') echo 'grant it, or use a role that has it' ;;
    *) echo 'see what the server said' ;;
  esac
}

# give_up WHO SAID: ends with the reason in words.
give_up() {
  kind=$(kind_of "$2")
  # What libpq says of a URI that it cannot read may quote a piece of it, and so of the password.
  [ -z "${CONNECTION_URI:-}" ] || [ "$kind" != failure ] ||
    fail "the URI in the Secret cannot be used: percent-encode its parts and check its parameters (what libpq said of it is not shown, because it may quote the password)"
  fail "$kind ($1): $(advice "$kind").
The server or client said: $2"
}

# connect WHO COMMAND...: until it connects, as long as waiting may help.
connect() {
  who=$1
  shift
  last=
  until said=$("$@" -c 'SELECT 1' 2>&1); do
    kind=$(kind_of "$said")
    case $kind in
      'host not found' | 'connection refused' | 'no answer' | 'too many connections' | 'not ready') ;;
      'wrong password' | 'no such database' | 'role lacks a right') [ "$MODE" = owner ] || give_up "$who" "$said" ;; # the operator may be at it
      *) give_up "$who" "$said" ;;
    esac
    [ "$(date +%s)" -lt "$deadline" ] || give_up "$who, for $CONNECT_TIMEOUT_SECONDS s" "$said"
    [ "$kind" = "$last" ] || echo "waiting up to $CONNECT_TIMEOUT_SECONDS s for $who: $kind"
    last=$kind
    sleep 1
  done
}

# run WHO COMMAND...: SQL of which a failure ends the Job with its reason.
run() {
  who=$1
  shift
  said=$("$@" 2>&1) || give_up "$who" "$said"
  [ -z "$said" ] || printf '%s\n' "$said"
}

sql() { psql -X -q -A -t -v ON_ERROR_STOP=1 "$@"; }

# login USER PASSWORD PSQL_ARGUMENT...: on the server itself.
login() (
  export PGHOST="$SERVER_HOST" PGPORT="$SERVER_PORT" PGUSER="$1" PGPASSWORD="$2"
  shift 2
  sql "$@"
)

with_names() {
  "$@" -v owner="$OWNER" -v database="$DATABASE" -v login_a="$LOGIN_A" -v login_b="$LOGIN_B" -v migrator="$MIGRATOR" -v runtime="$RUNTIME" \
    -v current="$CURRENT" -v separate="$SEPARATE_MIGRATOR" -v lock_former="$LOCK_FORMER" -v ours="${OWNS_SERVER:-false}" -v mode="$MODE"
}

# --- check ---

given() {
  if [ -n "${CONNECTION_URI:-}" ]; then sql -d "$CONNECTION_URI" "$@"; else sql "$@"; fi
}

check() {
  role=${PGUSER:-the given role}
  connect "$role at ${PGHOST:-the host of the URI}" given
  if [ -n "${SERVER_HOST:-}" ]; then
    PGHOST=$SERVER_HOST PGPORT=$SERVER_PORT connect "$role at $SERVER_HOST:$SERVER_PORT, for migrations" given
  fi
  missing=$(given -v wanted="$EXTENSIONS" -f "$here/missing-extensions.sql" 2>&1) || give_up 'asking for extensions' "$missing"
  [ -z "$missing" ] || fail "the database lacks extensions; let an administrator run in it:
$missing"
  may=$(given -f "$here/may-create.sql" 2>&1) || give_up 'asking for rights' "$may"
  [ -z "$may" ] || fail "role lacks a right: $may"
  echo "the connection works, the database has what is asked for"
}

# --- owner, admin ---

case ${CURRENT:-} in
  a) current_login=$LOGIN_A current_password=$PASSWORD_A ;;
  b) current_login=$LOGIN_B current_password=$PASSWORD_B ;;
esac

# The proof: the logins work, where the application and the migration use them.
prove() {
  SERVER_HOST=$APP_HOST SERVER_PORT=$APP_PORT connect "$current_login at $APP_HOST:$APP_PORT, database $DATABASE" \
    login "$current_login" "$current_password" -d "$DATABASE"
  if [ "$SEPARATE_MIGRATOR" = true ]; then
    connect "$MIGRATOR at $SERVER_HOST:$SERVER_PORT, database $DATABASE" login "$MIGRATOR" "$PASSWORD_MIGRATOR" -d "$DATABASE"
  fi
  echo "$current_login works in database $DATABASE at $APP_HOST:$APP_PORT, whose owner is $OWNER"
}

# \password sends a SCRAM verifier that psql computes: the password itself is never in a statement, so in no log of the server.
# It reads its two lines from standard input where there is no terminal, as in a pod.
set_password() {
  said=$(printf '%s\n%s\n' "$2" "$2" |
    PGOPTIONS='-c password_encryption=scram-sha-256' login "$ADMIN_USER" "$ADMIN_PASSWORD" -d "$ADMIN_DATABASE" -c "\\password $1" 2>&1) ||
    give_up "setting the password of $1 as $ADMIN_USER" "$said"
}

admin() {
  who="$ADMIN_USER at $SERVER_HOST:$SERVER_PORT"
  connect "$who" login "$ADMIN_USER" "$ADMIN_PASSWORD" -d "$ADMIN_DATABASE"
  run "$who, making roles and database" with_names login "$ADMIN_USER" "$ADMIN_PASSWORD" -d "$ADMIN_DATABASE" -f "$here/roles.sql"
  set_password "$LOGIN_A" "$PASSWORD_A"
  set_password "$LOGIN_B" "$PASSWORD_B"
  [ "$SEPARATE_MIGRATOR" = false ] || set_password "$MIGRATOR" "$PASSWORD_MIGRATOR"
  in_database "$who" login "$ADMIN_USER" "$ADMIN_PASSWORD"
  run "$who, letting the logins in" with_names login "$ADMIN_USER" "$ADMIN_PASSWORD" -d "$ADMIN_DATABASE" -f "$here/logins.sql"
}

owner() {
  if [ "$SEPARATE_MIGRATOR" = true ]; then acts=$MIGRATOR password=$PASSWORD_MIGRATOR; else acts=$current_login password=$current_password; fi
  who="$acts at $SERVER_HOST:$SERVER_PORT"
  # A password that stays works before the operator has come to the memberships.
  connect "$who, database $DATABASE, as a member of $OWNER" login "$acts" "$password" -d "$DATABASE" -c "SET ROLE \"$OWNER\""
  run "$who" login "$acts" "$password" -d "$DATABASE" -v owner="$OWNER" -f "$here/act-as-owner.sql"
  # The other one too, if it is let in.
  for other in "$LOGIN_A $PASSWORD_A" "$LOGIN_B $PASSWORD_B"; do
    login "${other%% *}" "${other#* }" -d "$DATABASE" -v owner="$OWNER" -f "$here/act-as-owner.sql" >/dev/null 2>&1 || :
  done
  in_database "$who" login "$acts" "$password"
  [ "$SEPARATE_MIGRATOR" = false ] || connect "$current_login at $SERVER_HOST:$SERVER_PORT, as a member of $RUNTIME" \
    login "$current_login" "$current_password" -d "$DATABASE" -c "SET ROLE \"$RUNTIME\""
  # The operator makes the extensions, and says of its last ones that they are made until it comes to these.
  while
    missing=$(login "$acts" "$password" -d "$DATABASE" -v wanted="$EXTENSIONS" -f "$here/missing-extensions.sql" 2>&1) ||
      give_up "$who, asking for extensions" "$missing"
    [ -n "$missing" ]
  do
    [ "$(date +%s)" -lt "$deadline" ] || fail "the operator has not made these extensions within $CONNECT_TIMEOUT_SECONDS s (kubectl describe its Database):
$missing"
    sleep 1
  done
}

# in_database WHO COMMAND...: extensions, rights and settings, in the database itself.
in_database() {
  who=$1
  shift
  if [ "$MODE" = admin ]; then
    run "$who, making extensions" "$@" -d "$DATABASE" -v wanted="$EXTENSIONS" -f "$here/extensions.sql"
  fi
  run "$who, giving rights" with_names "$@" -d "$DATABASE" -f "$here/rights.sql"
  if [ "$SETTINGS" = true ]; then
    run "$who, database settings" "$@" -d "$DATABASE" -v settings="$(cat "$here/settings")" -f "$here/settings.sql"
  fi
}

case $MODE in
  check) check ;;
  owner | admin)
    "$MODE"
    prove
    ;;
  *) fail "no mode $MODE" ;;
esac
