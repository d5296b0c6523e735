import * as assert from "assert";
import { readdirSync } from "fs";
import { join } from "path";
import { Namespace, Ran, until } from "../support/kubectl";
import { postgresPod } from "../support/postgresPod";

const MAJORS = [15, 17];
const scripts = join(__dirname, "..", "..", "components", "database", "scripts");
const sqlFiles = readdirSync(scripts).filter((file) => file.endsWith(".sql"));

/** The servers: one as it should be, one without TLS that lets few in, one that is stopped in the middle, and one on data of others. */
const PORT = { good: 5432, plain: 5433, stopped: 5434, left: 5435 };
const AUTHORITY = "/tmp/tls/ca.crt";

/** Two authorities, a certificate of the first for "localhost" only, and the servers. */
const START = `
set -eu
umask 077
mkdir -p /tmp/tls /tmp/setup && cd /tmp/tls
new='-x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2'
for ca in ca other; do openssl req $new -subj "/CN=$ca" -keyout $ca.key -out $ca.crt; done 2> /dev/null
openssl req $new -CA ca.crt -CAkey ca.key -subj /CN=postgres -extensions usr_cert -addext subjectAltName=DNS:localhost \\
  -keyout server.key -out server.crt 2> /dev/null
cp /scripts/*.sql /scripts/setup.sh /scripts/libpq-uri.sh /scripts/passing.sh /scripts/session.sh /tmp/setup/
serve() {
  name=$1 port=$2
  shift 2
  initdb -D /volumes/$name -U postgres --auth=trust -E UTF8 --locale=C.UTF-8 --no-sync > /dev/null
  printf '%s\\n' 'local all all trust' "$1" > /volumes/$name/pg_hba.conf
  shift
  echo "-p $port -k /tmp -c fsync=off -c shared_buffers=16MB -c log_statement=all $*" > /tmp/$name.options
  pg_ctl -D /volumes/$name -s -w -l /tmp/$name.log start -o "$(cat /tmp/$name.options)"
}
serve good ${PORT.good} 'hostssl postgres,given,foreign_one,notes,n1,n2,theirs,older,nowhere,taken,side all all scram-sha-256' \\
  -c ssl=on -c ssl_cert_file=/tmp/tls/server.crt -c ssl_key_file=/tmp/tls/server.key -c listen_addresses="'*'"
serve plain ${PORT.plain} 'host all all all scram-sha-256' -c listen_addresses=127.0.0.1 -c max_connections=6 -c superuser_reserved_connections=1 -c max_wal_senders=0
serve stopped ${PORT.stopped} 'host all all all scram-sha-256'
serve left ${PORT.left} 'host all postgres all trust
host all all all scram-sha-256' -c listen_addresses=127.0.0.1
kill -STOP $(head -n 1 /volumes/stopped/postmaster.pid)`;

type Variables = Record<string, string>;
const quoted = (text: string) => `'${text.replace(/'/g, "'\\''")}'`;

