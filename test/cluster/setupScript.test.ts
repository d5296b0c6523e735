import * as assert from "assert";
import { readdirSync } from "fs";
import { join } from "path";
import { Namespace, Ran, until } from "../support/kubectl";
import { postgresPod } from "../support/postgresPod";

const MAJORS = [15, 17];
const scripts = join(__dirname, "..", "..", "components", "database", "scripts");
const sqlFiles = readdirSync(scripts).filter((file) => file.endsWith(".sql"));

/** The servers: one as it should be, one without TLS that lets few in, and one that is stopped in the middle. */
const PORT = { good: 5432, plain: 5433, stopped: 5434 };
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
cp /scripts/*.sql /scripts/setup.sh /tmp/setup/
serve() {
  name=$1 port=$2
  shift 2
  initdb -D /volumes/$name -U postgres --auth=trust -E UTF8 --locale=C.UTF-8 --no-sync > /dev/null
  printf '%s\\n' 'local all all trust' "$1" > /volumes/$name/pg_hba.conf
  shift
  echo "-p $port -k /tmp -c fsync=off -c shared_buffers=16MB -c log_statement=all $*" > /tmp/$name.options
  pg_ctl -D /volumes/$name -s -w -l /tmp/$name.log start -o "$(cat /tmp/$name.options)"
}
serve good ${PORT.good} 'hostssl postgres,given,foreign_one,notes,n1,n2,theirs,older,nowhere all all scram-sha-256' \\
  -c ssl=on -c ssl_cert_file=/tmp/tls/server.crt -c ssl_key_file=/tmp/tls/server.key -c listen_addresses="'*'"
serve plain ${PORT.plain} 'host all all all scram-sha-256' -c listen_addresses=127.0.0.1 -c max_connections=6 -c superuser_reserved_connections=1 -c max_wal_senders=0
serve stopped ${PORT.stopped} 'host all all all scram-sha-256'
kill -STOP $(head -n 1 /volumes/stopped/postmaster.pid)`;

type Variables = Record<string, string>;
const quoted = (text: string) => `'${text.replace(/'/g, "'\\''")}'`;

describe("the setup script", function () {
  this.timeout(180_000);
  let namespace: Namespace;

  before(async () => {
    namespace = await Namespace.create("setup");
    const files = Object.fromEntries(["setup.sh", ...sqlFiles].map((file) => [file, join(scripts, file)]));
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
          const hidden =
            name === "CONNECTION_URI" ? decodeURIComponent(/:([^:@]*)@/.exec(value)![1].replace(/%(?!\d)/g, "%25")) : value;
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
      const logIn = async (user: string, password: string, text = "SELECT current_user", database = "notes") => {
        const { stdout, stderr } = await sh(
          `IFS= read -r PGPASSWORD; export PGPASSWORD; psql -X -q -A -t -h localhost -U ${user} -d ${database} -c ${quoted(text)}`,
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
            /make external\.tls \(mode, ca\) fit/,
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

      describe("finds out what the database lacks", () => {
        it("nothing", async () => assert.match(await succeeds(check()), /the connection works/));
        it("nothing, by a URI", () => {
          const CONNECTION_URI = `postgresql://given:${encodeURIComponent("given's password")}@localhost:5432/given`;
          return succeeds({ ...common, MODE: "check", CONNECTION_URI });
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
            SELECT * FROM pg_db_role_setting ORDER BY 1, 2; SELECT datname, datdba::regrole, datacl FROM pg_database ORDER BY 1;`;
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
            "notes_a",
          );
          assert.match(await logIn("notes_a", "a's password", "CREATE TABLE more (id int)"), /permission denied/);
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
            /database theirs belongs to role stranger: set user to that role, or run ALTER DATABASE theirs OWNER TO theirs/;
          await fails(admin(names("theirs")), "role lacks a right", /./, detail);
        });

        it("takes over a database whose owner it may act as", async () => {
          await sql("SET ROLE boss; CREATE ROLE older LOGIN; GRANT older TO boss; CREATE DATABASE older OWNER older;");
          await succeeds(admin(names("older")));
          assert.strictEqual(await logIn("older_a", "a's password", "SELECT current_user", "older"), "older");
        });
      });

      describe("after all of that", () => {
        it("leaves no password in the server's log", async () => {
          const log = (await ok("cat /tmp/good.log")).replace(/.*CREATE ROLE .*(\n\t.*)*/g, "");
          for (const password of ["a's password", "b's password", "m's password", "next password", "boss' password"])
            assert.ok(!log.includes(password) && !log.includes(password.replace(/'/g, "''")), `it shows ${password}`);
        });
      });
    });
  }
});
