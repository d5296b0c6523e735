-- What is in the database, as rows of a table (moment, kind, fact): "table" and "column" by the numbers that a new name does not change,
-- "thing" by names, for the difference that is shown.
CREATE TEMP TABLE filled (relid oid);
SELECT format('INSERT INTO pg_temp.filled SELECT %s WHERE EXISTS (SELECT FROM ONLY %s)', c.oid, c.oid::regclass)
FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
WHERE relkind = 'r' AND nspname !~ '^pg_' AND nspname <> 'information_schema'
\gexec
CREATE TEMP VIEW mine AS
SELECT c.oid, format('%I.%I', nspname, relname) AS name, relkind, reltuples
FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
  AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = c.oid AND deptype = 'e');
CREATE TEMP VIEW things AS
SELECT 'schema ' || quote_ident(nspname) AS key, NULL AS whose, '' AS what FROM pg_namespace
WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
UNION ALL
SELECT CASE relkind WHEN 'v' THEN 'view ' WHEN 'm' THEN 'materialized view ' WHEN 'S' THEN 'sequence ' WHEN 'f' THEN 'foreign table ' ELSE 'table ' END || name,
  NULL, CASE WHEN relkind IN ('v', 'm') THEN 'definition ' || left(md5(pg_get_viewdef(oid)), 8) ELSE '' END
FROM mine WHERE relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
UNION ALL
SELECT 'column ' || name || '.' || quote_ident(attname), name,
  format_type(atttypid, atttypmod) || CASE WHEN attnotnull THEN ' not null' ELSE '' END
    || CASE WHEN attidentity <> '' THEN ' identity' WHEN adbin IS NULL THEN ''
      ELSE CASE WHEN attgenerated <> '' THEN ' generated ' ELSE ' default ' END || pg_get_expr(adbin, adrelid) END
FROM pg_attribute JOIN mine ON mine.oid = attrelid LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
WHERE relkind IN ('r', 'p', 'f') AND attnum > 0 AND NOT attisdropped
UNION ALL
SELECT 'index ' || i.name, t.name,
  substr(pg_get_indexdef(indexrelid), strpos(pg_get_indexdef(indexrelid), ' ON ') + 1) || CASE WHEN indisunique THEN ' unique' ELSE '' END
    || CASE WHEN indisvalid THEN '' ELSE ' INVALID' END
FROM pg_index JOIN mine i ON i.oid = indexrelid JOIN mine t ON t.oid = indrelid
WHERE NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid AND contype IN ('p', 'u', 'x'))
UNION ALL
SELECT 'constraint ' || quote_ident(conname) || ' of ' || name, name, pg_get_constraintdef(c.oid)
FROM pg_constraint c JOIN mine ON mine.oid = conrelid WHERE contype <> 'n'
UNION ALL
SELECT 'trigger ' || quote_ident(tgname) || ' of ' || name, name, 'definition ' || left(md5(pg_get_triggerdef(t.oid) || tgenabled::text), 8)
FROM pg_trigger t JOIN mine ON mine.oid = tgrelid WHERE NOT tgisinternal
UNION ALL
SELECT 'policy ' || quote_ident(polname) || ' of ' || name, name,
  'definition ' || left(md5(concat(polcmd, polpermissive, polroles::text, pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid))), 8)
FROM pg_policy JOIN mine ON mine.oid = polrelid
UNION ALL
SELECT CASE prokind WHEN 'p' THEN 'procedure ' WHEN 'a' THEN 'aggregate ' ELSE 'function ' END || p.oid::regprocedure, NULL,
  'definition ' || left(md5(CASE WHEN prokind = 'a' THEN '' ELSE pg_get_functiondef(p.oid) END), 8)
FROM pg_proc p JOIN pg_namespace n ON n.oid = pronamespace
WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
  AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_proc'::regclass AND objid = p.oid AND deptype = 'e')
UNION ALL
SELECT 'type ' || t.oid::regtype, NULL,
  coalesce((SELECT string_agg(quote_literal(enumlabel), ', ' ORDER BY enumsortorder) FROM pg_enum WHERE enumtypid = t.oid), format_type(nullif(typbasetype, 0), typtypmod), '')
FROM pg_type t JOIN pg_namespace n ON n.oid = typnamespace
WHERE typtype IN ('e', 'd', 'r') AND nspname !~ '^pg_' AND nspname <> 'information_schema'
  AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_type'::regclass AND objid = t.oid AND deptype = 'e')
UNION ALL
SELECT 'extension ' || quote_ident(extname), NULL, 'version ' || extversion FROM pg_extension;
COPY (
  SELECT :'moment', 'table', json_build_object('id', oid, 'name', name, 'kind', relkind, 'file', pg_relation_filenode(oid),
    'filled', EXISTS (SELECT FROM filled WHERE relid = oid), 'rows', reltuples)
  FROM mine WHERE relkind IN ('r', 'p', 'm')
  UNION ALL
  SELECT :'moment', 'column', json_build_object('table', attrelid, 'of', name, 'number', attnum, 'name', quote_ident(attname),
    'type', format_type(atttypid, atttypmod), 'base', regexp_replace(format_type(atttypid, NULL), '\[\]$', ''), 'mod', atttypmod)
  FROM pg_attribute JOIN mine ON mine.oid = attrelid WHERE relkind IN ('r', 'p') AND attnum > 0 AND NOT attisdropped
  UNION ALL
  SELECT :'moment', 'thing', json_build_object('key', key, 'of', whose, 'what', what) FROM things
) TO STDOUT;