describe("the setup script", function () {
  this.timeout(180_000);
  let namespace: Namespace;

  before(async () => {
    namespace = await Namespace.create("setup");
    const files = Object.fromEntries(
      ["setup.sh", "libpq-uri.sh", "passing.sh", "session.sh", ...sqlFiles].map((file) => [file, join(scripts, file)]),
    );
    await Promise.all(MAJORS.map((major) => postgresPod(namespace, major, { files })));
  });
  after(() => namespace?.delete());

  for (const major of MAJORS) {
    describe(`of Postgres ${major}`, () => {
      const pod = `postgres-${major}`;
      const sh = (line: string, input = "") => namespace.exec(pod, ["sh", "-c", line], { input, seconds: 90 });
      const ok = async (line: string, input?: string) => {
        const { code, stdout, stderr } = await sh(line, input);
        assert.strictEqual(code, 0, `${line}\n${stdout}${stderr}`);
        return stdout.trim();
      };
      const sql = (text: string, database = "postgres", port = PORT.good) =>
        ok(`psql -X -q -A -t -v ON_ERROR_STOP=1 -h /tmp -p ${port} -U postgres -d ${database}`, text);

      /** Runs the script to its end. No password that it is given may be in what it says. */
      const setup = async (variables: Variables): Promise<Ran & { said: string; seconds: number }> => {
        const exports = Object.entries(variables).map(([name, value]) => `export ${name}=${quoted(value)}\n`);
        const begun = Date.now();
        const ran = await sh(
          "cat > /tmp/run.$$; exec sh /tmp/run.$$ < /dev/null",
          `${exports.join("")}exec sh /tmp/setup/setup.sh`,
        );
        const said = ran.stdout + ran.stderr;
        for (const [name, value] of Object.entries(variables)) {
          const [, inUri = ""] = /:([^:@/]*)@|password=([^&]*)/.exec(value)?.filter((part) => part !== undefined) ?? [];
          const hidden = name === "CONNECTION_URI" ? decodeURIComponent(inUri.replace(/%(?!\d)/g, "%25")) : value;
          if (/PASSWORD|URI/.test(name)) assert.ok(!said.includes(hidden), `the script says ${name}`);
        }
        return { ...ran, said, seconds: (Date.now() - begun) / 1000 };
      };
      const common = { EXTENSIONS: "", CONNECT_TIMEOUT_SECONDS: "1", PGSSLMODE: "verify-full", PGSSLROOTCERT: AUTHORITY };
      const check = (more: Variables = {}): Variables => ({
        ...common,
        ...{ MODE: "check", PGHOST: "localhost", PGPORT: String(PORT.good), PGDATABASE: "given", PGUSER: "given" },
        PGPASSWORD: "given's password",
        ...more,
      });
      const plain = { PGPORT: String(PORT.plain), PGSSLMODE: "disable", PGSSLROOTCERT: "" };
      const admin = (more: Variables = {}): Variables => ({
        ...common,
        ...{ MODE: "admin", SERVER_HOST: "localhost", SERVER_PORT: String(PORT.good), APP_HOST: "localhost" },
        ...{ APP_PORT: String(PORT.good), ADMIN_USER: "boss", ADMIN_DATABASE: "postgres", OWNS_SERVER: "false" },
        ...{ ADMIN_PASSWORD: "boss' password", PASSWORD_A: "a's password", PASSWORD_B: "b's password" },
        ...{ PLACE: "shop/notes-db", ID: "0b7e0000-0000-4000-8000-000000000001", ROTATION: "0", CLUSTER_CA: AUTHORITY },
        ...{
          PASSWORD_MIGRATOR: "m's password",
          SEPARATE_MIGRATOR: "false",
          LOCK_FORMER: "false",
          SETTINGS: "false",
          CURRENT: "a",
        },
        ...names("notes"),
        ...more,
      });
      const names = (name: string) => ({
        ...{ DATABASE: name, OWNER: name, LOGIN_A: `${name}_a`, LOGIN_B: `${name}_b` },
        ...{ MIGRATOR: `${name}_migrator`, RUNTIME: `${name}_runtime` },
      });
      // Where it succeeds, time is no matter, and machines may be busy.
      const succeeds = async (variables: Variables) => {
        const { code, said } = await setup({ ...variables, CONNECT_TIMEOUT_SECONDS: "30" });
        assert.strictEqual(code, 0, said);
        return said;
      };
      /** Ends with the kind, the advice, and what the server or client said; soon. */
      const fails = async (variables: Variables, kind: string, advice: RegExp, detail = /./) => {
        const { code, said, seconds } = await setup(variables);
        assert.notStrictEqual(code, 0, said);
        assert.match(said, new RegExp(`^postgres-setup: ${kind} \\(`, "m"));
        assert.match(said, advice);
        assert.match(said.slice(said.indexOf("The server or client said: ")), detail);
        assert.ok(seconds < 60, `it took ${seconds} s`);
      };
      /** How a login fares: what psql says, or how the session finds itself. */
      const logIn = async (
        user: string,
        password: string,
        text = "SELECT current_user",
        database = "notes",
        server = "-h localhost",
      ) => {
        const { stdout, stderr } = await sh(
          `IFS= read -r PGPASSWORD; export PGPASSWORD; psql -X -q -A -t ${server} -U ${user} -d ${database} -c ${quoted(text)}`,
          `${password}\n`,
        );
        return (stdout + stderr).trim();
      };

      before(async () => {
        await ok(START);
        const roles = `CREATE ROLE given LOGIN PASSWORD 'given''s password'; 
          CREATE ROLE boss LOGIN CREATEROLE CREATEDB PASSWORD 'boss'' password'; CREATE ROLE clerk LOGIN CREATEDB PASSWORD 'boss'' password';`;
        for (const port of [PORT.good, PORT.plain]) {
          await sql(roles, "postgres", port);
          await sql("CREATE DATABASE given OWNER given", "postgres", port);
        }
        await sql("CREATE DATABASE foreign_one");
        await sql("CREATE DATABASE closed");
      });

      describe("finds out why it cannot connect", () => {
        it("host not found", () =>
          fails(
            check({ PGHOST: "no-such-host.invalid" }),
            "host not found",
            /correct the host name/,
            /could not translate host name/,
          ));
        it("connection refused", () =>
          fails(
            check({ PGPORT: "1" }),
            "connection refused",
            /nothing listens there: correct host and port/,
            /Connection refused/,
          ));
        it("no answer from a host that is nowhere", () =>
          fails(check({ PGHOST: "198.51.100.1" }), "no answer", /a firewall or network policy is in the way/));
        it("no answer from a server that hangs", () =>
          fails(check({ PGPORT: String(PORT.stopped) }), "no answer", /the host is down/, /timeout expired/));
        it("TLS failure: the server has none", () =>
          fails(
            check({ PGPORT: String(PORT.plain) }),
            "TLS failure",
            /make external\.tls \(mode, ca, clientCertificate\) fit/,
            /does not support SSL/,
          ));
        it("TLS failure: another authority signed", () =>
          fails(
            check({ PGSSLROOTCERT: "/tmp/tls/other.crt" }),
            "TLS failure",
            /make external\.tls/,
            /certificate verify failed/,
          ));
        it("TLS failure: the certificate is for another name", () =>
          fails(check({ PGHOST: "127.0.0.1" }), "TLS failure", /the host name fit its certificate/, /127\.0\.0\.1/));
        it("not let in without TLS", () =>
          fails(
            check({ PGSSLMODE: "disable", PGSSLROOTCERT: "" }),
            "not let in without TLS",
            /the server wants TLS \(external\.tls\.mode\), or its pg_hba\.conf/,
            /no encryption/,
          ));
        it("wrong password", () =>
          fails(
            check({ PGPASSWORD: "another one" }),
            "wrong password",
            /correct the user or the password/,
            /authentication failed/,
          ));
        it("wrong password, at once, at a host of which another address does not answer", async () => {
          // It listens on one of the addresses of localhost.
          const { said } = await setup(check({ ...plain, PGPASSWORD: "another one", CONNECT_TIMEOUT_SECONDS: "60" }));
          assert.match(said, /^postgres-setup: wrong password \(given at localhost\)/m);
          assert.ok(!said.includes("waiting"), said);
        });
        it("wrong password of the administrator", () =>
          fails(admin({ ADMIN_PASSWORD: "another one" }), "wrong password", /correct the user or the password/, /"boss"/));
        it("no such database", () =>
          fails(
            check({ PGDATABASE: "nowhere" }),
            "no such database",
            /create it, correct databaseName, or give external\.admin/,
          ));
        it("not let in", () =>
          fails(check({ PGDATABASE: "closed" }), "not let in", /pg_hba\.conf .* has no line for this role/, /SSL encryption/));
        it("too many connections", async () => {
          const session = `psql -X -q -h /tmp -p ${PORT.plain} -U given -d given -c 'SELECT pg_sleep(600)' > /dev/null 2>&1 &`;
          await ok(`for i in 1 2 3 4 5; do ${session} done`);
          const sessions = "SELECT count(*) = 5 FROM pg_stat_activity WHERE usename = 'given'";
          await until("five sessions", 30, async () => (await sql(sessions, "postgres", PORT.plain)) === "t");
          await fails(check(plain), "too many connections", /raise the server's max_connections/);
          await sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'given'", "postgres", PORT.plain);
          await succeeds(check(plain));
        });
        it("a role's own limit of connections", async () => {
          await sql("ALTER ROLE given CONNECTION LIMIT 0");
          await fails(check(), "too many connections", /let the application open fewer/, /for role "given"/);
          await sql("ALTER ROLE given CONNECTION LIMIT -1");
        });
        it("a URI that cannot be read, of which nothing is shown", async () => {
          const { code, said } = await setup({
            ...common,
            ...{ MODE: "check", CONNECTION_URI: "postgresql://given:se%zzcret@localhost:5432/given" },
          });
          assert.notStrictEqual(code, 0);
          assert.match(said, /the URI in the Secret cannot be used: percent-encode its parts/);
          assert.ok(!/zz|cret@/.test(said), said);
        });
      });

      it("waits for a server that is only starting", async () => {
        await ok("pg_ctl -D /volumes/plain -s -w -m fast stop");
        const later = sh(
          'sleep 2; pg_ctl -D /volumes/plain -s -w -l /tmp/plain.log start -o "$(cat /tmp/plain.options)" > /dev/null 2>&1',
        );
        assert.match(await succeeds(check(plain)), /waiting up to 30 s for given at localhost: connection refused/);
        await later;
      });

      it("waits out connections that are closed", async () => {
        await ok("pg_ctl -D /volumes/plain -s -w -m fast stop");
        const listen = `IO::Socket::INET->new(LocalAddr => "127.0.0.1", LocalPort => ${PORT.plain}, Listen => 5, ReuseAddr => 1)`;
        const later = sh(
          `timeout 3 perl -MIO::Socket::INET -e '$all = ${listen} or die; while ($one = $all->accept) { close $one }'; pg_ctl -D /volumes/plain -s -w -l /tmp/plain.log start -o "$(cat /tmp/plain.options)" > /dev/null 2>&1`,
        );
        await ok(
          `until perl -MIO::Socket::INET -e 'IO::Socket::INET->new("127.0.0.1:${PORT.plain}") or exit 1'; do sleep 0.1; done`,
        );
        assert.match(await succeeds(check(plain)), /waiting up to 30 s for given at localhost: connection lost/);
        await later;
      });

      describe("finds out what the database lacks", () => {
        it("nothing", async () => assert.match(await succeeds(check()), /the connection works/));
        it("nothing, by a URI", () => {
          const CONNECTION_URI = `postgresql://given:${encodeURIComponent("given's password")}@localhost:5432/given`;
          return succeeds({ ...common, MODE: "check", CONNECTION_URI });
        });
        for (const [whose, form, left] of [
          ["Prisma's", "postgresql://LOGIN@localhost:5432/given?schema=public&connection_limit=5", "schema, connection_limit"],
          ["SQLAlchemy's", "postgresql+asyncpg://LOGIN@localhost:5432/given?ssl=verify-full", ""],
          [
            "JDBC's",
            "jdbc:postgresql://localhost:5432/given?user=given&password=PASSWORD&ssl=true&currentSchema=public",
            "currentSchema",
          ],
          ["Node.js'", "postgres://LOGIN@localhost:5432/given?sslmode=no-verify", ""],
          ["Ecto's", "ecto://LOGIN@localhost:5432/given?pool_size=3", "pool_size"],
        ])
          it(`nothing, by a URI of ${whose}`, async () => {
            const known = encodeURIComponent("given's password").replace("'", "%27");
            const CONNECTION_URI = form.replace("LOGIN", `given:${known}`).replace("PASSWORD", known);
            const { code, said } = await setup({ ...common, MODE: "check", CONNECTION_URI });
            assert.strictEqual(code, 0, said);
            assert.strictEqual(/only the application's driver knows (.*), which/.exec(said)?.[1] ?? "", left);
          });
        it("a URI of Postgres', and says what it is instead", async () => {
          const { code, said } = await setup({
            ...common,
            MODE: "check",
            CONNECTION_URI: "mysql://given:hidden@localhost/given",
          });
          assert.notStrictEqual(code, 0);
          assert.match(said, /the URI in the Secret begins with "mysql:", which is no scheme of Postgres: write postgresql:\/\//);
        });
        it("a server that can be written to", async () => {
          const readOnly = (role: string) => sql(`ALTER ROLE ${role} SET default_transaction_read_only = on`);
          await readOnly("given");
          const { code, said } = await setup(check());
          await sql("ALTER ROLE given RESET default_transaction_read_only");
          assert.notStrictEqual(code, 0);
          assert.match(said, /read-only: sessions of given are .*ALTER ROLE given SET default_transaction_read_only = off/);
          await readOnly("boss");
          await fails(admin(names("n1")), "read-only", /give the host of the primary server/);
          await sql("ALTER ROLE boss RESET default_transaction_read_only");
        });
        it("tables that it can change", async () => {
          await sql("CREATE TABLE first (id int); CREATE TABLE second (id int)", "given");
          const { code, said } = await setup(check());
          assert.notStrictEqual(code, 0);
          assert.match(
            said,
            /role lacks a right: tables of database given belong to postgres \(first, second\), and given could change none of them\. .*ALTER TABLE … OWNER TO given/,
          );
          await sql("ALTER TABLE second OWNER TO given", "given");
          await succeeds(check());
          await sql("DROP TABLE first, second", "given");
        });
        it("a place to make tables", async () => {
          // Up to Postgres 14 everybody could make tables in public.
          const { code, said } = await setup(check({ PGDATABASE: "foreign_one" }));
          assert.notStrictEqual(code, 0);
          assert.match(
            said,
            /role lacks a right: given may create tables nowhere in database foreign_one\..*GRANT USAGE, CREATE ON SCHEMA public TO given/s,
          );
          await sql("GRANT USAGE, CREATE ON SCHEMA public TO given", "foreign_one");
          await succeeds(check({ PGDATABASE: "foreign_one" }));
        });
        it("extensions, and who may make each", async () => {
          const { code, said } = await setup(check({ EXTENSIONS: "nonesuch pgcrypto pg_stat_statements plpgsql" }));
          assert.notStrictEqual(code, 0);
          assert.match(said, /the database lacks extensions; let an administrator run in it:/);
          assert.match(said, /CREATE EXTENSION nonesuch; -- not available on this server/);
          assert.match(said, /CREATE EXTENSION pgcrypto; -- the owner of the database may do it/);
          assert.match(said, /CREATE EXTENSION pg_stat_statements; -- needs a superuser/);
          assert.ok(!said.includes("plpgsql"), "what is there is not asked for");
        });
      });

      describe("as an administrator who is no superuser", () => {
        /** Everything that a setup could change, apart from verifiers of passwords, which have a new salt each time. */
        const snapshot = async () => {
          const everywhere = `SELECT r, r.rolconfig FROM pg_roles r ORDER BY rolname;
            SELECT roleid::regrole, member::regrole, grantor::regrole, to_jsonb(m) - 'oid' FROM pg_auth_members m ORDER BY 1, 2, 3;
            SELECT * FROM pg_db_role_setting ORDER BY 1, 2; SELECT * FROM pg_shdescription ORDER BY 1, 2; SELECT datname, datdba::regrole, datacl FROM pg_database ORDER BY 1;`;
          const inside = `SELECT nspname, nspowner::regrole, nspacl FROM pg_namespace WHERE nspname !~ '^pg_(temp|toast)' ORDER BY 1;
            SELECT relname, relowner::regrole, relacl FROM pg_class WHERE relnamespace = 'public'::regnamespace ORDER BY 1;
            SELECT defaclrole::regrole, defaclnamespace, defaclobjtype, defaclacl FROM pg_default_acl ORDER BY 1, 2, 3;
            SELECT extname, extowner::regrole FROM pg_extension ORDER BY 1;`;
          return (await sql(everywhere)) + (await sql(inside, "notes"));
        };
        const settings = (content: string) => ok("cat > /tmp/setup/settings", content);
        const SETTINGS = `search_path="$user", public, other one\nstatement_timeout=20s\nwork_mem=8MB\n`;

        it("makes roles and database, and changes nothing the second time", async () => {
          assert.match(await succeeds(admin()), /notes_a works in database notes at localhost:5432, whose owner is notes/);
          assert.strictEqual(await logIn("notes_a", "a's password"), "notes");
          assert.strictEqual(await logIn("notes_b", "b's password"), "notes");
          const before = await snapshot();
          await succeeds(admin());
          assert.strictEqual(await snapshot(), before);
        });

        it("nor with a login for migrations, extensions and settings", async () => {
          await logIn("notes_a", "a's password", 'CREATE TABLE rows (id int); CREATE TABLE "Other" (id serial)');
          await settings(SETTINGS);
          const more = { SEPARATE_MIGRATOR: "true", EXTENSIONS: "citext pgcrypto", SETTINGS: "true" };
          await succeeds(admin(more));
          const before = await snapshot();
          await succeeds(admin(more));
          assert.strictEqual(await snapshot(), before);
          assert.strictEqual(await logIn("notes_migrator", "m's password"), "notes");
          assert.strictEqual(
            await logIn("notes_a", "a's password", 'INSERT INTO "Other" VALUES (1) RETURNING current_user'),
            "notes_runtime",
          );
          assert.match(await logIn("notes_a", "a's password", "CREATE TABLE more (id int)"), /permission denied/);
        });

        it("lets both logins, migrations and backups read the large objects of either, and those from before", async () => {
          const make = (login: string, oid: number) => `SELECT lo_from_bytea(${oid}, '${login}')`;
          await sql(
            "SET ROLE notes; SELECT lo_from_bytea(1, 'owner'); RESET ROLE; SET ROLE notes_a; SELECT lo_from_bytea(2, 'login')",
            "notes",
          );
          await logIn("notes_a", "a's password", make("a", 3));
          const more = { SEPARATE_MIGRATOR: "true", CURRENT: "b" };
          await succeeds(admin(more));
          await logIn("notes_b", "b's password", make("b", 4));
          const all = "SELECT string_agg(convert_from(lo_get(oid), 'UTF8'), ' ' ORDER BY oid) FROM pg_largeobject_metadata";
          for (const [login, password] of ["a", "b", "m"].map((one) => [
            `notes_${one === "m" ? "migrator" : one}`,
            `${one}'s password`,
          ]))
            assert.strictEqual(await logIn(login, password, all), "owner login a b", login);
          await logIn("notes_b", "b's password", "SELECT lo_unlink(oid) FROM pg_largeobject_metadata");
          assert.strictEqual(await logIn("notes_migrator", "m's password", all), "");
        });

        it("sets the settings of the database, lists name by name, and resets those that are taken out", async () => {
          const shown = async () =>
            await logIn(
              "notes_b",
              "b's password",
              "SELECT current_setting('search_path'), current_setting('statement_timeout'), current_setting('work_mem')",
            );
          assert.strictEqual(await shown(), '"$user", public, "other one"|20s|8MB');
          await settings("work_mem=9MB\n");
          await succeeds(admin({ SETTINGS: "true" }));
          assert.strictEqual(await shown(), '"$user", public|0|9MB');
          await settings("");
          await succeeds(admin({ SETTINGS: "true" }));
          assert.strictEqual(await shown(), '"$user", public|0|4MB');
        });

        it("goes back to one login for both, and locks the former login out", async () => {
          await succeeds(admin({ CURRENT: "b", LOCK_FORMER: "true" }));
          assert.match(await logIn("notes_a", "a's password"), /not permitted to log in/);
          assert.match(await logIn("notes_migrator", "m's password"), /not permitted to log in/);
          assert.strictEqual(await logIn("notes_b", "b's password"), "notes");
          await succeeds(admin({ PASSWORD_A: "a's next password" }));
          assert.strictEqual(await logIn("notes_a", "a's next password"), "notes");
        });

        it("gives what a login made in its own name to the owner", async () => {
          await sql("GRANT CREATE ON DATABASE notes TO notes_a");
          await logIn("notes_a", "a's next password", "SET role = none; CREATE SCHEMA mine; CREATE TABLE mine.t (id int)");
          assert.strictEqual(await sql("SELECT tableowner FROM pg_tables WHERE schemaname = 'mine'", "notes"), "notes_a");
          await succeeds(admin({ PASSWORD_A: "a's next password" }));
          assert.strictEqual(await sql("SELECT tableowner FROM pg_tables WHERE schemaname = 'mine'", "notes"), "notes");
        });

        it("says which right is missing: roles, databases, an extension, a setting", async () => {
          const advice = /grant it, or use a role that has it/;
          await fails(
            admin({ ...names("n1"), ADMIN_USER: "clerk" }),
            "role lacks a right",
            advice,
            /permission denied to create role/,
          );
          await sql("ALTER ROLE boss NOCREATEDB");
          await fails(admin(names("n2")), "role lacks a right", advice, /permission denied to create database/);
          await sql("ALTER ROLE boss CREATEDB");
          await fails(
            admin({ EXTENSIONS: "pg_stat_statements" }),
            "role lacks a right",
            advice,
            /permission denied to create extension/,
          );
          await settings("log_statement=all\n");
          await fails(
            admin({ SETTINGS: "true" }),
            "role lacks a right",
            advice,
            /permission denied to set parameter "log_statement"/,
          );
        });

        it("says which extension the server does not bring", async () => {
          const { code, said } = await setup(admin({ EXTENSIONS: "nonesuch citext" }));
          assert.notStrictEqual(code, 0);
          assert.match(said, /the server does not bring these extensions: nonesuch\. Use an image or a server that has them/);
        });

        it("refuses a database of another role, and says how to get it", async () => {
          await sql("CREATE ROLE stranger; CREATE DATABASE theirs OWNER stranger;");
          const detail =
            /database theirs belongs to role stranger: set user to that role and take it over \(external.admin.takeOver: \["stranger"\]\), or run ALTER DATABASE theirs OWNER TO theirs/;
          await fails(admin(names("theirs")), "role lacks a right", /./, detail);
        });

        it("takes over a database whose owner it may act as", async () => {
          await sql("SET ROLE boss; CREATE ROLE older LOGIN; GRANT older TO boss; CREATE DATABASE older OWNER older;");
          await fails(admin(names("older")), "names are taken", /or take over what is/, /role older, .*takeOver: \["older"\]/);
          await succeeds(admin({ ...names("older"), TAKE_OVER: "older" }));
          assert.strictEqual(await logIn("older_a", "a's password", "SELECT current_user", "older"), "older");
        });

        it("makes a role on a server of our own that no policy holds for, which only who acts as the owner may be", async () => {
          await sql("ALTER ROLE boss SUPERUSER");
          const own = { ...names("n1"), OWNS_SERVER: "true" };
          const asBackup = (login: string, password: string) =>
            logIn(login, password, "SET ROLE n1_backup; SELECT count(*) FROM rows", "n1");
          await succeeds(admin(own));
          await logIn("n1_a", "a's password", "CREATE TABLE rows AS SELECT 1 AS id", "n1");
          const force =
            "ALTER TABLE rows ENABLE ROW LEVEL SECURITY; ALTER TABLE rows FORCE ROW LEVEL SECURITY; SELECT count(*) FROM rows";
          assert.strictEqual(await logIn("n1_a", "a's password", force, "n1"), "0");
          for (const login of ["a", "b"]) assert.strictEqual(await asBackup(`n1_${login}`, `${login}'s password`), "1");
          assert.strictEqual(await sql("SELECT rolcanlogin FROM pg_roles WHERE rolname = 'n1_backup'"), "f");
          await succeeds(admin({ ...own, SEPARATE_MIGRATOR: "true" }));
          assert.match(await asBackup("n1_a", "a's password"), /permission denied to set role "n1_backup"/);
          assert.strictEqual(await asBackup("n1_migrator", "m's password"), "1");
          await sql("ALTER ROLE boss NOSUPERUSER");
        });
      });

      describe("on a server with roles of others", () => {
        const comment = (role: string) => sql(`SELECT shobj_description('${role}'::regrole, 'pg_authid')`);
        const otherState = { ID: "0b7e0000-0000-4000-8000-000000000002" };
        const otherCluster = { CLUSTER_CA: "/tmp/tls/other.crt" };
        const elsewhere = { PLACE: "shop/another-db", ...otherState };
        const advice = /set user \(and databaseName\) to a name of its own/;

        it("marks what it makes, with the login that the application has now", async () => {
          await succeeds(admin({ CURRENT: "b", ROTATION: "1" }));
          const [owner, a, b] = [await comment("notes"), await comment("notes_a"), await comment("notes_b")];
          assert.match(
            owner,
            /^pulumi-postgres-app: shop\/notes-db in cluster [0-9a-f]{16}, id 0b7e0000-0000-4000-8000-000000000001$/,
          );
          assert.deepStrictEqual([a, b], [owner, `${owner}, rotation 1`]);
        });

        it("refuses roles that no component has marked, by name and before anything is made", async () => {
          await sql(`SET ROLE boss; CREATE ROLE taken_b LOGIN PASSWORD 'theirs'; COMMENT ON ROLE taken_b IS 'of the reports';`);
          await fails(
            admin(names("taken")),
            "names are taken",
            advice,
            /role taken_b, which no component has marked\. If it is this application's, take it over: external\.admin\.takeOver: \["taken_b"\]/,
          );
          assert.strictEqual(await sql("SELECT count(*) FROM pg_roles WHERE rolname LIKE 'taken%'"), "1");
          assert.strictEqual(await logIn("taken_b", "theirs", "SELECT 1", "postgres"), "1");
        });

        it("takes them over where that is asked for by name, and keeps their comments", async () => {
          await succeeds(admin({ ...names("taken"), TAKE_OVER: "taken taken_b" }));
          assert.strictEqual(await logIn("taken_b", "b's password", "SELECT current_user", "taken"), "taken");
          assert.match(await comment("taken_b"), /^of the reports pulumi-postgres-app: shop\/notes-db in cluster/);
          await succeeds(admin(names("taken")));
        });

        it("refuses roles of another component, also where only names collide", async () => {
          const detail =
            /role notes, which is marked as that of shop\/notes-db in cluster [0-9a-f]+; role notes_a, which is marked/;
          await fails(admin({ ...elsewhere, PASSWORD_B: "of another" }), "names are taken", advice, detail);
          assert.strictEqual(await logIn("notes_b", "b's password"), "notes");
          await fails(
            admin({ ...elsewhere, ...names("notes_a") }),
            "names are taken",
            advice,
            /role notes_a, which is marked as/,
          );
        });

        it("knows its own again by its place after its state is lost, and by its state in another place", async () => {
          await succeeds(admin({ ...otherState, PASSWORD_B: "b's next password", CURRENT: "b" }));
          assert.strictEqual(await logIn("notes_b", "b's next password"), "notes");
          await succeeds(admin({ ...otherState, ...otherCluster, CURRENT: "b" }));
          await succeeds(admin({ ...otherState, PLACE: "shop/renamed-db", CURRENT: "b" }));
          assert.match(await comment("notes"), /^pulumi-postgres-app: shop\/renamed-db in cluster [0-9a-f]+, id 0b7e.*2$/);
          await succeeds(admin({ ...otherState, CURRENT: "b" }));
        });

        it("refuses the same names and place in another cluster, whose state knows nothing of them", async () => {
          await fails(admin({ ...otherCluster }), "names are taken", advice, /marked as that of shop\/notes-db in cluster/);
          await fails(admin({ CLUSTER_CA: "/nowhere" }), "names are taken", advice);
        });

        it("makes nobody who administers the server the application's role, also when asked to", async () => {
          await sql("CREATE ROLE chief SUPERUSER; GRANT boss TO clerk");
          for (const owner of ["chief", "boss", "clerk"])
            await fails(
              admin({ ...names("side"), OWNER: owner, TAKE_OVER: owner }),
              "the role of an administrator",
              /a name of its own, which no role has/,
              new RegExp(`role ${owner} administers this server`),
            );
        });

        it("leaves a role alone that only a separate login for migrations would need", async () => {
          await sql("SET ROLE boss; CREATE ROLE side_migrator LOGIN CREATEDB; CREATE ROLE side_runtime CREATEDB");
          await succeeds(admin(names("side")));
          const found = "SELECT rolname, rolcanlogin, rolcreatedb FROM pg_roles WHERE rolname LIKE 'side\\_%\\_%' OR rolname IN";
          const roles = await sql(`${found} ('side_migrator', 'side_runtime') ORDER BY 1`);
          assert.strictEqual(roles, "side_migrator|t|t\nside_runtime|f|t");
          await fails(
            admin({ ...names("side"), SEPARATE_MIGRATOR: "true" }),
            "names are taken",
            advice,
            /side_migrator.*side_runtime/,
          );
        });

        it("refuses a rotation that would change the password of the login that pods have, and names the next one", async () => {
          await succeeds(admin({ CURRENT: "b", ROTATION: "1", TAKE_OVER: "notes notes_a notes_b" }));
          const [kind, one] = ["rotation out of turn", /raise credentials\.rotation by one at a time/];
          const again = { CURRENT: "b", PASSWORD_B: "b's later password" };
          await fails(
            admin({ ...again, ROTATION: "3" }),
            kind,
            one,
            /of notes_b, .* since rotation 1: write credentials\.rotation: 2/,
          );
          assert.strictEqual(await logIn("notes_b", "b's password"), "notes");
          await succeeds(admin({ CURRENT: "a", ROTATION: "2" }));
          // Going back gives both logins new passwords in the state, and pods still have the former one.
          await succeeds(admin({ CURRENT: "b", ROTATION: "1", PASSWORD_A: "a's other password" }));
          assert.strictEqual(await logIn("notes_a", "a's password"), "notes");
          assert.strictEqual(await logIn("notes_b", "b's password"), "notes");
          // A lost state knows no former passwords that could go on.
          await succeeds(admin({ ...again, ROTATION: "3", ...otherState }));
          assert.strictEqual(await logIn("notes_b", "b's later password"), "notes");
        });
      });

      describe("beside other setups, and on servers that are not like others", () => {
        it("succeeds beside others of the same component and of others", async () => {
          await ok("cat > /tmp/setup/settings", "work_mem=8MB\n");
          const mine = { ...names("notes"), TAKE_OVER: "notes notes_a notes_b" };
          const both = [mine, mine, names("side"), mine, names("side"), mine];
          await Promise.all(both.map((each) => succeeds(admin({ ...each, SETTINGS: "true" }))));
        });

        it("takes what a server warns of for no result", async () => {
          const version = (of: string) =>
            sql(`UPDATE pg_database SET datcollversion = ${of} WHERE datname IN ('given', 'notes', 'postgres')`);
          await version("'0'");
          try {
            assert.match(await succeeds(check()), /the database has what is asked for\n.*WARNING: .*collation/s);
            await succeeds(admin());
            const { said } = await setup(check({ EXTENSIONS: "nonesuch" }));
            assert.match(
              said,
              /let an administrator run in it:\n {2}CREATE EXTENSION nonesuch; -- not available on this server\n(?!.*WARNING)/s,
            );
          } finally {
            await version("NULL");
          }
        });

        describe("gives a server that refuses verifiers the password itself", () => {
          // What Neon's says, as it is quoted by those who met it; everything else is this server's.
          const PSQL = `#!/bin/sh
            case "$*" in *'\\password'*)
              cat > /dev/null
              echo 'ERROR:  Received HTTP code 400 from control plane: {"error":"Neon only supports being given plaintext passwords"}' >&2
              exit 1 ;;
            esac
            exec REAL "$@"`;
          let variables: Variables;
          before(async () => {
            await ok('mkdir /tmp/neon; sed "s|REAL|$(command -v psql)|" > /tmp/neon/psql; chmod 0755 /tmp/neon/psql', PSQL);
            variables = admin({ PATH: `/tmp/neon:${await ok("echo $PATH")}`, PASSWORD_A: "a's plain password" });
          });
          const refused = /the server logs every statement, and so would log the password/;

          it("unless the password would be in the server's log", () =>
            fails(variables, "failure", /see what the server said/, refused));

          it("in a session that is not logged", async () => {
            await sql("ALTER ROLE boss SET log_statement = 'none'");
            assert.match(
              await succeeds(variables),
              /plain text only: notes_a has got its own in a statement, for which logging was off/,
            );
            await sql("ALTER ROLE boss RESET log_statement");
            assert.strictEqual(await logIn("notes_a", "a's plain password"), "notes");
            const stored = await sql("SELECT rolpassword LIKE 'SCRAM-SHA-256$%' FROM pg_authid WHERE rolname = 'notes_a'");
            assert.strictEqual(stored, "t");
          });
        });
      });

      describe("on a volume that others left", () => {
        const port = { SERVER_PORT: String(PORT.left), APP_PORT: String(PORT.left), PGSSLMODE: "disable", PGSSLROOTCERT: "" };
        /** As the component runs it for `existingClaim`; `unnamed` is what the program does not say. */
        const adopt = (name: string, unnamed: string, more: Variables = {}) =>
          admin({
            ...names(name),
            ...port,
            ...{ SERVER_HOST: "127.0.0.1", APP_HOST: "127.0.0.1", ADMIN_USER: "postgres", OWNS_SERVER: "true", ADOPTED: "true" },
            ...(unnamed ? { NOT_NAMED: unnamed } : {}),
            ...more,
          });
        /** On a claim of the component's own that has outlived it. */
        const KEPT = { ADOPTED: "false" };
        const left = (text: string, database = "postgres") => sql(text, database, PORT.left);
        const roles = () => left("SELECT string_agg(rolname, ' ' ORDER BY rolname) FROM pg_roles WHERE rolname !~ '^pg_'");
        const missing = (variables: Variables, detail: RegExp) =>
          fails(variables, "names are missing", /write databaseName and user as they are on the volume/, detail);

        it("makes a database by the default name where there is no other", async () => {
          await succeeds(adopt("fresh", "databaseName user"));
          await succeeds(adopt("fresh", "databaseName user"));
          await left("DROP DATABASE fresh");
          for (const role of ["fresh_a", "fresh_b", "fresh_backup", "fresh"]) await left(`DROP ROLE ${role}`);
        });

        it("makes none by the default name beside others, names these, and makes nothing else either", async () => {
          await left(`CREATE ROLE somebody LOGIN PASSWORD 'theirs'; CREATE DATABASE shop OWNER somebody; CREATE DATABASE wiki;`);
          await left("SET ROLE somebody; CREATE TABLE old AS SELECT generate_series(1, 7) AS n", "shop");
          const found =
            /none of which is called notes .* write databaseName: "shop", user: "somebody", or databaseName: "wiki", user: "(\w+)"\. For an empty one beside them write databaseName: "notes"/;
          await missing(adopt("notes", "databaseName user"), found);
          await missing(adopt("notes", "databaseName", { OWNER: "somebody" }), found);
          await missing(adopt("notes", "databaseName user", KEPT), found);
          assert.strictEqual(await roles(), "postgres somebody");
          assert.strictEqual(await left("SELECT count(*) FROM pg_database WHERE datname = 'notes'"), "0");
        });

        it("counts what is in the administrator's database, and nothing that is an extension's", async () => {
          await left("DROP DATABASE wiki; ALTER DATABASE shop RENAME TO template2; ALTER DATABASE template2 IS_TEMPLATE true");
          await left("CREATE TABLE rows (id int); CREATE EXTENSION pg_stat_statements");
          await missing(adopt("notes", "databaseName user"), /write databaseName: "postgres", user: "notes"\. For/);
          await left("DROP TABLE rows");
          await succeeds(adopt("notes", "databaseName user"));
          await left("ALTER DATABASE template2 IS_TEMPLATE false; ALTER DATABASE template2 RENAME TO shop");
        });

        it("makes one beside others where that is written", async () => {
          await succeeds(adopt("more", "user"));
          assert.strictEqual(await left("SELECT datdba::regrole FROM pg_database WHERE datname = 'more'"), "more");
        });

        it("refuses a default user where the database is another's, before it is changed", async () => {
          await missing(
            adopt("shop", "user"),
            /database shop on the volume belongs to role somebody, .* act as shop by default, .* write user: "somebody"/,
          );
          assert.strictEqual(await left("SELECT datdba::regrole FROM pg_database WHERE datname = 'shop'"), "somebody");
        });

        for (const [what, more] of Object.entries({ "of others": {}, "of another life": KEPT }))
          it(`refuses a user that could change none of the tables ${what}, as often as it is asked`, async () => {
            for (let run = 0; run < 2; run++) {
              const { code, said } = await setup(adopt("shop", "", { ...names("other"), DATABASE: "shop", ...more }));
              assert.notStrictEqual(code, 0);
              assert.match(
                said,
                /tables of database shop belong to somebody \(old\), and other could change none of them\. .*set user to their owner/,
              );
            }
          });

        it("does not mind another role's table, or owner of the database, where the application has tables of its own", async () => {
          const own = () => adopt("kept", "databaseName", KEPT);
          await succeeds(adopt("kept", "", KEPT));
          await left("SET ROLE kept; CREATE SCHEMA app; CREATE TABLE app.own (n int)", "kept");
          await left("CREATE TABLE public.strange (n int)", "kept");
          await left("ALTER DATABASE kept OWNER TO somebody");
          await succeeds(own());
          assert.strictEqual(await left("SELECT datdba::regrole FROM pg_database WHERE datname = 'kept'"), "kept");
        });

        it("lets the application read and alter what there is, as its owner", async () => {
          await succeeds(adopt("shop", "", { ...names("somebody"), DATABASE: "shop" }));
          const all = "ALTER TABLE old ADD m int; SELECT count(*) FROM old";
          const server = `-h 127.0.0.1 -p ${PORT.left}`;
          assert.strictEqual(await logIn("somebody_a", "a's password", all, "shop", server), "7");
        });

        it("gives it what the administrator has in its database, but no routine that acts with his rights", async () => {
          await left("CREATE DATABASE wiki");
          const made = `CREATE SCHEMA s; CREATE TYPE s.mood AS ENUM ('good'); CREATE DOMAIN s.whole AS int; CREATE TYPE s.pair AS (a int, b int);
            CREATE TYPE s.span AS RANGE (subtype = float8); CREATE TABLE s.rows (id serial, i int GENERATED ALWAYS AS IDENTITY, mood s.mood);
            CREATE TABLE parts (k int) PARTITION BY LIST (k); CREATE TABLE part PARTITION OF parts FOR VALUES IN (1); CREATE SEQUENCE free;
            CREATE VIEW seen AS SELECT * FROM s.rows; CREATE MATERIALIZED VIEW "Kept one" AS SELECT 1 AS n;
            CREATE FUNCTION f(int) RETURNS int LANGUAGE sql AS 'SELECT 1'; CREATE PROCEDURE p() LANGUAGE sql AS 'SELECT 1';
            CREATE AGGREGATE total(int) (sfunc = int4pl, stype = int); SELECT lo_from_bytea(7, 'x');
            CREATE FUNCTION powerful() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'; CREATE EXTENSION citext;`;
          await left(made, "wiki");
          await succeeds(adopt("wiki", "user"));
          const inOwn = "IN (SELECT oid FROM pg_namespace WHERE nspname IN ('s', 'public'))";
          const others = `SELECT relname FROM pg_class WHERE relnamespace ${inOwn} AND relowner <> 'wiki'::regrole AND relkind NOT IN ('i', 'I')
            UNION ALL SELECT proname FROM pg_proc WHERE pronamespace ${inOwn} AND proowner <> 'wiki'::regrole AND NOT EXISTS (
              SELECT FROM pg_depend WHERE classid = 'pg_proc'::regclass AND objid = pg_proc.oid AND deptype IN ('e', 'i'))
            UNION ALL SELECT typname FROM pg_type WHERE typnamespace ${inOwn} AND typowner <> 'wiki'::regrole AND typtype NOT IN ('b', 'm')
            UNION ALL SELECT nspname FROM pg_namespace WHERE nspname = 's' AND nspowner <> 'wiki'::regrole
            UNION ALL SELECT oid::text FROM pg_largeobject_metadata WHERE lomowner <> 'wiki'::regrole`;
          assert.strictEqual(await left(others, "wiki"), "powerful");
          assert.strictEqual(
            await left("SELECT extowner::regrole FROM pg_extension WHERE extname = 'citext'", "wiki"),
            "postgres",
          );
          await succeeds(adopt("wiki", "user", { SEPARATE_MIGRATOR: "true" }));
          const rows =
            "SET ROLE wiki_runtime; INSERT INTO s.rows (mood) VALUES ('good') RETURNING id; INSERT INTO parts VALUES (1)";
          assert.strictEqual(await left(rows, "wiki"), "1");
        });
      });

      describe("after all of that", () => {
        it("leaves no password in the server's log", async () => {
          const log = (await ok("cat /tmp/good.log /tmp/left.log")).replace(/.*CREATE ROLE .*(\n\t.*)*/g, "");
          for (const password of [
            "a's password",
            "b's password",
            "m's password",
            "next password",
            "boss' password",
            "plain password",
            "later password",
            "other password",
          ])
            assert.ok(!log.includes(password) && !log.includes(password.replace(/'/g, "''")), `it shows ${password}`);
        });
      });
    });
  }
});
