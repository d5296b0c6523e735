import * as assert from "assert";
import { readFileSync } from "fs";
import { join } from "path";
import { backupCronJob, backupPod, resolveBackups } from "../../components/database/backup";
import { BackupDestinationArgs } from "../../components/database/backupDestination";
import { DatabaseRestoreArgs, resolveRestore, restoreJob } from "../../components/database/restore";
import { Validation } from "../../components/common/validation";
import { applyScripts, BackupServer, jobResult, JobResult, runJob, s3Pod, startPods } from "../support/backupServer";
import { known } from "../support/known";
import { Namespace, Ran, until } from "../support/kubectl";

const MAJORS = [15, 17];
const KEYS = { AWS_ACCESS_KEY_ID: "test-access", AWS_SECRET_ACCESS_KEY: "test-secret-key" };
const s3 = { endpoint: "http://s3:9000", bucket: "backups", secretName: "keys" };
const NAME = String.raw`notes-\d{8}T\d{6}Z\.dump`;

describe("backups and restores", function () {
  this.timeout(240_000); // of a machine that is busy with other tests; half a minute is usual for the longest
  let namespace: Namespace;
  const servers = new Map<number, BackupServer>();

  const destination = (prefix: string, store: "claim" | "s3"): BackupDestinationArgs =>
    store === "s3" ? { s3: { ...s3, prefix } } : { claim: { claimName: "backups", subPath: prefix } };
  const around = (major: number, database: string) => ({
    client: {
      image: `docker.io/library/postgres:${major}`,
      uid: 999,
      env: Object.entries({ PGHOST: `postgres-${major}`, PGUSER: "app", PGDATABASE: database, PGSSLMODE: "disable" }).map(
        ([name, value]) => ({ name, value }),
      ),
      volumes: [],
      volumeMounts: [],
      rules: {},
    },
    scripts: "scripts",
    labels: { app: "job" },
    versionArgument: "database.external.version",
  });
  /** The Job of a backup, as the CronJob would make it. */
  const backupSpec = async (major: number, to: BackupDestinationArgs, database = "notes") => {
    const backups = resolveBackups({ schedule: "0 2 * * *", destination: to }, "backups", new Validation("Test"), {});
    return known({ backoffLimit: 0, activeDeadlineSeconds: 140, template: backupPod(backups, around(major, database)) });
  };
  const restore = async (name: string, major: number, args: DatabaseRestoreArgs, database: string): Promise<JobResult> => {
    const resolved = resolveRestore({ timeoutSeconds: 140, ...args }, "restoreFrom", new Validation("Test"), {});
    return runJob(namespace, name, await known(restoreJob(resolved, around(major, database))));
  };
  /** A shell line beside rclone, whose remote is configured as in the pods of backups. */
  const rclone = (line: string): Promise<Ran> => namespace.exec("rclone", ["sh", "-c", line], { seconds: 120 });

  /** A script beside a server, with variables in place of those of its pod. */
  const script = (server: BackupServer, file: string, env: Record<string, string>, database = "notes"): Promise<Ran> => {
    const all = {
      PGHOST: "127.0.0.1",
      PGUSER: "app",
      PGDATABASE: database,
      FOLDER: "/claim",
      WHERE: "claim backups",
      RETENTION_DAYS: "14",
      TIMEOUT_SECONDS: "60",
      ...env,
    };
    const words = Object.entries(all).map(([name, value]) => `${name}='${value}'`);
    return server.sh(`${words.join(" ")} sh /scripts/${file}`);
  };
  const last = ({ stdout }: Ran) => stdout.trimEnd().split("\n").pop()!;

  before(async () => {
    namespace = await Namespace.create("backup");
    await applyScripts(namespace);
    const metadata = (name: string) => ({ name, namespace: namespace.name });
    const service = (name: string, port: number) => ({
      apiVersion: "v1",
      kind: "Service",
      metadata: metadata(name),
      spec: { clusterIP: "None", selector: { app: name }, ports: [{ port }] },
    });
    await namespace.apply(
      {
        apiVersion: "v1",
        kind: "PersistentVolumeClaim",
        metadata: metadata("backups"),
        spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
      },
      { apiVersion: "v1", kind: "Secret", metadata: metadata("keys"), stringData: KEYS },
      service("s3", 9000),
      ...MAJORS.map((major) => service(`postgres-${major}`, 5432)),
    );
    for (const major of MAJORS) servers.set(major, new BackupServer(namespace, major));
    const volume = (name: string) => ({ name, mountPath: `/${name}` });
    const uploadEnv = (await backupSpec(15, destination("", "s3"))).template.spec.containers[0].env;
    await startPods(namespace, ...[...servers.values()].map(({ pod }) => pod), s3Pod(KEYS), {
      name: "rclone",
      uid: 999,
      containers: [
        {
          name: "rclone",
          image: "docker.io/rclone/rclone:1",
          command: ["sleep", "3600"],
          env: uploadEnv,
          volumeMounts: [volume("scripts"), volume("tmp"), volume("backups")],
        },
      ],
      volumes: [
        { name: "scripts", configMap: { name: "scripts" } },
        { name: "tmp", emptyDir: {} },
        { name: "backups", emptyDir: {} },
      ],
    });
    const made = await rclone("RCLONE_CONFIG_STORE_NO_CHECK_BUCKET=false rclone --config= mkdir store:backups");
    assert.strictEqual(made.code, 0, made.stderr);
    for (const server of servers.values()) {
      await server.createRoles();
      await server.fill("notes");
    }
  });
  after(() => namespace?.delete());

  for (const major of MAJORS) {
    describe(`of Postgres ${major}`, () => {
      const server = () => servers.get(major)!;
      const folder = `major-${major}`;
      const listing = { claim: "", s3: "" };

      for (const store of ["claim", "s3"] as const) {
        describe(`with ${store === "s3" ? "a bucket" : "a claim"}`, () => {
          const where = destination(folder, store);
          const place = store === "s3" ? `s3://backups/${folder}` : `claim backups/${folder}`;
          let name: string;

          it("makes one that is whole, and says which", async () => {
            const { ok, log, message } = await runJob(namespace, `${store}-backup-${major}`, await backupSpec(major, where));
            assert.ok(ok, log);
            const [, dump, bytes, sum] =
              new RegExp(`backup=(${NAME}) bytes=(\\d+) sha256=([0-9a-f]{64}) seconds=\\d+\\n$`).exec(log) ?? assert.fail(log);
            assert.ok(log.trimEnd().endsWith(message.trim()) && message.startsWith("backup="), message);
            assert.match(log, new RegExp(`^backing up database notes \\([\\d.]+ MiB\\) of Postgres ${major}\\.`));
            assert.match(log, new RegExp(`${place}`));
            name = dump;
            listing[store] =
              store === "s3"
                ? (await rclone(`rclone --config= lsf --format ps store:backups/${folder}`)).stdout
                : await server().ok(`cd /claim/${folder} && stat -c '%n;%s' *`);
            assert.strictEqual(listing[store], `${dump};${bytes}\n${dump}.sha256;${65 + 1 + dump.length + 1}\n`);
            const held =
              store === "s3"
                ? await rclone(`rclone --config= cat store:backups/${folder}/${dump} | sha256sum`)
                : await server().sh(`sha256sum < /claim/${folder}/${dump}`);
            assert.strictEqual(held.stdout.split(" ")[0], sum);
          });

          it("restores it into an empty database: every row, the whole schema", async () => {
            const database = `${store}_restored`;
            await server().createDatabase(database);
            const { ok, log, message } = await restore(`${store}-restore-${major}`, major, where, database);
            assert.ok(ok, log);
            assert.strictEqual(message.trim(), `restored=${name}`);
            const [then, now] = [await server().contents("notes"), await server().contents(database)];
            assert.strictEqual(now.rows, then.rows);
            assert.strictEqual(now.schema, then.schema);
            assert.match(now.rows, /^users\|5000\|/m);
            assert.match(now.rows, /^4711\|a large object$/m);
            const owners = await server().sql(
              "SELECT DISTINCT relowner::regrole FROM pg_class WHERE relnamespace IN ('public'::regnamespace, 'audit'::regnamespace) AND relname <> 'spatial_ref_sys'",
              { database },
            );
            assert.strictEqual(owners, "owner");
            assert.match(log, /^left out: extensions that the database does not have: postgres_fdw$/m);
            assert.match(log, /^left out, for an administrator to make: PUBLICATION - everything/m);
            const analyzed = "SELECT count(*) > 0 FROM pg_stats WHERE tablename = 'users'";
            assert.strictEqual(await server().sql(analyzed, { database }), "t");
          });

          it("leaves the database alone when it is run again, whatever has happened in it and at the destination", async () => {
            const database = `${store}_restored`;
            await server().sql("DELETE FROM users WHERE id = 1", { database, user: "app" });
            const before = await server().contents(database);
            const again =
              store === "s3"
                ? (await restore(`s3-again-${major}`, major, destination("emptied", store), database)).log
                : (await script(server(), "restore.sh", { FOLDER: "/claim/emptied" }, database)).stdout;
            assert.match(again, new RegExp(`database ${database} is restored already\nrestored=${name}\n$`));
            assert.deepStrictEqual(await server().contents(database), before);
          });
        });
      }
    });
  }

  for (const major of MAJORS) {
    it(`bring rights and policies back into Postgres ${major} for the roles that are there, and name the others`, async () => {
      const server = servers.get(major)!;
      const app = { database: "rights", user: "app" };
      await server.createDatabase("rights");
      await server.sql('CREATE ROLE stays LOGIN; CREATE ROLE goes; CREATE ROLE "to go, ""x"""');
      await server.sql(
        `CREATE TABLE rows AS SELECT id, 'row ' || id AS text FROM generate_series(1, 5) id; CREATE TABLE closed (id int);
         GRANT SELECT ON rows TO stays, goes; GRANT UPDATE (text) ON rows TO stays; GRANT CONNECT ON DATABASE rights TO stays, goes;
         CREATE FUNCTION secret() RETURNS int LANGUAGE sql AS 'SELECT 1'; REVOKE ALL ON FUNCTION secret() FROM PUBLIC;
         REVOKE USAGE ON SCHEMA public FROM PUBLIC; GRANT USAGE ON SCHEMA public TO stays; ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO stays;
         ALTER TABLE rows ENABLE ROW LEVEL SECURITY;
         CREATE POLICY few ON rows FOR SELECT TO goes, stays USING (id < 4 AND EXISTS (SELECT 1 FROM pg_class WHERE relname = 'rows'));
         CREATE POLICY "ON a, b TO c" ON rows AS RESTRICTIVE TO "to go, ""x""" USING (text <> E'\\\\ \t') WITH CHECK (id > 0);
         CREATE POLICY anyone ON rows FOR UPDATE USING (true); COMMENT ON POLICY few ON rows IS 'some'; COMMENT ON POLICY "ON a, b TO c" ON rows IS 'x'`,
        app,
      );
      await server.ok(`mkdir -p /claim/rights-${major}`);
      const folder = { FOLDER: `/claim/rights-${major}` };
      assert.match(last(await script(server, "backup.sh", folder, "rights")), /^backup=/);
      const policies = (database: string) =>
        server.sql("SELECT policyname, permissive, roles, cmd, qual, with_check FROM pg_policies ORDER BY 1", { database });
      const acls = (database: string) =>
        server.sql(
          `SELECT relname, relacl FROM pg_class WHERE relname IN ('rows', 'closed') ORDER BY 1; SELECT attacl FROM pg_attribute WHERE attacl IS NOT NULL AND attrelid = 'rows'::regclass;
           SELECT proacl FROM pg_proc WHERE proname = 'secret'; SELECT nspacl FROM pg_namespace WHERE nspname = 'public'; SELECT defaclacl FROM pg_default_acl`,
          { database },
        );

      // With all of the roles everything is as it was.
      await server.createDatabase("rights_all");
      const all = await script(server, "restore.sh", folder, "rights_all");
      assert.match(last(all), /^restored=/, all.stdout);
      assert.doesNotMatch(all.stdout, /left out|ERROR|WARNING/);
      assert.deepStrictEqual(
        [await policies("rights_all"), await acls("rights_all")],
        [await policies("rights"), await acls("rights")],
      );

      await server.sql('DROP DATABASE rights; DROP DATABASE rights_all; DROP ROLE goes; DROP ROLE "to go, ""x"""');
      await server.createDatabase("rights_some");
      const some = await script(server, "restore.sh", folder, "rights_some");
      assert.match(last(some), /^restored=/, some.stdout);
      const left = some.stdout
        .split("\n")
        .filter((line) => line.startsWith("left out"))
        .map((line) => line.replace("TO stays, goes", "TO goes, stays"));
      const missing = 'left out, because role "goes" does not exist: ';
      assert.deepStrictEqual(
        left.sort(),
        [
          `${missing}CREATE POLICY few ON public.rows FOR SELECT TO goes, stays USING (((id < 4) AND (EXISTS ( SELECT 1 FROM pg_class WHERE (pg_class.relname = 'rows'::name))))); (made for stays alone)`,
          `${missing}GRANT CONNECT ON DATABASE rights TO goes;`,
          `${missing}GRANT SELECT ON TABLE public.rows TO goes;`,
          `left out, because role "to go, "x"" does not exist: CREATE POLICY "ON a, b TO c" ON public.rows AS RESTRICTIVE TO "to go, ""x""" USING ((text <> '\\ \t'::text)) WITH CHECK ((id > 0));`,
        ]
          .sort()
          .map((line) => line.replace(" \t", " ")),
      );
      const stays = { database: "rights_some", user: "stays" };
      assert.strictEqual(await server.sql("SELECT count(*) FROM rows", stays), "3");
      await server.sql("UPDATE rows SET text = 'changed' WHERE id = 1", stays);
      for (const [sql, refused] of [
        ["UPDATE rows SET id = 9", /permission denied for table rows/],
        ["SELECT secret()", /permission denied for function/],
        ["INSERT INTO closed VALUES (1)", /permission denied for table closed/],
      ] as const)
        await assert.rejects(server.sql(sql, stays), refused);
      await server.sql("CREATE ROLE nobody LOGIN");
      await assert.rejects(
        server.sql("SELECT FROM public.rows", { database: "rights_some", user: "nobody" }),
        /permission denied for schema public/,
      );
    });

    it(`have every row of Postgres ${major} where policies hold for the owner too, or are refused early`, async () => {
      const server = servers.get(major)!;
      const app = { database: "forced", user: "app" };
      await server.createDatabase("forced");
      await server.sql(
        `CREATE TABLE tenants AS SELECT id, 'tenant ' || id AS name FROM generate_series(1, 5) id; CREATE TABLE "Other" (id int);
         ALTER TABLE tenants ENABLE ROW LEVEL SECURITY; ALTER TABLE tenants FORCE ROW LEVEL SECURITY;
         CREATE POLICY own ON tenants USING (id = current_setting('app.tenant')::int);
         CREATE MATERIALIZED VIEW listed AS SELECT name FROM tenants WITH NO DATA; SELECT lo_from_bytea(7, 'x')`,
        app,
      );
      await server.sql("SET app.tenant = 2; REFRESH MATERIALIZED VIEW listed", app);
      await server.ok(`mkdir -p /claim/forced-${major}`);
      const folder = { FOLDER: `/claim/forced-${major}` };
      const refused = await script(server, "backup.sh", folder, "forced");
      assert.strictEqual(refused.code, 1);
      const [, commands] =
        /^backup: a backup would lack rows of tenants, because their policies hold for the login itself .*: let an administrator .*: (CREATE ROLE owner_backup NOLOGIN BYPASSRLS IN ROLE owner; GRANT owner_backup TO app)$/.exec(
          last(refused),
        ) ?? assert.fail(refused.stdout);
      assert.strictEqual(await server.ok(`ls /claim/forced-${major}`), "");
      await server.sql(commands);
      const made = await script(server, "backup.sh", folder, "forced");
      assert.match(last(made), /^backup=forced-/, made.stdout);

      await server.createDatabase("forced_back");
      const ran = await script(server, "restore.sh", folder, "forced_back");
      assert.match(last(ran), /^restored=/, ran.stdout);
      // What the owner sees in a materialized view is for the owner to say.
      assert.match(
        ran.stdout,
        /^left out, because unrecognized configuration parameter "app\.tenant": REFRESH MATERIALIZED VIEW public\.listed;$/m,
      );
      assert.strictEqual(await server.sql("SELECT count(*) FROM tenants", { database: "forced_back" }), "5");
      const seen = { database: "forced_back", user: "app" };
      assert.strictEqual(await server.sql("SET app.tenant = 3; SELECT name FROM tenants", seen), "tenant 3");
      await server.sql("DROP ROLE owner_backup");
    });
  }

  it("are taken by Kubernetes as CronJobs, with every schedule and time zone that the rules let pass", async () => {
    const given = [
      ["*/15 * * * *", "UTC"],
      ["0 0-6/2,12 1 jan,JUL mon-fri", "America/Argentina/Buenos_Aires"],
      [" 5/10  4 ? * 0", "Europe/Berlin"],
    ];
    const items = given.map(async ([schedule, timeZone], index) => {
      const args = { schedule, timeZone, destination: destination("a/b/", "claim") };
      const spec = await known(backupCronJob(resolveBackups(args, "backups", new Validation("Test"), {}), around(17, "notes")));
      return {
        apiVersion: "batch/v1",
        kind: "CronJob",
        metadata: { name: `schedule-${index}`, namespace: namespace.name },
        spec,
      };
    });
    const list = { apiVersion: "v1", kind: "List", items: await Promise.all(items) };
    await namespace.kubectl(["apply", "--dry-run=server", "-f", "-"], { input: JSON.stringify(list) });
  });

  describe("backup.sh", () => {
    const server = () => servers.get(17)!;
    const stamp = (daysAgo: number) => new Date(Date.now() - daysAgo * 86_400_000).toISOString().replace(/[-:]|\.\d+/g, "");

    it("removes what is older than the retention, of its own database and its own naming only", async () => {
      const old = (name: string, daysAgo: number, label = "") => `${name}-${stamp(daysAgo)}${label}.dump`;
      const gone = [
        old("notes", 15),
        `${old("notes", 15)}.sha256`,
        old("notes", 400),
        `${old("notes", 1)}.partial`,
        old("notes", 15, ".notes-migration-1a2b"),
        `${old("notes", 15, ".notes-migration-1a2b")}.sha256`,
        `${old("notes", 1, ".notes-migration-1a2b")}.partial`,
      ];
      const stays = [
        old("notes", 13),
        `${old("notes", 13)}.sha256`,
        old("other", 99),
        old("my-notes", 99),
        `${old("notes", 99)}.bak`,
        "notes.txt",
        "notes-20200101.dump",
        `${old("notes", 0)}.partial`, // of a run that may be at work
        old("notes", 13, ".notes-migration-3c4d"),
        old("other", 99, ".notes-migration-3c4d"),
        `${old("notes", 0, ".notes-migration-3c4d")}.partial`,
      ];
      await server().ok(`mkdir -p /claim/retention && cd /claim/retention && touch ${[...gone, ...stays].join(" ")}`);
      const ran = await script(server(), "backup.sh", { FOLDER: "/claim/retention" });
      assert.strictEqual(ran.code, 0, ran.stdout);
      const [, made] = /backup=(\S+)/.exec(ran.stdout)!;
      const left = (await server().ok("ls /claim/retention")).trim().split("\n");
      assert.deepStrictEqual(left.sort(), [...stays, made, `${made}.sha256`].sort());
      for (const name of gone) assert.match(ran.stdout, new RegExp(`^removed ${name}: `, "m"));
    });

    it("puts the name of the Job that it is for into the backup's, by which the backup is found", async () => {
      await server().ok("mkdir -p /claim/labels");
      const label = "notes-migration-5e6f";
      const names: string[] = [];
      for (const LABEL of ["", label]) {
        const ran = await script(server(), "backup.sh", { FOLDER: "/claim/labels", LABEL });
        names.push(/backup=(\S+)/.exec(last(ran))![1]);
      }
      assert.match(names[0], new RegExp(`^${NAME}$`));
      assert.match(names[1], new RegExp(`^notes-\\d{8}T\\d{6}Z\\.${label}\\.dump$`));
      // Beside them a later one, as of the Job's second try: what the first try did stands in it.
      await server().ok(
        `cd /claim/labels && touch notes-29990101T000000Z.${label}.dump notes-29990101T000000Z.${label}.dump.sha256`,
      );
      await server().createDatabase("labelled");
      const found = await script(server(), "restore.sh", { FOLDER: "/claim/labels", BACKUP: label }, "labelled");
      assert.strictEqual(last(found), `restored=${names[1]}`, found.stdout);
      for (const BACKUP of [label, names[1], names[1].replace(/\.dump$/, "")]) {
        const again = await script(server(), "restore.sh", { FOLDER: "/claim/labels", BACKUP }, "labelled");
        assert.match(again.stdout, /^database labelled is restored already$/m);
      }
      const other = await script(server(), "restore.sh", { FOLDER: "/claim/labels", BACKUP: names[0] }, "labelled");
      assert.match(last(other), new RegExp(`was filled from ${names[1]}, and nothing was changed`));
      const wrong = await script(server(), "backup.sh", { FOLDER: "/claim/labels", LABEL: "../Job" });
      assert.match(last(wrong), /^backup: \.\.\/Job cannot be a part of a backup's name: use lower-case letters, digits/);
    });

    it("says every ten seconds how far it is, and leaves nothing when it is told to stop", async () => {
      const lock = `psql -X -q -h /tmp -U postgres notes -c 'BEGIN; LOCK "Order Items"; SELECT pg_sleep(60)' >/dev/null 2>&1 &`;
      await server().ok(`mkdir -p /claim/stopped; ${lock}`);
      const locked = "SELECT pid FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND granted";
      const holder = await until("the lock", 20, () => server().sql(locked));
      const line =
        "PGHOST=127.0.0.1 PGUSER=app PGDATABASE=notes FOLDER=/claim/stopped WHERE=here RETENTION_DAYS=1 TIMEOUT_SECONDS=60";
      const ran = await server().sh(
        `${line} sh /scripts/backup.sh >/tmp/stopped.log & pid=$!
        for i in $(seq 300); do ! grep -q dumping /tmp/stopped.log || break; sleep 0.1; done
        ls /claim/stopped; kill -TERM $pid; wait $pid; echo "exit $?"; ls /claim/stopped; cat /tmp/stopped.log`,
      );
      await server().sql(`SELECT pg_terminate_backend(${holder})`);
      assert.match(
        ran.stdout,
        new RegExp(`^${NAME}\\.partial\nexit 1\nbacking up .*\ndumping: 0\\.0 KiB so far, 1\\d s\nbackup: stopped .*\n$`),
      );
      assert.match(last(ran), /^backup: stopped before it was done: by its deadline \(timeoutSeconds\), or because/);
    });

    it("leaves nothing that looks whole when it is killed in the middle", async () => {
      await server().ok("mkdir -p /claim/killed");
      await makeBig(server());
      const line =
        "PGHOST=127.0.0.1 PGUSER=app PGDATABASE=big FOLDER=/claim/killed WHERE=here RETENTION_DAYS=1 TIMEOUT_SECONDS=60";
      const ran = await server().sh(
        `${line} setsid sh /scripts/backup.sh & pid=$!; for i in $(seq 200); do [ "$(stat -c %s /claim/killed/*.partial 2>/dev/null || echo 0)" -lt 1000000 ] || break; sleep 0.05; done; kill -9 -$pid; sleep 0.2; ls /claim/killed`,
      );
      assert.match(ran.stdout, /\nbig-\d{8}T\d{6}Z\.dump\.partial\n$/);
      await server().createDatabase("of_killed");
      const restored = await script(server(), "restore.sh", { FOLDER: "/claim/killed" }, "of_killed");
      assert.match(last(restored), /^restore: there is no backup in claim backups/);
    });

    it("says that the disk is full, and removes what does not fit", async () => {
      await makeBig(server());
      const ran = await script(server(), "backup.sh", { FOLDER: "/small", WHERE: "claim small" }, "big");
      assert.strictEqual(ran.code, 1);
      assert.match(ran.stdout, /No space left on device/);
      assert.match(
        last(ran),
        /^backup: the disk is full: the dump took [78]\.\d MiB of claim small and was removed again; make the volume larger, or shorten backups.retention$/,
      );
      assert.strictEqual(await server().ok("ls /small"), "");
    });

    it("says which argument to change when the server is newer than pg_dump", async () => {
      const ran = await script(servers.get(15)!, "backup.sh", {
        PGHOST: "postgres-17",
        VERSION_ARGUMENT: "database.external.version",
      });
      assert.strictEqual(ran.code, 1);
      assert.strictEqual(
        last(ran),
        "backup: the server is Postgres 17, and pg_dump of this image is 15, which refuses a newer server: set database.external.version to 17",
      );
    });

    it("takes a connection URI, and databases whose names mean something to a shell", async () => {
      await server().sql(`CREATE DATABASE "my db/*.$x" OWNER owner`);
      await server().ok("mkdir -p /claim/odd");
      const ran = await script(server(), "backup.sh", {
        FOLDER: "/claim/odd",
        PGHOST: "nowhere",
        PGDATABASE: "nothing",
        CONNECTION_URI: "postgresql://app@127.0.0.1:5432/my%20db%2F*.%24x?sslmode=disable",
      });
      assert.strictEqual(ran.code, 0, ran.stdout);
      assert.match(ran.stdout, /backup=my=20db=2f=2a=2e=24x-\d{8}T\d{6}Z\.dump /);
    });

    it("gives up on a server that does not answer, in time", async () => {
      const ran = await script(server(), "backup.sh", { PGPORT: "1", CONNECT_TIMEOUT_SECONDS: "1" });
      assert.strictEqual(ran.code, 1);
      assert.match(ran.stdout, /backup: no connection to the database within 1 s: .*Connection refused/);
    });

    it("says what to do about tables of others, and about a folder that it cannot write", async () => {
      await server().createDatabase("foreign_table");
      await server().sql("CREATE TABLE theirs ()", { database: "foreign_table" });
      await server().ok("mkdir -p /claim/foreign /claim/closed && chmod 0500 /claim/closed");
      const theirs = await script(server(), "backup.sh", { FOLDER: "/claim/foreign" }, "foreign_table");
      assert.match(theirs.stdout, /permission denied for table theirs/);
      assert.match(last(theirs), /give it to the role that owns the database/);
      assert.strictEqual(await server().ok("ls /claim/foreign"), "");
      const closed = await script(server(), "backup.sh", { FOLDER: "/claim/closed" });
      assert.match(
        last(closed),
        /^backup: claim backups cannot be written by uid 999: .*, or name another in database\.backups\.destination$/,
      );
    });

    it("finds out before whether it could make one, and leaves nothing", async () => {
      await server().ok("mkdir -p /claim/checked");
      const check = (env: Record<string, string> = {}) =>
        script(server(), "backup.sh check", { FOLDER: "/claim/checked", ...env });
      const ran = await check();
      assert.match(
        ran.stdout,
        /^files in claim backups can be written, listed, read and removed\npg_dump 17 can back up database notes of Postgres 17[.\d]* .*, and pg_restore bring it back\n$/,
      );
      assert.strictEqual(await server().ok("ls -A /claim/checked"), "");
      assert.match(last(await check({ FOLDER: "/claim/closed" })), /^backup: claim backups cannot be written by uid 999/);
      assert.match(
        last(await script(servers.get(15)!, "backup.sh check", { PGHOST: "postgres-17" })),
        /^backup: the server is Postgres 17, and pg_dump of this image is 15/,
      );
      await server().ok("dd if=/dev/zero of=/small/full bs=1M count=9 2>/dev/null || true");
      const full = await check({ FOLDER: "/small" });
      await server().ok("rm /small/full");
      assert.match(
        last(full),
        /^backup: a file in claim backups cannot be written, found, read and removed again, .*database\.backups\.destination$/,
      );
      assert.strictEqual(await server().ok("ls -A /small"), "");
    });
  });

  describe("restore.sh", () => {
    const server = () => servers.get(17)!;
    const from = "/claim/major-17";
    const names = async () => (await server().ok(`ls ${from} | grep 'dump$'`)).trim().split("\n");
    const isUntouched = async (database: string) => {
      const objects = "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relname NOT LIKE 'spatial%'";
      assert.strictEqual(await server().sql(objects, { database }), "0");
      const comment = `SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = '${database}'`;
      assert.strictEqual(await server().sql(comment), "");
    };

    it("refuses a database that is not empty, and names what is in it", async () => {
      for (const [kind, sql] of Object.entries({
        table: "CREATE TABLE thing ()",
        sequence: "CREATE SEQUENCE thing",
        function: "CREATE FUNCTION thing() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        type: "CREATE TYPE thing AS ENUM ()",
        view: "CREATE VIEW thing AS SELECT 1",
      })) {
        const database = `filled_with_a_${kind}`;
        await server().createDatabase(database);
        await server().sql(sql, { database, user: "app" });
        const ran = await script(server(), "restore.sh", { FOLDER: from }, database);
        assert.strictEqual(ran.code, 1);
        assert.match(
          last(ran),
          new RegExp(
            `^restore: database ${database} is not empty \\(${kind} (public\\.)?thing(\\(\\))?; objects in all: 1\\), and nothing was changed: remove restoreFrom`,
          ),
        );
      }
    });

    it("refuses another backup than the one that the database is from", async () => {
      const ran = await script(server(), "restore.sh", { FOLDER: from, BACKUP: "notes-20200101T000000Z" }, "claim_restored");
      assert.strictEqual(ran.code, 1);
      assert.match(last(ran), new RegExp(`was filled from ${NAME}, and nothing was changed: set restoreFrom.backup back to it`));
    });

    it("lists what there is when the backup is missing: whole ones, newest first, at most 20", async () => {
      await server().createDatabase("missing");
      await server().ok(
        "mkdir -p /claim/many && cd /claim/many && for day in $(seq 10 33); do touch notes-202501${day}T000000Z.dump notes-202501${day}T000000Z.dump.sha256; done; touch notes-20260101T000000Z.dump",
      );
      const ran = await script(server(), "restore.sh", { FOLDER: "/claim/many", BACKUP: "nope" }, "missing");
      assert.strictEqual(ran.code, 1);
      assert.match(
        last(ran),
        /^restore: there is no backup nope in claim backups: set restoreFrom.backup to one of those listed above$/,
      );
      const lines = ran.stdout.trimEnd().split("\n");
      assert.deepStrictEqual(
        [lines.length, lines[0], lines[1]],
        [22, "backups in claim backups, newest first (24, 20 of them shown):", "  notes-20250133T000000Z.dump  0.0 KiB"],
      );
      const none = await script(server(), "restore.sh", { FOLDER: "/claim" }, "missing");
      assert.match(last(none), /^restore: there is no backup in claim backups: set restoreFrom to where they are/);
      await server().ok("cd /claim/many && touch other-20250101T000000Z.dump other-20250101T000000Z.dump.sha256");
      const several = await script(server(), "restore.sh", { FOLDER: "/claim/many" }, "missing");
      assert.match(last(several), /has backups of several databases, none of them missing: name one in restoreFrom.backup/);
      await isUntouched("missing");
    });

    it("notices that a backup is damaged, before it touches anything", async () => {
      const [name] = await names();
      await server().createDatabase("damaged");
      await server().ok(
        `mkdir -p /claim/damaged && cp ${from}/${name}* /claim/damaged && printf X | dd of=/claim/damaged/${name} bs=1 seek=20000 conv=notrunc`,
      );
      const ran = await script(server(), "restore.sh", { FOLDER: "/claim/damaged" }, "damaged");
      assert.strictEqual(ran.code, 1);
      assert.match(
        last(ran),
        new RegExp(`^restore: ${name} is damaged \\(sha256 \\w{64} instead of \\w{64}\\), and nothing was changed`),
      );
      await isUntouched("damaged");
    });

    it("restores all or nothing, and takes its mark back when it has failed", async () => {
      const [name] = await names();
      await server().createDatabase("collides");
      // Its schema is no table, so the database counts as empty; what is made in it later collides.
      await server().sql("DROP EXTENSION pg_trgm; CREATE SCHEMA audit", { database: "collides" });
      const ran = await script(server(), "restore.sh", { FOLDER: from, BACKUP: name }, "collides");
      assert.strictEqual(ran.code, 1, ran.stdout);
      assert.match(ran.stdout, /permission denied for schema audit/);
      assert.match(last(ran), /^restore: the restore failed, and the database is empty as before/);
      await isUntouched("collides");
    });

    it("that was cut off in the middle leaves an empty database, and its next run fills it", async () => {
      await makeBig(server());
      await server().ok("mkdir -p /claim/big");
      const made = await script(server(), "backup.sh", { FOLDER: "/claim/big" }, "big");
      assert.strictEqual(made.code, 0, made.stdout);
      await server().createDatabase("cut_off");
      const line = "PGHOST=127.0.0.1 PGUSER=app PGDATABASE=cut_off FOLDER=/claim/big WHERE=here";
      await server().ok(
        `${line} setsid sh /scripts/restore.sh & pid=$!; for i in $(seq 200); do [ "$(psql -X -A -t -h /tmp -U postgres -c "SELECT count(*) FROM pg_stat_activity WHERE datname = 'cut_off' AND query LIKE 'COPY%'")" = 0 ] || break; sleep 0.05; done; kill -9 -$pid`,
      );
      await until("the session's end", 20, async () => {
        const sessions = "SELECT count(*) FROM pg_stat_activity WHERE datname = 'cut_off'";
        return (await server().sql(sessions)) === "0";
      });
      const tables = "SELECT count(*) FROM pg_class WHERE relname = 'big'";
      assert.strictEqual(await server().sql(tables, { database: "cut_off" }), "0");
      const ran = await script(server(), "restore.sh", { FOLDER: "/claim/big" }, "cut_off");
      assert.strictEqual(ran.code, 0, ran.stdout);
      assert.strictEqual(await server().sql("SELECT count(*) FROM big", { database: "cut_off" }), "20000");
      const again = await script(server(), "restore.sh", { FOLDER: "/claim/big" }, "cut_off");
      assert.match(again.stdout, /^database cut_off is restored already$/m);
    });

    it("remembers what it is from in a place that migrations do not write to, and knows the one of former versions", async () => {
      const [name] = await names();
      await server().createDatabase("commented");
      await server().sql("COMMENT ON DATABASE commented IS 'ours'");
      const ran = await script(server(), "restore.sh", { FOLDER: from, BACKUP: name }, "commented");
      assert.strictEqual(ran.code, 0, ran.stdout);
      const comment = "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = 'commented'";
      assert.strictEqual(await server().sql(comment), "ours");
      await server().sql("COMMENT ON DATABASE commented IS 'by a migration'");
      const again = () => script(server(), "restore.sh", { FOLDER: from }, "commented");
      assert.strictEqual(last(await again()), `restored=${name}`);

      await server().sql("DROP TABLE postgres_app.restored", { database: "commented" });
      assert.match(last(await again()), /^restore: database commented is not empty/);
      await server().sql(`COMMENT ON DATABASE commented IS 'ours restored from ${name}'`);
      assert.strictEqual(last(await again()), `restored=${name}`);
    });

    it("says what another database was restored from, not the one that the backup is of", async () => {
      await server().ok("mkdir -p /claim/copies");
      const copy = { FOLDER: "/claim/copies" };
      const made = /backup=(\S+)/.exec(last(await script(server(), "backup.sh", copy, "commented")))![1];
      await server().createDatabase("copy");
      assert.strictEqual(last(await script(server(), "restore.sh", copy, "copy")), `restored=${made}`);
      assert.strictEqual(last(await script(server(), "restore.sh", copy, "copy")), `restored=${made}`);
    });

    it("says which argument to change when versions do not go together", async () => {
      const old = servers.get(15)!;
      await old.createDatabase("from_newer");
      const older = await script(
        old,
        "restore.sh",
        { FOLDER: from, VERSION_ARGUMENT: "database.external.version" },
        "from_newer",
      );
      assert.match(
        last(older),
        /was made by a newer pg_dump than this image's pg_restore, 15: set database.external.version to that version$/,
      );
    });

    it("goes with programs that are newer than the server, for the backup and for the restore", async () => {
      await server().ok("mkdir -p /claim/newer-client");
      const there = { FOLDER: "/claim/newer-client", PGHOST: "postgres-15" };
      assert.match(last(await script(server(), "backup.sh", there)), /^backup=notes-/);
      const old = servers.get(15)!;
      await old.createDatabase("by_newer");
      const ran = await script(server(), "restore.sh", there, "by_newer");
      assert.strictEqual(ran.code, 0, ran.stdout);
      assert.strictEqual((await old.contents("by_newer")).rows, (await old.contents("notes")).rows);
    });

    it("restores a backup into a newer major version", async () => {
      await server().createDatabase("upgraded");
      const ran = await script(server(), "restore.sh", { FOLDER: "/claim/major-15" }, "upgraded");
      assert.strictEqual(ran.code, 0, ran.stdout);
      assert.strictEqual((await server().contents("upgraded")).rows, (await servers.get(15)!.contents("notes")).rows);
    });
  });

  describe("restore.sh replace", () => {
    const LABEL = "notes-migration-7a8b";
    const folder = "/claim/replace";
    const database = "replaced";
    const back = (server: BackupServer, env: Record<string, string> = {}, name = database) =>
      script(server, "restore.sh replace", { FOLDER: folder, BACKUP: LABEL, ...env }, name);
    /** Everything, with owners and rights. */
    const state = (server: BackupServer, name = database) =>
      server.ok(`pg_dump -h /tmp -U postgres ${name} | grep -v '^.\\(un\\)\\?restrict ' | sha256sum`);
    const backUp = async (server: BackupServer, label: string, name = database) => {
      const ran = await script(server, "backup.sh", { FOLDER: folder, LABEL: label }, name);
      return /backup=(\S+)/.exec(last(ran))?.[1] ?? assert.fail(ran.stdout);
    };
    const rights = readFileSync(join(__dirname, "../../components/database/scripts/rights.sql"), "utf8");

    for (const major of MAJORS) {
      it(`brings a database of Postgres ${major} back, whatever was done to it`, async () => {
        const server = servers.get(major)!;
        await server.ok(`rm -rf ${folder}; mkdir -p ${folder}`);
        await server.fill(database);
        await server.sql("CREATE ROLE runtime; CREATE ROLE serving LOGIN IN ROLE runtime; CREATE ROLE reader LOGIN");
        await server.ok(
          `psql -X -q -h /tmp -U app -d ${database} -v ON_ERROR_STOP=1 -v owner=owner -v login_a=app -v login_b=b -v migrator=m -v mode=owner -v separate=true -v runtime=runtime -f -`,
          rights,
        );
        const app = { database, user: "app" };
        await server.sql(
          `GRANT SELECT ON users TO reader; CREATE PUBLICATION news FOR TABLE users;
           CREATE FUNCTION secret() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'; REVOKE ALL ON FUNCTION secret() FROM PUBLIC;
           CREATE TYPE span AS RANGE (subtype = int); CREATE AGGREGATE total(int) (sfunc = int4pl, stype = int);
           CREATE OPERATOR ### (leftarg = int, rightarg = int, function = int4pl); CREATE COLLATION "My C" (locale = 'C');
           CREATE TEXT SEARCH CONFIGURATION plain (copy = simple);
           SELECT setval('users_id_seq', 6000)`,
          app,
        );
        const then = await server.contents(database);
        const name = await backUp(server, LABEL);

        await server.sql(
          `CREATE SCHEMA added; CREATE TABLE added.thing (id serial PRIMARY KEY, mood mood); CREATE VIEW added.view AS SELECT * FROM users;
           CREATE TABLE addition (a added.thing); CREATE TYPE later AS ENUM ('x'); SELECT lo_create(99); CREATE EXTENSION hstore;
           DROP TABLE "Order Items" CASCADE; DROP SCHEMA audit CASCADE; DROP COLLATION "My C";
           ALTER TABLE users ADD COLUMN more int DEFAULT 3; DELETE FROM users WHERE id < 100; SELECT setval('users_id_seq', 7000);
           REVOKE ALL ON users FROM runtime, reader`,
          app,
        );
        // By a session that has reset its role, as some pools do.
        await server.sql("GRANT CREATE ON SCHEMA public TO app", { database });
        await server.sql("SET ROLE NONE; CREATE TABLE of_the_login (pairs hstore)", app);
        await server.sql("CREATE SCHEMA postgres_app; CREATE TABLE postgres_app.keys AS SELECT 'kept' AS name", app);

        const ran = await back(server);
        assert.strictEqual(last(ran), `restored=${name}`, ran.stdout);
        assert.match(
          ran.stdout,
          /^extensions that the backup does not have stay, so what makes them needs IF NOT EXISTS: hstore$/m,
        );
        assert.doesNotMatch(ran.stdout, /ERROR|WARNING/);
        const now = await server.contents(database);
        assert.strictEqual(now.rows, then.rows);
        assert.strictEqual(now.schema.replace(/^.*hstore.*\n/gm, ""), then.schema);
        const kept = "SELECT name FROM postgres_app.keys";
        assert.strictEqual(await server.sql(kept, app), "kept");

        // The application, which has a login without DDL, and others to whom the owner gave rights.
        const serving = { database, user: "serving" };
        await server.sql(
          `INSERT INTO "Order Items" (user_id, price) VALUES (1, 2); UPDATE users SET mood = 'ok' WHERE id = 2; SELECT * FROM audit.events, spent, happy LIMIT 1;
           DELETE FROM users WHERE id = 3`,
          serving,
        );
        await assert.rejects(server.sql("CREATE TABLE forbidden ()", serving), /permission denied for schema public/);
        await server.sql("SELECT count(*) FROM users", { database, user: "reader" });
        await assert.rejects(
          server.sql("SELECT secret()", { database, user: "reader" }),
          /permission denied for function secret/,
        );
        assert.strictEqual(
          await server.sql("SELECT tablename FROM pg_publication_tables WHERE pubname = 'news'", { database }),
          "users",
        );

        // A backup with a record of the keys brings it.
        await backUp(server, "with-keys");
        await server.sql("TRUNCATE postgres_app.keys; INSERT INTO postgres_app.keys VALUES ('later')", app);
        assert.match(last(await back(server, { BACKUP: "with-keys" })), /^restored=.*\.with-keys\.dump$/);
        assert.strictEqual(await server.sql(kept, app), "kept");
      });
    }

    describe("changes nothing", () => {
      const server = () => servers.get(17)!;
      const fails = async (env: Record<string, string>, ...said: RegExp[]) => {
        const before = await state(server());
        const ran = await back(server(), env);
        assert.strictEqual(ran.code, 1, ran.stdout);
        const message = said.pop()!;
        assert.match(last(ran), message);
        for (const line of said) assert.match(ran.stdout, line);
        assert.strictEqual(await state(server()), before);
      };

      it("when others use the tables: it waits for a bounded time, and says who they are", async () => {
        for (const [user, name] of [
          ["app", "notes 1.0"],
          ["serving", "report"],
        ])
          await server().ok(
            `PGAPPNAME='${name}' psql -X -q -h /tmp -U ${user} ${database} -c 'BEGIN; SELECT FROM happy; SELECT pg_sleep(60)' >/dev/null 2>&1 &`,
          );
        const holding = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%FROM happy%sleep%' AND wait_event = 'PgSleep'";
        await until("the transactions", 20, async () => (await server().sql(holding)) === "2");
        const begun = Date.now();
        await fails(
          { TIMEOUT_SECONDS: "4" },
          /^psql:.* ERROR: {2}canceling statement due to lock timeout$/m,
          /^restore: the database is exactly as before, because it is in use by pid \d+, app, notes 1\.0, active, in a transaction since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC; pid \d+, serving, report \(sessions in all: 2\), and was not free within 2 s: let them end \(SELECT pg_terminate_backend\(<pid>\)\) or stop the application, then run it again$/,
        );
        assert.ok(Date.now() - begun < 30_000);
        await server().sql(
          "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name IN ('notes 1.0', 'report')",
        );
      });

      it("when the backup is damaged, or ends in the middle", async () => {
        const copy = `cd ${folder} && for end in dump dump.sha256; do cp *.${LABEL}.$end "$(ls *.${LABEL}.$end | sed 's/${LABEL}/damaged/')"; done`;
        await server().ok(`${copy}; printf X | dd of="$(ls *.damaged.dump)" bs=1 seek=20000 conv=notrunc`);
        await fails(
          { BACKUP: "damaged" },
          /^restore: \S+\.damaged\.dump is damaged \(sha256 \w{64} instead of \w{64}\), and nothing was changed: name an older/,
        );
        const cut = `f=$(ls *.damaged.dump); truncate -s -60000 $f; sha256sum $f >$f.sha256`;
        await server().ok(`${copy}; ${cut}`);
        await fails(
          { BACKUP: "damaged", BACKUP_ARGUMENT: "migration.backup" },
          /^pg_restore: error: .*end of file/m,
          /^restore: .* and the database is exactly as before: the lines above say why/,
        );
      });

      it("when it lacks an extension, or holds what belongs to somebody else", async () => {
        const admin = { database };
        await server().sql("GRANT USAGE ON FOREIGN DATA WRAPPER postgres_fdw TO owner", admin);
        await server().sql("CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw", { database, user: "app" });
        await backUp(server(), "with-server");
        assert.match(last(await back(server(), { BACKUP: "with-server" })), /^restored=/);
        await server().sql("DROP EXTENSION postgres_fdw CASCADE", admin);
        await fails(
          { BACKUP: "with-server" },
          /^psql:.* ERROR: {2}foreign-data wrapper "postgres_fdw" does not exist$/m,
          /and the database is exactly as before; .* add it to database\.extensions: postgres_fdw$/,
        );
        await server().sql("CREATE TABLE theirs ()", admin);
        await fails(
          {},
          /must be owner of all that is replaced: table theirs belongs to postgres \(objects in all: 1\)$/m,
          /and the database is exactly as before: give what the lines above name to the role that owns the database/,
        );
        await server().sql("DROP TABLE theirs", admin);
      });

      it("when nobody says to which backup, or there is none of that name", async () => {
        await fails({ BACKUP: "" }, /is brought back to a backup that is named only: set restoreFrom\.backup$/);
        await fails(
          { BACKUP: "notes-migration-none", BACKUP_ARGUMENT: "BACKUP" },
          /^restore: there is no backup notes-migration-none in claim backups: set BACKUP to one of those listed above$/,
        );
      });
    });

    it("that was killed in the middle has changed nothing, and its next run comes to its end", async () => {
      const server = servers.get(17)!;
      const name = "cut_off"; // that was restored above
      const label = await backUp(server, "big", name);
      await server.sql("CREATE TABLE added (); DELETE FROM big WHERE n <= 10", { database: name, user: "app" });
      const before = await state(server, name);
      const line = `PGHOST=127.0.0.1 PGUSER=app PGDATABASE=${name} FOLDER=${folder} WHERE=here TIMEOUT_SECONDS=60 BACKUP=big`;
      await server.ok(
        `${line} setsid sh /scripts/restore.sh replace & pid=$!; for i in $(seq 200); do [ "$(psql -X -A -t -h /tmp -U postgres -c "SELECT count(*) FROM pg_stat_activity WHERE datname = '${name}' AND query LIKE 'COPY%'")" = 0 ] || break; sleep 0.05; done; kill -9 -$pid`,
      );
      await until("the session's end", 20, async () => {
        const sessions = `SELECT count(*) FROM pg_stat_activity WHERE datname = '${name}' AND usename = 'app'`;
        return (await server.sql(sessions)) === "0";
      });
      assert.strictEqual(await state(server, name), before);
      const ran = await back(server, { BACKUP: "big" }, name);
      assert.strictEqual(last(ran), `restored=${label}`, ran.stdout);
      const now = "SELECT count(*), to_regclass('added') FROM big";
      assert.strictEqual(await server.sql(now, { database: name }), "20000|");
      // What the database was filled from in the beginning is what a program's restoreFrom goes by.
      const again = await script(server, "restore.sh", { FOLDER: "/claim/big" }, name);
      assert.match(again.stdout, /^database cut_off is restored already$/m);
    });

    it("empties a database that was backed up before its first migration, and says before a download which it is", async () => {
      const server = servers.get(17)!;
      const name = "first_migration";
      await server.createDatabase(name);
      await backUp(server, "first", name);
      const before = await state(server, name);
      await server.sql("CREATE SCHEMA things; CREATE TABLE things.thing (id serial); CREATE TABLE more ()", {
        database: name,
        user: "app",
      });
      const looked = await script(server, "restore.sh replace check", { FOLDER: folder, BACKUP: "first" }, name);
      assert.deepStrictEqual([looked.code, looked.stdout, await server.ok(`cat ${folder}/database`)], [0, "", `${name}\n`]);
      assert.match(last(await back(server, { BACKUP: "first" }, name)), /^restored=/);
      assert.strictEqual(await state(server, name), before);
    });
  });

  describe("with a bucket", () => {
    const upload = (env: string, before = "", name = "notes-20260101T000000Z.dump") =>
      rclone(
        `rm -rf /backups/*; cd /backups && echo content > ${name} && sha256sum ${name} > ${name}.sha256 && date +%s > begun; ${before} RETENTION_DAYS=14 S3_PREFIX=edge ${env} sh /scripts/upload.sh`,
      );
    const there = async () => (await rclone("rclone --config= lsf store:backups/edge")).stdout;

    it("removes what is older than the retention, of its own database only", async () => {
      await rclone(
        "for name in notes-20200101T000000Z notes-20200101T000000Z.notes-migration-1 other-20200101T000000Z; do for end in dump dump.sha256; do echo x | rclone --config= rcat store:backups/edge/$name.$end; done; done",
      );
      const ran = await upload("");
      assert.strictEqual(ran.code, 0, ran.stdout);
      assert.match(ran.stdout, /^removed notes-20200101T000000Z\.dump: older than 14 days$/m);
      assert.match(ran.stdout, /^removed notes-20200101T000000Z\.notes-migration-1\.dump: older than 14 days$/m);
      assert.doesNotMatch(await there(), /notes-2020/);
      assert.match(await there(), /^notes-20260101T000000Z\.dump\nnotes-20260101T000000Z\.dump\.sha256\nother-2020/);
    });

    it("finds out before whether it can write, list, read and delete, and leaves nothing", async () => {
      const check = (env = "") => rclone(`S3_PREFIX=checked ${env} sh /scripts/upload.sh check`);
      const ran = await check();
      assert.strictEqual(last(ran), "objects in s3://backups can be written, listed, read and removed", ran.stdout);
      assert.match((await rclone("rclone --config= lsf store:backups/checked")).stderr, /directory not found|^$/);
      // Keys that may write and nothing else, as a policy says it that was made in a hurry.
      const shim = `mkdir -p /tmp/may && printf '%s\n' '#!/bin/sh' 'case "$*" in *lsf*|*cat*|*deletefile*) echo AccessDenied >&2; exit 1 ;; esac' 'exec /usr/bin/rclone "$@"' > /tmp/may/rclone && chmod +x /tmp/may/rclone;`;
      const refused = await rclone(`${shim} PATH="/tmp/may:$PATH" S3_PREFIX=checked sh /scripts/upload.sh check`);
      assert.strictEqual(refused.code, 1);
      assert.match(
        last(refused),
        /^upload: objects in s3:\/\/backups.* can be written, but backups need more, .*: allow the keys in the Secret of database\.backups\.destination\.s3 to list \(s3:ListBucket\), read \(s3:GetObject\), delete \(s3:DeleteObject\)$/,
      );
      const bucket = await check("S3_BUCKET=elsewhere");
      assert.match(
        last(bucket),
        /^upload: nothing can be written to .*; look at bucket, endpoint, region and the keys in the Secret of database\.backups\.destination\.s3, /,
      );
      await rclone("rclone --config= delete store:backups/checked");
    });

    it("finds the one of a Job by the Job's name", async () => {
      const name = "notes-20260101T000000Z.notes-migration-2.dump";
      const ran = await upload("", "", name);
      assert.match(last(ran), new RegExp(`^backup=${name} `), ran.stdout);
      const fetched = await rclone(
        "rm -rf /backups/*; echo notes > /backups/database; S3_PREFIX=edge BACKUP=notes-migration-2 sh /scripts/fetch.sh && cat /backups/chosen && ls /backups",
      );
      assert.ok(fetched.stdout.endsWith(`\n${name}\nchosen\ndatabase\n${name}\n${name}.sha256\n`), fetched.stdout);
      await rclone(
        `for end in dump dump.sha256; do rclone --config= deletefile store:backups/edge/${name.replace(/dump$/, "")}$end; done`,
      );
    });

    it("never overwrites a backup that is there", async () => {
      assert.strictEqual((await upload("")).code, 0); // the one before it was the other's to remove, by its age
      const ran = await upload("", "echo other > notes-20260101T000000Z.dump;");
      assert.strictEqual(ran.code, 1);
      assert.match(last(ran), /^upload: notes-20260101T000000Z.dump is in s3:\/\/backups.* already: run again$/);
      assert.strictEqual(
        (await rclone("rclone --config= cat store:backups/edge/notes-20260101T000000Z.dump")).stdout,
        "content\n",
      );
      await rclone("rclone --config= delete store:backups/edge");
    });

    it("notices that the store holds something else than was sent", async () => {
      // A store that spoils what it is given: the second rclone asks it for the first one's object.
      const shim = `mkdir -p /tmp/bin && printf '%s\\n' '#!/bin/sh' 'case "$*" in *hashsum*) echo spoilt | /usr/bin/rclone --config= rcat store:backups/edge/notes-20260101T000000Z.dump ;; esac' 'exec /usr/bin/rclone "$@"' > /tmp/bin/rclone && chmod +x /tmp/bin/rclone;`;
      const ran = await upload('PATH="/tmp/bin:$PATH"', shim);
      assert.strictEqual(ran.code, 1);
      assert.match(
        last(ran),
        /^upload: s3:\/\/backups.* does not hold what was sent \(sha256 \w{64} instead of \w{64}\), and it was removed/,
      );
      assert.strictEqual(await there(), "");
    });

    it("says what to look at when the keys are wrong, or the bucket is not there", async () => {
      const keys = await upload("RCLONE_CONFIG_STORE_SECRET_ACCESS_KEY=wrong");
      assert.strictEqual(keys.code, 1);
      assert.match(keys.stdout, /SignatureDoesNotMatch|AccessDenied|403/);
      assert.match(
        last(keys),
        /cannot be listed, and nothing was uploaded: the lines above say why; look at bucket, endpoint, region and the keys in the Secret of database\.backups\.destination\.s3$/,
      );
      assert.doesNotMatch(keys.stdout, /test-secret-key/);
      const bucket = await upload("S3_BUCKET=elsewhere");
      assert.match(bucket.stdout, /NoSuchBucket/);
      assert.match(last(bucket), /look at bucket, endpoint/);
    });

    it("lists what there is when the backup is missing", async () => {
      await servers.get(17)!.createDatabase("missing_in_s3");
      const args = { s3: { ...s3, prefix: "major-17" }, backup: "notes-20200101T000000Z.dump" };
      const { ok, log, message } = await restore("missing-in-s3", 17, args, "missing_in_s3");
      assert.ok(!ok);
      assert.match(log, new RegExp(`backups in s3://backups/major-17, newest first \\(1\\):\n  ${NAME}  [\\d.]+ KiB\n`));
      assert.match(
        message,
        /fetch: there is no backup notes-20200101T000000Z.dump in s3:\/\/backups\/major-17: set restoreFrom.backup/,
      );
    });

    it("that was killed while it uploads leaves nothing that looks whole", async () => {
      await makeBig(servers.get(17)!);
      const spec = await backupSpec(17, destination("killed", "s3"), "big");
      // Slow enough to be caught in the middle.
      spec.template.spec.containers[0].env.push({ name: "RCLONE_BWLIMIT", value: "2M" });
      spec.template.spec.terminationGracePeriodSeconds = 1;
      await namespace.apply({
        apiVersion: "batch/v1",
        kind: "Job",
        metadata: { name: "killed", namespace: namespace.name },
        spec,
      });
      const pod = await until("the upload", 60, async () => {
        const [first] = await namespace.items("pods", "-l", "job-name=killed");
        return first?.status.containerStatuses?.[0]?.state.running && first.metadata.name;
      });
      await until("its first bytes", 20, async () => (await namespace.kubectl(["logs", pod])).includes("uploading"));
      await namespace.kubectl(["delete", "pod", pod, "--grace-period=0", "--force"]);
      const { ok } = await jobResult(namespace, "killed").catch(() => ({ ok: false }));
      assert.ok(!ok);
      assert.strictEqual((await rclone("rclone --config= lsf store:backups/killed")).stdout, "");
    });
  });
});

/** A database whose dump takes long enough to be caught in the middle: 20 MB that cannot be compressed. */
async function makeBig(server: BackupServer): Promise<void> {
  if ((await server.sql("SELECT count(*) FROM pg_database WHERE datname = 'big'")) !== "0") return;
  await server.createDatabase("big");
  await server.sql(
    "CREATE EXTENSION pgcrypto; CREATE TABLE big AS SELECT n, gen_random_bytes(1024) AS noise FROM generate_series(1, 20000) n",
    { database: "big", user: "app" },
  );
}
