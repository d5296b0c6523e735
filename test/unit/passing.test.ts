import * as assert from "assert";
import { execFileSync } from "child_process";
import { join } from "path";
import { backupFiles } from "../../components/database/backup";
import { restoreFiles } from "../../components/database/restore";
import { keysFiles } from "../../components/database/keysJob";
import { setupFiles } from "../../components/database/setup";
import { supervisionFiles } from "../../components/migration/supervision";

const table = join(__dirname, "..", "..", "components", "database", "scripts", "passing.sh");

/** The kind that the table knows each text by, or "". */
function kinds(texts: string[]): string[] {
  const script = `. "$0"; for text; do passing "$text" || [ -z "$passing" ] || exit 1; echo "$passing"; done`;
  return execFileSync("sh", ["-euc", script, table, ...texts], { encoding: "utf8" })
    .split("\n")
    .slice(0, texts.length);
}

/** What drivers print, as their sources have it, by the kind of failure. */
const WORDS: Record<string, [string, string[]][]> = {
  "too many connections": [
    [
      "Postgres, src/backend/storage/lmgr/proc.c, utils/init/postinit.c, libpq/auth.c",
      [
        'psql: error: connection to server at "db" (10.0.0.1), port 5432 failed: FATAL:  sorry, too many clients already',
        'FATAL:  too many connections for role "app"',
        "FATAL:  remaining connection slots are reserved for roles with the SUPERUSER attribute",
        "org.postgresql.util.PSQLException: FATAL: remaining connection slots are reserved for non-replication superuser connections",
      ],
    ],
    [
      "PgBouncer, src/client.c, src/janitor.c",
      [
        "FATAL:  no more connections allowed (max_client_conn)",
        "FATAL:  client connections exceeded (max_db_client_connections)",
        "FATAL:  query_wait_timeout",
      ],
    ],
    [
      "Supavisor, lib/supavisor/client_handler.ex",
      ["FATAL:  Max client connections reached", "FATAL:  (EMAXCONN) max client connections reached, limit: 200"],
    ],
    [
      "Npgsql, src/Npgsql/PoolingDataSource.cs, PostgresException.cs",
      [
        "Npgsql.NpgsqlException (0x80004005): The connection pool has been exhausted, either raise 'Max Pool Size' (currently 100) or 'Timeout' (currently 15 seconds) in your connection string.",
        "Npgsql.PostgresException (0x80004005): 53300: désolé, trop de clients sont déjà connectés",
      ],
    ],
    ["pgx, pgconn/errors.go", ["server error: FATAL: sorry, too many clients already (SQLSTATE 53300)"]],
    [
      "Prisma, docs: error-reference",
      [
        "Error: P2024",
        "Timed out fetching a new connection from the connection pool. More info: http://pris.ly/d/connection-pool (Current connection pool timeout: 10, connection limit: 5)",
      ],
    ],
    [
      "ActiveRecord, connection_adapters/abstract/connection_pool/queue.rb",
      [
        "ActiveRecord::ConnectionTimeoutError: could not obtain a connection from the pool within 5.000 seconds (waited 5.002 seconds); all pooled connections were in use",
      ],
    ],
    [
      "HikariCP, pool/HikariPool.java",
      ["java.sql.SQLTransientConnectionException: HikariPool-1 - Connection is not available, request timed out after 30000ms."],
    ],
    [
      "Knex, lib/client.js",
      ["Knex: Timeout acquiring a connection. The pool is probably full. Are you missing a .transacting(trx) call?"],
    ],
    [
      "Sequelize, packages/core/src/errors/connection",
      ["ERROR: SequelizeConnectionAcquireTimeoutError [SequelizeConnectionAcquireTimeoutError]: Operation timeout"],
    ],
    [
      "SQLAlchemy, lib/sqlalchemy/pool/impl.py",
      ["sqlalchemy.exc.TimeoutError: QueuePool limit of size 5 overflow 10 reached, connection timed out, timeout 30.00"],
    ],
    ["psycopg_pool, pool.py", ["psycopg_pool.PoolTimeout: couldn't get a connection after 30.00 sec"]],
    [
      "db_connection (Ecto), lib/db_connection/connection_pool.ex",
      ["** (DBConnection.ConnectionError) connection not available and request was dropped from queue after 2000ms."],
    ],
    ["sqlx, sqlx-core/src/error.rs", ["error: pool timed out while waiting for an open connection"]],
  ],
  "another session was in the way": [
    [
      "Postgres, src/backend/storage/lmgr, tcop/postgres.c, executor, access/heap",
      [
        "ERROR:  deadlock detected",
        "ERROR:  could not serialize access due to concurrent update",
        "ERROR:  canceling statement due to lock timeout",
        'ERROR:  could not obtain lock on relation "posts"',
        "ERROR:  tuple concurrently updated",
        'ERROR:  source database "template1" is being accessed by other users',
        'ERROR:  duplicate key value violates unique constraint "pg_type_typname_nsp_index"',
      ],
    ],
    [
      "pgx, pgconn/errors.go; node-postgres, packages/pg-protocol/src/messages.ts; Npgsql, PostgresException.cs",
      [
        "ERROR: Verklemmung (Deadlock) entdeckt (SQLSTATE 40P01)",
        "ERROR: konnte Zugriff nicht serialisieren (SQLSTATE 40001)",
        "  code: '55P03',",
        "40001: could not serialize",
      ],
    ],
    [
      "ActiveRecord, lib/active_record/migration.rb",
      ["ActiveRecord::ConcurrentMigrationError: Cannot run migrations because another migration process is currently running."],
    ],
    ["golang-migrate, migrate.go", ["error: timeout: can't acquire database lock"]],
    ["node-pg-migrate, src/runner.ts", ["Error: Another migration is already running"]],
    [
      "Prisma, docs: error-reference",
      [
        "Context: Timed out trying to acquire a postgres advisory lock (SELECT pg_advisory_lock(72707369)). Elapsed: 10000ms. See https://pris.ly/d/migrate-advisory-locking for details.",
        "Error: P2034",
        "Transaction failed due to a write conflict or a deadlock. Please retry your transaction",
      ],
    ],
    [
      "Flyway, PostgreSQLAdvisoryLockTemplate.java",
      ["ERROR: Number of retries exceeded while attempting to acquire PostgreSQL advisory lock."],
    ],
  ],
  "a statement took too long": [
    ["Postgres, src/backend/tcop/postgres.c", ["ERROR:  canceling statement due to statement timeout"]],
  ],
  "not ready": [
    [
      "Postgres, src/backend/tcop/backend_startup.c, tcop/postgres.c",
      [
        "FATAL:  the database system is starting up",
        "asyncpg.exceptions.CannotConnectNowError: the database system is shutting down",
        "FATAL:  the database system is in recovery mode",
        "FATAL:  the database system is not yet accepting connections",
        "FATAL:  the database system is not accepting connections",
        "FATAL:  terminating connection due to administrator command",
        "WARNING:  terminating connection because of crash of another server process",
      ],
    ],
    [
      "pgx, pgconn/errors.go; Npgsql, PostgresException.cs; node-postgres",
      [
        "server error: FATAL: das Datenbanksystem startet (SQLSTATE 57P03)",
        "Npgsql.PostgresException (0x80004005): 57P01: terminating connection",
        "  code: '57P02',",
      ],
    ],
    [
      "PgBouncer, src/objects.c, src/server.c, src/janitor.c",
      [
        "FATAL:  pgbouncer cannot connect to server",
        "FATAL:  server login has been failing, try again later (server_login_retry)",
        "FATAL:  server login has been failing, cached error: connect failed (server_login_retry)",
        "FATAL:  server login has been failing, cached error: server DNS lookup failed (server_login_retry)",
        "FATAL:  client_login_timeout (server down)",
        "FATAL:  server conn crashed?",
      ],
    ],
  ],
  "read-only": [
    [
      "Postgres, src/backend/tcop/utility.c; libpq, fe-connect.c",
      [
        "ERROR:  cannot execute CREATE TABLE in a read-only transaction",
        "ERROR:  cannot execute UPDATE during recovery",
        'connection to server at "db" (10.0.0.1), port 5432 failed: session is read-only',
        'connection to server at "db" (10.0.0.1), port 5432 failed: server is in hot standby mode',
      ],
    ],
  ],
  "connection refused": [
    [
      "libpq, fe-connect.c; Go, net; Rust, std; Npgsql",
      [
        'connection to server at "db" (10.0.0.1), port 5432 failed: Connection refused',
        "dial error: dial tcp 10.0.0.1:5432: connect: connection refused",
        "error: error communicating with database: Connection refused (os error 111)",
        " ---> System.Net.Sockets.SocketException (111): Connection refused",
      ],
    ],
    ["Node.js, net", ["Error: connect ECONNREFUSED 10.0.0.1:5432"]],
    [
      "pgjdbc, core/v3/ConnectionFactoryImpl.java",
      [
        "Connection to db:5432 refused. Check that the hostname and port are correct and that the postmaster is accepting TCP/IP connections.",
      ],
    ],
    [
      "asyncio, Lib/asyncio/selector_events.py",
      [
        "ConnectionRefusedError: [Errno 111] Connect call failed ('10.0.0.1', 5432)",
        "OSError: Multiple exceptions: [Errno 111] Connect call failed ('::1', 5432, 0, 0), [Errno 111] Connect call failed ('127.0.0.1', 5432)",
      ],
    ],
    ["Postgrex, lib/postgrex/protocol.ex", ["tcp connect (db:5432): connection refused - :econnrefused"]],
  ],
  "host not found": [
    [
      "libpq, fe-connect.c; glibc and musl, gai_strerror",
      [
        'could not translate host name "db" to address: Name or service not known',
        "socket.gaierror: [Errno -3] Temporary failure in name resolution",
        "socket.gaierror: [Errno -5] No address associated with hostname",
        "Name does not resolve",
        "error: failed to lookup address information: Try again",
      ],
    ],
    ["Node.js, dns", ["Error: getaddrinfo ENOTFOUND db", "Error: getaddrinfo EAI_AGAIN db"]],
    [
      "Go, net/dnsclient_unix.go; pgx, pgconn.go",
      [
        "error: dial tcp: lookup db on 10.96.0.10:53: no such host",
        "hostname resolving error: lookup db on 10.96.0.10:53: server misbehaving",
      ],
    ],
    ["Java, java.net", ["Caused by: java.net.UnknownHostException: db"]],
    ["Postgrex", ["tcp connect (db:5432): non-existing domain - :nxdomain"]],
    [".NET, System.Net.NameResolution", ["System.Net.Sockets.SocketException (00000001, 11): Resource temporarily unavailable"]],
  ],
  "no answer": [
    [
      "libpq, fe-connect.c; psycopg, generators.py; the kernel, strerror",
      [
        'connection to server at "db" (10.0.0.1), port 5432 failed: timeout expired',
        "psycopg.errors.ConnectionTimeout: connection timeout expired",
        'connection to server at "db" (10.0.0.1), port 5432 failed: Connection timed out',
        "could not connect: Operation timed out",
        'connection to server at "db" (10.0.0.1), port 5432 failed: No route to host',
        "Network is unreachable",
        "Host is unreachable",
      ],
    ],
    [
      "pgjdbc, Driver.java, core/v3/ConnectionFactoryImpl.java; Java, java.net",
      [
        "org.postgresql.util.PSQLException: The connection attempt failed.",
        "org.postgresql.util.PSQLException: Connection attempt timed out.",
        "Caused by: java.net.SocketTimeoutException: Connect timed out",
        "Caused by: java.net.SocketTimeoutException: Read timed out",
      ],
    ],
    [
      "Npgsql, src/Npgsql/Internal/NpgsqlConnector.cs, NpgsqlReadBuffer.cs",
      [
        "Npgsql.NpgsqlException (0x80004005): Failed to connect to 10.0.0.1:5432",
        "System.TimeoutException: The operation has timed out.",
        "Npgsql.NpgsqlException (0x80004005): Exception while reading from stream\n ---> System.TimeoutException: Timeout during reading attempt",
      ],
    ],
    ["asyncpg, protocol.pyx; asyncio", ["asyncio.exceptions.TimeoutError", "TimeoutError"]],
    [
      "Go, net/net.go, context/context.go; pgx, pgconn.go",
      [
        "dial tcp 10.0.0.1:5432: i/o timeout",
        "failed to connect to `user=app database=app`: timeout: context deadline exceeded",
        "dial tcp 10.0.0.1:5432: connect: no route to host",
      ],
    ],
    [
      "Node.js, net; node-postgres, packages/pg/lib/client.js, packages/pg-pool/index.js; postgres.js, src/connection.js",
      [
        "Error: connect ETIMEDOUT 10.0.0.1:5432",
        "Error: connect EHOSTUNREACH 10.0.0.1:5432",
        "Error: connect ENETUNREACH 10.0.0.1:5432",
        "Error: timeout expired",
        "Error: timeout exceeded when trying to connect",
        "Error: Connection terminated due to connection timeout",
        "Error: write CONNECT_TIMEOUT db:5432",
      ],
    ],
    [
      "Prisma, docs: error-reference",
      [
        "Error: P1001: Can't reach database server at `db:5432`",
        "Error: P1002",
        "The database server at `db:5432` was reached but timed out.",
        "P1008: Operations timed out after `10s`",
        "  errorCode: 'P1001',",
      ],
    ],
  ],
  "connection lost": [
    [
      "libpq, fe-misc.c, fe-secure-openssl.c, fe-exec.c; psql, common.c",
      [
        "server closed the connection unexpectedly",
        "SSL connection has been closed unexpectedly",
        "SSL SYSCALL error: EOF detected",
        "could not receive data from server: Connection reset by peer",
        "could not send data to server",
        "no connection to the server",
        "connection to server was lost",
      ],
    ],
    [
      "pgjdbc, QueryExecutorImpl.java, PgConnection.java",
      [
        "org.postgresql.util.PSQLException: An I/O error occurred while sending to the backend.",
        "org.postgresql.util.PSQLException: This connection has been closed.",
        "Caused by: java.io.EOFException",
      ],
    ],
    [
      "Npgsql, NpgsqlReadBuffer.cs, NpgsqlWriteBuffer.cs",
      [
        "Npgsql.NpgsqlException (0x80004005): Exception while reading from stream",
        "Npgsql.NpgsqlException (0x80004005): Exception while writing to stream",
      ],
    ],
    [
      "asyncpg, connect_utils.py, protocol.pyx; psycopg, pq_ctypes.py, _connection_base.py",
      [
        "asyncpg.exceptions.ConnectionDoesNotExistError: connection was closed in the middle of operation",
        "ConnectionError: unexpected connection_lost() call",
        "asyncpg.exceptions._base.InterfaceError: cannot perform operation: connection is closed",
        "ConnectionResetError: [Errno 104] Connection reset by peer",
        "psycopg.OperationalError: consuming input failed: could not receive data",
        "psycopg.OperationalError: the connection is lost",
        "psycopg.OperationalError: the connection is closed",
      ],
    ],
    [
      "Go, net, database/sql/driver/driver.go; pgx, pgconn.go, errors.go",
      [
        "read tcp 10.0.0.2:51000->10.0.0.1:5432: read: connection reset by peer",
        "write tcp 10.0.0.2:51000->10.0.0.1:5432: write: broken pipe",
        "driver: bad connection",
        "failed to receive message: unexpected EOF",
        "failed to receive message (unexpected EOF)",
        "conn closed",
      ],
    ],
    [
      "Node.js, net; node-postgres, packages/pg/lib/client.js; postgres.js, src/connection.js",
      [
        "Error: read ECONNRESET",
        "Error: write EPIPE",
        "Error: Connection terminated unexpectedly",
        "Error: Client has encountered a connection error and is not queryable",
        "Error: write CONNECTION_CLOSED db:5432",
        "Error: write CONNECTION_ENDED db:5432",
        "Error: write CONNECTION_DESTROYED db:5432",
      ],
    ],
    ["Prisma, docs: error-reference", ["Error: P1017: Server has closed the connection.", "Error: P1017"]],
    [
      "Postgrex, lib/postgrex/protocol.ex",
      ["** (DBConnection.ConnectionError) tcp recv: closed", "** (DBConnection.ConnectionError) ssl send: closed"],
    ],
  ],
};

