-- Empties the database, inside a transaction that goes on with the content of a backup. After begin.sql and made.sql.
-- In $SCHEMAS is a file with the backup's entries of schemas: those that it has stay, so that it takes no right to make them again.
\set schemas `cat "$SCHEMAS"`
SELECT count(*) + (SELECT count(*) FROM pg_event_trigger) AS kept FROM pg_depend WHERE deptype = 'e' \gset

-- A login acts as the owner. As itself it has the owner's rights and its own, on what a session made that had reset its role.
SET ROLE NONE;
SELECT format('DO $refuse$ BEGIN RAISE EXCEPTION %L; END $refuse$', format(
    'must be owner of all that is replaced: %s (objects in all: %s)', array_to_string((array_agg(
      pg_describe_object(catalog, object, 0) || ' belongs to ' || pg_get_userbyid(owner) ORDER BY catalog, object))[1:3], ', '), count(*)))
  FROM made WHERE NOT pg_has_role(owner, 'USAGE') HAVING count(*) > 0 \gexec

-- Tables first, before anything is done: here it waits for who uses them.
SELECT format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', object::regclass)
  FROM made JOIN pg_class ON pg_class.oid = object WHERE catalog = 'pg_class'::regclass AND relkind IN ('r', 'p') ORDER BY object \gexec

-- Cascading, in any order, but that a table goes before its sequences.
SELECT CASE type
    WHEN 'large object' THEN format('SELECT lo_unlink(%s)', object)
    ELSE format('DROP %s IF EXISTS %s CASCADE', CASE type WHEN 'aggregate' THEN 'routine' ELSE type END, identity) END
  FROM made, pg_identify_object(catalog, object, 0) ORDER BY type = 'sequence', catalog, object \gexec
SELECT format('DROP SCHEMA %I', nspname)
  FROM pg_namespace
  WHERE nspname !~ '^pg_' AND nspname NOT IN ('information_schema', 'public', 'postgres_app') AND pg_has_role(nspowner, 'USAGE')
    AND strpos(:'schemas', ' SCHEMA - ' || nspname || ' ') = 0
    AND NOT EXISTS (SELECT FROM pg_extension WHERE extnamespace = pg_namespace.oid)
    AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_namespace'::regclass AND objid = pg_namespace.oid AND deptype = 'e') \gexec
RESET ROLE;
DROP VIEW made;

-- Rows of extensions' own tables, which the backup brings.
SELECT format('DELETE FROM %s %s', config::regclass, condition)
  FROM pg_extension, unnest(extconfig, extcondition) AS own (config, condition) JOIN pg_class ON pg_class.oid = config
  WHERE relkind IN ('r', 'p') AND has_table_privilege(config, 'INSERT') AND has_table_privilege(config, 'DELETE') \gexec
-- The public schema is in no backup, and may have been dropped.
SELECT 'CREATE SCHEMA public' WHERE to_regnamespace('public') IS NULL \gexec

-- Cascades must not have reached what the backup does not bring back.
SELECT 'DO $refuse$ BEGIN RAISE EXCEPTION ''an extension or an event trigger depends on what is to be replaced: drop it first''; END $refuse$'
  WHERE (SELECT count(*) FROM pg_depend WHERE deptype = 'e') + (SELECT count(*) FROM pg_event_trigger) <> :kept \gexec
