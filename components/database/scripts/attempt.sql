-- Followed by lines of what transaction.sh calls attempts.
CREATE TEMPORARY TABLE entries (n int GENERATED ALWAYS AS IDENTITY, kind text, sql text);
COPY entries (kind, sql) FROM STDIN;