/** What no time mends. */
const FINAL = [
  "",
  'ERROR:  column "wrong" does not exist',
  'ERROR:  relation "posts" already exists',
  'ERROR:  syntax error at or near "ALTR"',
  'ERROR:  duplicate key value violates unique constraint "posts_pkey"',
  'ERROR:  column "title" of relation "posts" contains null values',
  'FATAL:  password authentication failed for user "app"',
  'FATAL:  database "app" does not exist',
  'FATAL:  no pg_hba.conf entry for host "10.0.0.2", user "app", database "app", no encryption',
  "ERROR:  permission denied for schema public",
  "ERROR:  canceling statement due to user request",
  "SSL error: certificate verify failed",
  "FATAL:  unsupported startup parameter: options",
  "FATAL:  server login has been failing, cached error: password authentication failed (server_login_retry)",
  "Error: P1000: Authentication failed against database server, the provided database credentials for `app` are not valid.",
  "Error: P1003: Database `app` does not exist on the database server at `db:5432`.",
  "Error: P3009",
  "migrate found failed migrations in the target database, new migrations will not be applied.",
  "error: Dirty database version 3. Fix and force version.",
  "Could not acquire change log lock.  Currently locked by notes-abc (10.0.0.2) since 1/31/26, 2:30 AM",
  "Attempting to acquire PostgreSQL advisory lock",
  "sh: 1: Syntax error: Unterminated quoted string",
  "bash: -c: line 1: unexpected EOF while looking for matching `''",
  "ALTER TABLE ports ADD COLUMN p53300 int, ADD COLUMN P10015 int",
];

describe("the table of failures that pass", () => {
  for (const [kind, sources] of Object.entries(WORDS))
    describe(`knows "${kind}"`, () => {
      for (const [source, lines] of sources)
        it(`in the words of ${source}`, () =>
          assert.deepStrictEqual(
            kinds(lines).map((found, index) => `${found}: ${lines[index]}`),
            lines.map((line) => `${kind}: ${line}`),
          ));
    });

  it("and nothing that no time mends", () =>
    assert.deepStrictEqual(
      kinds(FINAL),
      FINAL.map(() => ""),
    ));

  it("within many lines", () => {
    const lines = [...FINAL, "Error: read ECONNRESET", ...FINAL].join("\n");
    assert.deepStrictEqual(kinds([lines]), ["connection lost"]);
  });

  it("is beside every script that asks it", () => {
    const names = { prefix: "", shared: "", backup: "backup", client: "clientImage" };
    const run = { timeoutSeconds: 1, tries: 1, lock: true, restoreOnFailure: false, goBack: false, names };
    for (const files of [setupFiles(undefined), backupFiles(), restoreFiles(), keysFiles(), supervisionFiles(run)])
      assert.ok("passing.sh" in files);
  });
});
