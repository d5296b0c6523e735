-- Makes the settings of the database those in the variable "settings", a line "name=value" each, and no others.
\set QUIET on
SET client_min_messages = warning;
SELECT pg_advisory_lock(hashtext('postgres-app setup')) \g /dev/null
CREATE TEMPORARY TABLE wanted AS
  SELECT split_part(line, '=', 1) AS name, substr(line, strpos(line, '=') + 1) AS value
    FROM unnest(string_to_array(:'settings', E'\n')) AS line WHERE line <> '';
SELECT format('ALTER DATABASE %I RESET %s', current_database(), split_part(setting, '=', 1))
  FROM pg_db_role_setting, unnest(setconfig) AS setting
  WHERE setrole = 0 AND setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND split_part(setting, '=', 1) NOT IN (SELECT name FROM wanted) \gexec
-- Lists of names are quoted name by name.
SELECT format('ALTER DATABASE %I SET %s = %s', current_database(), name, CASE
    WHEN name IN ('search_path', 'temp_tablespaces', 'local_preload_libraries', 'session_preload_libraries')
    THEN (SELECT string_agg(quote_literal(trim(both '" ' FROM item)), ', ') FROM unnest(string_to_array(value, ',')) AS item)
    ELSE quote_literal(value) END)
  FROM wanted \gexec
