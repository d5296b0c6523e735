-- Extensions that the database has to have, in the variable "wanted", with those that they need in turn.
\set QUIET on
SET client_min_messages = warning;
SELECT format('DO $refuse$ BEGIN RAISE EXCEPTION %L; END $refuse$',
    'the server does not bring these extensions: ' || string_agg(name, ', ')
    || '. Use an image or a server that has them, or take them out of extensions')
  FROM unnest(string_to_array(nullif(:'wanted', ''), ' ')) AS name
  WHERE name NOT IN (SELECT name FROM pg_available_extensions) HAVING count(*) > 0 \gexec
SELECT format('CREATE EXTENSION IF NOT EXISTS %I CASCADE', name)
  FROM unnest(string_to_array(nullif(:'wanted', ''), ' ')) AS name
  WHERE name NOT IN (SELECT extname FROM pg_extension) \gexec
