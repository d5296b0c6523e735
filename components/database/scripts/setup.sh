#!/bin/sh
# Makes the application's role and database, or brings those it finds in line: owner, rights, password. Safe to run again.
# Connects with PGHOST, PGPORT, PGUSER and PGPASSWORD (the administrator).
set -eu

fail() {
  echo "postgres-setup: $*" >&2
  exit 1
}

# The server is ready when this starts, but its name may take a moment to reach every DNS cache: one bounded wait.
deadline=$(($(date +%s) + CONNECT_TIMEOUT_SECONDS))
until said=$(psql -X -q -A -t -d postgres -c 'SELECT 1' 2>&1); do
  [ "$(date +%s)" -lt "$deadline" ] || fail "no connection to $PGHOST:$PGPORT within $CONNECT_TIMEOUT_SECONDS s: $said"
  sleep 1
done

psql -X -q -v ON_ERROR_STOP=1 -d postgres -v role="$APP_USER" -v database="$APP_DATABASE" <<'SQL'
SELECT format('CREATE ROLE %I', :'role') WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'role') \gexec
ALTER ROLE :"role" LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS CONNECTION LIMIT -1 VALID UNTIL 'infinity';
SELECT format('CREATE DATABASE %I OWNER %I', :'database', :'role')
  WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'database') \gexec
ALTER DATABASE :"database" OWNER TO :"role";
REVOKE ALL ON DATABASE :"database" FROM PUBLIC;
SQL
# Since Postgres 15 the owner of the database may create in its public schema; before, and in restored data, it takes a grant.
psql -X -q -v ON_ERROR_STOP=1 -d "$APP_DATABASE" -v role="$APP_USER" <<'SQL'
GRANT ALL ON SCHEMA public TO :"role";
SQL

# \password sends a SCRAM verifier that psql computes: the password itself is never in a statement, so in no log of the server.
# It reads its two lines from standard input where there is no terminal, as in a pod.
said=$(printf '%s\n%s\n' "$APP_PASSWORD" "$APP_PASSWORD" |
  PGOPTIONS='-c password_encryption=scram-sha-256' psql -X -q -v ON_ERROR_STOP=1 -d postgres -c "\\password $APP_USER" 2>&1) ||
  fail "the password of role $APP_USER could not be set: $said"

# The proof: the application's own login works.
PGUSER=$APP_USER PGPASSWORD=$APP_PASSWORD psql -X -q -A -t -d "$APP_DATABASE" -c 'SELECT 1' >/dev/null ||
  fail "role $APP_USER cannot log in to $APP_DATABASE"
echo "role $APP_USER and database $APP_DATABASE are ready on $PGHOST:$PGPORT"
