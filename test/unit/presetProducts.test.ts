import * as assert from "assert";
import { AppDatabaseArgs, educard, heimdall, PostgresApp, PostgresAppArgs, vulcan } from "../../index";
import { atLeast } from "../../components/presets/version";
import { graph } from "../support/graph";
import { known } from "../support/known";
import { refusal } from "../support/refusal";

const words = (command: unknown) => (command as string[]).join(" ");
const verified: AppDatabaseArgs = {};
const unverified: AppDatabaseArgs = { external: { host: "db.example.org", admin: { user: "master", secretName: "master" } } };
const off: AppDatabaseArgs = { embedded: { tls: "off" } };

/** Everything that tells the product how to reach its database over TLS. */
async function tls({ connectionEnv, env, migration }: PostgresAppArgs): Promise<Record<string, string>> {
  const isTls = ([name]: [string, unknown]) => /SSL|CA_CERTS/.test(name);
  const plain = Object.entries((await known(env)) as object).filter((entry) => !/^RAILS_/.test(entry[0]) && isTls(entry));
  assert.deepStrictEqual(
    Object.entries((await known(migration!.env)) as object).filter((entry) => !/^RAILS_/.test(entry[0]) && isTls(entry)),
    plain,
    "the migration is told something else",
  );
  return Object.fromEntries([...plain, ...Object.entries(connectionEnv!).filter(isTls)]) as Record<string, string>;
}

describe("versions of products", () => {
  it("are compared part by part", () => {
    const cases: [string, string, boolean][] = [
      ["2.13.0", "2.13.0", true],
      ["2.9.9", "2.10.0", false],
      ["2.10.0", "2.9.9", true],
      ["3", "2.10.1", true],
      ["2", "2.0.0", true],
      ["2.4.0-rc1", "2.4.0", true],
      ["1.99.99", "2", false],
    ];
    for (const [version, other, expected] of cases) assert.strictEqual(atLeast(version, other), expected, `${version} ${other}`);
  });
});

describe("heimdall", () => {
  it("starts without migrating, and migrates and seeds by the CLI of its version", () => {
    const command = (version?: string) => words(heimdall({ version }).migration!.command);
    assert.strictEqual(words(heimdall().command), "node /app/apps/backend/dist/src/main");
    assert.match(command(), /^sh -c set -e\ncd \/app\/apps\/backend\nnode_modules\/.bin\/sequelize db:migrate\n/);
    assert.strictEqual(command("2.13.0"), command());
    assert.match(command("2.12.6"), /\nnode_modules\/.bin\/tsx node_modules\/.bin\/sequelize db:migrate\n/);
  });

  it("does not show the administrator's password, which the seed says", async () => {
    const args = heimdall();
    assert.match(words(args.migration!.command), /db:seed:all >\/dev\/null\n$/);
    assert.strictEqual(args.generatedSecrets!.ADMIN_PASSWORD.migration, true);
    assert.ok(!args.generatedSecrets!.JWT_SECRET.migration, "the migration needs no more than that");
    const { resources } = await graph(() => new PostgresApp("heimdall", args));
    assert.ok(resources.has("kubernetes:core/v1:Secret::heimdall-migration-env"));
  });

  it("is told of TLS only what is so, as it takes any text for true", async () => {
    const settings = (database: AppDatabaseArgs) => tls(heimdall({ database }));
    assert.deepStrictEqual(await settings(verified), {
      DATABASE_SSL: "true",
      DATABASE_SSL_INSECURE: "false",
      DATABASE_SSL_CA: "sslrootcert",
    });
    assert.deepStrictEqual(await settings(unverified), { DATABASE_SSL: "true", DATABASE_SSL_INSECURE: "true" });
    assert.deepStrictEqual(await settings(off), {});
  });

  it("lets uploads of the same size through its Ingress, where the controller can be told", async () => {
    const ingress = (options: object) => (heimdall(options) as { ingress?: object }).ingress;
    const host = "heimdall.example.org";
    assert.deepStrictEqual(ingress({ host, ingress: { controller: "nginx" } }), {
      hosts: [host],
      tls: {},
      maxBodySize: "51Mi",
      stickySessions: true,
      controller: "nginx",
    });
    assert.deepStrictEqual(ingress({ host, ingress: { controller: "alb", tls: { certificateArn: "arn" } } }), {
      hosts: [host],
      tls: { certificateArn: "arn" },
      stickySessions: true,
      controller: "alb",
    });
    assert.deepStrictEqual(ingress({ host }), { hosts: [host], tls: {} });
    const large = heimdall({ host, uploadMegabytes: 200, ingress: { controller: "nginx" } });
    assert.strictEqual((large as { ingress?: { maxBodySize: string } }).ingress!.maxBodySize, "201Mi");
    assert.strictEqual((await known(large.env)).MAX_FILE_UPLOAD_SIZE, "200");
    assert.throws(
      () => heimdall({ uploadMegabytes: 0 }),
      /heimdall: 1 argument has to change:\n {2}uploadMegabytes: 0 is out of range/,
    );
  });

  it("says when another database than it was told of cannot be verified", async () => {
    const wrong = { ...heimdall(), database: { external: { host: "db.example.org", admin: { user: "a", secretName: "a" } } } };
    assert.match(await refusal(wrong), /connectionEnv.DATABASE_SSL_CA: is "sslrootcert", which this connection does not have/);
  });
});

