-- What there must be nothing of in a database that is to be filled. After made.sql.
SELECT pg_describe_object(catalog, object, 0) FROM made
WHERE catalog IN ('pg_class'::regclass, 'pg_proc'::regclass, 'pg_type'::regclass) ORDER BY catalog, 1;
