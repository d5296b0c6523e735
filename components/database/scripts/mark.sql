-- Notes in the database which backup it is from.
SELECT 'CREATE SCHEMA postgres_app' WHERE to_regnamespace('postgres_app') IS NULL \gexec
CREATE TABLE IF NOT EXISTS postgres_app.restored (backup text NOT NULL, at timestamptz NOT NULL DEFAULT now());
DELETE FROM postgres_app.restored;
INSERT INTO postgres_app.restored VALUES (:'mark');