describe("vulcan", () => {
  it("migrates as the image's own start script would, by version", () => {
    const command = (version?: string) => words(vulcan({ version }).migration!.command);
    assert.strictEqual(command("2.2.1"), "bundle exec rails db:migrate");
    assert.strictEqual(command("2.3.7"), "./bin/rails db:prepare");
    assert.strictEqual(command(), command("2.3.7"));
    assert.strictEqual(
      command("2.4.0"),
      "sh -c set -e\n./bin/db-rename-legacy\n./bin/rails db:prepare\n./bin/rails upgrade:auto\n",
    );
  });

  it("starts with words that the image's start script does not take for a server", () => {
    for (const version of ["2.4.0", "2.3.7", "2.2.1"]) assert.doesNotMatch(words(vulcan({ version }).command), /server/);
  });

  it("has its image by the tags that are pushed", () => {
    assert.strictEqual(vulcan({ version: "2.3.1" }).image, "docker.io/mitre/vulcan:2.3.1");
    assert.strictEqual(vulcan({ version: "2.2.1" }).image, "docker.io/mitre/vulcan:v2.2.1");
  });

  it("has a database that 2.4.0 does not rename", () => {
    assert.strictEqual(vulcan().database!.databaseName, "vulcan_production");
    const left = { existingClaim: "left" };
    assert.strictEqual(
      vulcan({ database: { embedded: left } }).database!.databaseName,
      undefined,
      "the volume has names of its own",
    );
    const former = { databaseName: "vulcan_postgres_production" };
    assert.strictEqual(vulcan({ version: "2.3.7", database: former }).database!.databaseName, former.databaseName);
    assert.throws(
      () => vulcan({ version: "2.4.0", database: former }),
      /database.databaseName: is renamed by the migration of 2.4.0 and newer: rename it before/,
    );
    const { POSTGRES_DB, DATABASE_NAME } = vulcan().connectionEnv!;
    assert.deepStrictEqual([POSTGRES_DB, DATABASE_NAME], ["dbname", "dbname"]);
    assert.deepStrictEqual(vulcan({ version: "2.2.1" }).connectionEnv, { DATABASE_URL: "uri" });
  });

  it("answers its probes also where it sends everybody to HTTPS, and does so only with a host", async () => {
    for (const version of ["2.3.7", "2.2.1"]) {
      const { readiness, liveness } = vulcan({ version }).probes as Record<string, { httpHeaders?: object }>;
      assert.deepStrictEqual(readiness.httpHeaders, { "X-Forwarded-Proto": "https" });
      assert.deepStrictEqual(liveness.httpHeaders, { "X-Forwarded-Proto": "https" });
    }
    assert.strictEqual((await known(vulcan({ host: "vulcan.example.org" }).env)).RAILS_FORCE_SSL, "true");
    assert.strictEqual((await known(vulcan().env)).RAILS_FORCE_SSL, "false");
  });

  it("makes its administrator, not of whoever comes first, with a password that its rules take", async () => {
    const args = vulcan({ adminEmail: "me@example.org" });
    const migration = await known(args.migration!.env);
    assert.strictEqual((await known(args.env)).VULCAN_FIRST_USER_ADMIN, "false");
    assert.strictEqual(migration.VULCAN_ADMIN_EMAIL, "me@example.org");
    assert.strictEqual(migration.VULCAN_PASSWORD_MIN_SPECIAL, "0");
    assert.ok(!("VULCAN_PASSWORD_MIN_SPECIAL" in (await known(args.env))), "people's passwords are to be good ones");
    for (const secret of ["SECRET_KEY_BASE", "VULCAN_ADMIN_PASSWORD"])
      assert.strictEqual(args.generatedSecrets![secret].migration, true, secret);
  });

  it("reaches its database by libpq's variables", async () => {
    assert.deepStrictEqual(await tls(vulcan({ database: verified })), { PGSSLMODE: "sslmode", PGSSLROOTCERT: "sslrootcert" });
    assert.deepStrictEqual(await tls(vulcan({ database: unverified })), { PGSSLMODE: "sslmode" });
    assert.deepStrictEqual(await tls(vulcan({ database: off })), {});
  });
});

describe("educard", () => {
  it("makes the table of users before that of threads, which refers to it", () => {
    const { command } = educard().migration!;
    const script = (command as string[]).at(-1)!;
    assert.match(words(command), /^npx --yes --cache \/tmp\/.npm --package sequelize-cli@6.6.3 -- sh -c set -e\n/);
    assert.match(
      script,
      /\nusers=20251113182902-create-users-table.js\nif .*migrate '' --name "\$users"; fi\nmigrate ''\nnode -e/,
    );
  });

  it("leaves its image's command as it is, and has a user that Kubernetes knows to be none of root", () => {
    assert.strictEqual(educard().command, undefined);
    assert.strictEqual(educard().runAsUser, 1001);
  });

  it("reaches its database by the variables of Node's driver", async () => {
    assert.deepStrictEqual(await tls(educard()), { PGSSLMODE: "sslmode", NODE_EXTRA_CA_CERTS: "sslrootcert" });
    assert.deepStrictEqual(await tls(educard({ database: unverified })), { PGSSLMODE: "no-verify" });
    assert.deepStrictEqual(await tls(educard({ database: off })), {});
  });
});
