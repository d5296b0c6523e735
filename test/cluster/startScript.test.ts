import * as assert from "assert";
import { settings } from "../../components/database/embedded";
import { Namespace, Ran, sleep } from "../support/kubectl";
import { postgresPod } from "../support/postgresPod";

const MAJORS = [15, 17];

/** Kills the server and what prepares it with no chance to tidy up, and waits until all of it is gone. */
const KILL = `for i in $(seq 100); do
  alive=
  for p in /proc/[0-9]*; do case $(cat $p/comm 2>/dev/null) in postgres | initdb) alive=1; kill -9 \${p#/proc/} 2>/dev/null ;; esac; done
  [ -n "$alive" ] || exit 0
  sleep 0.1
done; echo "not gone after 10 s"; exit 1`;

/** What the start script reads; a later word wins over a former one. */
const environment = (volume: string) =>
  `VOLUME=/volumes/${volume} PGDATA=/volumes/${volume}/pgdata CONFIG_FILE=/scripts/postgresql.conf SETTINGS_FILE=/scripts/settings ADMIN_USER=postgres ADMIN_PASSWORD_FILE=/tmp/password HBA_FILE=/scripts/pg_hba.conf SOCKET_DIRECTORY=/var/run/postgresql`;

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
      /** Starts the server on a volume with a password in the Secret's place; returns when it answers, or with how it ended. */
      const start = async (volume: string, password: string, more = ""): Promise<Ran> => {
        await ok(`umask 077; cat > /tmp/password`, password);
        const begin = `mkdir -p /volumes/${volume}; rm -f /tmp/exit; (${environment(volume)} ${more} sh /scripts/start.sh > /tmp/log 2>&1 9>&-; echo $? > /tmp/exit) > /dev/null 2>&1 &`;
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
      const started = async (volume: string, password: string, more = "") => {
        const { code, stderr } = await start(volume, password, more);
        assert.strictEqual(code, 0, stderr);
      };
      const refuses = async (volume: string, more: string, reason: RegExp) => {
        const { code, stderr } = await start(volume, "password", more);
        assert.strictEqual(code, 78, stderr);
        assert.match(stderr, reason);
        assert.match(stderr, /nothing was changed/);
      };
      /** All that lies on a volume, but for our lock. */
      const contents = (volume: string) =>
        ok(
          `cd /volumes/${volume} && find . ! -name .postgres-app.lock ! -type d -exec sha256sum {} + | sort; find . -type d | sort`,
        );

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
        await ok("echo 9 > /volumes/major/pgdata/PG_VERSION");
        const before = await contents("major");
        const { code, stderr } = await start("major", "password");
        assert.strictEqual(code, 78);
        assert.match(
          stderr,
          new RegExp(
            `the data is Postgres 9, the image is Postgres ${major}, nothing was changed: set database.embedded.version to 9`,
          ),
        );
        assert.strictEqual(await contents("major"), before);
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
        assert.match(closed.stderr, /uid 999 may not write \/volumes\/closed, which belongs to it \(mode 2?500\).* chmod u\+rwx/);
        await ok("mkdir -p /volumes/unreadable/pgdata && chmod 0000 /volumes/unreadable/pgdata");
        const unreadable = await start("unreadable", "password");
        assert.strictEqual(unreadable.code, 78);
        assert.match(unreadable.stderr, /uid 999 may not write \/volumes\/unreadable\/pgdata, which belongs to it/);
      });

      it("refuses an empty password and one of several lines", async () => {
        assert.match((await start("empty", "")).stderr, /the Secret's password is empty/);
        assert.match((await start("empty", "two\nlines")).stderr, /more than one line/);
      });

      it("makes no database beside one that lies elsewhere on the volume, and says where that is", async () => {
        await started("elsewhere", "password");
        assert.strictEqual((await query("password", "CREATE TABLE kept AS SELECT 42 AS answer")).code, 0);
        await stop("elsewhere");
        const claim = "EXISTING_CLAIM=old";
        let at = "pgdata";
        for (const [subPath, asked] of [
          ["data", "pgdata"],
          ["17/docker", "pgdata"],
          ["a/b/c/d", "a/b"],
          ["pgdata", "."],
        ]) {
          await ok(
            `cd /volumes/elsewhere && mv ${at} /volumes/moving && mkdir -p $(dirname ${subPath}) && mv /volumes/moving ${subPath}`,
          );
          at = subPath;
          const before = await contents("elsewhere");
          const directory = asked === "." ? "/volumes/elsewhere" : `/volumes/elsewhere/${asked}`;
          await refuses("elsewhere", `${claim} PGDATA=${directory}`, new RegExp(`set database.embedded.subPath to "${subPath}"`));
          if (asked !== ".")
            await refuses(
              "elsewhere",
              `PGDATA=${directory}`,
              new RegExp(`somebody else's, in "${subPath}".*existingClaim \\(data-postgres-${major}\\) and write "${subPath}"`),
            );
          assert.strictEqual(await contents("elsewhere"), before);
        }
        // As the official image leaves it where the volume itself is the data directory.
        await ok("mkdir -p /volumes/root && cp -a /volumes/elsewhere/pgdata/. /volumes/root");
        await refuses("root", claim, /set database.embedded.subPath to "\."/);
        await started("root", "password", `${claim} PGDATA=/volumes/root`);
        assert.strictEqual((await query("password", "SELECT answer FROM kept")).stdout.trim(), "42");
      });

      it("begins on somebody else's volume only when that is empty", async () => {
        await ok("mkdir -p /volumes/used/archive && echo precious > /volumes/used/.hidden");
        await refuses(
          "used",
          "EXISTING_CLAIM=used",
          /claim used holds no database and is not empty \(archive .hidden is there\)/,
        );
        await ok("mkdir -p /volumes/fresh/lost+found /volumes/fresh/a/pgdata /volumes/fresh/.postgres-app.new/base");
        await started("fresh", "password", "EXISTING_CLAIM=fresh PGDATA=/volumes/fresh/a/pgdata");
        assert.strictEqual((await query("password", "SELECT 1")).code, 0);
      });

      it("finds tablespaces on the volume when that is mounted elsewhere, and refuses data without them", async () => {
        await started("before", "password");
        await ok("mkdir -p /volumes/before/more/space");
        await query("password", "CREATE TABLESPACE more LOCATION '/volumes/before/more/space'");
        const made = await query("password", "CREATE TABLE kept TABLESPACE more AS SELECT 42 AS answer");
        assert.strictEqual(made.code, 0, made.stderr);
        await stop("before");
        await ok("mv /volumes/before /volumes/after");
        await started("after", "password");
        assert.strictEqual((await query("password", "SELECT answer FROM kept")).stdout.trim(), "42");
        await stop("after");
        await ok("mv /volumes/after/more /volumes/gone");
        await refuses("after", "", /pg_tblspc\/\d+ leads to \/volumes\/after\/more\/space, which is not on the volume/);
      });

      it("refuses data of a standby, which single-user servers cannot open", async () => {
        await started("standby", "password");
        await stop("standby");
        await ok("touch /volumes/standby/pgdata/standby.signal");
        await refuses(
          "standby",
          "",
          /the data is that of a standby or of a restore that is not done \(standby.signal is there\)/,
        );
      });

      it("goes by its own settings whatever ALTER SYSTEM and files beside the data say", async () => {
        await started("beside", "before");
        for (const setting of [
          "port = 5999",
          "ssl = on",
          "ssl_ca_file = '/nowhere/ca.crt'",
          "work_mem = '77MB'",
          "max_connections = 33",
          "default_transaction_read_only = on",
          "password_encryption = 'md5'",
          "statement_timeout = '1ms'",
          "log_min_duration_sample = 0",
          "log_statement_sample_rate = 1",
          "log_transaction_sample_rate = 1",
          "debug_print_parse = on",
          "data_directory = '/nowhere'",
        ]) {
          const { code, stderr } = await query("before", `ALTER SYSTEM SET ${setting}`);
          // What cannot be said this way lies in the other file.
          if (code !== 0) await ok(`cat >> /volumes/beside/pgdata/postgresql.conf`, `${setting}\n`);
          assert.ok(code === 0 || /cannot be changed/.test(stderr), stderr);
        }
        await stop("beside");
        await ok("echo \"include_if_exists '/volumes/beside/pgdata/postgresql.conf'\" > /tmp/beside.conf");
        const parameters = { max_connections: "44", "app.text": "it's \\ $(id) = 'x'" };
        await ok("cat > /tmp/settings", settings("off", parameters));
        await started("beside", "after-the-change", "CONFIG_FILE=/tmp/beside.conf SETTINGS_FILE=/tmp/settings");
        const show = ["port", "ssl", "max_connections", "work_mem", "password_encryption", "app.text"];
        const { stdout, stderr } = await query("after-the-change", show.map((name) => `SHOW ${name};`).join(" "));
        assert.strictEqual(stdout.trim(), `5432\noff\n44\n77MB\nscram-sha-256\n${parameters["app.text"]}`, stderr);
        assert.doesNotMatch(await ok("cat /tmp/log"), /after-the-change/);
      });

      it("gives initdb what it needs to know of huge pages, and leaves nothing of it beside the data", async () => {
        await ok("cat > /tmp/huge; mkdir -p /volumes/huge", settings("off", { huge_pages: "on" }));
        const none = await start("huge", "password", "SETTINGS_FILE=/tmp/huge"); // this node has none, so asking for them fails
        assert.match(none.stderr, /could not map anonymous shared memory|huge_?pages/i);
        assert.strictEqual(await ok("ls -A /volumes/huge | grep -v postgres-app || :"), "");
        await ok("cat > /tmp/huge", settings("off", { huge_pages: "off" }));
        await started("huge", "password", "SETTINGS_FILE=/tmp/huge");
        assert.strictEqual((await query("password", "SHOW huge_pages")).stdout.trim(), "off");
        assert.strictEqual(await ok("grep -c '^huge_pages' /volumes/huge/pgdata/postgresql.conf || :"), "0\n");
      });

      it("tells of data that was sorted by another version of a collation, with the commands that mend it, and serves it", async () => {
        await started("sorted", "password");
        const make = `CREATE DATABASE \\"Old One\\" TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en' LOCALE 'C.UTF-8'`;
        const made = await query("password", make);
        assert.strictEqual(made.code, 0, made.stderr);
        await query("password", "UPDATE pg_database SET datcollversion = '1.0' WHERE datname = 'Old One'");
        await stop("sorted");
        await started("sorted", "password");
        assert.match(
          await ok("cat /tmp/log"),
          /database Old One was sorted by version 1\.0 of its collation, this image has version [\d.]+: .* REINDEX DATABASE "Old One"; then ALTER DATABASE "Old One" REFRESH COLLATION VERSION;/,
        );
        const refreshed = await query("password", `ALTER DATABASE \\"Old One\\" REFRESH COLLATION VERSION`);
        assert.strictEqual(refreshed.code, 0, refreshed.stderr);
        await stop("sorted");
        await started("sorted", "password");
        assert.doesNotMatch(await ok("cat /tmp/log"), /REFRESH COLLATION VERSION/);
      });

      it("refuses what another server left when it was killed, until its postmaster.pid is gone; not what it left itself", async () => {
        await started("foreign", "password");
        await ok(KILL);
        await started("foreign", "password");
        await ok(KILL);
        await ok(
          "cd /volumes/foreign/pgdata && sed -i 2s,.*,/var/lib/postgresql/data, postmaster.pid && echo postgres > postmaster.opts",
        );
        await refuses(
          "foreign",
          "OTHER_SERVER_SECONDS=2",
          /showed no sign of life for 2 s.* kubectl exec postgres-\d+ -- rm \/volumes\/foreign\/pgdata\/postmaster.pid/,
        );
        // As a former version of this package left it, whose volumes were mounted elsewhere.
        await ok('echo \'postgres "-c" "config_file=/scripts/postgresql.conf"\' > /volumes/foreign/pgdata/postmaster.opts');
        await started("foreign", "password", "OTHER_SERVER_SECONDS=2");
        await ok(KILL);
        await ok(
          "cd /volumes/foreign/pgdata && sed -i 2s,.*,/var/lib/postgresql/data, postmaster.pid && echo postgres > postmaster.opts",
        );
        await ok("(sleep 2; rm /volumes/foreign/pgdata/postmaster.pid) > /dev/null 2>&1 &");
        await started("foreign", "password", "OTHER_SERVER_SECONDS=20");
      });

      it("refuses a volume on which another server runs", async () => {
        await started("twice", "password");
        // The first server's lock file stands for another pod: its process ids mean nothing there, so only the lock can tell.
        const second = await sh(`${environment("twice")} OTHER_SERVER_SECONDS=2 timeout 80 sh /scripts/start.sh`);
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

  describe("on a volume of another server's, which runs as a user that this image does not know", () => {
    const OTHER = 70; // Alpine's
    const PGDATA = "/volumes/pgdata";
    const script = (seconds: number) =>
      `printf password > /tmp/password; ${environment(".")} VOLUME=/volumes PGDATA=${PGDATA} EXISTING_CLAIM=shared OTHER_SERVER_SECONDS=${seconds}`;
    const inPod = async (pod: string, line: string, seconds = 90) => namespace.exec(pod, ["sh", "-c", line], { seconds });
    const ok = async (pod: string, line: string) => {
      const { code, stdout, stderr } = await inPod(pod, line);
      assert.strictEqual(code, 0, `${line}\n${stdout}${stderr}`);
      return stdout.trim();
    };
    /** Makes room on a busy node. */
    const end = (...pods: string[]) =>
      namespace.kubectl(["delete", "pod", ...pods, "--wait=true", "--timeout=60s"], { seconds: 70 });
    let watching: Promise<Ran>;

    before(async () => {
      await end(...MAJORS.map((major) => `postgres-${major}`));
      await namespace.apply({
        apiVersion: "v1",
        kind: "PersistentVolumeClaim",
        metadata: { name: "shared", namespace: namespace.name },
        spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
      });
      await postgresPod(namespace, 17, { name: "other", claim: "shared", uid: OTHER });
      await postgresPod(namespace, 17, { name: "ours", claim: "shared", uid: OTHER });
      // In a place of its own, as the other image has it.
      await ok(
        "other",
        `initdb -D ${PGDATA}/../pgdata -U somebody --auth=trust > /dev/null && ln -s /volumes /tmp/data && cd / &&
         (setsid postgres -D /tmp/data/pgdata -k /tmp > /tmp/log 2>&1 &) && until pg_isready -q -h /tmp; do sleep 0.1; done &&
         psql -X -q -h /tmp -U somebody -d postgres -c 'CREATE TABLE kept AS SELECT 42 AS answer' -c CHECKPOINT`,
      );
      await sleep(1000);
      watching = inPod("ours", `${script(66)} sh /scripts/start.sh`);
    });

    it("sees within a minute that an idle one runs, and does not join it", async () => {
      const { code, stderr } = await watching;
      assert.strictEqual(code, 78, stderr);
      assert.match(stderr, /another server runs on this data, nothing was changed: stop it/);
      assert.strictEqual(await ok("other", "psql -X -A -t -h /tmp -U somebody -d postgres -c 'SELECT answer FROM kept'"), "42");
    });

    it("takes over when that one stops meanwhile, and comes back by itself when it is killed", async () => {
      await ok("ours", `(${script(60)} sh /scripts/start.sh > /tmp/log 2>&1 &)`);
      await ok(
        "ours",
        "for i in $(seq 100); do grep -q 'has 60 s to stop' /tmp/log && exit; sleep 0.1; done; cat /tmp/log; exit 1",
      );
      await ok("other", "pg_ctl stop -s -D /tmp/data/pgdata -m fast -w");
      const answers = `IFS= read -r PGPASSWORD < /tmp/password || :; export PGPASSWORD
        for i in $(seq 300); do psql -X -A -t -h 127.0.0.1 -U postgres -c 'SELECT answer FROM kept' 2> /dev/null && exit; sleep 0.1; done; cat /tmp/log; exit 1`;
      assert.strictEqual(await ok("ours", answers), "42");
      await ok("ours", KILL);
      await ok("ours", `(${script(60)} sh /scripts/start.sh > /tmp/log 2>&1 &)`);
      assert.strictEqual(await ok("ours", answers), "42");
      assert.doesNotMatch(await ok("ours", "cat /tmp/log"), /another server/);
      await ok("ours", `pg_ctl stop -s -D ${PGDATA} -m fast -w`);
    });

    it("names the user whose data it is", async () => {
      await end("other");
      await postgresPod(namespace, 17, { name: "official", claim: "shared" });
      const { code, stderr } = await inPod("official", `${script(2)} sh /scripts/start.sh`);
      assert.strictEqual(code, 78, stderr);
      assert.match(stderr, /pgdata belongs to uid 70, and Postgres runs as uid 999, .* set database.embedded.runAsUser to 70/);
    });
  });
});
