-- Large objects are rows of the application, in a table of the server's: where it has a role of its own (the runtime role), they are
-- that one's, whichever of its logins made them, or a restore. The owner has them too, as one of that role's members.
\set QUIET on
SELECT format('ALTER LARGE OBJECT %s OWNER TO %I', large.oid, rolname)
  FROM pg_largeobject_metadata AS large, pg_roles
  WHERE lomowner = current_user::regrole AND rolname = current_user || '_runtime' AND pg_has_role(pg_roles.oid, 'MEMBER') \gexec
