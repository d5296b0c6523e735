-- What is in our own schema nobody changes but its owner: default privileges, or a grant on all that there is, may have let others.
SELECT DISTINCT format('REVOKE CREATE ON SCHEMA postgres_app FROM %s', CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END)
  FROM pg_namespace, aclexplode(nspacl)
  WHERE nspname = 'postgres_app' AND pg_has_role(nspowner, 'USAGE') AND grantee <> nspowner AND privilege_type = 'CREATE' \gexec
SELECT DISTINCT format('REVOKE INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER ON TABLE %s FROM %s', pg_class.oid::regclass,
    CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END)
  FROM pg_class, aclexplode(relacl)
  WHERE relnamespace = to_regnamespace('postgres_app') AND relkind = 'r' AND pg_has_role(relowner, 'USAGE') AND grantee <> relowner
    AND privilege_type <> 'SELECT' \gexec
