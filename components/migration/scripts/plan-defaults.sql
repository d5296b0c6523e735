-- Settings of the server, the database and the login, the strongest last, as those of the copy (:name).
SELECT format('ALTER DATABASE %I SET %s TO %s;', :'name', left(setting, strpos(setting, '=') - 1),
  CASE WHEN setting LIKE 'search\_path=%' THEN nullif(substr(setting, strpos(setting, '=') + 1), '') ELSE quote_literal(substr(setting, strpos(setting, '=') + 1)) END)
FROM pg_db_role_setting, unnest(setconfig) AS setting
WHERE setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
  AND setrole IN (0, (SELECT oid FROM pg_roles WHERE rolname = session_user))
  AND setting ~ '^[A-Za-z0-9_.]+=' AND setting !~ '^(role|session_authorization|default_tablespace|temp_tablespaces|[a-z]+_preload_libraries)='
ORDER BY setrole <> 0, setdatabase <> 0;
