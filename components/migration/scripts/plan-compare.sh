#!/bin/sh
# Says what the rehearsed migration did to the copy: in "destructive" what is lost, in "report" the rest. Run by plan-copy.sh.
set -eu
exec 2>&1
umask 022
here=$(dirname "$0")
run=/postgres-app/run/copy
export PGHOST=127.0.0.1 PGPORT=5432 PGUSER="$POSTGRES_APP_LOGIN" PGPASSWORD='' PGSSLMODE=disable PGSSLROOTCERT=''
unset CONNECTION_URI
sql() {
  place=$1
  shift
  PGDATABASE=$place psql -X -q -A -t -v ON_ERROR_STOP=1 "$@"
}

sql "$POSTGRES_APP_DATABASE" -v moment=after -f "$here/plan-snapshot.sql" >/tmp/after
sql postgres_app -c 'COPY snapshot FROM STDIN' </tmp/after
sql postgres_app -c "COPY noted FROM STDIN (FORMAT csv, DELIMITER E'\x01', QUOTE E'\x02')" </postgres-app/copy/noted
sql postgres_app -f "$here/plan-destructive.sql" >"$run/destructive"
{
  printf '%s; the migration took %s s there\n' "$(cat "$run/copied")" "$(cat /postgres-app/run/rehearse/took)"
  sql postgres_app -f "$here/plan-report.sql"
} >"$run/report"
