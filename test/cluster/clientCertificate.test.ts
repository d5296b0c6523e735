import * as assert from "assert";
import * as pulumi from "@pulumi/pulumi";
import { ExternalPostgresArgs, MigrationJob, PostgresDatabase } from "../../index";
import { inOrder } from "../support/inOrder";
import { Namespace } from "../support/kubectl";
import { failed, succeeded } from "../support/migrations";
import { getJson, notes, secret } from "../support/notes";
import { OutsidePostgres, startOutsidePostgres } from "../support/outsidePostgres";
import { TestStack } from "../support/stack";

describe("a server that asks clients for a certificate", function () {
  this.timeout(240_000);
  inOrder(this);
  let namespace: Namespace;
  let stack: TestStack;
  let postgres: OutsidePostgres;
  /** As cert-manager makes them. */
  const certified = async (name: string, user: string) => {
    const { certificate, key } = await postgres.certify(user);
    const metadata = { name, namespace: namespace.name };
    const stringData = { "tls.crt": certificate, "tls.key": key };
    await namespace.apply({ apiVersion: "v1", kind: "Secret", type: "kubernetes.io/tls", metadata, stringData });
  };
  const external = (secretName: string | undefined, more: Partial<ExternalPostgresArgs> = {}): ExternalPostgresArgs => ({
    ...{ host: postgres.host, port: postgres.port },
    tls: { ca: postgres.ca, ...(secretName === undefined ? {} : { clientCertificate: { secretName } }) },
    ...more,
  });

  before(async () => {
    namespace = await Namespace.create("certificate");
    postgres = await startOutsidePostgres(namespace, 17);
    stack = await TestStack.create("certificate");
    await postgres.sql("CREATE ROLE certified; CREATE ROLE certified_too; CREATE ROLE shop LOGIN IN ROLE certified");
    await postgres.sql("CREATE ROLE boss LOGIN CREATEROLE CREATEDB PASSWORD 'not secret' IN ROLE certified_too");
    await postgres.sql("CREATE DATABASE shop OWNER shop");
    await certified("shop-client", "shop");
    await certified("boss-client", "boss");
    const spec = { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } };
    const metadata = { name: "backups", namespace: namespace.name };
    await namespace.apply({ apiVersion: "v1", kind: "PersistentVolumeClaim", metadata, spec });
  });
  after(async () => {
    await stack?.remove();
    await postgres?.stop();
    await namespace?.delete();
  });

  it("says within the time for connecting that the Secret is missing, or lacks the key", async () => {
    const stringData = { "tls.crt": "" };
    await namespace.apply({
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "half", namespace: namespace.name },
      stringData,
    });
    const program = async () => {
      for (const secretName of ["nowhere", "half"]) {
        const args = { external: external(secretName), databaseName: "shop", user: "shop", connectTimeoutSeconds: 3 };
        new PostgresDatabase(secretName, { namespace: namespace.name, ...args });
      }
    };
    const output = failed(await stack.up(program, { continueOnError: true }));
    for (const name of ["nowhere", "half"])
      assert.ok(output.includes(`in this namespace is no Secret ${name} with the keys tls.crt and tls.key: make it`), output);
  });

  it("is told apart from a wrong password", async () => {
    const names = { namespace: namespace.name, databaseName: "shop", user: "shop" };
    const program = async () => {
      new PostgresDatabase("shop", { ...names, external: external(undefined, { password: "p" }) });
    };
    assert.match(
      failed(await stack.up(program)),
      /TLS failure \(.*make external\.tls \(mode, ca, clientCertificate\) fit .*connection requires a valid client certificate/s,
    );
  });

  it("lets setup, backup, migration, its rehearsal and the application in, without any password", async () => {
    const { outputs } = succeeded(
      await stack.up(
        notes(namespace, "1.0.0", {
          database: { databaseName: "shop", user: "shop", external: external("shop-client") },
          migration: {
            ...{ command: ["sequelize-cli", "db:migrate"], timeoutSeconds: 120 },
            ...{ backup: { claim: { claimName: "backups" } }, rehearsal: {} },
          },
        }),
      ),
    );
    assert.strictEqual((await getJson(namespace, "/api/version")).migrations.length, 11);
    const { password, pgpass, uri } = await secret(namespace, outputs.connectionSecret);
    assert.deepStrictEqual([password, pgpass], [undefined, undefined]);
    assert.match(uri, /^postgresql:\/\/shop@.*&sslcert=.*&sslkey=/);
    const subjects = "SELECT DISTINCT client_dn FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE usename = 'shop'";
    assert.strictEqual(await postgres.sql(subjects), "/CN=shop");
  });

  it("lets a migration of its own in, beside a database", async () => {
    const program = async () => {
      const names = { namespace: namespace.name, databaseName: "shop", user: "shop" };
      const database = new PostgresDatabase("alone", { ...names, external: external("shop-client") });
      new MigrationJob(
        "alone",
        {
          ...{ image: "docker.io/library/postgres:17", runAsUser: 999, namespace: namespace.name, timeoutSeconds: 60 },
          command: ["psql", "-c", "CREATE TABLE alone ()"],
          connectionSecretName: database.migrationSecretName,
          connectionCaSecretName: database.caSecretName,
          connectionClientCertificate: { secretName: "shop-client" },
        },
        { dependsOn: database },
      );
    };
    succeeded(await stack.up(program));
    assert.strictEqual(await postgres.sql("SELECT tableowner FROM pg_tables WHERE tablename = 'alone'", "shop"), "shop");
  });

  it("lets an administrator in who shows it beside the password", async () => {
    const admin = { user: "boss", password: pulumi.secret("not secret") };
    const program = async () => {
      new PostgresDatabase("made", { namespace: namespace.name, external: external("boss-client", { admin }) });
    };
    succeeded(await stack.up(program));
    assert.strictEqual(await postgres.sql("SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'made'"), "made");
  });
});
