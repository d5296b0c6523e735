-- The owning role, the logins, and the database, by an administrator who need not be a superuser: what only a superuser may say is
-- said only where it changes something.
\set QUIET on
SET client_min_messages = warning;
SELECT pg_advisory_lock(hashtext('postgres-app setup')) \g /dev/null

-- Whose a role is stands in its comment, after whatever else does: the component's place (cluster, namespace, name), which outlives its
-- state, and the id that its state has, which outlives the place. One of the two is enough. The id comes with the passwords (logins.sql), and
-- with it the rotation, on the login that the application was given last.
\set mark '^(.*?)\\s*pulumi-postgres-app: (\\S+ in cluster \\S+), id (\\S+?)(, rotation (\\d+))?$'
CREATE TEMPORARY VIEW used AS
  SELECT oid, rolname, rolsuper, rolcreaterole, said, mark,
      (mark[2] = :'place' AND :'cluster' <> 'unknown') OR mark[3] = :'id' AS own, mark[3] = :'id' AS of_this_state
  FROM pg_roles, shobj_description(oid, 'pg_authid') AS said, regexp_match(said, :'mark') AS mark
  WHERE rolname IN (:'owner', :'login_a', :'login_b') OR :'separate'::boolean AND rolname IN (:'migrator', :'runtime');

-- On a volume that has databases, of others or of another life of this component, one beside them is made only where it is asked for by name.
-- Theirs may be the administrator's own, too.
CREATE TEMPORARY VIEW theirs AS
  SELECT datname, CASE WHEN datdba = current_user::regrole THEN :'owner' ELSE pg_get_userbyid(datdba) END AS belongs
  FROM pg_database WHERE NOT datistemplate AND (datname <> current_database() OR EXISTS (
    SELECT FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
      WHERE relkind IN ('r', 'p') AND nspname !~ '^pg_' AND nspname <> 'information_schema'
        AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = pg_class.oid AND deptype = 'e')));
SELECT format('DO $refuse$ BEGIN RAISE EXCEPTION USING MESSAGE = %L; END $refuse$', format(
    'not named: there are databases on the volume, none of which is called %s as the application''s would be by default, and that one would be empty. '
    || 'For the application''s among them write %s. For an empty one beside them write databaseName: "%s"', :'database',
    string_agg(format('databaseName: "%s", user: "%s"', datname, belongs), ', or ' ORDER BY datname), :'database'))
  FROM theirs WHERE 'databaseName' = ANY (string_to_array(:'unnamed', ' '))
    AND NOT EXISTS (SELECT FROM pg_database WHERE datname = :'database') HAVING count(*) > 0 \gexec
-- The tables in it would stay those of its owner.
SELECT format('DO $refuse$ BEGIN RAISE EXCEPTION USING MESSAGE = %L; END $refuse$', format(
    'not named: database %s on the volume belongs to role %s, and the application would act as %s by default, which could change none of its tables: write user: "%s"',
    datname, belongs, :'owner', belongs))
  FROM theirs WHERE 'user' = ANY (string_to_array(:'unnamed', ' ')) AND datname = :'database' AND belongs <> :'owner' \gexec
-- On a server that is somebody else's a role of the same name may be anybody's.
SELECT format('DO $refuse$ BEGIN RAISE EXCEPTION USING MESSAGE = %L; END $refuse$', 'not this component''s: '
    || string_agg(format(CASE WHEN mark IS NULL THEN 'role %s, which no component has marked' ELSE 'role %s, which is marked as that of %s' END,
      rolname, mark[2]), '; ' ORDER BY rolname)
    || format('. If it is this application''s, take it over: external.admin.takeOver: [%s]', string_agg('"' || rolname || '"', ', ' ORDER BY rolname)))
  FROM used WHERE NOT :'ours'::boolean AND own IS NOT TRUE AND rolname <> ALL (string_to_array(:'take_over', ' ')) HAVING count(*) > 0 \gexec
-- Nobody's wish makes the application an administrator.
SELECT format('DO $refuse$ BEGIN RAISE EXCEPTION USING MESSAGE = %L; END $refuse$', format(
    'role %s administers this server, and the application would have its rights: set user to a role that does not', rolname))
  FROM used WHERE NOT :'ours'::boolean AND own IS NOT TRUE
    AND (rolsuper OR rolcreaterole OR rolname = current_user OR rolname = :'owner' AND pg_has_role(oid, current_user, 'MEMBER')) \gexec
