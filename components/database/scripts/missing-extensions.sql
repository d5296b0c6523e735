-- Commands with which an administrator makes the extensions of the variable "wanted" that are missing, and whether it takes a superuser.
SELECT format('  CREATE EXTENSION %I;%s', wanted.name, CASE
    WHEN v.name IS NULL THEN ' -- not available on this server'
    WHEN v.superuser AND NOT v.trusted THEN ' -- needs a superuser (or the provider''s equivalent)'
    ELSE ' -- the owner of the database may do it' END)
  FROM unnest(string_to_array(nullif(:'wanted', ''), ' ')) AS wanted (name)
  LEFT JOIN pg_available_extensions a ON a.name = wanted.name
  LEFT JOIN pg_available_extension_versions v ON v.name = a.name AND v.version = a.default_version
  WHERE wanted.name NOT IN (SELECT extname FROM pg_extension);
