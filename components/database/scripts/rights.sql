-- Rights inside the database, by the administrator or by a login that acts as the owner.
\set QUIET on
SET client_min_messages = warning;
SELECT pg_advisory_lock(hashtext('postgres-app setup')) \g /dev/null

-- Since Postgres 15 the owner of the database may create in its public schema; before, and in restored data, it takes a grant.
SELECT format('GRANT ALL ON SCHEMA public TO %I', :'owner')
  WHERE to_regnamespace('public') IS NOT NULL AND NOT has_schema_privilege(:'owner', 'public', 'CREATE') \gexec

-- A session that resets itself completely (SET ROLE NONE; on some versions DISCARD ALL, as some pools do) acts as the login again, and what it makes then is the
-- login's: it is given to the owner, so that the next login has it too.
CREATE TEMPORARY TABLE owning AS
  SELECT rolname FROM pg_roles WHERE rolname IN (:'login_a', :'login_b', :'migrator') AND EXISTS (
    SELECT FROM pg_shdepend WHERE refclassid = 'pg_authid'::regclass AND refobjid = pg_roles.oid AND deptype = 'o'
      AND dbid = (SELECT oid FROM pg_database WHERE datname = current_database()));
SELECT format('GRANT %I TO CURRENT_USER', rolname) FROM owning
  WHERE :'mode' = 'admin' AND NOT pg_has_role(current_user, rolname, 'USAGE') \gexec
-- Large objects are rows of the application: where it has a role of its own they are that one's.
SELECT format('ALTER LARGE OBJECT %s OWNER TO %I', oid, :'runtime') FROM pg_largeobject_metadata
  WHERE :'separate'::boolean AND :'mode' = 'admin' AND lomowner IN (SELECT oid FROM pg_roles WHERE rolname IN (:'owner', :'login_a', :'login_b', :'migrator')) \gexec
SELECT format('REASSIGN OWNED BY %I TO %I', rolname, :'owner') FROM owning WHERE :'mode' = 'admin' \gexec
SELECT format('note: %s owns some of database %s, and only an administrator can change that: REASSIGN OWNED BY %I TO %I',
    rolname, current_database(), rolname, :'owner') FROM owning WHERE :'mode' <> 'admin';

\if :separate
-- Data from before Postgres 15 lets everybody create in the public schema.
SELECT 'REVOKE CREATE ON SCHEMA public FROM PUBLIC'
  FROM pg_namespace WHERE nspname = 'public' AND pg_has_role(current_user, nspowner, 'USAGE')
    AND has_schema_privilege('public', oid, 'CREATE') \gexec
-- The runtime role reads and writes rows of what the owner has, and of what it will make.
SELECT format('SET ROLE %I', :'owner') \gexec
SELECT format('ALTER DEFAULT PRIVILEGES FOR ROLE %I GRANT %s TO %I', :'owner', rights, :'runtime')
  FROM (VALUES ('SELECT, INSERT, UPDATE, DELETE ON TABLES'), ('USAGE, SELECT, UPDATE ON SEQUENCES'), ('EXECUTE ON ROUTINES'),
               ('USAGE ON TYPES'), ('USAGE ON SCHEMAS')) AS defaults (rights) \gexec
SELECT format('GRANT USAGE ON SCHEMA %I TO %I', nspname, :'runtime')
  FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname NOT IN ('information_schema', 'postgres_app')
    AND (nspname = 'public' OR pg_get_userbyid(nspowner) = :'owner') \gexec
SELECT format('GRANT %s ON %s TO %I',
    CASE relkind WHEN 'S' THEN 'USAGE, SELECT, UPDATE' ELSE 'SELECT, INSERT, UPDATE, DELETE' END,
    CASE relkind WHEN 'S' THEN 'SEQUENCE ' ELSE '' END || pg_class.oid::regclass, :'runtime')
  FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
  WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND pg_get_userbyid(relowner) = :'owner'
    AND nspname !~ '^pg_' AND nspname NOT IN ('information_schema', 'postgres_app') \gexec
RESET ROLE;
\endif
