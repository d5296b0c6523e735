-- Ten times a second, what the migration has locked against reads or writes; a row without a table says that it was looked.
INSERT INTO held
SELECT now(), relation, bool_or(mode = 'AccessExclusiveLock')
FROM pg_locks
WHERE granted AND locktype = 'relation' AND database = (SELECT oid FROM pg_database WHERE datname = :'database')
  AND mode IN ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
GROUP BY relation
UNION ALL
SELECT now(), NULL, NULL
\watch 0.1
