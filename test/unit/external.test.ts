import * as assert from "assert";
import * as pulumi from "@pulumi/pulumi";
import { AppDatabaseArgs, PostgresApp, PostgresDatabase } from "../../index";
import { Validation } from "../../components/common/validation";
import { resolveDatabase } from "../../components/database/resolveDatabase";
import { graph } from "../support/graph";

const JOB = "kubernetes:batch/v1:Job";
const SECRET = "kubernetes:core/v1:Secret";
const host = "db.example.org";
const ca = "-----BEGIN CERTIFICATE-----\n…";

/** What an application with this database is made of: the variables of its containers, and all resources. */
async function deployed(database: AppDatabaseArgs) {
  const { resources } = await graph(
    () => new PostgresApp("notes", { image: "notes:1", database, migration: { command: ["migrate"] } }),
  );
  const podOf = (key: string) => resources.get(key)!.inputs.spec.template.spec;
  const variables = (key: string): Record<string, any> =>
    Object.fromEntries(
      podOf(key)
        .containers.at(-1) // before a migration stands what watches over it
        .env.filter(({ valueFrom }: any) => !valueFrom?.fieldRef)
        .map(({ name, value, valueFrom }: any) => [name, value ?? valueFrom?.secretKeyRef ?? ""]),
    );
  return {
    keys: [...resources.keys()],
    pod: podOf("kubernetes:apps/v1:StatefulSet::notes"),
    app: variables("kubernetes:apps/v1:StatefulSet::notes"),
    migration: variables(`${JOB}::notes-migration`),
    setup: variables(`${JOB}::notes-db-setup`),
    resources,
  };
}

