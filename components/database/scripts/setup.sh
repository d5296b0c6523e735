#!/bin/sh
# Makes the roles, logins and database, or brings those it finds in line. Safe to run again, and next to another run.
# $MODE: admin  $ADMIN_USER makes everything on $SERVER_HOST:$SERVER_PORT
#        owner  an operator has made the roles; each login tells the server whom it acts as
#        check  nothing is made: the connection in libpq's variables, or in $CONNECTION_URI, is only tried
# $ADOPTED: whether the server's volume is one that others left.
# $NOT_NAMED: which of databaseName and user is a default, where the volume may have been another one's or another life's.
# Needs sh and psql. One bounded wait, of $CONNECT_TIMEOUT_SECONDS.
# shellcheck disable=SC2030,SC2031,SC2153 # login sets libpq's variables for itself alone, and means it
set -eu

here=$(dirname "$0")
# shellcheck source=components/database/scripts/libpq-uri.sh
. "$here/libpq-uri.sh"
# shellcheck source=components/database/scripts/passing.sh
. "$here/passing.sh"
# shellcheck source=components/database/scripts/session.sh
. "$here/session.sh"
export LC_ALL=C PGCONNECT_TIMEOUT=5 PGAPPNAME=postgres-app-setup
deadline=$(($(date +%s) + CONNECT_TIMEOUT_SECONDS))
scratch=$(mktemp -d) # in /tmp
trap 'rm -rf "$scratch"' EXIT

fail() {
  printf 'postgres-setup: %s\n' "$*" >&2
  exit 1
}

# What a server warns of meanwhile is no reason for a failure.
errors_in() { printf '%s\n' "$1" | grep -v -E '^(psql:[^ ]+ )?(WARNING|NOTICE): ' || :; }

# What a client or server that says this is suffering from. Of a host's addresses, the one that was tried last has the last word:
# libpq tries the next one where one cannot be reached, and ends with the first that answers.
kind_of() {
  of=$(errors_in "${1##*connection to server at}")
  case $of in
    *"not this component's"*) echo 'names are taken' ;;
    *' not named: '*) echo 'names are missing' ;;
    *'administers this server'*) echo 'the role of an administrator' ;;
    *'rotation out of turn'*) echo 'rotation out of turn' ;;
    *) if passing "$of"; then echo "$passing"; else final "$of"; fi ;;
  esac
}
# What waiting does not help against.
final() {
  case $1 in
    *'unsupported startup parameter'* | *'unsupported options startup parameter'*) echo 'a pooler' ;;
    *'pg_hba.conf '*'SSL encryption'* | *'pg_hba.conf '*'SSL on'*) echo 'not let in' ;;
    *'pg_hba.conf '*'no encryption'* | *'pg_hba.conf '*'SSL off'*) echo 'not let in without TLS' ;;
    *'does not support SSL'* | *'SSL error'* | *'certificate'* | *'private key file'*) echo 'TLS failure' ;;
    *'authentication failed'* | *'no password supplied'* | *'is not permitted to log in'*) echo 'wrong password' ;;
    *'database "'*'" does not exist'*) echo 'no such database' ;;
    *'ermission denied'* | *'must be owner'* | *'must be superuser'* | *'must be a member'* | *'must be able to SET ROLE'* | *'must have'*)
      echo 'role lacks a right'
      ;;
    *) echo 'failure' ;;
  esac
}

of_another_name=
[ -z "${PGSSLCERT:-}" ] || of_another_name="; one that asks for a certificate of the login's own name (clientcert=verify-full) says the same of another"

