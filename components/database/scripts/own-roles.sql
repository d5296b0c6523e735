-- Which roles are this component's by their mark (roles.sql), a line each: the name, and whether its password is of this state too.
SELECT rolname, CASE WHEN strpos(said, ', id ' || :'id') > 0 THEN 'this-state' ELSE 'another-state' END
  FROM pg_roles, shobj_description(oid, 'pg_authid') AS said
  WHERE rolname IN (:'login_a', :'login_b', :'migrator', :'runtime') AND strpos(said, 'pulumi-postgres-app: ') > 0
    AND (strpos(said, format('pulumi-postgres-app: %s, id ', :'place')) > 0 AND :'cluster' <> 'unknown' OR strpos(said, ', id ' || :'id') > 0);
