-- A login acts as the role whose member it is, from its next session on: a role may change its own settings. That is the owner, or where
-- migrations have a login of their own the runtime role. What it owns itself, made by a session that had reset its role, it gives to
-- that: without an administrator nobody else can.
\set QUIET on
SET ROLE NONE;
SELECT coalesce(max(rolname) FILTER (WHERE rolname = :'owner'), max(rolname)) AS acts, count(*) FILTER (WHERE rolname = :'owner') > 0 AS owns
  FROM pg_roles WHERE rolname IN (:'owner', :'owner' || '_runtime') AND pg_has_role(session_user, oid, 'MEMBER') \gset
SELECT CASE WHEN :'acts' <> '' THEN format('ALTER ROLE %I SET role = %L', session_user, :'acts')
    ELSE format('ALTER ROLE %I RESET role', session_user) END \gexec
SELECT format('REASSIGN OWNED BY %I TO %I', session_user, :'acts') WHERE :'owns'::boolean AND EXISTS (
  SELECT FROM pg_shdepend WHERE refclassid = 'pg_authid'::regclass AND refobjid = session_user::regrole AND deptype = 'o'
    AND dbid = (SELECT oid FROM pg_database WHERE datname = current_database())) \gexec
SELECT format('ALTER LARGE OBJECT %s OWNER TO %I', oid, :'acts') FROM pg_largeobject_metadata
  WHERE :'acts' <> '' AND lomowner = session_user::regrole \gexec
