import * as assert from "assert";
import { randomBytes } from "crypto";
import * as pulumi from "@pulumi/pulumi";
import { PulumiFn } from "@pulumi/pulumi/automation";
import { AppDatabaseArgs, ExternalAdminArgs, PostgresAppArgs, PostgresDatabase } from "../../index";
import { CA_FILE } from "../../components/database/tlsFiles";
import { Namespace } from "../support/kubectl";
import { getJson, image, notes, postJson, secret } from "../support/notes";
import { OutsidePostgres, startOutsidePostgres } from "../support/outsidePostgres";
import { startPods } from "../support/backupServer";
import { Outcome, TestStack } from "../support/stack";

/** Forwards every connection to the server, as it came: what it does to sessions a real pooler does too, but it also hides who asks. */
const POOLER = `require("net").createServer((client) => {
  const server = require("net").connect(+process.argv[2], process.argv[1]);
  for (const [a, b] of [[client, server], [server, client]]) a.on("error", () => b.destroy()).pipe(b);
}).listen(5432)`;

const newPassword = () => `p%/:@"'\\ ${randomBytes(12).toString("hex")}`;
const literal = (text: string) => `'${text.replace(/'/g, "''")}'`;

describe("a database outside of the cluster", function () {
  this.timeout(300_000);
  const namespaces: Namespace[] = [];
  const servers: OutsidePostgres[] = [];
  const stacks: TestStack[] = [];
  /** Everything that must be shown nowhere, and everything that was shown. */
  const passwords: string[] = [];
  const shown: Record<string, string> = {};

  const password = () => {
    passwords.push(newPassword());
    return passwords[passwords.length - 1];
  };
  const place = async (purpose: string) => {
    const [namespace, stack] = [await Namespace.create(purpose), await TestStack.create(purpose)];
    namespaces.push(namespace);
    stacks.push(stack);
    return { namespace, stack };
  };
  const server = async (...args: Parameters<typeof startOutsidePostgres>) => {
    servers.push(await startOutsidePostgres(...args));
    return servers[servers.length - 1];
  };
  const up = async (what: string, stack: TestStack, program: PulumiFn): Promise<Outcome> => {
    const outcome = await stack.up(program);
    shown[`the output of ${what}`] = outcome.output;
    shown[`the state after ${what}`] = await stack.state();
    return outcome;
  };
  const succeeded = (outcome: Outcome) => {
    assert.ok(outcome.ok, outcome.output);
    return outcome;
  };
  const administrator = async (postgres: OutsidePostgres) => {
    const admin = { user: "boss", password: password() };
    await postgres.sql(`CREATE ROLE boss LOGIN CREATEROLE CREATEDB PASSWORD ${literal(admin.password)}`);
    return admin;
  };
  const serves = async (namespace: Namespace) => {
    const { migrations } = await getJson(namespace, "/api/version");
    assert.strictEqual(migrations.length, 11);
    const title = `Written by ${randomBytes(4).toString("hex")}`;
    await postJson(namespace, "/api/threads", { title, body: "A row to be found again" });
    const { threads } = await getJson(namespace, "/api/threads");
    assert.ok(threads.some((thread: any) => thread.title === title));
    return title;
  };
  /** Whether somebody who knows the password is let in, by a name that the certificate is for. */
  const logsIn = async (namespace: Namespace, postgres: OutsidePostgres, user: string, known: string, database: string) => {
    const script = `const { host, port, user, password, database, ca } = JSON.parse(require("fs").readFileSync(0));
      const client = new (require("pg").Client)({ host, port, user, password, database, ssl: { ca } });
      client.connect().then(() => client.end()).catch(({ code }) => { console.log(code); process.exitCode = 1; });`;
    const { host, port, ca } = postgres;
    const input = JSON.stringify({ host, port, ca, user, password: known, database });
    const { code, stdout } = await namespace.exec("notes-0", ["node", "-e", script], { input, seconds: 30 });
    return code === 0 ? "logs in" : stdout.trim();
  };

  after(async () => {
    await Promise.all(stacks.map((stack) => stack.remove()));
    await Promise.all(servers.map((postgres) => postgres.stop()));
    await Promise.all(namespaces.map((namespace) => namespace.delete()));
  });

  const PROGRAM = (
    namespace: Namespace,
    { host, port, ca }: OutsidePostgres,
    user: string,
    more: Partial<AppDatabaseArgs> = {},
    admin: Partial<ExternalAdminArgs> = {},
  ) =>
    notes(namespace, "1.0.0", {
      database: {
        external: {
          ...{ host, port, tls: { ca } },
          admin: { user, password: new pulumi.Config().requireSecret("admin"), ...admin },
        },
        ...more,
      },
    });

  describe("with an administrator who is no superuser", () => {
    let namespace: Namespace;
    let stack: TestStack;
    let postgres: OutsidePostgres;
    let adminPassword: string;
    const former = newPassword();

    before(async () => {
      ({ namespace, stack } = await place("admin"));
      postgres = await server(namespace, 17);
      adminPassword = (await administrator(postgres)).password;
      await stack.setSecret("admin", adminPassword);
    });

    it("takes over roles that are there with other passwords: the Secret's is valid, the application serves", async () => {
      const role = (name: string) => `CREATE ROLE ${name} LOGIN PASSWORD ${literal(former)};`;
      await postgres.sql(`SET ROLE boss; ${role("notes")} ${role("notes_a")}`);
      const takeOver = ["notes", "notes_a"];
      const { outputs } = succeeded(
        await up("the first install", stack, () => PROGRAM(namespace, postgres, "boss", {}, { takeOver })()),
      );
      await serves(namespace);
      const login = await secret(namespace, outputs.connectionSecret);
      passwords.push(login.password);
      assert.strictEqual(login.user, "notes_a");
      assert.strictEqual(await logsIn(namespace, postgres, "notes_a", login.password, "notes"), "logs in");
      assert.strictEqual(
        await logsIn(namespace, postgres, "notes_a", former, "notes"),
        "28P01",
        "the former password is refused",
      );
      const sql =
        "SELECT count(*) FILTER (WHERE ssl), count(*) FILTER (WHERE NOT ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)";
      const [encrypted, plain] = (await postgres.sql(`${sql} WHERE usename = 'notes_a'`)).split("|").map(Number);
      assert.ok(encrypted > 0 && plain === 0, "every connection of the application is encrypted");
      assert.match(login.uri, /\?sslmode=verify-full&sslrootcert=/);
    });

    it("made roles that own the application's objects and are nothing more", async () => {
      const rights = "rolsuper, rolcreatedb, rolcreaterole, rolreplication, rolbypassrls";
      const roles = await postgres.sql(`SELECT rolname, ${rights} FROM pg_roles WHERE rolname LIKE 'notes%' ORDER BY rolname`);
      assert.strictEqual(roles, "notes|f|f|f|f|f\nnotes_a|f|f|f|f|f\nnotes_b|f|f|f|f|f");
      assert.strictEqual(await postgres.sql("SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'notes'"), "notes");
      const owners = "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'";
      assert.strictEqual(await postgres.sql(owners, "notes"), "notes");
    });

    it("refuses a database that belongs to another role, and roles of another component, in words that Pulumi shows, within seconds", async () => {
      await postgres.sql("CREATE DATABASE others");
      const begun = Date.now();
      const { ok, output } = await up("the refusal", stack, async () => {
        await PROGRAM(namespace, postgres, "boss")();
        const { host, port, ca } = postgres;
        const admin = { user: "boss", password: new pulumi.Config().requireSecret("admin") };
        const external = { host, port, tls: { ca }, admin };
        new PostgresDatabase("others", { namespace: namespace.name, external });
        new PostgresDatabase("copy", { namespace: namespace.name, external, databaseName: "copy", user: "notes" });
      });
      assert.strictEqual(ok, false);
      assert.match(
        output,
        /role lacks a right \(boss at .*database others belongs to role postgres: set user to that role and take it over \(external\.admin\.takeOver: \["postgres"\]\), or run ALTER DATABASE others OWNER TO others/s,
      );
      // Named like this one, it would have taken the application's passwords away.
      const marked = `marked as that of ${namespace.name}/notes-db in cluster [0-9a-f]{16}`;
      assert.match(
        output,
        new RegExp(`names are taken \\(boss at .*role notes, which is ${marked}; role notes_a, which is`, "s"),
      );
      await serves(namespace);
      const seconds = (Date.now() - begun) / 1000;
      assert.ok(seconds < 45, `it took ${seconds} s`);
    });

    it("lets names be corrected that were refused, and holds those that the setup has made", async () => {
      const { host, port, ca } = postgres;
      const copy = (user: string) => async () => {
        await PROGRAM(namespace, postgres, "boss")();
        const admin = { user: "boss", password: new pulumi.Config().requireSecret("admin") };
        const external = { host, port, tls: { ca }, admin };
        new PostgresDatabase("copy", { namespace: namespace.name, external, databaseName: "copy", user });
      };
      succeeded(await stack.preview(copy("mine")));
      succeeded(await up("the corrected names", stack, copy("mine")));
      assert.strictEqual(await postgres.sql("SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'copy'"), "mine");
      for (const operation of [() => stack.preview(copy("other")), () => up("names that are held", stack, copy("other"))]) {
        const { ok, output } = await operation();
        assert.strictEqual(ok, false, output);
        assert.match(output, /user: the data belongs to "mine"; with "other" the application would not find it/);
      }
      assert.strictEqual(await postgres.sql("SELECT count(*) FROM pg_roles WHERE rolname ~ '^other(_|$)'"), "0");
    });

    it("knows its roles again after destroy and up, and their new passwords win", async () => {
      const again = await TestStack.create("again");
      stacks.push(again);
      await again.setSecret("admin", adminPassword);
      const program = async () => {
        const { host, port, ca } = postgres;
        const admin = { user: "boss", password: new pulumi.Config().requireSecret("admin") };
        new PostgresDatabase("again", { namespace: namespace.name, external: { host, port, tls: { ca }, admin } });
      };
      const install = async (what: string) => {
        succeeded(await up(what, again, program));
        const login = await secret(namespace, "again-migration-connection");
        passwords.push(login.password);
        return login.password;
      };
      const first = await install("a database alone");
      succeeded(await again.destroy());
      const second = await install("the same once more");
      const loggingIn = (known: string) => logsIn(namespace, postgres, "again_a", known, "again");
      assert.deepStrictEqual([await loggingIn(first), await loggingIn(second)], ["28P01", "logs in"]);
    });
  });

  describe("of an older major version, with logins for the application and for migrations", () => {
    it("makes role, logins, database, extension and settings, and the application serves", async () => {
      const { namespace, stack } = await place("admin-15");
      const postgres = await server(namespace, 15, { inPod: true });
      const admin = await administrator(postgres);
      await stack.setSecret("admin", admin.password);
      const more = {
        credentials: { separateMigrator: true },
        extensions: ["pgcrypto"],
        settings: { statement_timeout: "20s", search_path: '"$user", public' },
      };
      const { outputs } = succeeded(await up("the install on 15", stack, () => PROGRAM(namespace, postgres, "boss", more)()));
      await serves(namespace);
      const { user, password: known } = await secret(namespace, outputs.connectionSecret);
      passwords.push(known);
      assert.strictEqual(await logsIn(namespace, postgres, user, known, "notes"), "logs in");
      assert.strictEqual(await postgres.sql("SELECT extname FROM pg_extension WHERE extname = 'pgcrypto'", "notes"), "pgcrypto");
      const own = "SELECT string_agg(DISTINCT tableowner, ',') FROM pg_tables WHERE schemaname = 'public'";
      assert.strictEqual(await postgres.sql(own, "notes"), "notes");
      const may = `SELECT has_schema_privilege('${user}', 'public', 'CREATE'), has_table_privilege('${user}', 'threads', 'INSERT')`;
      assert.strictEqual(await postgres.sql(may, "notes"), "f|t", "the application reads and writes rows and makes no tables");
    });
  });

  describe("whose role and database somebody else has made", () => {
    let namespace: Namespace;
    let stack: TestStack;
    let postgres: OutsidePostgres;
    let pooler: string;
    const names = (what: string) => ({ user: `${what} role`, databaseName: `${what} database` });
    const made = async (what: string) => {
      const { user, databaseName } = names(what);
      const known = password();
      await postgres.sql(`CREATE ROLE "${user}" LOGIN PASSWORD ${literal(known)}`);
      await postgres.sql(`CREATE DATABASE "${databaseName}" OWNER "${user}"`);
      return { user, databaseName, password: known };
    };
    const existing = (name: string, stringData: Record<string, string>) =>
      namespace.apply({ apiVersion: "v1", kind: "Secret", metadata: { name, namespace: namespace.name }, stringData });
    const app = (database: AppDatabaseArgs, more: Partial<PostgresAppArgs> = {}) =>
      notes(namespace, "1.0.0", { database, ...more });
    /** The addresses from which a program logged in to a database, by the server's own log. */
    const addresses = async (program: string, database: string) => {
      const wanted = `database=${database} application_name=${program} SSL`;
      const lines = (await postgres.log())
        .split("\n")
        .filter((line) => line.includes("connection authorized") && line.includes(wanted));
      return [...new Set(lines.map((line) => line.split(" ")[0]))];
    };

    before(async () => {
      ({ namespace, stack } = await place("given"));
      pooler = `pooler.${namespace.name}.svc`;
      postgres = await server(namespace, 17, { names: [pooler] });
      const metadata = { name: "pooler", namespace: namespace.name };
      await namespace.apply({
        apiVersion: "v1",
        kind: "Service",
        metadata,
        spec: { selector: { app: "pooler" }, ports: [{ port: 6432, targetPort: 5432 }] },
      });
      const command = ["node", "-e", POOLER, postgres.address, String(postgres.port)];
      const readinessProbe = { tcpSocket: { port: 5432 }, periodSeconds: 1 };
      const containers = [{ name: "pooler", image: image("1.0.0"), command, readinessProbe }];
      await startPods(namespace, { name: "pooler", uid: 1000, containers, volumes: [] });
    });

    it("serves with a password of Pulumi's configuration; migrations go past the pooler, the application through it", async () => {
      const { user, databaseName, password: known } = await made("first");
      await stack.setSecret("password", known);
      const outcome = await up("the password from the configuration", stack, () =>
        app({
          user,
          databaseName,
          external: {
            ...{ host: pooler, port: 6432, directHost: postgres.host, directPort: postgres.port, tls: { ca: postgres.ca } },
            password: new pulumi.Config().requireSecret("password"),
          },
        })(),
      );
      succeeded(outcome);
      await serves(namespace);
      const { status } = await namespace.get("pod/pooler");
      const [migrating, serving] = [await addresses("notes-migrate", databaseName), await addresses("notes", databaseName)];
      assert.deepStrictEqual(serving, [status.podIP], "the application comes through the pooler");
      assert.ok(migrating.length > 0 && !migrating.includes(status.podIP), `migrations came from ${migrating}`);
    });

    it("serves with a Secret that is there, each part under a key of its own", async () => {
      const { user, databaseName, password: known } = await made("second");
      await existing("parts", {
        where: postgres.host,
        door: String(postgres.port),
        what: databaseName,
        who: user,
        sesame: known,
      });
      const keys = { hostKey: "where", portKey: "door", databaseNameKey: "what", userKey: "who", passwordKey: "sesame" };
      const outcome = await up("a Secret with parts", stack, () =>
        app(
          { external: { secret: { name: "parts", ...keys }, tls: { ca: postgres.ca } } },
          {
            connectionEnv: {
              ...{ DB_HOST: "host", DB_PORT: "port", DB_NAME: "dbname", DB_USER: "user", DB_PASSWORD: "password" },
              ...{ DB_SSLMODE: "sslmode", DB_SSLROOTCERT: "sslrootcert" },
            },
          },
        )(),
      );
      succeeded(outcome);
      const title = await serves(namespace);
      assert.strictEqual(await postgres.sql(`SELECT count(*) FROM threads WHERE title = '${title}'`, databaseName), "1");
    });

    it("serves with a Secret that is there, with a URI and nothing else, to a numeric address", async () => {
      const { user, databaseName, password: known } = await made("third");
      const encode = encodeURIComponent;
      const uri = `postgresql://${encode(user)}:${encode(known)}@${postgres.address}:${postgres.port}/${encode(databaseName)}?sslmode=verify-full&sslrootcert=${encode(CA_FILE)}`;
      passwords.push(encode(known));
      await existing("whole", { everything: uri });
      const outcome = await up("a Secret with a URI", stack, () =>
        app({ external: { secret: { name: "whole", uriKey: "everything" }, tls: { ca: postgres.ca } } })(),
      );
      succeeded(outcome);
      const title = await serves(namespace);
      assert.strictEqual(await postgres.sql(`SELECT count(*) FROM threads WHERE title = '${title}'`, databaseName), "1");
    });
  });

  describe("after all of that", () => {
    it("shows no password anywhere: output, state, logs of the servers, pods, Jobs, ConfigMaps", async () => {
      assert.ok(passwords.length >= 8, "there are passwords to look for");
      for (const [index, postgres] of servers.entries()) shown[`the log of server ${index}`] = await postgres.log();
      for (const namespace of namespaces) {
        shown[`objects of ${namespace.name}`] = JSON.stringify(await namespace.items("pods,jobs,statefulsets,configmaps,events"));
        for (const job of await namespace.items("jobs"))
          shown[`the log of ${job.metadata.name}`] = await namespace.kubectl(["logs", `job/${job.metadata.name}`]);
      }
      for (const [where, text] of Object.entries(shown)) {
        // The tests themselves made roles by statements, which the server notes.
        const theirs = where.startsWith("the log of server") ? text.replace(/.*CREATE ROLE .*/g, "") : text;
        for (const each of passwords) {
          for (const form of [each, JSON.stringify(each).slice(1, -1), Buffer.from(each).toString("base64")])
            assert.ok(!theirs.includes(form), `${where} shows a password`);
        }
      }
    });
  });
});
