import * as assert from "assert";
import { Namespace, Ran } from "../support/kubectl";
import { postgresPod } from "../support/postgresPod";

const MAJORS = [15, 17];

/** Kills the server and what prepares it with no chance to tidy up, and waits until all of it is gone. */
const KILL = `for i in $(seq 100); do
  alive=
  for p in /proc/[0-9]*; do case $(cat $p/comm 2>/dev/null) in postgres | initdb) alive=1; kill -9 \${p#/proc/} 2>/dev/null ;; esac; done
  [ -n "$alive" ] || exit 0
  sleep 0.1
done; echo "not gone after 10 s"; exit 1`;

describe("the database's start script", function () {
  this.timeout(180_000);
  let namespace: Namespace;

  before(async () => {
    namespace = await Namespace.create("start");
    for (const major of MAJORS) await postgresPod(namespace, major);
  });
  after(() => namespace?.delete());

  for (const major of MAJORS) {
    describe(`of Postgres ${major}`, () => {
      const sh = (line: string, input?: string) =>
        namespace.exec(`postgres-${major}`, ["sh", "-c", line], { input, seconds: 90 });
      const ok = async (line: string, input?: string) => {
        const { code, stdout, stderr } = await sh(line, input);
        assert.strictEqual(code, 0, `${line}\n${stdout}${stderr}`);
        return stdout;
      };
      const environment = (volume: string) =>
        `VOLUME=/volumes/${volume} PGDATA=/volumes/${volume}/pgdata CONFIG_FILE=/scripts/postgresql.conf ADMIN_USER=postgres ADMIN_PASSWORD_FILE=/tmp/password HBA_FILE=/scripts/pg_hba.conf SOCKET_DIRECTORY=/var/run/postgresql`;
      /** Starts the server on a volume with a password in the Secret's place; returns when it answers, or with how it ended. */
      const start = async (volume: string, password: string): Promise<Ran> => {
        await ok(`umask 077; cat > /tmp/password`, password);
        const begin = `mkdir -p /volumes/${volume}; rm -f /tmp/exit; (${environment(volume)} sh /scripts/start.sh > /tmp/log 2>&1 9>&-; echo $? > /tmp/exit) > /dev/null 2>&1 &`;
        await ok(begin);
        return sh(
          "for i in $(seq 300); do [ ! -s /tmp/exit ] || { cat /tmp/log >&2; exit $(cat /tmp/exit); }; pg_isready -q -h 127.0.0.1 && exit 0; sleep 0.1; done; cat /tmp/log >&2; exit 99",
        );
      };
      const stop = (volume: string) =>
        ok(`PGDATA=/volumes/${volume}/pgdata pg_ctl stop -s -m fast -w; while [ ! -s /tmp/exit ]; do sleep 0.05; done`);
      /** Logs in over the network with a password, and says what the server answers. */
      const query = (password: string, sql: string) =>
        sh(
          `IFS= read -r PGPASSWORD; export PGPASSWORD; psql -X -A -t -h 127.0.0.1 -U postgres -d postgres -c "${sql}"`,
          `${password}\n`,
        );
      const logsIn = async (password: string, volume: string) => {
        const { code, stdout, stderr } = await query(password, "SHOW data_directory");
        assert.strictEqual(code, 0, stderr);
        assert.strictEqual(stdout.trim(), `/volumes/${volume}/pgdata`);
      };
      const isRefused = async (password: string) =>
        assert.match((await query(password, "SELECT 1")).stderr, /password authentication failed/);
      const started = async (volume: string, password: string) => {
        const { code, stderr } = await start(volume, password);
        assert.strictEqual(code, 0, stderr);
      };

      // Whatever a test left behind, the next one begins without a server.
      beforeEach(() => ok(KILL));

      it("makes an empty volume into a database whose password is the Secret's", async () => {
        await started("empty", "first-password");
        await logsIn("first-password", "empty");
        await isRefused("another");
        const settings = await query(
          "first-password",
          "SELECT string_agg(name || '=' || setting, ' ' ORDER BY name) FROM pg_settings WHERE name IN ('data_checksums', 'server_encoding', 'password_encryption')",
        );
        assert.strictEqual(settings.stdout.trim(), "data_checksums=on password_encryption=scram-sha-256 server_encoding=UTF8");
        await stop("empty");
      });

      it("lets the Secret win over the password that the data remembers, and keeps the data", async () => {
        await started("old", "old-password");
        assert.strictEqual((await query("old-password", "CREATE TABLE kept AS SELECT 42 AS answer")).code, 0);
        await stop("old");
        await started("old", "new-password");
        await logsIn("new-password", "old");
        await isRefused("old-password");
        assert.strictEqual((await query("new-password", "SELECT answer FROM kept")).stdout.trim(), "42");
        await stop("old");
      });

      it("takes passwords full of quotes, backslashes, dollar and percent signs, and shows none in its log", async () => {
        for (const password of [
          `it's "quoted"`,
          `back\\slash\\\\ \\'`,
          `$HOME $(id) \`id\` $$ $do$`,
          `100% %s %n`,
          `; DROP ROLE postgres; --`,
          ` lead and trail `,
        ]) {
          await started("special", password);
          await logsIn(password, "special");
          const log = await ok("cat /tmp/log");
          assert.ok(!log.includes(password.trim()), `the log shows the password: ${log}`);
          await stop("special");
        }
      });

      it("shows the password in no log even where every statement is logged", async () => {
        await started("logging", "before");
        await query("before", "ALTER SYSTEM SET log_statement = 'all'");
        await query("before", "ALTER ROLE postgres SET log_min_duration_statement = 0");
        await stop("logging");
        await started("logging", "after-the-change");
        await logsIn("after-the-change", "logging");
        assert.match(await ok("cat /tmp/log"), /SHOW data_directory/, "statements are logged");
        assert.doesNotMatch(await ok("cat /tmp/log"), /after-the-change/);
        await stop("logging");
      });

      it("makes the administrator anew where the data has none of that name, has locked it out, or gave it an end", async () => {
        await started("roles", "one");
        await query("one", "CREATE ROLE someone SUPERUSER LOGIN PASSWORD 'theirs'");
        await ok(`PGPASSWORD=theirs psql -X -q -h 127.0.0.1 -U someone -d postgres -c "ALTER ROLE postgres RENAME TO former"`);
        await stop("roles");
        await started("roles", "two");
        await logsIn("two", "roles");
        await query("two", "ALTER ROLE postgres NOLOGIN VALID UNTIL '2001-01-01' CONNECTION LIMIT 0");
        await stop("roles");
        await started("roles", "three");
        await logsIn("three", "roles");
        await stop("roles");
      });

      it("refuses data of another major version with the way out, and touches nothing", async () => {
        await started("major", "password");
        await stop("major");
        await ok(
          "echo 9 > /volumes/major/pgdata/PG_VERSION; cd /volumes/major && find . -type f ! -name .postgres-app.lock -exec sha256sum {} + | sort > /tmp/before",
        );
        const { code, stderr } = await start("major", "password");
        assert.strictEqual(code, 78);
        assert.match(
          stderr,
          new RegExp(
            `the data is Postgres 9, the image is Postgres ${major}, nothing was changed: set database.embedded.version to 9`,
          ),
        );
        await ok(
          "cd /volumes/major && find . -type f ! -name .postgres-app.lock -exec sha256sum {} + | sort | cmp - /tmp/before",
        );
      });

      it("refuses a directory that holds something else, and a volume that it cannot write", async () => {
        await ok("mkdir -p /volumes/other/pgdata && echo precious > /volumes/other/pgdata/file");
        const other = await start("other", "password");
        assert.strictEqual(other.code, 78);
        assert.match(
          other.stderr,
          /is not empty and holds no PG_VERSION: it is not a Postgres data directory, nothing was changed/,
        );
        assert.strictEqual(await ok("cat /volumes/other/pgdata/file"), "precious\n");
        await ok("mkdir -p /volumes/closed && chmod 0500 /volumes/closed");
        const closed = await start("closed", "password");
        assert.strictEqual(closed.code, 78);
        assert.match(
          closed.stderr,
          /\/volumes\/closed cannot be written by uid 999: .* set database.embedded.runAsUser to its owner/,
        );
        await ok("mkdir -p /volumes/unreadable/pgdata && chmod 0000 /volumes/unreadable/pgdata");
        const unreadable = await start("unreadable", "password");
        assert.strictEqual(unreadable.code, 78);
        assert.match(unreadable.stderr, /\/volumes\/unreadable\/pgdata does not belong to uid 999|cannot be read/);
      });

      it("refuses an empty password and one of several lines", async () => {
        assert.match((await start("empty", "")).stderr, /the Secret's password is empty/);
        assert.match((await start("empty", "two\nlines")).stderr, /more than one line/);
      });

      it("refuses a volume on which another server runs", async () => {
        await started("twice", "password");
        // The first server's lock file stands for another pod: its process ids mean nothing there, so only the lock can tell.
        const second = await sh(`${environment("twice")} PGPORT=5433 timeout 80 sh /scripts/start.sh`);
        assert.strictEqual(second.code, 78, second.stderr);
        assert.match(second.stderr, /another pod is running Postgres on this volume: stop it first/);
        await logsIn("password", "twice");
        await stop("twice");
      });

      it("comes up again when it was killed at any moment: in initdb, while the password is set, in service", async () => {
        for (const [round, delay] of [0.05, 0.3, 0.6, 1.0, 1.5, 2.5].entries()) {
          const volume = `killed-${round}`;
          await ok(`umask 077; printf old > /tmp/password; mkdir -p /volumes/${volume}`);
          // A pod that is killed loses all its processes at once: a process group of their own stands for it.
          await sh(
            `${environment(volume)} setsid sh /scripts/start.sh > /tmp/log 2>&1 & sleep ${delay}; kill -9 -$! 2>/dev/null; ${KILL}`,
          );
          await started(volume, "new");
          await logsIn("new", volume);
          await stop(volume);
        }
      });

      it("keeps every acknowledged row when the server is killed, and still changes the password", async () => {
        await started("crash", "before");
        await query("before", "CREATE TABLE rows (n int)");
        for (let n = 1; n <= 5; n++) assert.strictEqual((await query("before", `INSERT INTO rows VALUES (${n})`)).code, 0);
        await ok(KILL);
        await started("crash", "after");
        assert.strictEqual((await query("after", "SELECT count(*) FROM rows")).stdout.trim(), "5");
        await isRefused("before");
        await stop("crash");
      });
    });
  }
});