describe("an application with an external server", () => {
  it("has no server of its own, and no passwords of its own where none are made", async () => {
    const { keys, setup } = await deployed({
      databaseName: "n",
      user: "u",
      external: { host, password: pulumi.secret("not to be seen") },
    });
    assert.ok(
      !keys.some((key) => /StatefulSet::notes-db|RandomPassword|PrivateKey|PersistentVolumeClaim/.test(key)),
      keys.join("\n"),
    );
    assert.strictEqual(setup.MODE, "check");
    assert.deepStrictEqual(setup.PGPASSWORD, { name: "notes-db-connection-0123abcd", key: "password" });
  });

  it("with a password of Pulumi's configuration gets a Secret of its own, in every form, and shows the password nowhere", async () => {
    const { resources, app, migration } = await deployed({
      databaseName: "n",
      user: "u",
      external: { host, password: "not to be seen" },
    });
    assert.deepStrictEqual(app.DATABASE_URL, { name: "notes-db-connection-0123abcd", key: "uri" });
    assert.deepStrictEqual(migration.DATABASE_URL, { name: "notes-db-migration-connection", key: "uri" });
    assert.deepStrictEqual(app.PGSSLMODE, { name: "notes-db-connection-0123abcd", key: "sslmode" });
    for (const [key, { inputs }] of resources) assert.doesNotMatch(JSON.stringify(inputs), /not to be seen/, key);
  });

  it("with an existing Secret takes each part from its key or else from the arguments", async () => {
    const secret = { name: "given", hostKey: "H", databaseNameKey: "D", userKey: "U", passwordKey: "P", uriKey: "URL" };
    const { app, migration, keys } = await deployed({ external: { port: 6432, secret } });
    const from = (key: string) => ({ name: "given", key });
    const expected = {
      DATABASE_URL: from("URL"),
      PGHOST: from("H"),
      PGPORT: "6432",
      PGDATABASE: from("D"),
      PGUSER: from("U"),
      PGPASSWORD: from("P"),
      PGSSLMODE: "require",
    };
    assert.deepStrictEqual(app, expected);
    assert.deepStrictEqual(migration, expected);
    assert.ok(!keys.some((key) => key.startsWith(SECRET)), "a Secret was made");
  });

  it("with a URI in an existing Secret gets that alone, and the setup tries it", async () => {
    const { app, setup } = await deployed({ external: { secret: { name: "given", uriKey: "URL" } } });
    assert.deepStrictEqual(app, { DATABASE_URL: { name: "given", key: "URL" }, PGSSLMODE: "require" });
    assert.deepStrictEqual(setup.CONNECTION_URI, { name: "given", key: "URL" });
    assert.strictEqual(setup.PGHOST, undefined);
  });

  it("connects through the pooler, its migration, setup and backups to the server itself", async () => {
    const secret = { name: "given", passwordKey: "P" };
    const { app, migration, setup } = await deployed({
      databaseName: "n",
      user: "u",
      external: { host: "pooler", port: 6432, directHost: host, secret },
    });
    assert.deepStrictEqual([app.PGHOST, app.PGPORT], ["pooler", "6432"]);
    assert.deepStrictEqual([migration.PGHOST, migration.PGPORT], [host, "5432"]);
    assert.deepStrictEqual([setup.PGHOST, setup.SERVER_HOST, setup.SERVER_PORT], ["pooler", host, "5432"]);
  });

  it("logs in to the server itself by its own names, where the pooler has others", async () => {
    const external = { host: "pooler", directHost: host, directUser: "app", directDatabaseName: "shop" };
    const secret = { name: "given", userKey: "U", databaseNameKey: "D", passwordKey: "P" };
    const { app, migration, setup } = await deployed({ external: { ...external, secret } });
    const from = (key: string) => ({ name: "given", key });
    assert.deepStrictEqual([app.PGUSER, app.PGDATABASE, app.PGPASSWORD], [from("U"), from("D"), from("P")]);
    assert.deepStrictEqual([migration.PGUSER, migration.PGDATABASE, migration.PGPASSWORD], ["app", "shop", from("P")]);
    assert.deepStrictEqual([setup.PGUSER, setup.SERVER_USER, setup.SERVER_DATABASE], [from("U"), "app", "shop"]);
    const database = { databaseName: "pooled", user: "app.project", external: { ...external, password: "p" } };
    const { resources } = await graph(() => new PostgresDatabase("notes-db", database), { showSecrets: true });
    const { user, dbname, uri } = resources.get(`${SECRET}::notes-db-migration-connection`)!.inputs.stringData;
    assert.deepStrictEqual([user, dbname], ["app", "shop"]);
    assert.match(uri, /^postgresql:\/\/app:p@db\.example\.org:5432\/shop\b/);
  });

  const CLIENT = "/etc/postgres-app/client";
  const readsKey = ({ securityContext: { runAsUser, fsGroup }, containers, volumes }: any) => {
    const { secret } = volumes.find(({ name }: any) => name === "database-client");
    const mounted = containers.filter(({ volumeMounts }: any) => volumeMounts.some((each: any) => each.mountPath === CLIENT));
    return { runAsUser, fsGroup, ...secret, containers: mounted.map(({ name }: any) => name) };
  };

  it("shows a client certificate in everything that connects, with a key that the pod's group alone may read", async () => {
    const clientCertificate = { secretName: "client", certificateKey: "cert.pem" };
    const { app, setup, pod, resources, keys } = await deployed({
      databaseName: "n",
      user: "u",
      external: { host, tls: { clientCertificate } },
    });
    const of = (job: string) => resources.get(`${JOB}::${job}`)!.inputs.spec.template.spec;
    const items = [
      { key: "cert.pem", path: "tls.crt" },
      { key: "tls.key", path: "tls.key" },
    ];
    const key = { secretName: "client", items, defaultMode: 0o440 };
    const optional = true; // the setup says itself that it is missing
    assert.deepStrictEqual(readsKey(pod), { runAsUser: undefined, fsGroup: 65532, ...key, containers: ["app"] });
    assert.deepStrictEqual(readsKey(of("notes-db-setup")), {
      runAsUser: 999,
      fsGroup: 999,
      ...key,
      optional,
      containers: ["setup"],
    });
    assert.deepStrictEqual(readsKey(of("notes-migration")), {
      ...{ runAsUser: undefined, fsGroup: 65532, ...key },
      containers: ["guard", "migrate"],
    });
    assert.strictEqual(readsKey(of("notes-migration-start")).fsGroup, 65532);
    const [connection] = keys.filter((each) => each.endsWith("::notes-db-connection"));
    assert.deepStrictEqual([app.PGSSLCERT.key, app.PGSSLKEY.key, app.PGPASSWORD], ["sslcert", "sslkey", undefined]);
    assert.ok(connection && setup.PGHOST && !setup.CONNECTION_URI && !setup.PGPASSWORD, "the setup logs in with the parts");
    assert.strictEqual(setup.PGSSLKEY.key, "sslkey");
  });

  it("shows it with a Secret that is there, whose password it may replace, and as an administrator", async () => {
    const tls = { clientCertificate: { secretName: "client" } };
    const given = await deployed({
      external: { secret: { name: "given", hostKey: "H", databaseNameKey: "D", userKey: "U" }, tls },
    });
    assert.deepStrictEqual(
      [given.app.PGUSER, given.app.PGSSLKEY, given.app.PGPASSWORD, given.setup.PGSSLCERT],
      [{ name: "given", key: "U" }, `${CLIENT}/tls.key`, undefined, `${CLIENT}/tls.crt`],
    );
    for (const more of [{}, { hostKey: "H" }]) {
      const whole = await deployed({ external: { secret: { name: "given", uriKey: "URL", ...more }, tls } });
      assert.deepStrictEqual([whole.setup.CONNECTION_URI.key, whole.setup.PGSSLCERT], ["URL", `${CLIENT}/tls.crt`]);
    }
    const { setup } = await deployed({ external: { host, admin: { user: "boss", password: "p" }, tls } });
    assert.deepStrictEqual([setup.PGSSLCERT, setup.PGSSLKEY], [`${CLIENT}/tls.crt`, `${CLIENT}/tls.key`]);
  });

  it("refuses a client certificate that is never shown, or of no Secret", () => {
    const validation = new Validation("it");
    const tls = { mode: "disable", clientCertificate: { secretName: "", privateKeyKey: "" } } as const;
    resolveDatabase("notes", { databaseName: "n", user: "u", external: { host, tls } }, "", validation);
    assert.throws(() => validation.throwIfAny(), {
      message:
        /secretName: is missing.*privateKeyKey: "" is not a key of a Secret.*clientCertificate: is never shown with tls\.mode "disable"/s,
    });
  });

  it("goes past a pooler by names that are given, not by guesses beside a URI", () => {
    const validation = new Validation("it");
    const secret = { name: "given", uriKey: "URL", passwordKey: "P" };
    resolveDatabase("notes", { external: { host, directHost: "direct", secret } }, "", validation);
    assert.throws(() => validation.throwIfAny(), { message: /databaseName: is missing.*user: is missing/s });
  });

  it("trusts the authority that it is given, in every container that connects", async () => {
    const { pod, app, resources } = await deployed({
      databaseName: "n",
      user: "u",
      external: { host, password: "p", tls: { ca } },
    });
    assert.strictEqual(app.PGSSLROOTCERT.key, "sslrootcert");
    assert.deepStrictEqual(pod.volumes[0].secret, {
      secretName: "notes-db-ca-0123abcd",
      items: [{ key: "ca.crt", path: "ca.crt" }],
    });
    for (const job of ["notes-migration", "notes-db-setup"]) {
      const [container] = resources.get(`${JOB}::${job}`)!.inputs.spec.template.spec.containers;
      assert.ok(
        container.volumeMounts.some((mount: any) => mount.mountPath === "/etc/postgres-app/tls"),
        job,
      );
    }
  });

  it("with an administrator takes over the roles that are named, and no others", async () => {
    const admin = { user: "master", password: "p", takeOver: ["notes_a", pulumi.output("notes")] };
    const { setup } = await deployed({ external: { host, admin } });
    assert.strictEqual(setup.TAKE_OVER, "notes notes_a");
    const { setup: none } = await deployed({ external: { host, admin: { ...admin, takeOver: [] } } });
    assert.strictEqual(none.TAKE_OVER, undefined);
    const wrong = { user: "master", password: "p", takeOver: ["notes_a", "no role"] };
    await assert.rejects(
      deployed({ external: { host, admin: wrong } }),
      /external\.admin\.takeOver: is \["notes_a","no role"\]: write/,
    );
  });

  it("with an administrator whose name is one of the component's roles is refused, also when it is known late", async () => {
    const problem = /database\.user: is "notes", and the component makes roles notes, notes_a, .*Write another user/;
    for (const user of ["notes", "notes_b", "notes_migrator"])
      await assert.rejects(deployed({ external: { host, admin: { user, password: "p" } } }), problem, user);
    const late = resolveDatabase(
      "notes",
      { user: pulumi.output("notes"), external: { host, admin: { user: "notes", password: "p" } } },
      "database.",
      new Validation("PostgresApp"),
    );
    await assert.rejects((pulumi.output(late.user) as any).promise(), problem);
  });

  it("with an administrator makes logins with passwords of its own", async () => {
    const { keys, app, setup } = await deployed({
      external: { host, admin: { user: "master", secretName: "master", passwordKey: "pw" } },
    });
    assert.ok(keys.includes("random:index/randomPassword:RandomPassword::notes-db-password-a"));
    assert.deepStrictEqual([setup.MODE, setup.ADMIN_USER, setup.OWNS_SERVER], ["admin", "master", "false"]);
    assert.deepStrictEqual([setup.PLACE, setup.ROTATION, setup.TAKE_OVER], ["default/notes-db", "0", undefined]);
    assert.deepStrictEqual(setup.ADMIN_PASSWORD, { name: "master", key: "pw" });
    assert.strictEqual(app.PGUSER.name, "notes-db-connection-0123abcd");
  });
});
