-- Notes in the server's log which locks each DDL statement holds, however shortly, and which tables ALTER writes anew. In pg_catalog, where
-- no tool that looks at the schema finds it.
SET allow_system_table_mods = on;
CREATE FUNCTION pg_catalog.postgres_app_note() RETURNS event_trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
DECLARE
  line text;
BEGIN
  IF tg_event = 'table_rewrite' THEN
    line := 'postgres_app_rewrite ' || pg_event_trigger_table_rewrite_oid();
  ELSE
    SELECT 'postgres_app_lock ' || string_agg(DISTINCT relation || ' ' || (mode = 'AccessExclusiveLock'), ',') INTO line
    FROM pg_locks
    WHERE pid = pg_backend_pid() AND granted AND locktype = 'relation' AND relation >= 16384
      AND mode IN ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock');
  END IF;
  IF line IS NOT NULL THEN
    RAISE LOG '%', line;
  END IF;
END $$;
CREATE EVENT TRIGGER postgres_app_lock ON ddl_command_end EXECUTE PROCEDURE pg_catalog.postgres_app_note();
CREATE EVENT TRIGGER postgres_app_rewrite ON table_rewrite EXECUTE PROCEDURE pg_catalog.postgres_app_note();
ALTER EVENT TRIGGER postgres_app_lock ENABLE ALWAYS;
ALTER EVENT TRIGGER postgres_app_rewrite ENABLE ALWAYS;