-- A rotation gives the other login a password; a number out of turn would take the one away that pods log in with.
SELECT format('DO $refuse$ BEGIN RAISE EXCEPTION USING MESSAGE = %L; END $refuse$', format(
    'rotation out of turn: rotation %s would change the password of %s, which pods log in with since rotation %s: write credentials.rotation: %s',
    :'rotation', rolname, mark[5], mark[5]::bigint + 1))
  FROM used WHERE of_this_state AND rolname = CASE :'current' WHEN 'a' THEN :'login_a' ELSE :'login_b' END AND mark[5] <> :'rotation' \gexec

BEGIN;
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
-- What the application makes, large objects for one, its migrations have too, and backups.
SELECT format('GRANT %I TO %I', rolname, :'owner') FROM pg_roles
  WHERE :'separate'::boolean AND rolname = :'runtime' AND NOT pg_has_role(:'owner', oid, 'USAGE') \gexec
-- Tables may force their policies on their owner (FORCE ROW LEVEL SECURITY): backups act as a role that none holds for. One of that name
-- which logs in is somebody's, and stays as it is.
SELECT format('CREATE ROLE %I NOLOGIN BYPASSRLS', :'owner' || '_backup')
  WHERE :'ours'::boolean AND NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'owner' || '_backup') \gexec
SELECT format('GRANT %I TO %I', :'owner', rolname) FROM pg_roles
  WHERE :'ours'::boolean AND rolname = :'owner' || '_backup' AND rolbypassrls AND NOT rolcanlogin AND NOT pg_has_role(oid, :'owner', 'USAGE') \gexec
SELECT format('ALTER ROLE %I%s', rolname, concat(
    CASE WHEN rolsuper THEN ' NOSUPERUSER' END, CASE WHEN rolcreatedb THEN ' NOCREATEDB' END,
    CASE WHEN rolcreaterole THEN ' NOCREATEROLE' END, CASE WHEN rolreplication THEN ' NOREPLICATION' END,
    CASE WHEN rolbypassrls THEN ' NOBYPASSRLS' END, CASE WHEN NOT rolinherit THEN ' INHERIT' END))
  FROM pg_roles
  WHERE rolname IN (:'login_a', :'login_b', :'migrator', :'runtime') AND oid <> 10
    AND (rolsuper OR rolcreatedb OR rolcreaterole OR rolreplication OR rolbypassrls OR NOT rolinherit) \gexec

SELECT format('COMMENT ON ROLE %I IS %L', rolname, concat_ws(' ', nullif(coalesce(mark[1], said), ''),
    format('pulumi-postgres-app: %s, id %s%s', :'place', CASE WHEN of_this_state THEN :'id' ELSE 'unset' END, CASE WHEN of_this_state THEN mark[4] END)))
  FROM used WHERE mark IS NULL OR NOT of_this_state OR mark[2] <> :'place' \gexec
COMMIT;

-- Who owns what is decided by the owner's name; for that the administrator has to be one of its members.
SELECT format('GRANT %I TO CURRENT_USER', :'owner') WHERE NOT pg_has_role(current_user, :'owner', 'USAGE') \gexec

SELECT format('CREATE DATABASE %I OWNER %I', :'database', :'owner')
  WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'database') \gexec
SELECT CASE WHEN :'ours'::boolean THEN format('ALTER DATABASE %I OWNER TO %I', datname, :'owner')
    ELSE format('DO $refuse$ BEGIN RAISE EXCEPTION %L; END $refuse$', format(
      'must be owner: database %s belongs to role %s: set user to that role and take it over (external.admin.takeOver: ["%s"]), or run ALTER DATABASE %I OWNER TO %I', datname, rolname, rolname, datname, :'owner')) END
  FROM pg_database JOIN pg_roles ON pg_roles.oid = datdba WHERE datname = :'database' AND rolname <> :'owner' \gexec
SELECT format('REVOKE ALL ON DATABASE %I FROM PUBLIC', :'database') WHERE :'ours'::boolean \gexec
SELECT format('GRANT CONNECT, TEMPORARY ON DATABASE %I TO %I', :'database', :'runtime') WHERE :'separate'::boolean \gexec
