import * as assert from "assert";
import fc from "fast-check";
import { connectionSecretData } from "../../components/database/connection";
import { tlsPaths } from "../../components/database/tlsFiles";

const printable = fc.string({
  unit: fc.constantFrom(...Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i))),
  minLength: 1,
});

describe("the connection Secret", () => {
  it("has every part, and the forms in one piece", () => {
    const data = connectionSecretData({
      host: "db.example.org",
      port: 5432,
      dbname: "notes",
      user: "app",
      password: "p:w/d%@ ?",
      sslmode: "verify-full",
      sslrootcert: "/etc/postgres-app/tls/ca.crt",
    });
    assert.deepStrictEqual(data, {
      host: "db.example.org",
      port: "5432",
      dbname: "notes",
      user: "app",
      password: "p:w/d%@ ?",
      uri: "postgresql://app:p%3Aw%2Fd%25%40%20%3F@db.example.org:5432/notes?sslmode=verify-full&sslrootcert=%2Fetc%2Fpostgres-app%2Ftls%2Fca.crt",
      "jdbc-uri":
        "jdbc:postgresql://db.example.org:5432/notes?user=app&password=p%3Aw%2Fd%25%40%20%3F&sslmode=verify-full&sslrootcert=%2Fetc%2Fpostgres-app%2Ftls%2Fca.crt",
      pgpass: "db.example.org:5432:notes:app:p\\:w/d%@ ?",
      sslmode: "verify-full",
      sslrootcert: "/etc/postgres-app/tls/ca.crt",
    });
  });

  it("says which files a client shows, and nothing of a password where there is none", () => {
    const data = connectionSecretData({
      ...{ host: "db", port: 5432, dbname: "notes", user: "app", sslmode: "require" },
      ...tlsPaths({ clientCertificate: { secretName: "client" } }),
    });
    const [sslcert, sslkey] = ["/etc/postgres-app/client/tls.crt", "/etc/postgres-app/client/tls.key"];
    const query = `sslmode=require&sslcert=${encodeURIComponent(sslcert)}&sslkey=${encodeURIComponent(sslkey)}`;
    assert.deepStrictEqual(data, {
      ...{ host: "db", port: "5432", dbname: "notes", user: "app", sslmode: "require", sslcert, sslkey },
      uri: `postgresql://app@db:5432/notes?${query}`,
      "jdbc-uri": `jdbc:postgresql://db:5432/notes?user=app&${query}`,
    });
  });

  it("has forms of the user's own, of which parts for URIs are percent-encoded", () => {
    const parts = { host: "db", port: 5432, dbname: "notes", user: "app", password: "p:w/d{user}", sslmode: "require" };
    const { npgsql, asyncpg, odbc } = connectionSecretData(parts, {
      npgsql: "Host={host};Port={port};Database={dbname};Username={user};Password={password};SSL Mode={sslmode}",
      asyncpg: "postgresql+asyncpg://{user:uri}:{password:uri}@{host}:{port}/{dbname}",
      odbc: "Driver={PostgreSQL Unicode};PWD={password}",
    });
    assert.strictEqual(npgsql, "Host=db;Port=5432;Database=notes;Username=app;Password=p:w/d{user};SSL Mode=require");
    assert.strictEqual(asyncpg, "postgresql+asyncpg://app:p%3Aw%2Fd%7Buser%7D@db:5432/notes");
    assert.strictEqual(odbc, "Driver={PostgreSQL Unicode};PWD=p:w/d{user}");
  });

  it("carries every printable password through its URIs", () => {
    fc.assert(
      fc.property(printable, (password) => {
        const data = connectionSecretData({ host: "h", port: 1, dbname: "d", user: "u", password, sslmode: "disable" });
        assert.strictEqual(decodeURIComponent(new URL(data.uri).password), password);
        assert.strictEqual(new URL(data["jdbc-uri"].replace("jdbc:", "")).searchParams.get("password"), password);
      }),
    );
  });
});
