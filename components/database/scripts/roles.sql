-- The owning role, the logins, and the database, by an administrator who need not be a superuser: what only a superuser may say is
-- said only where it changes something.
\set QUIET on
SET client_min_messages = warning;
SELECT pg_advisory_lock(hashtext('postgres-app setup')) \g /dev/null

-- The owner logs in only where it did so before on a server that is not ours.
SELECT format('CREATE ROLE %I NOLOGIN', :'owner') WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'owner') \gexec
-- Role 10 is the one that initdb made: it cannot cease to be a superuser.
SELECT format('ALTER ROLE %I NOLOGIN PASSWORD NULL', :'owner') WHERE :'ours'::boolean \gexec
SELECT format('ALTER ROLE %I NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS', :'owner')
  FROM pg_roles WHERE :'ours'::boolean AND rolname = :'owner' AND oid <> 10 \gexec
SELECT format('note: role %s is the superuser of this data since it was made, and the application acts with its rights', rolname)
  FROM pg_roles WHERE rolname = :'owner' AND rolsuper;

SELECT format('CREATE ROLE %I LOGIN', login)
  FROM (VALUES (:'login_a'), (:'login_b'), (CASE WHEN :'separate'::boolean THEN :'migrator' END)) AS logins (login)
  WHERE login IS NOT NULL AND NOT EXISTS (SELECT FROM pg_roles WHERE rolname = login) \gexec
SELECT format('CREATE ROLE %I NOLOGIN', :'runtime')
  WHERE :'separate'::boolean AND NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'runtime') \gexec
SELECT format('ALTER ROLE %I%s', rolname, concat(
    CASE WHEN rolsuper THEN ' NOSUPERUSER' END, CASE WHEN rolcreatedb THEN ' NOCREATEDB' END,
    CASE WHEN rolcreaterole THEN ' NOCREATEROLE' END, CASE WHEN rolreplication THEN ' NOREPLICATION' END,
    CASE WHEN rolbypassrls THEN ' NOBYPASSRLS' END, CASE WHEN NOT rolinherit THEN ' INHERIT' END))
  FROM pg_roles
  WHERE rolname IN (:'login_a', :'login_b', :'migrator', :'runtime') AND oid <> 10
    AND (rolsuper OR rolcreatedb OR rolcreaterole OR rolreplication OR rolbypassrls OR NOT rolinherit) \gexec

-- Who owns what is decided by the owner's name; for that the administrator has to be one of its members.
SELECT format('GRANT %I TO CURRENT_USER', :'owner') WHERE NOT pg_has_role(current_user, :'owner', 'USAGE') \gexec

SELECT format('CREATE DATABASE %I OWNER %I', :'database', :'owner')
  WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'database') \gexec
SELECT CASE WHEN :'ours'::boolean THEN format('ALTER DATABASE %I OWNER TO %I', datname, :'owner')
    ELSE format('DO $refuse$ BEGIN RAISE EXCEPTION %L; END $refuse$', format(
      'must be owner: database %s belongs to role %s: set user to that role, or run ALTER DATABASE %I OWNER TO %I', datname, rolname, datname, :'owner')) END
  FROM pg_database JOIN pg_roles ON pg_roles.oid = datdba WHERE datname = :'database' AND rolname <> :'owner' \gexec
SELECT format('REVOKE ALL ON DATABASE %I FROM PUBLIC', :'database') WHERE :'ours'::boolean \gexec
SELECT format('GRANT CONNECT, TEMPORARY ON DATABASE %I TO %I', :'database', :'runtime') WHERE :'separate'::boolean \gexec
