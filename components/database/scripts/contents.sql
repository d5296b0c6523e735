-- What somebody made in this database: nothing of the system's, nothing that an extension brought, and not our own record (keys.sql).
SELECT pg_describe_object(catalog, object, 0)
FROM (
  SELECT tableoid AS catalog, oid AS object, relnamespace AS namespace FROM pg_class WHERE relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
  UNION ALL
  SELECT tableoid, oid, pronamespace FROM pg_proc
  UNION ALL
  SELECT tableoid, oid, typnamespace FROM pg_type
  WHERE typtype IN ('e', 'd', 'r')
    OR typtype = 'b' AND typcategory <> 'A'
    OR typtype = 'c' AND (SELECT relkind FROM pg_class WHERE pg_class.oid = typrelid) = 'c'
) objects
JOIN pg_namespace ON pg_namespace.oid = namespace
WHERE nspname !~ '^pg_' AND nspname NOT IN ('information_schema', 'postgres_app')
  AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = catalog AND objid = object AND deptype = 'e')
ORDER BY catalog, 1;
