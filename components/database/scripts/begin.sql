-- The beginning of a restore's transaction.
SET client_min_messages = warning;
-- No limit but one on waiting for others; and a server that can notices soon when nobody is there any more.
SELECT set_config(name, CASE name WHEN 'lock_timeout' THEN :'lock_timeout' WHEN 'client_connection_check_interval' THEN '5s' ELSE '0' END, false)
  FROM pg_settings WHERE name IN ('lock_timeout', 'statement_timeout', 'transaction_timeout', 'idle_in_transaction_session_timeout',
    'client_connection_check_interval') \g /dev/null
SELECT 'transaction ' || txid_current(); -- for asking the server how it ended, should the connection get lost
-- Ends everything, should what pg_restore writes commit on its own: only the deletion of these rows lets a transaction end.
CREATE TEMPORARY TABLE unfinished (id int CONSTRAINT "committed too early" UNIQUE DEFERRABLE INITIALLY DEFERRED);
INSERT INTO unfinished VALUES (1), (1);
