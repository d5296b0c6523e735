import * as assert from "assert";
import * as pulumi from "@pulumi/pulumi";
import { PostgresApp, PostgresDatabase, PostgresDatabaseArgs } from "../../index";
import { Validation } from "../../components/common/validation";
import { resolveDatabase } from "../../components/database/resolveDatabase";
import { graph } from "../support/graph";

const host = "db.example.org";
const password = pulumi.secret("not to be seen");
const ca = "-----BEGIN CERTIFICATE-----\n…";
const s3 = { bucket: "backups", secretName: "keys" };
const nightly = { schedule: "30 2 * * *", destination: { s3 } };
const base = { databaseName: "notes", user: "notes" };

/** Wrong arguments, and the line in which each has to be said. */
const refused: [string, any, RegExp][] = [
  [
    "two engines",
    { embedded: {}, external: { host, admin: { user: "a", password } } },
    /external: is given beside embedded: choose exactly one of embedded .*, cloudNativePg .* and external/,
  ],
  [
    "all three engines",
    { embedded: {}, cloudNativePg: {}, external: { host, password }, ...base },
    /cloudNativePg: is given beside embedded/,
  ],
  [
    "an engine that there is not",
    { aurora: {} },
    /aurora: is not an argument: leave it out, or write one of databaseName, user, embedded, cloudNativePg, external, /,
  ],
  [
    "a subPath without a claim",
    { embedded: { subPath: "data" } },
    /embedded.subPath: says where the data is on an existing claim: name that in existingClaim/,
  ],
  [
    "a subPath that leaves the volume",
    { embedded: { existingClaim: "old", subPath: "../x" } },
    /embedded.subPath: "\.\.\/x" is not a path inside the volume/,
  ],
  [
    "a subPath with a step that leads nowhere",
    { embedded: { existingClaim: "old", subPath: "./data" } },
    /embedded.subPath: "\.\/data" is not a path inside the volume/,
  ],
  [
    "a size for an existing claim",
    { embedded: { existingClaim: "old", storage: "1Gi" } },
    /embedded.storage: is for a claim of the component's own: leave it out/,
  ],
  [
    "a class for an existing claim",
    { embedded: { existingClaim: "old", storageClassName: "fast" } },
    /embedded.storageClassName: is for a claim of the component's own/,
  ],
  [
    "a claim's name in capitals",
    { embedded: { existingClaim: "Old" } },
    /embedded.existingClaim: "Old" is not the name of an object/,
  ],
  [
    "a parameter of ours",
    { embedded: { parameters: { listen_addresses: "*" } } },
    /embedded.parameters: name "listen_addresses" is set by the component: leave it out/,
  ],
  [
    "a parameter that is a number",
    { embedded: { parameters: { max_connections: 200 } } },
    /embedded.parameters: "max_connections" is 200: write it as a string of one line/,
  ],
  [
    "a parameter of two lines",
    { embedded: { parameters: { application_name: "a\nb" } } },
    /embedded.parameters: "application_name" is .*one line/,
  ],
  ["TLS of another kind", { embedded: { tls: "on" } }, /embedded.tls: is "on": write one of "offered", "required", "off"/],
  ["an unknown onDelete", { onDelete: "keep" }, /onDelete: is "keep": write one of "retain", "delete"/],
  [
    "a negative rotation",
    { credentials: { rotation: -1 } },
    /credentials.rotation: -1 is out of range: write a whole number of at least 0/,
  ],
  ["half a rotation", { credentials: { adminRotation: 1.5 } }, /credentials.adminRotation: 1.5 is out of range/],
  ["an extension with blanks", { extensions: ["uuid-ossp", "a b"] }, /extensions: \["a b"\] cannot name extensions/],
  ["extensions that are no list", { extensions: "vector" }, /extensions: is not a list: write \["pgcrypto", "vector"\]/],
  ["a setting of two lines", { settings: { search_path: "a\nb" } }, /settings: "search_path" is .*one line/],
  [
    "a setting's name with a blank",
    { settings: { "statement timeout": "1s" } },
    /settings: name "statement timeout" is not the name of a setting/,
  ],
  [
    "no time to wait",
    { connectTimeoutSeconds: 0 },
    /connectTimeoutSeconds: 0 is out of range: write a whole number of at least 1 and at most 3600/,
  ],
  [
    "a form of the connection with a part that there is not",
    { connectionFormats: { dsn: "host={host} pwd={pasword}" } },
    /connectionFormats: "dsn" has \{pasword\}, which this connection does not have: write \{host\}, \{port\}, \{dbname\}, \{user\}, \{password\}, \{sslmode\}, \{sslrootcert\}$/m,
  ],
  [
    "a form with the key of another one",
    { connectionFormats: { uri: "{host}" } },
    /connectionFormats: name "uri" is a key that the connection Secret has already: use another one/,
  ],
  [
    "a form under a key that is none",
    { connectionFormats: { "a b": "{host}" } },
    /connectionFormats: name "a b" is not the key of a Secret/,
  ],
  ["a form that is no text", { connectionFormats: { dsn: 1 } }, /connectionFormats\.dsn: is a number: write a string, in quotes/],
  [
    "a form of a connection that only a Secret knows",
    { connectionFormats: { dsn: "{host}" }, external: { secret: { name: "s", uriKey: "URL" } } },
    /connectionFormats: would need to read external.secret, .*: put the whole text into a Secret of yours/,
  ],
  [
    "an owner whose logins would be too long",
    { user: "u".repeat(60) },
    /user: "u+" is too long: logins are named after it, so use at most 54 characters/,
  ],
  [
    "an owner of a reserved name",
    { user: "public" },
    /user: "public" is a role of Postgres' own: give the application another one/,
  ],
  [
    "the role of CloudNativePG's replicas",
    { cloudNativePg: {}, user: "streaming_replica" },
    /user: "streaming_replica" is a role of Postgres' own/,
  ],
  [
    "the database that others are copied from",
    { databaseName: "template1" },
    /databaseName: "template1" is what new databases are copied from/,
  ],
  ["a default that is no name", { partOf: "My Shop" }, /databaseName: "My Shop" would need quotes everywhere/],
  [
    "an external server without a way to log in",
    { external: { host }, ...base },
    /external: does not say how to log in: give exactly one of password .*, secret .* and admin/,
  ],
  [
    "two ways to log in",
    { external: { host, password, secret: { name: "s", passwordKey: "p" } }, ...base },
    /external: has password and secret: give exactly one/,
  ],
  [
    "an external server without a host",
    { external: { password }, ...base },
    /external.host: is missing: write the server's host name/,
  ],
  [
    "a host with a scheme",
    { external: { host: "postgres://h/d", password }, ...base },
    /external.host: "postgres:\/\/h\/d" is not a host name: write it without scheme, port and path/,
  ],
  ["a host with a port", { external: { host: "h:5432", password }, ...base }, /external.host: "h:5432" is not a host name/],
  [
    "an external server without the database's name",
    { external: { host, password }, user: "notes" },
    /databaseName: is missing: name the database/,
  ],
  [
    "an external server without the login role",
    { external: { host, password }, databaseName: "notes" },
    /user: is missing: name the login role/,
  ],
  [
    "a Secret without a name",
    { external: { host, secret: { passwordKey: "p" } }, ...base },
    /external.secret.name: is missing: name the Secret/,
  ],
  [
    "a Secret without a password",
    { external: { host, secret: { name: "s" } }, ...base },
    /external.secret: does not say where the password is/,
  ],
  [
    "a host in two places",
    { external: { host, secret: { name: "s", hostKey: "h", passwordKey: "p" } }, ...base },
    /external.secret.hostKey: is given beside host: keep one of the two/,
  ],
  [
    "another host for a URI",
    { external: { directHost: host, secret: { name: "s", uriKey: "u" } } },
    /external.secret.uriKey: holds a host already/,
  ],
  [
    "names of a server behind no pooler",
    { ...base, external: { host, password, directUser: "app" } },
    /external.directUser: is for the server behind a pooler: give directHost \(or directPort\) too/,
  ],
  [
    "names of the server itself beside an administrator",
    { external: { host, directHost: host, directDatabaseName: "n", admin: { user: "a", password } } },
    /external.directDatabaseName: is not for admin, which makes logins of the same names for both: leave it out/,
  ],
  [
    "an administrator without a password",
    { external: { host, admin: { user: "a" } } },
    /external.admin: give exactly one of password .* and secretName/,
  ],
  [
    "verification without an authority",
    { external: { host, password, tls: { mode: "verify-full" } }, ...base },
    /external.tls.ca: is missing: verify-full needs the certificate of the authority/,
  ],
  [
    "an authority that is no certificate",
    { external: { host, password, tls: { ca: "ca.pem" } }, ...base },
    /external.tls.ca: is not a certificate in PEM/,
  ],
  [
    "an unknown TLS mode",
    { external: { host, password, tls: { mode: "full" } }, ...base },
    /external.tls.mode: is "full": write one of "disable", "require", "verify-ca", "verify-full"/,
  ],
  [
    "deleting an external database",
    { onDelete: "delete", external: { host, password }, ...base },
    /onDelete: is "delete", but the data is in an external server, which is never touched/,
  ],
  [
    "rotation of passwords that are not ours",
    { credentials: { rotation: 1 }, external: { host, password }, ...base },
    /credentials: needs external.admin/,
  ],
  [
    "settings without an administrator",
    { settings: { search_path: "a" }, external: { host, password }, ...base },
    /settings: needs external.admin/,
  ],
  [
    "rotation of an administrator that is not ours",
    { credentials: { adminRotation: 1 }, external: { host, admin: { user: "a", password } } },
    /credentials.adminRotation: is for the embedded database/,
  ],
  [
    "a claim for CloudNativePG's backups",
    { cloudNativePg: {}, backups: { schedule: "30 2 * * *", destination: { claim: { claimName: "b" } } } },
    /backups.destination.claim: CloudNativePG keeps its backups in an object store: give s3/,
  ],
  [
    "an archive for CloudNativePG that nobody names",
    { cloudNativePg: {}, restoreFrom: { s3 } },
    /cloudNativePg.restoreServerName: is missing: name the archive .*; for a dump set restoreFrom.backup to its name or to "newest"; and if the database is there already, take restoreFrom out/,
  ],
  [
    "a schedule of six fields",
    { backups: { ...nightly, schedule: "0 30 2 * * *" } },
    /backups.schedule: "0 30 2 \* \* \*" is not a schedule/,
  ],
  ["backups to nowhere", { backups: { schedule: "30 2 * * *", destination: {} } }, /backups.destination: /],
  ["backups to two places", { backups: { ...nightly, destination: { s3, claim: { claimName: "b" } } } }, /backups.destination: /],
  ["a retention without a unit", { backups: { ...nightly, retention: "14" } }, /backups.retention: "14" is not/],
];

