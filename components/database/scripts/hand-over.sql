-- What the administrator has in the database of a volume that others left was the former application's, which logged in as that role: the owner
-- gets it. Not what extensions have made, nor routines that act with the administrator's rights for whoever calls them.
\set QUIET on
SET client_min_messages = warning;
SELECT pg_advisory_lock(hashtext('postgres-app setup')) \g /dev/null
SET lock_timeout = '30s';
BEGIN;
WITH schemas AS (
    SELECT oid, nspname, nspowner FROM pg_namespace
      WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
        AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_namespace'::regclass AND objid = pg_namespace.oid AND deptype = 'e')),
  objects (class, oid, owner, kind, called) AS (
    SELECT 'pg_namespace'::regclass, oid, nspowner, 'SCHEMA', quote_ident(nspname) FROM schemas WHERE nspname <> 'public'
    UNION ALL
    SELECT 'pg_class'::regclass, oid, relowner,
        CASE relkind WHEN 'S' THEN 'SEQUENCE' WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'f' THEN 'FOREIGN TABLE' ELSE 'TABLE' END,
        oid::regclass::text
      FROM pg_class WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND relnamespace IN (SELECT oid FROM schemas)
    UNION ALL
    SELECT 'pg_proc'::regclass, oid, proowner, 'ROUTINE', oid::regprocedure::text
      FROM pg_proc WHERE NOT prosecdef AND pronamespace IN (SELECT oid FROM schemas)
    UNION ALL
    SELECT 'pg_type'::regclass, oid, typowner, 'TYPE', oid::regtype::text
      FROM pg_type WHERE typnamespace IN (SELECT oid FROM schemas)
        AND (typtype IN ('d', 'e', 'r') OR typtype = 'c' AND (SELECT relkind FROM pg_class WHERE pg_class.oid = typrelid) = 'c')
    UNION ALL
    SELECT 'pg_largeobject'::regclass, oid, lomowner, 'LARGE OBJECT', oid::text FROM pg_largeobject_metadata)
-- What hangs on another object, as the sequence of a column does, or a range's own functions, goes with that.
SELECT format('ALTER %s %s OWNER TO %I', kind, called, :'owner') FROM objects
  WHERE owner = current_user::regrole
    AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = class AND objid = objects.oid
      AND (deptype = 'e' OR deptype IN ('a', 'i') AND kind IN ('SEQUENCE', 'ROUTINE'))) \gexec
COMMIT;
