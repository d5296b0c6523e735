-- Which transactions of the migration's sessions write, twice a second, for stayed.sh: those with its name (run.sh), and those from this pod's
-- own address that began after this one. An address that stands for others too, a pooler's or a gateway's, is not this pod's.
\echo watching
SELECT backend_xid FROM pg_stat_activity
WHERE backend_xid IS NOT NULL AND pid <> pg_backend_pid() AND datname = current_database()
  AND (application_name = :'name' OR client_addr = inet_client_addr() AND client_addr = ANY (:'addresses'::inet[])
    AND backend_start > (SELECT backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid())) \watch 0.5
