-- Entries of a backup's list that this database cannot take, as they stand there: schemas that are there already, comments on those of
-- others, rows of extensions' own tables that the login may not write; and what the database that was backed up was restored from.
SELECT unnest(ARRAY[' TABLE postgres_app restored ', ' TABLE DATA postgres_app restored ', ' ACL postgres_app ', ' ACL - SCHEMA postgres_app '])
UNION ALL
SELECT ' SCHEMA - ' || nspname || ' ' FROM pg_namespace
UNION ALL
SELECT ' COMMENT - SCHEMA ' || nspname || ' ' FROM pg_namespace WHERE NOT pg_has_role(nspowner, 'USAGE')
UNION ALL
SELECT CASE relkind WHEN 'S' THEN ' SEQUENCE SET ' ELSE ' TABLE DATA ' END || nspname || ' ' || relname || ' '
FROM pg_class
JOIN pg_namespace ON pg_namespace.oid = relnamespace
WHERE relkind IN ('r', 'p', 'S')
  AND EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = pg_class.oid AND deptype = 'e')
  AND NOT has_table_privilege(pg_class.oid, CASE relkind WHEN 'S' THEN 'UPDATE' ELSE 'INSERT' END);
