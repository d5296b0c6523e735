import * as assert from "assert";
import { readFileSync } from "fs";
import * as yaml from "js-yaml";
import { PostgresAppArgs, PostgresDatabase, PostgresDatabaseArgs } from "../../index";
import { restrictedContainer, restrictedPod } from "../../components/common/security";
import { definitionFiles } from "../support/cloudNativePg/schemas";
import { s3Pod, startPods } from "../support/backupServer";
import { StandInOperator } from "../support/cloudNativePg/operator";
import { inOrder } from "../support/inOrder";
import { kubectl, Namespace, until } from "../support/kubectl";
import { getJson, notes, postJson, secret } from "../support/notes";
import { changesNothing, Outcome, TestStack } from "../support/stack";
import { turn } from "../support/turn";

const definitions = definitionFiles.map((file) => yaml.load(readFileSync(file, "utf8")) as any);
const OURS = "pulumi-postgres-app/test";

/** Definitions of the operator's kinds, by our own hand; those of a real operator are never touched. */
async function removeDefinitions(): Promise<void> {
  const { items } = JSON.parse(await kubectl(["get", "crd", "-o", "json"]));
  const names = definitions.map(({ metadata }) => metadata.name);
  const foreign = items.filter(({ metadata }: any) => names.includes(metadata.name) && !metadata.labels?.[OURS]);
  assert.deepStrictEqual(foreign, [], "CloudNativePG is installed in this cluster: its definitions would be overwritten");
  await kubectl(["delete", "crd", "--selector", OURS, "--timeout=60s"], { seconds: 70 });
}

async function installDefinitions(): Promise<void> {
  const items = definitions.map((one) => ({ ...one, metadata: { ...one.metadata, labels: { [OURS]: "true" } } }));
  await kubectl(["apply", "-f", "-"], { input: JSON.stringify({ apiVersion: "v1", kind: "List", items }) });
  await kubectl(["wait", "crd", "--selector", OURS, "--for=condition=Established", "--timeout=30s"], { seconds: 40 });
}

const succeeded = (outcome: Outcome) => {
  assert.ok(outcome.ok, outcome.output);
  return outcome;
};

/** A server that is none of ours, without TLS, with an empty database "notes" of the login "notes". */
async function startElsewhere(namespace: Namespace): Promise<void> {
  const labels = { app: "elsewhere" };
  const metadata = { name: "elsewhere", namespace: namespace.name, labels };
  const start = `
    initdb -D /tmp/data -U notes --auth=trust -E UTF8 --locale=C.UTF-8 --no-sync >/dev/null
    echo 'host all all all trust' >>/tmp/data/pg_hba.conf
    echo 'CREATE DATABASE notes' | postgres --single -D /tmp/data postgres >/dev/null
    exec postgres -D /tmp/data -c listen_addresses='*' -c unix_socket_directories=/tmp -c fsync=off -c shared_buffers=32MB`;
  await namespace.apply(
    { apiVersion: "v1", kind: "Service", metadata, spec: { clusterIP: "None", selector: labels, ports: [{ port: 5432 }] } },
    {
      apiVersion: "v1",
      kind: "Pod",
      metadata,
      spec: {
        terminationGracePeriodSeconds: 1,
        securityContext: restrictedPod(999),
        containers: [
          {
            name: "postgres",
            image: server.imageName,
            command: ["sh", "-ec", start],
            securityContext: restrictedContainer(),
            volumeMounts: [{ name: "tmp", mountPath: "/tmp" }],
          },
        ],
        volumes: [{ name: "tmp", emptyDir: {} }],
      },
    },
  );
}

const KEYS = { AWS_ACCESS_KEY_ID: "test-access", AWS_SECRET_ACCESS_KEY: "test-secret-key" };
const claim = { claimName: "backups", subPath: "notes" };
const server = { imageName: "docker.io/library/postgres:17", instances: 1, storage: "1Gi" };