const messageOf = async (args: PostgresDatabaseArgs, name = "notes") => {
  try {
    await graph(() => new PostgresDatabase(name, args));
  } catch (error) {
    return (error as Error).message;
  }
  return undefined;
};

describe("wrong arguments of the database", () => {
  for (const [what, args, line] of refused) {
    it(`are refused with their path and the way out: ${what}`, async () => {
      const message = await messageOf(args);
      assert.ok(message, "nothing was refused");
      assert.match(message, /^PostgresDatabase "notes": \d+ arguments? ha(s|ve) to change:\n/);
      assert.match(message, new RegExp(`^ {2}${line.source}`, "m"));
      assert.doesNotMatch(message, /not to be seen/);
    });
  }

  it("are refused where a default is none: the component's name would be a database of Postgres' own", async () => {
    const message = await messageOf({}, "template1");
    assert.match(
      message!,
      /^ {2}databaseName: "template1" is what new databases are copied from: give the application another one/m,
    );
    assert.doesNotMatch((await messageOf({}, "Not A Name"))!, /databaseName/, "one problem is said once");
  });

  it("are refused where a secret would be readable: settings, and parameters of every server that has them", async () => {
    const secret = pulumi.secret("not to be seen");
    const late = (args: PostgresDatabaseArgs) => {
      const { settings, embedded, cloudNativePg } = resolveDatabase("notes", args, "", new Validation("PostgresDatabase"));
      return (pulumi.output([settings, embedded?.parameters, cloudNativePg?.parameters]) as any).promise();
    };
    const cases: [string, PostgresDatabaseArgs][] = [
      ["settings", { settings: { "app.key": secret } }],
      ["settings", { settings: pulumi.output({ "app.key": secret }) }],
      ["embedded.parameters", { embedded: { parameters: { "app.key": secret } } }],
      ["cloudNativePg.parameters", { cloudNativePg: { parameters: { "app.key": secret } } }],
    ];
    for (const [path, args] of cases) {
      const refusal = new RegExp(`^ {2}${path}: holds a secret value, .* give it to the application in secretEnv`, "m");
      await assert.rejects(late(args), refusal, path);
    }
    await late({ settings: pulumi.output({ work_mem: "8MB" }), embedded: { parameters: { work_mem: pulumi.output("8MB") } } });
  });

  it("are all said at once", async () => {
    const message = await messageOf({ external: { port: 70000 }, onDelete: "delete", credentials: { rotation: -1 } });
    const paths = [...message!.matchAll(/^ {2}([\w.]+):/gm)].map(([, path]) => path).sort();
    assert.deepStrictEqual(
      paths,
      [
        "credentials",
        "credentials.rotation",
        "databaseName",
        "external",
        "external.host",
        "external.port",
        "onDelete",
        "user",
      ].sort(),
    );
  });

  it("are refused where the application's variables want what an existing Secret does not have", async () => {
    const app = (connectionEnv: Record<string, string>, secret: object) =>
      graph(() => new PostgresApp("notes", { image: "notes:1", connectionEnv, database: { external: { secret } as any } }));
    await assert.rejects(
      app({ DB_URL: "uri" }, { name: "s", hostKey: "h", databaseNameKey: "d", userKey: "u", passwordKey: "p" }),
      /connectionEnv.DB_URL: is "uri", which this connection does not have: write one of .*, or add a key of the Secret that holds it/,
    );
    await assert.rejects(
      app({ DB_HOST: "host" }, { name: "s", uriKey: "u" }),
      /connectionEnv.DB_HOST: is "host", which this connection/,
    );
  });
});

describe("right arguments of the database", () => {
  const accepted: [string, PostgresDatabaseArgs][] = [
    ["nothing at all", {}],
    ["an existing claim", { embedded: { existingClaim: "old", subPath: "." } }],
    ["a server by its address", { ...base, external: { host: "2001:db8::1", password } }],
    ["a Secret with a URI alone", { external: { secret: { name: "s", uriKey: "u" } } }],
    [
      "an administrator",
      { external: { host, admin: { user: "master", password }, tls: { ca } }, extensions: ["vector"], settings: {} },
    ],
    ["a pooler", { ...base, external: { host, directHost: "primary.example.org", password } }],
    ["backups", { backups: nightly, restoreFrom: { s3 } }],
  ];
  for (const [what, args] of accepted)
    it(`are accepted: ${what}`, async () => assert.strictEqual(await messageOf(args), undefined));
});
