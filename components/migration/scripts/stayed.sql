-- What the server knows of writing since before.sql, as one word:
--   nothing  no transaction was committed in it, by whomever
--   its      one of the migration's was (writers.sql)
--   others   some were, and whose they are is not known
SELECT CASE
  WHEN NOT EXISTS (SELECT FROM (SELECT generate_series(:next, now.next - 1) AS id) AS ids WHERE txid_status(id) IS DISTINCT FROM 'aborted') THEN 'nothing'
  -- Sessions show the lower half of the number.
  WHEN EXISTS (SELECT FROM unnest(:'seen'::bigint[]) AS seen
    WHERE txid_status(now.next - ((now.next - seen) & 4294967295)) IS DISTINCT FROM 'aborted') THEN 'its'
  ELSE 'others' END
FROM (SELECT txid_snapshot_xmax(txid_current_snapshot()) AS next) AS now;
