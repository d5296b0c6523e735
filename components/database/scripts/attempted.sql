-- Policies for the roles that are there; rights, publications' tables and the rows of materialized views as far as they can be had. Prints
-- what was left out, and why. Any other failure of a policy ends the transaction.
CREATE TEMPORARY TABLE left_out (n int, why text, what text);
SELECT to_regnamespace('public') IS NOT NULL AND has_schema_privilege('public', to_regnamespace('public'), 'CREATE') AS open \gset
DO $attempted$
DECLARE
  entry record;
  parts text[];
  there text;
  missing text;
  -- A name, as pg_dump writes it.
  name constant text := '(?:"(?:[^"]|"")+"|[^\s".,;()]+)';
  policy constant text := format('^(CREATE POLICY %1$s ON %1$s\.%1$s(?: AS RESTRICTIVE)?(?: FOR \w+)? TO )(%1$s(?:, %1$s)*)((?:;| USING | WITH CHECK ).*)$', name);
BEGIN
  -- As the owner refreshes it: with the rows that policies which hold for owners too let through.
  PERFORM set_config('row_security', 'on', true);
  FOR entry IN
    SELECT n, kind, statement FROM (
      SELECT n, kind, 0 AS part, regexp_replace(regexp_replace(sql, '^(--|\s)+', ''), '(--|\s)+$', '') AS statement FROM entries
      WHERE kind !~ 'ACL$'
      UNION ALL
      SELECT n, kind, part, line FROM entries, unnest(string_to_array(sql, E'\n')) WITH ORDINALITY AS lines (line, part)
      WHERE kind ~ 'ACL$' AND line ~ '^(GRANT|REVOKE|ALTER DEFAULT PRIVILEGES) '
    ) AS statements ORDER BY n, part
  LOOP
    IF entry.kind = 'POLICY' THEN
      parts := regexp_match(entry.statement, policy);
      SELECT string_agg(role, ', ') FILTER (WHERE is_there),
          string_agg(format('role "%s" does not exist', replace(regexp_replace(role, '^"|"$', '', 'g'), '""', '"')), ', ') FILTER (WHERE NOT is_there)
        INTO there, missing
        FROM (SELECT role, EXISTS (SELECT FROM pg_roles WHERE quote_ident(rolname) = role) AS is_there
              FROM regexp_matches(parts[2], name, 'g') AS match, unnest(match) AS role) AS roles;
      IF missing IS NULL THEN
        EXECUTE entry.statement;
      ELSE
        IF there IS NOT NULL THEN EXECUTE parts[1] || there || parts[3]; END IF;
        INSERT INTO left_out VALUES (entry.n, missing, concat(entry.statement, ' (made for ' || there || ' alone)'));
      END IF;
    ELSE
      BEGIN
        EXECUTE CASE entry.kind WHEN 'DATABASE' THEN
          regexp_replace(entry.statement, format('^(GRANT .*? ON DATABASE )%s( TO )', name), format('\1%s\2', replace(quote_ident(current_database()), '\', '\\')))
          ELSE entry.statement END;
      EXCEPTION
        WHEN undefined_object THEN
          -- A comment on a policy that was left out is not missed.
          IF entry.kind <> 'COMMENT' THEN INSERT INTO left_out VALUES (entry.n, SQLERRM, entry.statement); END IF;
        WHEN OTHERS THEN
          INSERT INTO left_out VALUES (entry.n, SQLERRM, entry.statement);
      END;
    END IF;
  END LOOP;
END $attempted$;
SELECT format('left out, because %s: %s', why, regexp_replace(what, '\s+', ' ', 'g')) FROM left_out ORDER BY n LIMIT 20;
SELECT format('left out in all: %s, 20 of them shown', count(*)) FROM left_out HAVING count(*) > 20;
-- Backups from before Postgres 15 let everybody create in the public schema: no more may do so than before.
SELECT 'REVOKE CREATE ON SCHEMA public FROM PUBLIC'
  WHERE NOT :'open'::boolean AND to_regnamespace('public') IS NOT NULL AND has_schema_privilege('public', to_regnamespace('public'), 'CREATE') \gexec
