-- Before a statement with a password in it: nothing of this session is logged, as far as the administrator may say so; where the server
-- would log every statement all the same, it is refused.
\set QUIET on
\set VERBOSITY terse
\set ON_ERROR_STOP off
\o /dev/null
SELECT format('DO $set$ BEGIN PERFORM set_config(%L, %L, false); EXCEPTION WHEN OTHERS THEN NULL; END $set$', name, value)
  FROM (VALUES ('log_statement', 'none'), ('log_min_duration_statement', '-1'), ('log_min_duration_sample', '-1'), ('log_duration', 'off'),
    ('log_transaction_sample_rate', '0'), ('log_min_error_statement', 'panic'), ('pg_stat_statements.track_utility', 'off'),
    ('pgaudit.log', 'none')) AS settings (name, value)
  WHERE name IN (SELECT name FROM pg_settings) \gexec
\o
\set ON_ERROR_STOP on
SELECT 'DO $refuse$ BEGIN RAISE EXCEPTION ''the server logs every statement, and so would log the password: set log_statement = none and '
    || 'log_min_duration_statement = -1 for the administrator, or make the role and use external.password''; END $refuse$'
  WHERE current_setting('log_statement') <> 'none' OR current_setting('log_min_duration_statement') = '0' \gexec