/** Our half of CloudNativePG: what this package asks of the operator, against a stand-in for it. */
describe("a database on CloudNativePG", function () {
  this.timeout(300_000);
  inOrder(this);

  /** A namespace with a stack and, once its kinds are known, the operator. */
  class Place {
    operator?: StandInOperator;
    private constructor(
      readonly namespace: Namespace,
      readonly stack: TestStack,
    ) {}
    static async create(name: string): Promise<Place> {
      return new Place(await Namespace.create(name), await TestStack.create(name));
    }
    /** SQL in the server of a Cluster as the superuser, in the database. */
    async sql(cluster: string, database: string, sql: string): Promise<string> {
      const command = ["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", "/tmp", "-U", "postgres", "-d", database];
      const { code, stdout, stderr } = await this.namespace.exec(`${cluster}-1`, command, { input: sql });
      assert.strictEqual(code, 0, stderr);
      return stdout.trim();
    }
    /** SQL as a role, over the network; what the server says against it included. */
    async as({ user, password, dbname }: Record<string, string>, cluster: string, sql: string): Promise<string> {
      const line = `IFS= read -r PGPASSWORD; export PGPASSWORD; psql -X -A -t -h 127.0.0.1 -U ${user} -d ${dbname} -c "${sql}"`;
      const { stdout, stderr } = await this.namespace.exec(`${cluster}-1`, ["sh", "-c", line], { input: `${password}\n` });
      return (stdout + stderr).trim();
    }
    /** Claims, and whose they are. */
    async claims(): Promise<Record<string, string>> {
      const claims = await this.namespace.items("pvc");
      return Object.fromEntries(
        claims.map(({ metadata }) => [metadata.name, `${metadata.ownerReferences?.[0].name ?? "nobody"}'s`]),
      );
    }
    async remove(): Promise<void> {
      await this.stack.remove();
      await this.operator?.stop();
      await this.namespace.delete();
    }
  }
  let alone: Place;
  let app: Place;
  const store = (args: PostgresDatabaseArgs) => async () => {
    new PostgresDatabase("store", { namespace: alone.namespace.name, ...args });
  };
  const storeUp = (args: PostgresDatabaseArgs) => alone.stack.up(store(args));
  let archive: string;
  const appUp = (database: PostgresAppArgs["database"], version = "1.0.0") =>
    app.stack.up(notes(app.namespace, version, { database }));
  const titles = async () => (await getJson(app.namespace, "/api/threads")).threads.map(({ title }: any) => title);

  const found = async (place: Place, name: RegExp) => {
    const secrets = (await place.namespace.items("secrets")).filter(({ metadata }) => name.test(metadata.name));
    assert.strictEqual(secrets.length, 1);
    return secret(place.namespace, secrets[0].metadata.name);
  };
  const storeLogin = () => found(alone, /^store-connection-/);
  const storeMigrator = () => found(alone, /^store-migration-connection$/);
  const appLogin = () => found(app, /^notes-db-connection-/);
  const extension = (name: string) => alone.sql("store", "store", `SELECT count(*) FROM pg_extension WHERE extname = '${name}'`);

  const args: PostgresDatabaseArgs = {
    cloudNativePg: server,
    credentials: { separateMigrator: true },
    extensions: ["pg_trgm"],
    settings: { statement_timeout: "31s" },
    onDelete: "delete",
    backups: {
      schedule: "30 2 * * *",
      destination: { s3: { endpoint: "http://s3:9000", bucket: "backups", secretName: "keys" } },
    },
  };

  const kinds = turn("kinds");
  before(kinds.begin);
  before(async () => {
    await removeDefinitions();
    [alone, app] = await Promise.all([Place.create("cnpg-store"), Place.create("cnpg-app")]);
    await Promise.all([
      alone.namespace.apply(
        {
          apiVersion: "v1",
          kind: "Secret",
          metadata: { name: "keys", namespace: alone.namespace.name, labels: { app: "s3" } },
          stringData: KEYS,
        },
        {
          apiVersion: "v1",
          kind: "Service",
          metadata: { name: "s3", namespace: alone.namespace.name, labels: { app: "s3" } },
          spec: { clusterIP: "None", selector: { app: "s3" }, ports: [{ port: 9000 }] },
        },
      ),
      startPods(alone.namespace, s3Pod(KEYS, "backups")),
      app.namespace.apply({
        apiVersion: "v1",
        kind: "PersistentVolumeClaim",
        metadata: { name: "backups", namespace: app.namespace.name },
        spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
      }),
    ]);
    await startElsewhere(app.namespace);
  });
  after(async () => {
    await Promise.all([alone?.remove(), app?.remove()]);
    await removeDefinitions();
  });
  after(kinds.end);

  describe("without the operator", () => {
    let outcome: Outcome;
    before(async () => {
      const [missing, embedded] = await Promise.all([
        storeUp({ cloudNativePg: server }),
        appUp({ embedded: { version: 17, storage: "1Gi" }, backups: { schedule: "0 0 1 1 *", destination: { claim } } }),
      ]);
      outcome = missing;
      succeeded(embedded);
      await postJson(app.namespace, "/api/threads", { title: "Embedded", body: "A row that comes along" });
      await app.namespace.kubectl(["create", "job", "--from=cronjob/notes-db-backup", "move"]);
      await app.namespace.kubectl(["wait", "--for=condition=complete", "job/move", "--timeout=120s"], { seconds: 130 });
    });

    it("fails, and says how to install it", () => {
      assert.strictEqual(outcome.ok, false);
      assert.match(outcome.output, /no matches for kind "Cluster" in version "postgresql.cnpg.io\/v1"/);
      assert.match(
        outcome.output,
        /error: database\.cloudNativePg: the CloudNativePG operator.* is not installed in this cluster\. Install/,
      );
      assert.doesNotMatch(outcome.output, /on-error hook/, "the hook asks for no other attempt");
    });
  });

  describe("with the operator", () => {
    const moved = { cloudNativePg: server, restoreFrom: { claim, backup: "newest" } };
    before(async () => {
      await installDefinitions();
      for (const place of [alone, app]) place.operator = new StandInOperator(place.namespace);
      (await Promise.all([storeUp(args), appUp(moved)])).forEach(succeeded);
    });

    it("is unchanged by the same program, also when the cluster is looked at first", async () => {
      for (const refresh of [false, true]) {
        const { changes } = succeeded(await alone.stack.preview(store(args), { refresh }));
        assert.deepStrictEqual(changes, []);
      }
    });

    it("has a login for migrations, and one for the application that cannot make tables", async () => {
      const [login, migrator] = [await storeLogin(), await storeMigrator()];
      assert.deepStrictEqual([login.user, migrator.user], ["store_a", "store_migrator"]);
      assert.match(await alone.as(login, "store", "CREATE TABLE runtime ()"), /permission denied for schema public/);
      assert.strictEqual(await alone.as(migrator, "store", "CREATE TABLE notes (id int)"), "CREATE TABLE");
      assert.strictEqual(
        await alone.as(login, "store", "INSERT INTO notes VALUES (1) RETURNING current_user"),
        "store_runtime\nINSERT 0 1",
      );
      const owner = "SELECT relowner::regrole FROM pg_class WHERE relname = 'notes'";
      assert.strictEqual(await alone.sql("store", "store", owner), "store");
    });

    it("has its extensions, and its settings without an administrator of ours", async () => {
      assert.strictEqual(await extension("pg_trgm"), "1");
      assert.strictEqual(await alone.as(await storeLogin(), "store", "SHOW statement_timeout"), "31s");
    });

    it("begins with a backup", async () => {
      const [backup] = await until("the first backup", 20, async () => {
        const backups = await alone.namespace.items("backups.postgresql.cnpg.io");
        return backups.length > 0 && backups;
      });
      assert.deepStrictEqual(backup.spec.pluginConfiguration, { name: "barman-cloud.cloudnative-pg.io" });
      // In an archive of its own, which could be written before anything was.
      const [cluster] = await alone.namespace.items("clusters");
      archive = cluster.spec.plugins[0].parameters.serverName;
      assert.match(archive, /^store-[0-9a-f]{8}$/);
      assert.strictEqual(backup.metadata.name, `${archive}-first`);
      const check = (await alone.namespace.items("jobs")).find(({ metadata }) => metadata.name.startsWith("store-check-"));
      assert.match(
        await alone.namespace.kubectl(["logs", `job/${check.metadata.name}`]),
        /^objects in s3:\/\/backups can be written, listed, read and removed$/m,
      );
    });

    it("has taken the place of the embedded one with its data, by a dump: the old claim stays", async () => {
      const claims = { backups: "nobody's", "data-notes-db-0": "nobody's", "notes-db-1": "notes-db's" };
      assert.deepStrictEqual(await app.claims(), claims);
      const names = (await app.namespace.items("statefulsets")).map(({ metadata }) => metadata.name);
      assert.deepStrictEqual(names, ["notes"]);
      assert.deepStrictEqual(await titles(), ["Embedded"]);
      assert.strictEqual((await getJson(app.namespace, "/api/version")).migrations.length, 11);
      assert.deepStrictEqual(succeeded(await appUp(moved)).changes, [], "restoreFrom may stay in the program");
    });

    it("serves the application with verified TLS", async () => {
      await postJson(app.namespace, "/api/threads", { title: "On CloudNativePG", body: "A row to be found again" });
      const { uri } = await appLogin();
      assert.match(uri, /@notes-db-rw\.[\w-]+\.svc:5432\/notes\?sslmode=verify-full&sslrootcert=/);
      const encrypted =
        "SELECT DISTINCT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE usename = 'notes_a' AND client_addr IS NOT NULL";
      assert.strictEqual(await app.sql("notes-db", "notes", encrypted), "t");
      // Under a name that is not in the certificate the same program is refused.
      const elsewhere = `const { Client } = require("pg"); const url = process.env.DATABASE_URL.replace(/@[^:]+/, "@" + process.argv[1]);
        new Client({ connectionString: url }).connect().then(() => console.log("connected"), (e) => console.log(e.code)).then(() => process.exit())`;
      const { status } = await app.namespace.get("pod/notes-db-1");
      const { stdout, stderr } = await app.namespace.exec("notes-0", ["node", "-e", elsewhere, status.podIP]);
      assert.strictEqual(stdout.trim(), "ERR_TLS_CERT_ALTNAME_INVALID", stderr);
    });

    it("is not changed by the same program", async () => {
      changesNothing(await storeUp(args));
    });
  });

  describe("after a rotation, and after migrations have given up their own login", () => {
    let rotated: Outcome;
    let former: { app: Record<string, string>; migrator: Record<string, string> };
    before(async () => {
      former = { app: await appLogin(), migrator: await storeMigrator() };
      // What a session makes that has reset its role is the login's own.
      await app.sql("notes-db", "notes", "CREATE TABLE stray (); ALTER TABLE stray OWNER TO notes_a;");
      const [store, notes] = await Promise.all([
        storeUp({ cloudNativePg: server, extensions: ["pg_trgm", "citext"], onDelete: "delete" }),
        appUp({ cloudNativePg: server, credentials: { rotation: 1 } }),
      ]);
      succeeded(store);
      rotated = succeeded(notes);
    });

    it("has given the application the other login, and the former one goes on working", async () => {
      const login = await appLogin();
      assert.deepStrictEqual([former.app.user, login.user], ["notes_a", "notes_b"]);
      for (const one of [former.app, login]) assert.strictEqual(await app.as(one, "notes-db", "SELECT current_user"), "notes");
      assert.deepStrictEqual((await titles()).sort(), ["Embedded", "On CloudNativePG"]);
    });

    it("has migrated nothing", () => {
      assert.deepStrictEqual(
        rotated.changes.filter((change) => change.includes("Job::notes-migration")),
        [],
      );
    });

    it("has given the owner what a login owned", async () => {
      const owner = "SELECT relowner::regrole FROM pg_class WHERE relname = 'stray'";
      assert.strictEqual(await app.sql("notes-db", "notes", owner), "notes");
    });

    it("has the extension that was added, which the operator was late with", async () => {
      assert.strictEqual(await extension("citext"), "1");
    });

    it("lets the application make tables, and the migrations' login in no more", async () => {
      assert.strictEqual(await alone.as(await storeLogin(), "store", "CREATE TABLE more ()"), "CREATE TABLE");
      assert.match(await alone.as(former.migrator, "store", "SELECT 1"), /authentication failed/);
    });
  });

  describe("destroyed", () => {
    before(async () => {
      (await Promise.all([alone.stack.destroy(), app.stack.destroy()])).forEach(succeeded);
    });

    it("is gone with its volume where onDelete is delete", async () => {
      assert.deepStrictEqual(
        await alone.namespace.items("pods,pvc,services,secrets,clusters,databases,scheduledbackups", "--selector", "app!=s3"),
        [],
      );
    });

    it("leaves its volume where it is retain, and the next one takes that over", async () => {
      assert.deepStrictEqual(await app.namespace.items("clusters,databases"), []);
      assert.deepStrictEqual(await app.claims(), {
        backups: "nobody's",
        "data-notes-db-0": "nobody's",
        "notes-db-1": "nobody's",
      });
      (await Promise.all([appUp({ cloudNativePg: server }), storeUp(args)])).forEach(succeeded);
      assert.deepStrictEqual(await app.claims(), {
        backups: "nobody's",
        "data-notes-db-0": "nobody's",
        "notes-db-1": "notes-db's",
      });
      assert.deepStrictEqual((await titles()).sort(), ["Embedded", "On CloudNativePG"]);
    });

    it("archives its next life into another directory", async () => {
      const [again] = await alone.namespace.items("clusters");
      const { serverName } = again.spec.plugins[0].parameters;
      assert.match(serverName, /^store-[0-9a-f]{8}$/);
      assert.notStrictEqual(serverName, archive);
    });
  });

  describe("replaced by an external one", () => {
    it("leaves its volume, and the application is migrated from scratch", async () => {
      const external = { host: "elsewhere", password: "any", tls: { mode: "disable" as const } };
      succeeded(await appUp({ external, databaseName: "notes", user: "notes" }));
      assert.deepStrictEqual(await app.namespace.items("clusters,databases"), []);
      assert.deepStrictEqual(await app.claims(), {
        backups: "nobody's",
        "data-notes-db-0": "nobody's",
        "notes-db-1": "nobody's",
      });
      assert.deepStrictEqual(await titles(), []);
      assert.strictEqual((await getJson(app.namespace, "/api/version")).migrations.length, 11);
    });

    it("nothing of which was more than the operator could do", () => {
      assert.deepStrictEqual([alone.operator!.complaints, app.operator!.complaints], [[], []]);
    });
  });
});