# ... and what to do about it.
advice() {
  case $1 in
    'host not found') echo 'correct the host name, or the DNS that the cluster asks' ;;
    'connection refused') echo 'nothing listens there: correct host and port, or start the server' ;;
    'no answer') echo 'a firewall or network policy is in the way, or the host is down: let the cluster reach it' ;;
    'a pooler') echo 'setup, migrations and backups need sessions of their own: give the host of the server itself in external.directHost' ;;
    'TLS failure') echo 'make external.tls (mode, ca, clientCertificate) fit what the server offers and asks for, and the host name fit its certificate' ;;
    'connection lost') echo 'the server, or what is between, ends connections: see its log, and whether host and port are those of Postgres' ;;
    'another session was in the way') echo 'let it end, or end it, then run pulumi up again' ;;
    'a statement took too long') echo "raise the role's statement_timeout, or end who it waited for" ;;
    'too many connections') echo "raise the server's max_connections, or let the application open fewer" ;;
    'not ready') echo 'the server is starting or stopping: let it finish, then run pulumi up again' ;;
    'wrong password')
      echo "correct the user or the password, which may have been changed in the server$of_another_name"
      ;;
    'not let in') echo "the server's pg_hba.conf (or its provider's access rules) has no line for this role from the cluster: add one" ;;
    'not let in without TLS')
      echo "the server wants TLS (external.tls.mode), or its pg_hba.conf has no line for this role from the cluster: change one of the two"
      ;;
    'no such database') echo 'create it, correct databaseName, or give external.admin so that it is made' ;;
    'role lacks a right') echo 'grant it, or use a role that has it' ;;
    'read-only') echo 'it is a standby, or an endpoint for reading: give the host of the primary server' ;;
    'names are taken') echo 'set user (and databaseName) to a name of its own, or take over what is the application'"'"'s' ;;
    'names are missing') echo 'write databaseName and user as they are on the volume' ;;
    'the role of an administrator') echo 'set user to a name of its own, which no role has' ;;
    'rotation out of turn') echo 'raise credentials.rotation by one at a time, from the number that pods run with' ;;
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
    passes "$said" || case $MODE$kind in
      'ownerwrong password' | 'ownerno such database' | 'ownerrole lacks a right') ;; # the operator may be at it
      *) give_up "$who" "$said" ;;
    esac
    [ "$(date +%s)" -lt "$deadline" ] || give_up "$who, for $CONNECT_TIMEOUT_SECONDS s" "$said"
    [ "$kind" = "$last" ] || echo "waiting up to $CONNECT_TIMEOUT_SECONDS s for $who: $kind"
    last=$kind
    sleep 1
  done
}

