-- What somebody made in this database, as a view of the session: nothing of the system's, nothing that an extension brought, and not our
-- own record (keys.sql). What goes with something that is listed (indexes, triggers, casts, a range's functions) is not listed itself.
CREATE TEMPORARY VIEW made AS
SELECT catalog, object, owner
FROM (
  SELECT tableoid AS catalog, oid AS object, relnamespace AS namespace, relowner AS owner FROM pg_class
  WHERE relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
  UNION ALL
  SELECT tableoid, oid, pronamespace, proowner FROM pg_proc
  UNION ALL
  SELECT tableoid, oid, typnamespace, typowner FROM pg_type
  WHERE typtype IN ('e', 'd', 'r')
    OR typtype = 'b' AND typcategory <> 'A'
    OR typtype = 'c' AND (SELECT relkind FROM pg_class WHERE pg_class.oid = typrelid) = 'c'
  UNION ALL SELECT tableoid, oid, oprnamespace, oprowner FROM pg_operator
  UNION ALL SELECT tableoid, oid, opcnamespace, opcowner FROM pg_opclass
  UNION ALL SELECT tableoid, oid, opfnamespace, opfowner FROM pg_opfamily
  UNION ALL SELECT tableoid, oid, collnamespace, collowner FROM pg_collation
  UNION ALL SELECT tableoid, oid, connamespace, conowner FROM pg_conversion
  UNION ALL SELECT tableoid, oid, cfgnamespace, cfgowner FROM pg_ts_config
  UNION ALL SELECT tableoid, oid, dictnamespace, dictowner FROM pg_ts_dict
  UNION ALL SELECT tableoid, oid, NULL, srvowner FROM pg_foreign_server
  UNION ALL SELECT 'pg_largeobject'::regclass, oid, NULL, lomowner FROM pg_largeobject_metadata
) objects
LEFT JOIN pg_namespace ON pg_namespace.oid = namespace
WHERE (namespace IS NULL OR nspname !~ '^pg_' AND nspname NOT IN ('information_schema', 'postgres_app'))
  AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = catalog AND objid = object
    AND (deptype = 'e' OR deptype = 'i' AND classid = 'pg_proc'::regclass));
