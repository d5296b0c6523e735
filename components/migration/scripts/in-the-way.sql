-- What would keep a backup from being brought back (replace.sql), a line each. After made.sql, as the login itself.
SELECT pg_describe_object(catalog, object, 0) || ' belongs to ' || pg_get_userbyid(owner)
FROM made WHERE NOT pg_has_role(owner, 'USAGE')
UNION ALL
SELECT pg_describe_object(classid, objid, 0) || ' depends on ' || pg_describe_object(catalog, object, 0)
FROM made JOIN pg_depend d ON refclassid = catalog AND refobjid = object AND d.deptype <> 'e'
WHERE pg_has_role(owner, 'USAGE')
  AND (classid = 'pg_event_trigger'::regclass
    OR EXISTS (SELECT FROM pg_depend own WHERE own.classid = d.classid AND own.objid = d.objid AND own.deptype = 'e'));
