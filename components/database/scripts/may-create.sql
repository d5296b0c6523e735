-- Says what would keep the role from migrating this database, and the way out.
SELECT 'read-only: this server is a standby, or an endpoint for reading: give the host of the primary server' WHERE pg_is_in_recovery();
SELECT format('read-only: sessions of %s are (default_transaction_read_only). Let it or an administrator run: ALTER ROLE %I SET default_transaction_read_only = off',
    session_user, session_user)
  WHERE NOT pg_is_in_recovery() AND current_setting('transaction_read_only')::boolean;

SELECT format('role lacks a right: %s may create tables nowhere in database %s. Let its owner or an administrator run in it: GRANT USAGE, CREATE ON SCHEMA public TO %I',
    current_user, current_database(), current_user)
  WHERE NOT has_database_privilege(current_database(), 'CREATE') AND NOT EXISTS (
    SELECT FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' AND has_schema_privilege(oid, 'CREATE'));

-- Tables where it would make its own, none of which it could change.
SELECT format('role lacks a right: tables of database %s belong to %s (%s), and %s could change none of them. If they are the application''s, set user to their '
    || 'owner, or let an administrator give them to it (ALTER TABLE … OWNER TO %I). If not, give it a database of its own, or a schema that comes first in its search_path',
    current_database(), string_agg(DISTINCT owner, ', '), string_agg(name, ', ' ORDER BY name) FILTER (WHERE number <= 3) || CASE WHEN count(*) > 3 THEN ', …' ELSE '' END,
    current_user, current_user)
  FROM (SELECT relname AS name, pg_get_userbyid(relowner) AS owner, relowner, row_number() OVER (ORDER BY relname) AS number
    FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
    WHERE relkind IN ('r', 'p') AND nspname = ANY (current_schemas(false))
      AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = pg_class.oid AND deptype = 'e')) AS tables
  HAVING count(*) > 0 AND NOT bool_or(pg_has_role(current_user, relowner, 'USAGE'));
