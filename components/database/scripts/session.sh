# shellcheck shell=sh
# Sourced, never run. Behind a pooler in transaction mode a session lasts as long as a transaction: its settings and locks stay with whoever
# is served next.

# kept PSQL...: fails if the server has another process for the next transaction of that connection, or the same one for a second connection.
# With the second the pooler of an idle database gives itself away, with the first that of a busy one. Changes nothing.
kept() {
  pooled=$("$@" -f - 2>/dev/null <<'END'
SELECT pg_backend_pid() AS pid \gset
\setenv PID :pid
\setenv PGDATABASE :DBNAME
\! psql -X -q -A -t -w ${CONNECTION_URI:+-d "$CONNECTION_URI"} -c "SELECT pg_backend_pid() = $PID" -c "SELECT pg_backend_pid() = $PID" -c "SELECT pg_backend_pid() = $PID" -c "SELECT pg_backend_pid() = $PID" </dev/null
SELECT pg_backend_pid() <> :pid;
SELECT pg_backend_pid() <> :pid;
SELECT pg_backend_pid() <> :pid;
SELECT pg_backend_pid() <> :pid;
END
  ) || true
  case $pooled in *t*) return 1 ;; esac
}
