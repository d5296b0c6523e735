-- A login that is one of the owner's members acts as the owner from its next session on: a role may change its own settings.
-- What it owns itself, made by a session that had reset its role, it gives to the owner: without an administrator nobody else can.
\set QUIET on
SET ROLE NONE;
SELECT pg_has_role(session_user, :'owner', 'MEMBER') AS member \gset
SELECT CASE WHEN :'member'::boolean THEN format('ALTER ROLE %I SET role = %L', session_user, :'owner')
    ELSE format('ALTER ROLE %I RESET role', session_user) END \gexec
SELECT format('REASSIGN OWNED BY %I TO %I', session_user, :'owner') WHERE :'member'::boolean AND EXISTS (
  SELECT FROM pg_shdepend WHERE refclassid = 'pg_authid'::regclass AND refobjid = session_user::regrole AND deptype = 'o'
    AND dbid = (SELECT oid FROM pg_database WHERE datname = current_database())) \gexec
