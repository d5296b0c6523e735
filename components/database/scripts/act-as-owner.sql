-- The login acts as the owner from its next session on.
\set QUIET on
SELECT format('ALTER ROLE %I SET role = %L', :'role', :'owner') \gexec
