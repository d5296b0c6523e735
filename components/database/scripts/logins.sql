-- What each login may, by the administrator and at the end: when its password is set, and the roles that it gets have their rights. All
-- at once, so that a session that begins meanwhile, of an application that goes on, has either the former rights or the new ones.
\set QUIET on
SET client_min_messages = warning;
SELECT pg_advisory_lock(hashtext('postgres-app setup')) \g /dev/null
BEGIN;

-- A login that was locked out logs in again when its turn has come.
SELECT format('ALTER ROLE %I %s CONNECTION LIMIT -1 VALID UNTIL ''infinity''', rolname,
    CASE WHEN rolname = :'migrator' AND NOT :'separate'::boolean THEN 'NOLOGIN'
         WHEN :'lock_former'::boolean AND rolname = CASE :'current' WHEN 'a' THEN :'login_b' ELSE :'login_a' END THEN 'NOLOGIN'
         ELSE 'LOGIN' END)
  FROM pg_roles WHERE rolname IN (:'login_a', :'login_b', :'migrator') \gexec

-- Logins act as the owner, or, where migrations have a login of their own, have the rights of the runtime role.
CREATE TEMPORARY TABLE wanted AS
  SELECT login, CASE WHEN :'separate'::boolean AND login <> :'migrator' THEN :'runtime' ELSE :'owner' END AS gets
    FROM (VALUES (:'login_a'), (:'login_b'), (:'migrator')) AS logins (login)
    WHERE EXISTS (SELECT FROM pg_roles WHERE rolname = login) AND (login <> :'migrator' OR :'separate'::boolean);
-- Who acts as the owner may act as the role for backups (roles.sql), and nobody else.
INSERT INTO wanted SELECT login, rolname FROM wanted, pg_roles
  WHERE gets = :'owner' AND :'ours'::boolean AND rolname = :'owner' || '_backup' AND rolbypassrls AND NOT rolcanlogin;
SELECT format('REVOKE %I FROM %I', granted.rolname, member.rolname)
  FROM pg_auth_members m JOIN pg_roles granted ON granted.oid = m.roleid JOIN pg_roles member ON member.oid = m.member
  WHERE (granted.rolname IN (:'owner', :'runtime') OR :'ours'::boolean AND granted.rolname = :'owner' || '_backup') AND member.rolname IN (:'login_a', :'login_b', :'migrator')
    AND NOT EXISTS (SELECT FROM wanted WHERE login = member.rolname AND gets = granted.rolname) \gexec
SELECT format('GRANT %I TO %I', gets, login) FROM wanted
  WHERE NOT EXISTS (
    SELECT FROM pg_auth_members m JOIN pg_roles granted ON granted.oid = m.roleid JOIN pg_roles member ON member.oid = m.member
      WHERE granted.rolname = gets AND member.rolname = login) \gexec
-- Whatever a login makes is the role's, and so the other login's too.
SELECT format('ALTER ROLE %I SET role = %L', login, gets) FROM wanted WHERE gets IN (:'owner', :'runtime') \gexec
-- All have the passwords of this state now, and one of them is what the application has: for the next setup (roles.sql).
SELECT format('COMMENT ON ROLE %I IS %L', rolname, noted)
  FROM (SELECT rolname, said, regexp_replace(said, ', id \S+?(, rotation \d+)?$', ', id ' || :'id')
      || CASE WHEN rolname = CASE :'current' WHEN 'a' THEN :'login_a' ELSE :'login_b' END THEN ', rotation ' || :'rotation' ELSE '' END AS noted
    FROM pg_roles, shobj_description(oid, 'pg_authid') AS said
    WHERE rolname IN (:'owner', :'login_a', :'login_b') OR :'separate'::boolean AND rolname IN (:'migrator', :'runtime')) AS used
  WHERE said <> noted \gexec
COMMIT;

-- Who is locked out is not left in either.
CREATE TEMPORARY TABLE locked AS
  SELECT rolname FROM pg_roles WHERE rolname IN (:'login_a', :'login_b', :'migrator') AND NOT rolcanlogin
    AND EXISTS (SELECT FROM pg_stat_activity WHERE usename = rolname);
SELECT format('GRANT %I TO CURRENT_USER', rolname) FROM locked WHERE NOT pg_has_role(current_user, rolname, 'USAGE') \gexec
SELECT pg_terminate_backend(pid) FROM pg_stat_activity JOIN locked ON usename = rolname \g /dev/null
