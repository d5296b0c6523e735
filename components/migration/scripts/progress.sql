-- What the sessions of this pod are doing, one line each; a statement ends where its first literal or comment begins, which may hold a secret.
SELECT concat_ws(', ',
  left(regexp_replace(regexp_replace(a.query, '(''|\$\w*\$|--|/\*).*', '…'), '\s+', ' ', 'g'), 80)
    || ' for ' || round(extract(epoch FROM clock_timestamp() - a.query_start)) || ' s',
  (SELECT i.phase || CASE WHEN i.blocks_total > 0 THEN ' ' || 100 * i.blocks_done / i.blocks_total || ' %' ELSE '' END
    FROM pg_stat_progress_create_index i WHERE i.pid = a.pid),
  (SELECT 'waiting for a lock of ' || string_agg(concat_ws(' ', 'pid', b.pid, nullif(b.application_name, '')), ', ')
    FROM pg_stat_activity b WHERE b.pid = ANY (pg_blocking_pids(a.pid))))
FROM pg_stat_activity a
WHERE a.pid <> pg_backend_pid() AND a.datname = current_database() AND a.state = 'active'
  AND a.client_addr IS NOT DISTINCT FROM inet_client_addr() AND a.query IS NOT NULL;