# attempt COMMAND...: SQL that can be run again, as long as that may help. Another setup on the same server may be changing the same rows
# of the catalogs at this moment, and then it is.
attempt() {
  soon=$(($(date +%s) + 30))
  until "$@" >"$scratch/result" 2>"$scratch/said"; do
    passes "$(cat "$scratch/said")" || return 1
    end=$deadline
    [ "$passing" != 'another session was in the way' ] || [ "$end" -gt "$soon" ] || end=$soon
    [ "$(date +%s)" -lt "$end" ] || return 1
    sleep 1
  done
}
passes() { passing "$(errors_in "${1##*connection to server at}")"; }

# run WHO COMMAND...: SQL of which a failure ends the Job with its reason. Prints the result alone: what the server says beside it goes to
# the log.
run() {
  doing=$1
  shift
  attempt "$@" || give_up "$doing" "$(cat "$scratch/said")"
  cat "$scratch/said" >&2
  cat "$scratch/result"
}

sql() { psql -X -q -A -t -v ON_ERROR_STOP=1 "$@"; }

# login USER PASSWORD PSQL_ARGUMENT...: on the server itself.
login() (
  export PGHOST="$SERVER_HOST" PGPORT="$SERVER_PORT" PGUSER="$1" PGPASSWORD="$2"
  shift 2
  sql "$@"
)

# Every namespace has the certificate of its cluster's authority, which is another one in each cluster.
cluster=unknown
[ ! -s "${CLUSTER_CA:-/nowhere}" ] || cluster=$(sha256sum <"$CLUSTER_CA" | cut -c 1-16)

with_names() {
  "$@" -v owner="$OWNER" -v database="$DATABASE" -v login_a="$LOGIN_A" -v login_b="$LOGIN_B" -v migrator="$MIGRATOR" -v runtime="$RUNTIME" \
    -v current="$CURRENT" -v separate="$SEPARATE_MIGRATOR" -v lock_former="$LOCK_FORMER" -v ours="${OWNS_SERVER:-false}" -v mode="$MODE" \
    -v unnamed="${NOT_NAMED:-}" -v place="${PLACE:-} in cluster $cluster" -v cluster="$cluster" -v id="${ID:-}" -v rotation="${ROTATION:-}" -v take_over="${TAKE_OVER:-}"
}

# --- check ---

given() {
  if [ -n "${CONNECTION_URI:-}" ]; then sql -d "$CONNECTION_URI" "$@"; else sql "$@"; fi
}

check() {
  libpq_uri || fail "the URI in the Secret $uri_problem"
  [ -z "$uri_left_out" ] || echo "note: of the URI only the application's driver knows $uri_left_out, which setup, migrations' lock and backups leave out"
  role=${PGUSER:-the given role}
  connect "$role at ${PGHOST:-the host of the URI}" given
  if [ -n "${SERVER_HOST:-}" ]; then
    PGHOST=$SERVER_HOST PGPORT=$SERVER_PORT PGUSER=${SERVER_USER:-$PGUSER} PGDATABASE=${SERVER_DATABASE:-$PGDATABASE} \
      connect "${SERVER_USER:-$role} at $SERVER_HOST:$SERVER_PORT, for migrations" given
  fi
  missing=$(run 'asking for extensions' given -v wanted="$EXTENSIONS" -f "$here/missing-extensions.sql")
  [ -z "$missing" ] || fail "the database lacks extensions; let an administrator run in it:
$missing"
  may=$(run 'asking for rights' given -f "$here/may-create.sql")
  [ -z "$may" ] || fail "$may"
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
  attempt send_verifier "$1" "$2" || {
    doing="setting the password of $1 as $ADMIN_USER"
    case $(cat "$scratch/said") in
      # Neon hands passwords on, credcheck judges them: both want to see them.
      *'plaintext password'* | *'not a plain text'*) ;;
      *) give_up "$doing" "$(cat "$scratch/said")" ;;
    esac
    attempt send_password "$1" "$2" || {
      ! grep -q -F -e "$2" -e "$(doubled "$2")" "$scratch/said" || echo 'its answer is not shown, because the password is in it' >"$scratch/said"
      give_up "$doing, which the server takes in plain text only" "$(cat "$scratch/said")"
    }
    echo "the server takes passwords in plain text only: $1 has got its own in a statement, for which logging was off"
  }
}

send_verifier() {
  printf '%s\n%s\n' "$2" "$2" |
    PGOPTIONS='-c password_encryption=scram-sha-256' login "$ADMIN_USER" "$ADMIN_PASSWORD" -d "$ADMIN_DATABASE" -c "\\password $1"
}

send_password() {
  { cat "$here/unlogged.sql" && printf "ALTER ROLE \"%s\" PASSWORD '%s';\n" "$1" "$(doubled "$2")"; } |
    PGOPTIONS='-c password_encryption=scram-sha-256' login "$ADMIN_USER" "$ADMIN_PASSWORD" -d "$ADMIN_DATABASE" -f -
}

doubled() { printf '%s' "$1" | sed "s/'/''/g"; }

# is_own ROLE [STATE]: by what $own says.
is_own() {
  case "
$own" in *"
$1 ${2:-}"*) ;; *) return 1 ;; esac
}

