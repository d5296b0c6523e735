-- Notes at the end of the database's comment which backup it is from; an empty :mark takes the note back. A setting of the database
-- (ALTER DATABASE … SET) would be the obvious place, but takes a superuser.
SELECT format(
  'COMMENT ON DATABASE %I IS %L',
  datname,
  nullif(concat_ws(' ', nullif(regexp_replace(coalesce(shobj_description(oid, 'pg_database'), ''), '\s*restored from \S+\.dump$', ''), ''),
    'restored from ' || nullif(:'mark', '')), '')
)
FROM pg_database WHERE datname = current_database() \gexec
