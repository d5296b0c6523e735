-- Says what is missing when the role may create tables nowhere in this database.
SELECT format('%s may create tables nowhere in database %s. Let its owner or an administrator run in it: GRANT USAGE, CREATE ON SCHEMA public TO %I',
    current_user, current_database(), current_user)
  WHERE NOT has_database_privilege(current_database(), 'CREATE') AND NOT EXISTS (
    SELECT FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' AND has_schema_privilege(oid, 'CREATE'));
