-- Who holds locks on what somebody made, a session a line, longest first. After made.sql. Since when is seen of one's own login only.
SET ROLE NONE;
SELECT concat_ws(', ', 'pid ' || pid, usename, nullif(application_name, ''), state,
  'in a transaction since ' || to_char(xact_start AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS "UTC"'))
FROM pg_stat_activity
WHERE pid <> pg_backend_pid() AND pid IN (
  SELECT pid FROM pg_locks JOIN made ON catalog = 'pg_class'::regclass AND object = relation
  WHERE granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))
ORDER BY xact_start, pid;
