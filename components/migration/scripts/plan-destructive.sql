-- What of the data is lost, a line each.
CREATE TEMP VIEW tables AS
SELECT moment, (fact ->> 'id')::bigint AS id, fact ->> 'name' AS name, fact ->> 'kind' AS kind, fact ->> 'file' AS file,
  (fact ->> 'filled')::boolean AS filled, greatest(0, (fact ->> 'rows')::float8)::bigint AS rows
FROM snapshot WHERE kind = 'table' AND fact ->> 'kind' IN ('r', 'p');
CREATE TEMP VIEW columns AS
SELECT moment, (fact ->> 'table')::bigint AS id, fact ->> 'of' AS of, (fact ->> 'number')::int AS number, fact ->> 'name' AS name,
  fact ->> 'type' AS type, fact ->> 'base' AS base, (fact ->> 'mod')::int AS mod,
  -- numeric(precision, scale)
  (((fact ->> 'mod')::int - 4) >> 16) & 65535 AS digits, ((((fact ->> 'mod')::int - 4) & 2047) # 1024) - 1024 AS scale
FROM snapshot WHERE kind = 'column';

SELECT line FROM (
  SELECT 1 AS rank, 'DROP TABLE ' || b.name || ' (' || CASE WHEN b.filled THEN 'about ' || b.rows || ' rows' ELSE 'empty' END || ')' AS line
  FROM tables b WHERE moment = 'before' AND NOT EXISTS (SELECT FROM tables a WHERE a.moment = 'after' AND a.id = b.id)
  UNION ALL
  SELECT 2, 'DROP COLUMN ' || b.name || ' of ' || b.of || ' (' || b.type || ')'
  FROM columns b JOIN tables t ON t.moment = 'after' AND t.id = b.id
  WHERE b.moment = 'before' AND NOT EXISTS (SELECT FROM columns a WHERE a.moment = 'after' AND a.id = b.id AND a.number = b.number)
  UNION ALL
  SELECT 3, CASE
      WHEN a.filled THEN 'TRUNCATE of ' || b.name || ' (it was emptied and filled again, or written anew by VACUUM FULL or CLUSTER)'
      WHEN a.file <> b.file THEN 'TRUNCATE of ' || b.name || ' (about ' || b.rows || ' rows)'
      ELSE 'DELETE of every row of ' || b.name || ' (about ' || b.rows || ' rows)'
    END
  FROM tables b JOIN tables a ON a.moment = 'after' AND a.id = b.id
  WHERE b.moment = 'before' AND b.filled
    AND (NOT a.filled OR (a.file <> b.file AND NOT EXISTS (SELECT FROM noted WHERE line = 'postgres_app_rewrite ' || b.id)))
  UNION ALL
  SELECT 4, 'ALTER COLUMN ' || b.name || ' of ' || b.of || ' from ' || b.type || ' to ' || a.type || ', which may hold less'
  FROM columns b JOIN columns a ON a.moment = 'after' AND a.id = b.id AND a.number = b.number
  WHERE b.moment = 'before' AND a.type <> b.type AND NOT coalesce(
    CASE
      WHEN a.base = b.base AND a.base = 'numeric' THEN a.mod = -1 OR (b.mod <> -1 AND a.scale >= b.scale AND a.digits - a.scale >= b.digits - b.scale)
      WHEN a.base = b.base THEN a.mod = -1 OR (b.mod <> -1 AND a.mod >= b.mod)
      WHEN a.base = 'text' OR (a.base = 'character varying' AND a.mod = -1) THEN true
      WHEN a.base = 'character varying' AND b.base = 'character' THEN a.mod >= b.mod
      WHEN a.base = 'numeric' AND b.base IN ('smallint', 'integer', 'bigint') THEN
        a.mod = -1 OR a.digits - a.scale >= CASE b.base WHEN 'smallint' THEN 5 WHEN 'integer' THEN 10 ELSE 19 END
      ELSE (b.base, a.base) IN (
        ('smallint', 'integer'), ('smallint', 'bigint'), ('integer', 'bigint'), ('real', 'double precision'),
        ('smallint', 'real'), ('smallint', 'double precision'), ('integer', 'double precision'),
        ('date', 'timestamp without time zone'), ('date', 'timestamp with time zone'),
        ('timestamp without time zone', 'timestamp with time zone'), ('cidr', 'inet'), ('json', 'jsonb'))
    END, false)
) AS lost ORDER BY rank, line;
