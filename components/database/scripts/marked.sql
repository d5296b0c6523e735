-- Which backup the database is from, if any. Earlier versions of this package wrote it into the database's comment.
\set QUIET on
SELECT to_regclass('postgres_app.restored') IS NOT NULL AS noted \gset
\if :noted
SELECT backup FROM postgres_app.restored;
\else
SELECT substring(shobj_description(oid, 'pg_database') FROM 'restored from (\S+\.dump)$') FROM pg_database WHERE datname = current_database();
\endif