admin() {
  who="$ADMIN_USER at $SERVER_HOST:$SERVER_PORT"
  # With what is needed later, before anything is made: not every pooler takes it.
  PGOPTIONS='-c password_encryption=scram-sha-256' connect "$who" login "$ADMIN_USER" "$ADMIN_PASSWORD" -d "$ADMIN_DATABASE"
  kept login "$ADMIN_USER" "$ADMIN_PASSWORD" -d "$ADMIN_DATABASE" || fail "a pooler in transaction mode ($who): $(advice 'a pooler')"
  own=$(run "$who" with_names login "$ADMIN_USER" "$ADMIN_PASSWORD" -d "$ADMIN_DATABASE" -F ' ' -f "$here/own-roles.sql")
  # Roles that separateMigrator would need are locked out when it is taken back, but not where they are somebody else's.
  if [ "$SEPARATE_MIGRATOR" = false ] && [ "$OWNS_SERVER" = false ]; then
    is_own "$MIGRATOR" || MIGRATOR=
    is_own "$RUNTIME" || RUNTIME=
  fi
  run "$who, making roles and database" with_names login "$ADMIN_USER" "$ADMIN_PASSWORD" -d "$ADMIN_DATABASE" -f "$here/roles.sql"
  # The former login keeps the password that pods have until its turn comes, unless that is of another state: going back to the rotation
  # before gives both new ones.
  { [ "$CURRENT" = b ] && is_own "$LOGIN_A" this-state; } || set_password "$LOGIN_A" "$PASSWORD_A"
  { [ "$CURRENT" = a ] && is_own "$LOGIN_B" this-state; } || set_password "$LOGIN_B" "$PASSWORD_B"
  [ "$SEPARATE_MIGRATOR" = false ] || set_password "$MIGRATOR" "$PASSWORD_MIGRATOR"
  in_database "$who" login "$ADMIN_USER" "$ADMIN_PASSWORD"
  run "$who, letting the logins in" with_names login "$ADMIN_USER" "$ADMIN_PASSWORD" -d "$ADMIN_DATABASE" -f "$here/logins.sql"
  # A database that was there before may hold what is another role's. On a volume of the component's own it is enough that some of it is the owner's.
  if [ "$OWNS_SERVER:${ADOPTED:-false}" = true:false ]; then
    owned=$(run "$who, asking whose the tables are" with_names login "$ADMIN_USER" "$ADMIN_PASSWORD" -d "$DATABASE" -f "$here/owned.sql")
    [ "$owned" = f ] || return 0
  fi
  acting
  may=$(run "$acts, asking for rights" login "$acts" "$password" -d "$DATABASE" -f "$here/may-create.sql")
  [ -z "$may" ] || fail "$may"
}

# Who acts as the owner.
acting() {
  if [ "$SEPARATE_MIGRATOR" = true ]; then acts=$MIGRATOR password=$PASSWORD_MIGRATOR; else acts=$current_login password=$current_password; fi
}

owner() {
  acting
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
  [ "$SEPARATE_MIGRATOR" = false ] ||
    run "$current_login" login "$current_login" "$current_password" -d "$DATABASE" -v owner="$OWNER" -f "$here/act-as-owner.sql"
  # The operator makes the extensions, and says of its last ones that they are made until it comes to these.
  while
    missing=$(run "$who, asking for extensions" login "$acts" "$password" -d "$DATABASE" -v wanted="$EXTENSIONS" -f "$here/missing-extensions.sql") ||
      exit 1
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
    [ "${ADOPTED:-false}" = false ] || run "$who, handing over" with_names "$@" -d "$DATABASE" -f "$here/hand-over.sql"
  fi
  run "$who, giving rights" with_names "$@" -d "$DATABASE" -f "$here/rights.sql"
  if [ "$SETTINGS" = true ]; then
    run "$who, database settings" "$@" -d "$DATABASE" -v settings="$(cat "$here/settings")" -f "$here/settings.sql"
  fi
}

# The Secret with the client's certificate may be made at this moment, by cert-manager. Whoever comes later waits for it without a word.
client_certificate() {
  until [ -r "$PGSSLCERT" ] && [ -r "$PGSSLKEY" ]; do
    [ "$(date +%s)" -lt "$deadline" ] || fail "no client certificate within $CONNECT_TIMEOUT_SECONDS s: in this namespace is no Secret $CLIENT_SECRET with the keys $CLIENT_KEYS: make it, or correct external.tls.clientCertificate"
    sleep 1
  done
}

[ -z "${CLIENT_SECRET:-}" ] || client_certificate
case $MODE in
  check) check ;;
  owner | admin)
    "$MODE"
    prove
    ;;
  *) fail "no mode $MODE" ;;
esac
