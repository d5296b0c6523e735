import * as assert from "assert";
import {
  AppDatabaseArgs,
  directus,
  discourse,
  gitlab,
  mastodon,
  miniflux,
  n8n,
  outline,
  PostgresAppArgs,
  PresetOptions,
  strapi,
  unleash,
} from "../../index";
import { known } from "../support/known";
import { presets } from "../support/presets";

const external = (tls: NonNullable<AppDatabaseArgs["external"]>["tls"]): AppDatabaseArgs => ({
  external: { host: "db.example.org", admin: { user: "admin", password: "not to be seen" }, tls },
});
const off: AppDatabaseArgs = { embedded: { tls: "off" } };
const unverified = external({ mode: "require" });

const redis = { host: "redis.cache.svc", password: "of redis" };
const s3 = { bucket: "media", accessKeyId: "of s3", secretAccessKey: "secret of s3", endpoint: "https://minio.example.org" };
const smtp = { host: "smtp.example.org", from: "it@example.org", password: "of smtp", port: 465 };

/** All that is known of variables: plain ones with their values, those of the connection with the part's name in angle brackets. */
async function variables(args: PostgresAppArgs): Promise<Record<string, string>> {
  const parts = Object.entries(await known(args.connectionEnv)).map(([name, part]) => [name, `<${String(part)}>`]);
  return { ...(await known(args.env)), ...Object.fromEntries(parts) };
}

const pick = (from: Record<string, string>, pattern: RegExp) =>
  Object.fromEntries(Object.entries(from).filter(([name]) => pattern.test(name)));

const refusalOf = (call: () => unknown): string => {
  try {
    call();
  } catch (error) {
    return (error as Error).message;
  }
  return "";
};

