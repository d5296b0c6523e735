import * as assert from "assert";
import { spawn } from "child_process";
import { Login, Server, databases, readSecret, succeeded } from "../support/database";
import { inOrder } from "../support/inOrder";
import { kubectl, Namespace, Ran, sleep, until } from "../support/kubectl";
import { image } from "../support/notes";
import { Outcome, TestStack } from "../support/stack";

type Databases = Parameters<typeof databases>[1];

const POSTGRES = "docker.io/library/postgres";
/** Operations in the cluster itself: not the components, nor what is remembered in the state. */
const inCluster = ({ changes }: Outcome) =>
  changes.filter((change) => change.includes("kubernetes:") && !change.startsWith("read "));

/** Options with which a server that does not start is waited for as long as a test can, and not as users do. */
const soonGivenUp = `{ transforms: [({ type, props, opts }) =>
  type.endsWith(":StatefulSet") ? { props, opts: { ...opts, customTimeouts: { create: "25s", update: "25s" } } } : undefined] }`;

/** What outlives edits, renames, restarts and `pulumi destroy`, in small programs with nothing but databases. */
describe("a database's lifetime", function () {
  this.timeout(600_000);

  /** A namespace and a stack of a group's own; the databases that a program of the group has. */
  function ofItsOwn(purpose: string) {
    const own = {
      namespace: undefined as unknown as Namespace,
      stack: undefined as unknown as TestStack,
      outcome: undefined as unknown as Outcome,
      up: async (all: Databases) => (own.outcome = succeeded(await own.stack.up(databases(own.namespace, all)))),
      preview: (all: Databases) => own.stack.preview(databases(own.namespace, all)),
      server: (name: string) => new Server(own.namespace, name),
      login: (name: string): Promise<Login> => readSecret(own.namespace, own.outcome.outputs[name].secret),
    };
    before(async () => {
      own.namespace = await Namespace.create(purpose);
      own.stack = await TestStack.createOfFiles(purpose);
    });
    after(async () => {
      await own.stack?.remove();
      await own.namespace?.delete();
    });
    return own;
  }

  describe("on one volume", function () {
    inOrder(this);
    const own = ofItsOwn("volume");
    const { up, preview, server, login } = own;
    const first: Databases = { a: { embedded: { version: 17, storage: "1Gi" } } };
    const a = () => server("a");
    const count = async (name = "a") => a().sql(await login(name), "SELECT count(*) FROM kept");
    const capacity = async () => (await a().getClaim()).status.capacity.storage;

    before(async () => {
      await up(first);
      await a().sql(await login("a"), "CREATE TABLE kept AS SELECT generate_series(1, 1000) AS n");
    });

    describe("refuses an edit in the preview, with what to do instead,", () => {
      const elsewhere = { databaseName: "a", user: "a", external: { host: "db.example.org", password: "not to be seen" } };
      const edits: [string, Databases[string], RegExp][] = [
        [
          "to another namespace",
          { ...first.a, namespace: "default" },
          /namespace: the data is in namespace "test-volume-\w+"; in "default" .* empty database. To move it: back it up/,
        ],
        [
          "to another database",
          { ...first.a, databaseName: "other" },
          /databaseName: the data belongs to "a"; with "other" .* Set it back, or rename it in the server/,
        ],
        ["to another owner", { ...first.a, user: "other" }, /user: the data belongs to "a"; with "other" .* Set it back/],
        [
          "to another major version",
          { embedded: { version: 15, storage: "1Gi" } },
          /embedded.version: the data is Postgres 17, and Postgres 15 cannot read it. To move it: back it up/,
        ],
        [
          "to another major version in the image's tag",
          { embedded: { image: `${POSTGRES}:15.9-bookworm`, storage: "1Gi" } },
          /embedded.version: the data is Postgres 17, and Postgres 15 cannot read it/,
        ],
        [
          "to another storage class",
          { embedded: { version: 17, storage: "1Gi", storageClassName: "other" } },
          /embedded.storageClassName: the volume is of the class that was the default, which cannot be changed/,
        ],
        [
          "to an existing claim",
          { embedded: { version: 17, existingClaim: "other" } },
          /embedded.existingClaim: the data is on a claim of the component's own; on "other.*" .* other data or none/,
        ],
        [
          "to a smaller volume",
          { embedded: { version: 17, storage: "512Mi" } },
          /embedded.storage: is "512Mi", and the volume's claim has 1Gi: volumes cannot shrink. Write at least that; to move/,
        ],
      ];
      let untouched: string;
      const objects = async () =>
        JSON.stringify(
          (await own.namespace.items("statefulsets,services,pods,pvc,jobs,secrets,configmaps")).map(({ kind, metadata }) => [
            kind,
            metadata.name,
            metadata.uid,
            metadata.generation,
          ]),
        );
      const refused = async (args: Databases[string], reason: RegExp) => {
        const outcome = await preview({ a: args });
        assert.strictEqual(outcome.ok, false, outcome.output);
        assert.match(outcome.output, /PostgresDatabase "a": 1 argument has to change:/);
        assert.match(outcome.output, reason);
        assert.doesNotMatch(outcome.output, /not to be seen/);
        // The ConfigMap that tells the namespace is planned before that can be compared.
        const planned = inCluster(outcome).filter((change) => !change.endsWith("ConfigMap::a-setup"));
        assert.deepStrictEqual(planned, []);
      };
      before(async () => (untouched = await objects()));
      for (const [edit, args, reason] of edits) it(edit, () => refused(args, reason));

      it("to an engine elsewhere while its data would be deleted, even when that is edited in the same step", async () => {
        const { changes } = await up({ a: { ...first.a, onDelete: "delete" } });
        assert.deepStrictEqual(inCluster({ changes } as Outcome), ["update kubernetes:apps/v1:StatefulSet::a"], "in place");
        const reason = /onDelete: was "delete" when the embedded database was last deployed, .* First set it to "retain"/;
        await refused(elsewhere, reason);
        await refused({ ...elsewhere, onDelete: "retain" }, reason);
        await refused({ cloudNativePg: { instances: 1 }, onDelete: "retain" }, reason);
      });

      it("to another owner in `up`, too, where there was no preview", async () => {
        const outcome = await own.stack.up(databases(own.namespace, { a: { ...first.a, user: "other" } }));
        assert.strictEqual(outcome.ok, false, outcome.output);
        assert.match(outcome.output, /user: the data belongs to "a"; with "other" .* Set it back/);
        assert.deepStrictEqual(inCluster(outcome), []);
      });

      it("but allows it when the data is to stay: the server goes, the claim is not touched", async () => {
        const { changes } = await up(first);
        assert.deepStrictEqual(inCluster({ changes } as Outcome), ["update kubernetes:apps/v1:StatefulSet::a"], "in place");
        const outcome = succeeded(await preview({ a: elsewhere }));
        assert.ok(outcome.changes.includes("delete kubernetes:apps/v1:StatefulSet::a"), outcome.output);
        assert.deepStrictEqual(
          outcome.changes.filter((change) => /PersistentVolumeClaim::/.test(change) && !change.startsWith("discard ")),
          [],
        );
        assert.doesNotMatch(outcome.output, /not to be seen/);
      });

      it("but not another image of the same version, under which the server runs as the owner of its data", async () => {
        const outcome = succeeded(await preview({ a: { embedded: { image: `${POSTGRES}:17-alpine`, storage: "1Gi" } } }));
        assert.match(outcome.output, /postgres:17-alpine/);
        assert.doesNotMatch(outcome.output, /runAsUser|runAsGroup|fsGroup/);
      });

      it("and touches nothing meanwhile", async () => {
        const now = await objects();
        assert.strictEqual(
          now.replace(/("StatefulSet","a","[^"]*"),\d+/, "$1"),
          untouched.replace(/("StatefulSet","a","[^"]*"),\d+/, "$1"),
        );
        assert.strictEqual(await count(), "1000");
      });
    });

    describe("lasts:", () => {
      it("grows in place, without a restart", async () => {
        const { uid } = (await a().getPod()).metadata;
        await up({ a: { embedded: { version: 17, storage: "12Gi" } } });
        await until("the claim to have grown", 30, async () => (await capacity()) === "12Gi");
        assert.strictEqual((await a().getPod()).metadata.uid, uid, "the same pod");
        assert.strictEqual(await count(), "1000");
      });

      it("is the same under another name of the component", async () => {
        const before = await a().uids();
        const { restartCount } = (await a().getPod()).status.containerStatuses[0];
        const outcome = await up({ b: { embedded: { version: 17, storage: "12Gi" }, options: '{ aliases: [{ name: "a" }] }' } });
        assert.deepStrictEqual(await a().uids(), before);
        assert.strictEqual((await a().getPod()).status.containerStatuses[0].restartCount, restartCount);
        assert.deepStrictEqual(outcome.outputs.b.databaseName, "a");
        assert.strictEqual(await count("b"), "1000");
        assert.match((await login("b")).uri, /@a\.test-volume-\w+\.svc:5432\/a/);
        // And under the new name alone, when the alias has done its work.
        const again = succeeded(await preview({ b: { embedded: { version: 17, storage: "12Gi" } } }));
        assert.deepStrictEqual(inCluster(again), []);
        // The claim is still called as the server was at first.
        const claimed = (existingClaim: string) => preview({ b: { embedded: { version: 17, existingClaim } } });
        const other = await claimed("data-b-0");
        assert.strictEqual(other.ok, false, other.output);
        assert.match(other.output, /embedded.existingClaim: the data is on a claim of the component's own; on "data-b-0"/);
        succeeded(await claimed("data-a-0"));
        await up({ a: { embedded: { version: 17, storage: "12Gi" }, options: '{ aliases: [{ name: "b" }] }' } });
        assert.deepStrictEqual(await a().uids(), before);
      });

      it("stays when all is destroyed, and is found again with all its rows at its new size", async () => {
        const { uid } = (await a().getClaim()).metadata;
        succeeded(await own.stack.destroy());
        await a().gone();
        const claim = await a().getClaim();
        assert.deepStrictEqual([claim.metadata.uid, claim.status.capacity.storage], [uid, "12Gi"]);
        await up({ a: { embedded: { version: 17, storage: "12Gi" } } });
        assert.strictEqual((await a().getClaim()).metadata.uid, uid);
        assert.strictEqual(await count(), "1000");
      });
    });
  });

  describe("on a claim that is made anew under it, and on one that is to go", function () {
    inOrder(this);
    const own = ofItsOwn("claim");
    const { up, server, login } = own;

    before(async () => {
      await up({ a: { embedded: { version: 15, storage: "1Gi" } } });
    });

    it("makes roles and database again, and the claim as large as the lost one", async () => {
      const all: Databases = { a: { embedded: { version: 15, storage: "11Gi" }, onDelete: "delete" } };
      await up(all);
      const a = server("a");
      const before = await a.uids();
      const jobs = async () => (await own.namespace.items("jobs")).map(({ metadata }) => metadata.uid);
      const [setup] = await jobs();
      await own.namespace.kubectl(["delete", `pvc/data-${a.pod}`, "--wait=false"]);
      await own.namespace.kubectl(["delete", `pod/${a.pod}`, "--wait=true", "--timeout=60s"], { seconds: 70 });
      await until("another claim and a pod that is ready on it", 90, async () => {
        const { Pod, PersistentVolumeClaim } = await a.uids();
        if (!Pod || Pod === before.Pod || PersistentVolumeClaim === before.PersistentVolumeClaim) return false;
        return (await a.getPod()).status.containerStatuses?.[0].ready;
      });
      assert.match((await a.ask(await login("a"), "SELECT 1")).stderr, /authentication failed/, "the database is empty");
      await up(all);
      assert.strictEqual(await a.sql(await login("a"), "SELECT current_user"), "a");
      assert.notDeepStrictEqual(await jobs(), [setup]);
      await until("the claim to have grown", 30, async () => (await a.getClaim()).status.capacity.storage === "11Gi");
      assert.deepStrictEqual(inCluster(await up(all)), []);
    });

    it("removes the claim with everything else, when that was asked for", async () => {
      succeeded(await own.stack.destroy());
      await until("the claim to be gone", 60, async () => (await own.namespace.items("pvc")).length === 0);
    });
  });

  describe("on volumes that others left", function () {
    inOrder(this);
    const own = ofItsOwn("adopted");
    const { up, server, login } = own;
    const all: Databases = {
      // As the official image makes it with POSTGRES_USER=somebody: that role is the superuser, and there is no other.
      official: {
        databaseName: "shop",
        user: "somebody",
        embedded: { version: 17, existingClaim: "official", subPath: "." },
      },
      // As Bitnami's does, whose configuration is in the image.
      bitnami: { databaseName: "wiki", user: "bn_wiki", embedded: { version: 17, existingClaim: "bitnami", subPath: "data" } },
      // As Alpine's image does, whose user this image does not know.
      alpine: {
        databaseName: "shop",
        user: "somebody",
        embedded: { version: 17, existingClaim: "alpine", subPath: "sub/pgdata", runAsUser: 70 },
      },
      empty: { embedded: { version: 17, existingClaim: "empty" } },
    };
    /** What a user may write who does not know where the data is, whose, and what it is called. */
    const guesses: Databases = {
      ...all,
      official: { embedded: all.official.embedded },
      bitnami: { ...all.bitnami, embedded: { version: 17, existingClaim: "bitnami" }, options: soonGivenUp },
      alpine: {
        ...all.alpine,
        embedded: { version: 17, existingClaim: "alpine", subPath: "sub/pgdata" },
        options: soonGivenUp,
      },
    };
    const FILL = `CREATE TABLE old AS SELECT generate_series(1, 777) AS n; CREATE VIEW seen AS SELECT * FROM old;`;
    const LEAVE = `
      set -eu
      export PGPASSWORD=somebody-chose-this PGHOST=/tmp PGOPTIONS='-c client_min_messages=warning'
      echo $PGPASSWORD > /tmp/password
      begin() { initdb -D "$1" -U "$2" --pwfile=/tmp/password --auth=scram-sha-256 > /dev/null; pg_ctl -D "$1" -s -w -l /tmp/log -o '-k /tmp -h ""' start; }
      sql() { psql -X -q -v ON_ERROR_STOP=1 "$@"; }
      begin /official somebody
      sql -U somebody -d postgres -c 'CREATE DATABASE shop'
      sql -U somebody -d shop -c "${FILL}"
      pg_ctl -D /official -s -w stop
      begin /bitnami/data postgres
      sql -U postgres -d postgres -c "CREATE ROLE bn_wiki LOGIN PASSWORD 'theirs'" -c 'CREATE DATABASE wiki OWNER bn_wiki'
      PGPASSWORD=theirs sql -U bn_wiki -d wiki -c "${FILL}"
      pg_ctl -D /bitnami/data -s -w stop
      rm /bitnami/data/postgresql.conf /bitnami/data/pg_hba.conf /bitnami/data/pg_ident.conf`;
    const LEAVE_ALPINE = `
      set -eu
      initdb -D /alpine/sub/pgdata -U somebody --auth=trust > /dev/null
      pg_ctl -D /alpine/sub/pgdata -s -w -l /tmp/log.alpine -o '-k /tmp -h ""' start
      export PGHOST=/tmp PGOPTIONS='-c client_min_messages=warning'
      psql -X -q -U somebody -d postgres -c 'CREATE DATABASE shop' -c "ALTER SYSTEM SET port = 5999" -c "ALTER SYSTEM SET ssl = off"
      psql -X -q -U somebody -d shop -c "${FILL}"
      pg_ctl -D /alpine/sub/pgdata -s -w stop`;

    before(async () => {
      const { namespace } = own;
      const claims = ["official", "bitnami", "alpine", "empty"];
      const mounted = ["official", "bitnami", "alpine"];
      await namespace.apply(
        ...claims.map((name) => ({
          apiVersion: "v1",
          kind: "PersistentVolumeClaim",
          metadata: { name, namespace: namespace.name },
          spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
        })),
      );
      // Those images begin as root, and give the volume to themselves.
      const enforce = (standard: string) =>
        kubectl(["label", "--overwrite", `namespace/${namespace.name}`, `pod-security.kubernetes.io/enforce=${standard}`]);
      await enforce("privileged");
      await namespace.apply({
        apiVersion: "v1",
        kind: "Pod",
        metadata: { name: "others", namespace: namespace.name },
        spec: {
          terminationGracePeriodSeconds: 1,
          containers: [
            {
              name: "postgres",
              image: `${POSTGRES}:17`,
              command: ["sleep", "600"],
              volumeMounts: mounted.map((name) => ({ name, mountPath: `/${name}` })),
            },
          ],
          volumes: mounted.map((name) => ({ name, persistentVolumeClaim: { claimName: name } })),
        },
      });
      await namespace.kubectl(["wait", "--for=condition=Ready", "pod/others", "--timeout=90s"], { seconds: 100 });
      const as = (uid: number) => `setpriv --reuid=${uid} --regid=${uid} --clear-groups sh -c`;
      const line = `chown 999:999 /official /bitnami && chown 70:70 /alpine && echo alpine:x:70:70::/tmp:/bin/sh >> /etc/passwd &&
        ${as(999)} "$0" && ${as(70)} "$1"`;
      const made = await namespace.exec("others", ["sh", "-c", line, LEAVE, LEAVE_ALPINE], { seconds: 120 });
      assert.strictEqual(made.code, 0, made.stdout + made.stderr);
      await namespace.kubectl(["delete", "pod/others", "--wait=true", "--timeout=60s"], { seconds: 70 });
      await enforce("restricted");
    });

    it("refuses a directory in which the data is not, an owner as whom it does not run, and a database beside others, with what to write instead", async () => {
      const outcome = await own.stack.up(databases(own.namespace, guesses), { continueOnError: true });
      assert.strictEqual(outcome.ok, false, outcome.output);
      assert.match(
        outcome.output,
        /the database's server was not ready after 300 s: \S+\/pgdata holds no database, but the volume has one, nothing was changed: set database.embedded.subPath to "data"/,
      );
      assert.match(
        outcome.output,
        /the database's server was not ready after 300 s: \S+ belongs to uid 70, and Postgres runs as uid 999, .* set database.embedded.runAsUser to 70/,
      );
      assert.match(
        outcome.output,
        /names are missing .* none of which is called official .* write databaseName: "shop", user: "somebody"\. For an empty one/s,
      );
    });

    it("takes them over when that is corrected", async () => {
      await up(all);
    });

    for (const [name, owner] of Object.entries({ official: "somebody", bitnami: "bn_wiki", alpine: "somebody" })) {
      it(`finds all rows of the ${name} image's volume, and the application may read and alter what there was`, async () => {
        const as = await login(name);
        assert.strictEqual(as.user, `${owner}_a`);
        assert.strictEqual(await server(name).sql(as, "SELECT count(*) FROM old"), "777");
        const sql = `ALTER TABLE old ADD COLUMN more text DEFAULT 'x'; INSERT INTO old VALUES (778); DROP VIEW seen; CREATE TABLE fresh (n int);
          SELECT count(*), max(more) FROM old; SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public';`;
        assert.strictEqual(await server(name).sql(as, sql), `778|x\n${owner}`);
      });

      it(`takes the old passwords of the ${name} image's volume away`, async () => {
        const as = await login(name);
        for (const user of [owner, name === "bitnami" ? "postgres" : "somebody"])
          for (const password of ["somebody-chose-this", "theirs"])
            assert.match((await server(name).ask({ ...as, user, password }, "SELECT 1")).stderr, /authentication failed/);
      });
    }

    it("begins anew on an empty claim, and all of them are independent of each other", async () => {
      const as = await login("empty");
      assert.strictEqual(
        await server("empty").sql(as, "CREATE TABLE t (n int); SELECT current_database(), current_user"),
        "empty|empty",
      );
      assert.match(
        (await server("empty").ask(await login("bitnami"), "SELECT 1")).stderr,
        /^$/,
        "each is found by its host name",
      );
      const elsewhere = { ...(await login("bitnami")), host: as.host };
      assert.match((await server("empty").ask(elsewhere, "SELECT 1")).stderr, /authentication failed/);
    });

    it("refuses to leave such a claim again, or another folder of it, in the preview", async () => {
      const edited = async (embedded: object) => own.preview({ ...all, bitnami: { ...all.bitnami, embedded } });
      const outcome = await edited({ version: 17, storage: "1Gi" });
      assert.strictEqual(outcome.ok, false);
      assert.match(outcome.output, /embedded.existingClaim: the data is on claim "bitnami"; without it .* empty database/);
      const folder = await edited({ version: 17, existingClaim: "bitnami" });
      assert.strictEqual(folder.ok, false);
      assert.match(
        folder.output,
        /embedded.subPath: the data is in "data" on claim "bitnami"; in "pgdata" the application would find other data or none/,
      );
    });

    it("refuses other names, once it has found the data under those that were written", async () => {
      const outcome = await own.preview({ ...all, official: guesses.official });
      assert.strictEqual(outcome.ok, false);
      assert.match(outcome.output, /databaseName: the data belongs to "shop"; with "official" the application would not find it/);
    });

    it("leaves such claims where they are", async () => {
      const uids = async () => (await own.namespace.items("pvc")).map(({ metadata }) => metadata.uid);
      const before = await uids();
      succeeded(await own.stack.destroy());
      assert.deepStrictEqual(await uids(), before);
    });
  });

  describe("with its settings", function () {
    const own = ofItsOwn("settings");
    const { server, login } = own;
    const offered = {
      embedded: {
        version: 17,
        parameters: { max_connections: "42", shared_preload_libraries: "pg_stat_statements" },
      },
      extensions: ["vector", "pg_stat_statements"],
      settings: { statement_timeout: "30s", search_path: '"$user", public, other' },
    } satisfies Databases[string];
    const all: Databases = {
      offered,
      required: { embedded: { version: 15, tls: "required" } },
    };
    const app = () => `new PostgresApp("old", { namespace: "${own.namespace.name}", image: "${image("1.0.0")}", port: 3000,
      database: { embedded: { tls: "off" } } }`;

    before(async () => {
      own.outcome = succeeded(
        await own.stack.up(`${databases(own.namespace, all)}
        const app = ${app()}); exports.old = { secret: app.connectionSecretName };`),
      );
    });
    const refusal = async (name: string, settings: string) =>
      (await server(name).ask(await login(name), "SELECT 1", settings)).stderr;
    /** The authority's certificate goes into the pod as a file. Only the login itself, not the owner it acts as, sees its session. */
    const verified = async (name: string, host?: string) => {
      const as = await login(name);
      const [{ data }] = (await own.namespace.items("secrets")).filter(({ metadata }) => metadata.name.startsWith(`${name}-ca-`));
      const pem = Buffer.from(data["ca.crt"], "base64").toString();
      await own.namespace.exec(`${name}-0`, ["sh", "-c", "cat > /tmp/ca.crt"], { input: pem });
      return server(name).ask(
        { ...as, host: host ?? as.host },
        "SET ROLE NONE; SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid()",
        "sslmode=verify-full sslrootcert=/tmp/ca.crt",
      );
    };

    it('TLS "required": refuses a client without it and says so, and the certificate is the host name\'s', async () => {
      assert.match(
        await refusal("required", "sslmode=disable"),
        /no pg_hba.conf entry for host .*, user "required_a", .*no encryption/,
      );
      assert.strictEqual((await verified("required")).stdout.trim(), "TLSv1.3");
      const { podIP } = (await server("required").getPod()).status;
      assert.match((await verified("required", podIP)).stderr, /server certificate for .* does not match host name/);
      assert.match((await login("required")).uri, /sslmode=verify-full&sslrootcert=/);
    });

    it('TLS "offered": lets both in', async () => {
      assert.strictEqual((await verified("offered")).stdout.trim(), "TLSv1.3");
      assert.strictEqual(await server("offered").sql(await login("offered"), "SELECT 1", "sslmode=disable"), "1");
    });

    it('TLS "off": has no certificate, and its URI says nothing of TLS', async () => {
      const as = await login("old");
      assert.match(as.uri, /^postgresql:\/\/old_a:\w+@old-db\.[\w-]+\.svc:5432\/old$/);
      assert.strictEqual(await server("old-db").sql(as, "SHOW ssl"), "off");
      assert.match((await server("old-db").ask(as, "SELECT 1", "sslmode=require")).stderr, /server does not support SSL/);
      const secrets = (await own.namespace.items("secrets")).filter(({ metadata }) => metadata.name.startsWith("old-db-"));
      assert.ok(secrets.every(({ data }) => !data["tls.key"] && !data["ca.crt"]));
    });

    it("parameters, extensions and settings take effect", async () => {
      const as = await login("offered");
      assert.strictEqual(
        await server("offered").sql(as, "SHOW max_connections; SHOW statement_timeout; SHOW search_path"),
        '42\n30s\n"$user", public, other',
      );
      assert.strictEqual(
        await server("offered").sql(as, "SELECT '[1,2,3]'::vector <-> '[1,2,4]'; SELECT count(*) > 0 FROM pg_stat_statements"),
        "1\nt",
      );
    });

    it("settings that are taken out are reset, and others change", async () => {
      const program = (more: object) => `${databases(own.namespace, { ...all, offered: { ...offered, ...more } })}
        const app = ${app()}); exports.old = { secret: app.connectionSecretName };`;
      own.outcome = succeeded(await own.stack.up(program({ settings: { work_mem: "5MB" } })));
      assert.strictEqual(
        await server("offered").sql(await login("offered"), "SHOW statement_timeout; SHOW work_mem; SHOW search_path"),
        '0\n5MB\n"$user", public',
      );
      const outcome = await own.stack.up(program({ settings: {}, extensions: ["vector", "nonsense"] }));
      assert.strictEqual(outcome.ok, false);
      assert.match(
        outcome.output,
        /the server does not bring these extensions: nonsense. Use an image or a server that has them, or take them out/,
      );
      own.outcome = succeeded(await own.stack.up(program({ settings: {} })));
      assert.strictEqual(await server("offered").sql(await login("offered"), "SHOW work_mem"), "4MB");
    });

    it("a wrong setting stops before the server is touched, and the right one comes after it", async () => {
      const before = await server("offered").uids();
      const begun = Date.now();
      const settled = (embedded: object, more: object = {}) => `${databases(own.namespace, {
        ...all,
        offered: { ...offered, settings: {}, embedded: { ...offered.embedded, ...embedded }, ...more },
      })}
        const app = ${app()}); exports.old = { secret: app.connectionSecretName };`;
      const wrong = { parameters: { ...offered.embedded.parameters, shared_buffers: "64TB" } };
      const outcome = await own.stack.up(settled(wrong));
      assert.strictEqual(outcome.ok, false);
      assert.match(
        outcome.output,
        /a server with these settings does not start, so the one that runs was not touched: Postgres ended: .*(shared memory|shared_buffers)/,
      );
      assert.ok(Date.now() - begun < 60_000, `${Date.now() - begun} ms`);
      assert.deepStrictEqual(await server("offered").uids(), before);
      assert.strictEqual(await server("offered").sql(await login("offered"), "SHOW max_connections"), "42");
      // What a trial does not see, because it is the volume's owner that is wrong.
      const stuck = await own.stack.up(settled({ runAsUser: 12345 }, { options: soonGivenUp }));
      assert.strictEqual(stuck.ok, false);
      assert.match(stuck.output, /belongs to uid 999, and Postgres runs as uid 12345, .* set database.embedded.runAsUser to 999/);
      own.outcome = succeeded(await own.stack.up(settled({ parameters: { max_connections: "43" } })));
      assert.strictEqual(await server("offered").sql(await login("offered"), "SHOW max_connections"), "43");
      own.outcome = succeeded(await own.stack.up(settled({})));
      assert.strictEqual(await server("offered").sql(await login("offered"), "SHOW max_connections"), "42");
    });

    it("an application under another name keeps its database's server, Service and claim", async () => {
      const outcome = succeeded(
        await own.stack.preview(`${databases(own.namespace, { offered: { ...offered, settings: {} }, required: all.required })}
        ${app().replace('"old"', '"new"')}, { aliases: [{ name: "old" }] });`),
      );
      for (const kind of ["apps/v1:StatefulSet", "core/v1:Service"])
        assert.deepStrictEqual(
          outcome.changes.filter((change) => change.endsWith(`${kind}::new-db`)),
          [`update kubernetes:${kind}::new-db`],
          outcome.output,
        );
      assert.deepStrictEqual(
        outcome.changes.filter((change) => /delete/.test(change) && /-db$|-claim$/.test(change)),
        [],
      );
    });

    it("keeps every acknowledged row when the server is killed while it writes, and comes back by itself", async () => {
      const as = await login("offered");
      const offeredServer = server("offered");
      await offeredServer.sql(as, "CREATE TABLE written (n int PRIMARY KEY)");
      const crashes: [string, string][] = [
        ["all its processes but the first", "kill -9 -1"],
        ["the first, which ends the container", "kill -QUIT 1"],
      ];
      let begun = 1;
      for (const [what, kill] of crashes) {
        // From another pod, as the application is one.
        const writer = spawn("kubectl", [
          ...["--namespace", own.namespace.name, "exec", "-i", "required-0", "--", "sh", "-c"],
          `IFS= read -r PGPASSWORD; export PGPASSWORD; seq ${begun} 1000000 | sed 's/.*/INSERT INTO written VALUES (&) RETURNING n;/' |
            psql -X -q -A -t -v ON_ERROR_STOP=1 "host=${as.host} user=${as.user} dbname=${as.dbname}"`,
        ]);
        let acknowledged = "";
        writer.stdout.on("data", (text) => (acknowledged += text));
        const ended = new Promise((resolve) => writer.on("exit", resolve));
        writer.stdin.end(`${as.password}\n`);
        await until("rows to be written", 30, async () => acknowledged.split("\n").length > 200);
        const { restartCount } = (await offeredServer.getPod()).status.containerStatuses[0];
        await own.namespace.exec(offeredServer.pod, ["sh", "-c", kill]);
        await Promise.race([ended, sleep(20_000).then(() => assert.fail(`the writer goes on after ${what} were killed`))]);
        const last = Math.max(...acknowledged.split("\n").slice(0, -1).map(Number));
        let answer: Ran | undefined;
        // Its name has no address until it is ready again, so one answer does not promise the next.
        await until(`an answer after ${what} were killed`, 60, async () => {
          answer = await offeredServer.ask(as, "SELECT count(*), max(n) FROM written");
          return answer.code === 0;
        });
        const [count, highest] = answer!.stdout.split("|").map(Number);
        assert.ok(count === highest && highest >= last, `${last} acknowledged, ${count} there, up to ${highest}`);
        // The server can be back before the kubelet has told of the restart.
        const expected = restartCount + (kill.endsWith(" 1") ? 1 : 0);
        await until(`${expected} restarts after ${what} were killed`, 60, async () => {
          const { containerStatuses } = (await offeredServer.getPod()).status;
          return containerStatuses[0].restartCount === expected && containerStatuses[0].ready;
        });
        begun = highest + 1;
      }
    });
  });
});
