-- A database with something of everything that a dump has to carry. Run as the login that acts as the owner.
CREATE SCHEMA audit;
COMMENT ON SCHEMA audit IS 'who did what';
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE DOMAIN positive AS int CHECK (VALUE > 0);
CREATE TABLE users (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  email citext NOT NULL UNIQUE,
  mood mood NOT NULL DEFAULT 'ok',
  settings jsonb NOT NULL DEFAULT '{}',
  picture bytea,
  joined timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE "Order Items" (
  id serial PRIMARY KEY,
  user_id bigint NOT NULL REFERENCES users ON DELETE CASCADE,
  "Größe" positive,
  price numeric(12, 2) NOT NULL,
  doubled numeric GENERATED ALWAYS AS (price * 2) STORED,
  tags text[]
);
CREATE INDEX items_by_tag ON "Order Items" USING gin (tags);
CREATE INDEX users_by_email ON users USING gin ((email::text) gin_trgm_ops);
CREATE TABLE audit.events (at date NOT NULL, what text) PARTITION BY RANGE (at);
CREATE TABLE audit.events_2025 PARTITION OF audit.events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE audit.events_2026 PARTITION OF audit.events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE FUNCTION audit.note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO audit.events VALUES ('2026-01-01', 'new user ' || NEW.id);
  RETURN NEW;
END $$;
CREATE TRIGGER note AFTER INSERT ON users FOR EACH ROW EXECUTE FUNCTION audit.note();
CREATE VIEW happy AS SELECT id, email FROM users WHERE mood = 'happy';
CREATE MATERIALIZED VIEW spent AS SELECT user_id, sum(price) AS total FROM "Order Items" GROUP BY user_id;
ALTER TABLE users ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_row ON users USING (mood <> 'sad');
COMMENT ON TABLE users IS 'people; with ''quotes'', \backslashes and ünïcode';

INSERT INTO users (email, mood, settings, picture, joined)
SELECT 'User' || n || '@example.org', (ARRAY['sad', 'ok', 'happy']::mood[])[n % 3 + 1], jsonb_build_object('n', n, 'text', E'tab\t"quote" \\. ' || chr(8364)),
  decode(md5(n::text), 'hex'), timestamptz '2025-01-01 00:00:00+00' + n * interval '1 minute'
FROM generate_series(1, 5000) n;
INSERT INTO "Order Items" (user_id, "Größe", price, tags)
SELECT n % 5000 + 1, n, n / 7.0, CASE WHEN n % 10 > 0 THEN ARRAY['a' || n % 13, NULL, E'\\N'] END FROM generate_series(1, 10000) n;
INSERT INTO audit.events SELECT date '2025-01-01' + n % 365, NULL FROM generate_series(1, 1000) n;
REFRESH MATERIALIZED VIEW spent;
SELECT setval('"Order Items_id_seq"', 123456);
SELECT lo_from_bytea(4711, 'a large object');
