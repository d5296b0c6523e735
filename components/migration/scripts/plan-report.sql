-- What the migration blocked and for how long, and what it changed, a line each.
CREATE TEMP VIEW tables AS
SELECT (fact ->> 'id')::bigint AS id, fact ->> 'name' AS name FROM snapshot WHERE moment = 'before' AND kind = 'table';
WITH looks AS (
  SELECT at, extract(epoch FROM at - lag(at) OVER (ORDER BY at)) AS since FROM (SELECT DISTINCT at FROM held) AS moments
), locks AS (
  SELECT relid::bigint AS id, reads, since FROM held JOIN looks USING (at) WHERE relid IS NOT NULL
  UNION ALL
  SELECT split_part(lock, ' ', 1)::bigint, split_part(lock, ' ', 2)::boolean, 0
  FROM noted, unnest(string_to_array(substr(line, length('postgres_app_lock ') + 1), ',')) AS lock
  WHERE line LIKE 'postgres\_app\_lock %'
), strongest AS (
  SELECT name, bool_or(reads) AS reads, sum(since) AS seconds FROM locks JOIN tables USING (id) GROUP BY name
)
SELECT coalesce(
  (SELECT string_agg(line, E'\n' ORDER BY reads DESC) FROM (
    SELECT reads, CASE WHEN reads THEN 'blocked for reads and writes: ' ELSE 'blocked for writes: ' END
      || string_agg(name || CASE WHEN seconds < 0.15 THEN ' shortly' ELSE ' for ' || round(seconds::numeric, 1) || ' s' END, ', ' ORDER BY seconds DESC, name) AS line
    FROM strongest GROUP BY reads) AS lines),
  'no table was blocked for longer than 0.1 s');

WITH before AS (
  SELECT fact ->> 'key' AS key, fact ->> 'of' AS of, fact ->> 'what' AS what FROM snapshot WHERE moment = 'before' AND kind = 'thing'
), after AS (
  SELECT fact ->> 'key' AS key, fact ->> 'of' AS of, fact ->> 'what' AS what FROM snapshot WHERE moment = 'after' AND kind = 'thing'
), difference AS (
  SELECT key, coalesce(b.of, a.of) AS of, b.what AS old, a.what AS new,
    CASE WHEN b.k IS NULL THEN '+' WHEN a.k IS NULL THEN '-' ELSE '~' END AS sign
  FROM (SELECT *, key AS k FROM before) AS b FULL JOIN (SELECT *, key AS k FROM after) AS a USING (key)
  WHERE b.what IS DISTINCT FROM a.what OR b.k IS NULL OR a.k IS NULL
)
SELECT sign || ' ' || key || CASE
    WHEN sign = '~' AND old LIKE 'definition %' THEN ': definition changed'
    WHEN sign = '~' THEN ': ' || old || ' -> ' || new
    WHEN sign = '+' AND new NOT LIKE 'definition %' AND new <> '' THEN ' ' || new
    ELSE ''
  END
FROM difference d
-- A table's parts go without saying where it comes or goes as a whole.
WHERE NOT EXISTS (SELECT FROM difference t WHERE t.key = 'table ' || d.of AND t.sign = d.sign)
UNION ALL
SELECT 'the schema is the same' WHERE NOT EXISTS (SELECT FROM difference);
