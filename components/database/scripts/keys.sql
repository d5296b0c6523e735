-- Compares the keys in $KEYS, a line "<variable> <fingerprint> <rotation> [<Secret that has it>]" each, with those that the data was written with, and records
-- them, all or none. The record is in the database, so that dumps carry it. A new one for the same data needs a higher rotation.
-- Prints a line for each: verdict, variable, a name for it in Pulumi's configuration, the Secret that had the recorded value, the
-- rotation that would be accepted, and since when the recorded value is in use.
\set QUIET on
SET client_min_messages = warning;
\set keys `printf '%s' "$KEYS"`
\set namespace `printf '%s/' "$NAMESPACE"`
\set kept_in `printf '%s' "$NAMESPACE/$KEPT_SECRET"`
SELECT pg_advisory_lock(hashtext('postgres-app keys')) \g /dev/null
SELECT 'CREATE SCHEMA postgres_app' WHERE to_regnamespace('postgres_app') IS NULL \gexec
CREATE TABLE IF NOT EXISTS postgres_app.keys (
  name text PRIMARY KEY,
  fingerprint text NOT NULL,
  rotation bigint NOT NULL,
  kept_in text NOT NULL,
  since timestamptz NOT NULL DEFAULT now()
);

WITH given AS (
  SELECT split_part(line, ' ', 1) AS name, split_part(line, ' ', 2) AS fingerprint, split_part(line, ' ', 3)::bigint AS rotation,
    coalesce(:'namespace' || nullif(split_part(line, ' ', 4), ''), :'kept_in') AS kept_in
  FROM unnest(string_to_array(:'keys', E'\n')) AS line WHERE line <> ''
), compared AS (
  SELECT given.*, known.kept_in AS known_in, known.rotation AS known_rotation, known.since, CASE
      WHEN known.name IS NULL THEN 'first'
      WHEN known.fingerprint = given.fingerprint THEN 'same'
      WHEN given.rotation > known.rotation THEN 'rotated'
      ELSE 'refused' END AS verdict
  FROM given LEFT JOIN postgres_app.keys AS known USING (name)
), recorded AS (
  INSERT INTO postgres_app.keys AS known (name, fingerprint, rotation, kept_in)
  SELECT name, fingerprint, rotation, kept_in FROM compared WHERE NOT EXISTS (SELECT FROM compared WHERE verdict = 'refused')
  ON CONFLICT (name) DO UPDATE SET
    fingerprint = excluded.fingerprint,
    rotation = greatest(known.rotation, excluded.rotation),
    kept_in = excluded.kept_in,
    since = CASE WHEN known.fingerprint = excluded.fingerprint THEN known.since ELSE excluded.since END
)
SELECT verdict, name, lower(left(camel, 1)) || substr(camel, 2), coalesce(known_in, '-'), coalesce(known_rotation, 0) + 1,
  to_char(coalesce(since, now()) AT TIME ZONE 'UTC', 'YYYY-MM-DD')
FROM compared, replace(initcap(replace(name, '_', ' ') COLLATE "C"), ' ', '') AS camel
ORDER BY name;