describe("presets of products", () => {
  it("show a client certificate where the product can, and say so where it cannot", async () => {
    const database = external({ clientCertificate: { secretName: "client" } });
    const shown: Record<string, string[]> = {};
    for (const { name, preset } of presets) {
      const message = refusalOf(() => preset({ database }));
      if (/clientCertificate: is nothing that the product can show/.test(message)) continue;
      assert.strictEqual(message, "", name);
      const paths = await variables(preset({ database }));
      shown[name] = Object.keys(paths).filter((variable) => /^<ssl(cert|key)>$/.test(paths[variable]));
    }
    const libpq = ["PGSSLCERT", "PGSSLKEY"];
    assert.deepStrictEqual(shown, {
      ...{ labelStudio: libpq, listmonk: libpq, mastodon: libpq, vulcan: libpq, miniflux: [] },
      n8n: ["DB_POSTGRESDB_SSL_CERT_FILE", "DB_POSTGRESDB_SSL_KEY_FILE"],
      unleash: ["DATABASE_SSL_CERT_FILE", "DATABASE_SSL_KEY_FILE"],
      vikunja: ["VIKUNJA_DATABASE_SSLCERT", "VIKUNJA_DATABASE_SSLKEY"],
    });
    const alone = {
      databaseName: "n",
      user: "u",
      external: { host: "db", tls: { clientCertificate: { secretName: "client" } } },
    };
    assert.match(
      refusalOf(() => n8n({ database: alone })),
      /beside the certificate the product wants password, secret or admin/,
    );
    assert.strictEqual(
      refusalOf(() => miniflux({ database: alone })),
      "",
    );
  });

  const encryption: [name: string, preset: (options: PresetOptions) => PostgresAppArgs, tls: RegExp, expected: object[]][] = [
    [
      "directus",
      directus,
      /^DB_SSL/,
      [{ DB_SSL__REJECT_UNAUTHORIZED: "true", DB_SSL__CA_FILE: "<sslrootcert>" }, { DB_SSL__REJECT_UNAUTHORIZED: "false" }, {}],
    ],
    [
      "n8n",
      n8n,
      /_SSL_/,
      [
        {
          DB_POSTGRESDB_SSL_ENABLED: "true",
          DB_POSTGRESDB_SSL_REJECT_UNAUTHORIZED: "true",
          DB_POSTGRESDB_SSL_CA_FILE: "<sslrootcert>",
        },
        { DB_POSTGRESDB_SSL_ENABLED: "true", DB_POSTGRESDB_SSL_REJECT_UNAUTHORIZED: "false" },
        {},
      ],
    ],
    [
      "strapi",
      (options) => strapi({ image: "registry.example.org/cms:1", ...options }),
      /SSL|CA_CERTS/,
      [
        { DATABASE_SSL: "true", DATABASE_SSL_REJECT_UNAUTHORIZED: "true", NODE_EXTRA_CA_CERTS: "<sslrootcert>" },
        { DATABASE_SSL: "true", DATABASE_SSL_REJECT_UNAUTHORIZED: "false" },
        { DATABASE_SSL: "false" },
      ],
    ],
    ["unleash", unleash, /SSL/, [{ DATABASE_SSL_CA_FILE: "<sslrootcert>" }, {}, { DATABASE_SSL: "false" }]],
    [
      "mastodon",
      (options) => mastodon({ redis, s3, host: "social.example.org", ...options }),
      /SSL/,
      [{ DB_SSLMODE: "<sslmode>", PGSSLROOTCERT: "<sslrootcert>" }, { DB_SSLMODE: "<sslmode>" }, { DB_SSLMODE: "<sslmode>" }],
    ],
    ["outline", (options) => outline({ redis, ...options }), /SSL/, [{}, {}, { PGSSLMODE: "disable" }]],
  ];
  for (const [name, preset, tls, expected] of encryption)
    it(`${name} is told how its connection is encrypted`, async () => {
      const found = [];
      for (const database of [undefined, unverified, off]) found.push(pick(await variables(preset({ database })), tls));
      assert.deepStrictEqual(found, expected);
    });

  for (const { name, preset } of presets)
    it(`${name} migrates with the same words about the database as it runs with`, async () => {
      for (const database of [undefined, unverified, off]) {
        const { env, migration } = await known(preset({ database }));
        const ofDatabase = pick(env, /^(DB_|DATABASE_|DJANGO_|VIKUNJA_DATABASE)/);
        delete ofDatabase.DATABASE_DISABLE_MIGRATION;
        assert.deepStrictEqual(pick(migration.env ?? {}, /^(DB_|DATABASE_|DJANGO_|VIKUNJA_DATABASE)/), ofDatabase);
      }
    });

  it("does not migrate where it can be told not to", async () => {
    assert.strictEqual((await known(unleash().env)).DATABASE_DISABLE_MIGRATION, "true");
    assert.ok(!("RUN_MIGRATIONS" in (await known(miniflux().env))));
    assert.ok((await known(outline({ redis }).command)).includes("--no-migrate"));
    assert.doesNotMatch((await known(directus().command)).join(" "), /bootstrap/);
  });

  it("mastodon migrates in two steps", async () => {
    const { migration } = await known(mastodon({ host: "social.example.org", redis, s3 }));
    // Whether steps are left for later depends on the database: test/cluster/presetSteps.test.ts runs it.
    assert.ok(!("SKIP_POST_DEPLOYMENT_MIGRATIONS" in migration.env));
    assert.deepStrictEqual(migration.postDeploy, {
      command: ["bundle", "exec", "rake", "db:migrate"],
      env: { LOCAL_DOMAIN: "social.example.org", WEB_DOMAIN: "social.example.org" },
    });
  });

  it("gives secrets the form that the product asks for, and those to the migration that it needs", () => {
    const { generatedSecrets: wiki } = outline({ redis });
    assert.deepStrictEqual(wiki!.SECRET_KEY, { length: 64, format: "hex" });
    const { generatedSecrets: social } = mastodon({ host: "social.example.org", redis, s3 });
    assert.ok(Object.values(social!).every(({ migration, encryptsData }) => migration && encryptsData !== false));
    assert.strictEqual(n8n().generatedSecrets!.N8N_ENCRYPTION_KEY.migration, true);
    assert.notStrictEqual(n8n().generatedSecrets!.N8N_ENCRYPTION_KEY.encryptsData, false);
  });

  it("keeps the passwords of services out of plain settings", async () => {
    const all = [
      directus({ redis, s3, smtp }),
      mastodon({ host: "social.example.org", redis, s3, smtp, search: { host: "es", password: "of search" } }),
      n8n({ redis }),
      outline({ redis, s3, smtp }),
    ];
    for (const args of all) {
      const { env, migration, secretEnv } = await known(args);
      assert.doesNotMatch(JSON.stringify([env, migration.env, migration.command]), /of (redis|s3|smtp|search)|of%20redis/);
      assert.match(JSON.stringify(secretEnv), /of( |%20)redis/);
    }
    assert.strictEqual((await known(outline({ redis }).secretEnv)).REDIS_URL, "redis://:of%20redis@redis.cache.svc:6379");
    const { env } = await known(outline({ redis, smtp }));
    assert.deepStrictEqual(pick(env, /^SMTP/), {
      SMTP_HOST: "smtp.example.org",
      SMTP_PORT: "465",
      SMTP_FROM_EMAIL: "it@example.org",
      SMTP_SECURE: "true",
    });
  });

  it("starts further processes where the product has them", async () => {
    assert.deepStrictEqual((await known(n8n({ redis, workers: 3 }))).workers.worker.replicas, 3);
    assert.ok(!("workers" in n8n()));
    const { workers } = await known(mastodon({ host: "social.example.org", redis, s3 }));
    assert.deepStrictEqual(workers.sidekiq.command.slice(0, 3), ["bundle", "exec", "sidekiq"]);
  });

  it("keeps uploads on a volume or in a bucket", async () => {
    const { volumes } = await known(directus());
    assert.deepStrictEqual(volumes, [{ mountPath: "/directus/uploads", storage: "10Gi" }]);
    const bucket = await known(directus({ s3 }));
    assert.ok(!("volumes" in bucket));
    assert.strictEqual(bucket.env.STORAGE_S3_ENDPOINT, s3.endpoint);
    const claimed = await known(mastodon({ host: "social.example.org", redis, mediaClaim: "media" }));
    assert.deepStrictEqual(claimed.volumes, [
      { mountPath: "/opt/mastodon/public/system", existingClaim: "media", accessMode: "ReadWriteMany" },
    ]);
    assert.ok(!("volumes" in (await known(strapi({ image: "registry.example.org/cms:1", storage: false })))));
  });

  it("refuses what cannot work, all at once", () => {
    const nothing = refusalOf(() => mastodon({} as any));
    for (const part of ["3 arguments", "redis: is missing", "host: is missing", "s3: is missing"])
      assert.ok(nothing.includes(part), nothing);
    assert.match(
      refusalOf(() => mastodon({ host: "social.example.org", redis, s3, mediaClaim: "media" })),
      /s3: and mediaClaim are both given/,
    );
    assert.match(
      refusalOf(() => outline({} as any)),
      /redis: is missing/,
    );
    assert.match(
      refusalOf(() => strapi({} as any)),
      /image: is missing: name the image that you have built/,
    );
    assert.match(
      refusalOf(() => n8n({ workers: 2 })),
      /workers: needs redis/,
    );
    assert.match(
      refusalOf(() => directus({ s3, storage: "1Gi" })),
      /storage: is for uploads without s3/,
    );
    const services = refusalOf(() =>
      directus({ redis: { host: "redis://redis" }, s3: { ...s3, endpoint: "minio" }, smtp: { ...smtp, host: "" } }),
    );
    for (const part of ["3 arguments", "redis.host", "s3.endpoint", "smtp.host: is missing"])
      assert.ok(services.includes(part), services);
  });

  it("says why there is none of a product", () => {
    assert.throws(() => discourse(), { message: /launcher.*runs as root.*PostgresDatabase/ });
    assert.throws(() => gitlab(), { message: /Helm chart.*global\.psql/ });
  });
});
