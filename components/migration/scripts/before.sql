-- Where the server is before a migration, for stayed.sql: the next transaction.
SELECT txid_snapshot_xmax(txid_current_snapshot());
