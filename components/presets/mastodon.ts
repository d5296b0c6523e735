import * as pulumi from "@pulumi/pulumi";
import { text } from "../common/rules";
import { PostgresAppArgs } from "../postgresAppArgs";
import { A_CONNECTION, asks, preset, PresetOptions, Product } from "./preset";
import { LIBPQ } from "./clientCertificate";
import { checkS3, given, PresetRedis, PresetS3, PresetSmtp, redisUrl, resolveRedis, resolveSmtp, s3Region } from "./services";

/**
 * Read from mastodon/chart 6.9.3 (for 4.6.3) and mastodon/helm-charts (for 4.6.2): commands, ports, uid, probes, the variables' names;
 * mastodon/mastodon: Dockerfile, config/database.yml, config/initializers.
 */
const MASTODON: Product = {
  name: "mastodon",
  options: "MastodonOptions",
  repository: "ghcr.io/mastodon/mastodon",
  tag: (version) => `v${version}`,
  newest: "4.6.3",
  oldest: "4.3.0",
  clientCertificate: LIBPQ,
};

/** Elasticsearch or OpenSearch that is there already. */
export interface MastodonSearch {
  /**
   * Host name, with `https://` before it for TLS.
   */
  host: pulumi.Input<string>;
  /**
   * Port. Defaults to 9200.
   */
  port?: number;
  /**
   * User name. Defaults to none.
   */
  user?: pulumi.Input<string>;
  /**
   * Password. Defaults to none.
   */
  password?: pulumi.Input<string>;
}

/** Keys of browsers' push messages, as `rake mastodon:webpush:generate_vapid_key` makes them: a pair, which cannot be generated here. */
export interface MastodonVapidKeys {
  /** The public one, which browsers are told. */
  publicKey: pulumi.Input<string>;
  /** The private one. It is kept in the application's Secret. */
  privateKey: pulumi.Input<string>;
}

/** A social network server. */
export interface MastodonOptions extends PresetOptions {
  /**
   * Redis: Mastodon does not run without one.
   */
  redis: PresetRedis;
  /**
   * Domain of people's names, `@ann@example.org`, where it is not `host`. Defaults to `host`. It can never be changed.
   */
  localDomain?: pulumi.Input<string>;
  /**
   * Bucket for pictures and films. This or `mediaClaim` is needed.
   */
  s3?: PresetS3;
  /**
   * Name of an existing claim for pictures and films, ReadWriteMany because Sidekiq has to have it too. This or `s3` is needed.
   */
  mediaClaim?: string;
  /**
   * Host name from which browsers load what is in the bucket: a proxy or CDN before it. Defaults to the bucket's own.
   */
  mediaHost?: pulumi.Input<string>;
  /**
   * Mail server: people sign up by mail. Defaults to none.
   */
  smtp?: PresetSmtp;
  /**
   * Full text search. Defaults to none.
   */
  search?: MastodonSearch;
  /**
   * Keys of push messages. Defaults to none: then browsers and phones get no push messages.
   */
  vapidKeys?: MastodonVapidKeys;
  /**
   * Address of the streaming server, `wss://streaming.example.org`: it is an image of its own (ghcr.io/mastodon/mastodon-streaming) with
   * a port of its own, and so not part of this. Defaults to none: then pages ask again instead of being told, unless `/api/v1/streaming`
   * of `host` leads to one.
   */
  streamingUrl?: pulumi.Input<string>;
}

/**
 * As the chart does it: an empty database is made whole at once (templates/job-db-prepare.yaml), and only of one that is there the steps for
 * after the deployment are left for later (_db-migrate.tpl). On an empty one they would be left out of the list of what is done, up to 4.3
 * (mastodon/mastodon#34089), and fail later, since the schema has them. Asks by the names of config/database.yml.
 */
const BEFORE = `require "pg"
parts = { host: "HOST", port: "PORT", dbname: "NAME", user: "USER", password: "PASS", sslmode: "SSLMODE" }
database = PG.connect(parts.transform_values { |name| ENV["DB_" + name] })
empty = database.exec("SELECT to_regclass('schema_migrations')").getvalue(0, 0).nil?
database.close
ENV["SKIP_POST_DEPLOYMENT_MIGRATIONS"] = "true" unless empty
exec "bundle", "exec", "rake", empty ? "db:prepare" : "db:migrate"
`;

const MEMORY = { requests: { cpu: "250m", memory: "768Mi" } };
/** Threads of Sidekiq, each of which wants a connection. */
const THREADS = "25";

/**
 * Mastodon: `new PostgresApp("mastodon", mastodon({ host: "social.example.org", redis: { host: "redis" }, s3: { … } }))`. Web and Sidekiq are
 * started from it. Keep the generated secrets: without ACTIVE_RECORD_ENCRYPTION_* accounts' second factors cannot be read.
 */
export function mastodon(options: MastodonOptions): PostgresAppArgs {
  return preset(MASTODON, options, ({ options, image, tls, validation }) => {
    const { host, localDomain = host, s3, mediaClaim, search, vapidKeys } = options;
    const redis = validation.required("redis", options.redis, () => undefined, "Mastodon does not run without: { host: … }");
    const smtp = resolveSmtp(options.smtp, validation);
    if (redis) resolveRedis(redis, validation);
    checkS3(s3, validation);
    validation.required("host", localDomain, text, "name the host, which Mastodon is known by for ever");
    if ((s3 === undefined) === (mediaClaim === undefined))
      validation.problem("s3", s3 ? "and mediaClaim are both given: keep one" : "is missing: give the bucket, or mediaClaim");
    const domains = given({ LOCAL_DOMAIN: localDomain, WEB_DOMAIN: host });
    const shared = { REDIS_URL: redis ? redisUrl(redis) : "" };
    return {
      image,
      port: 3000,
      runAsUser: 991,
      command: ["bundle", "exec", "puma", "-C", "config/puma.rb"],
      writablePaths: ["/tmp", "/opt/mastodon/tmp", "/opt/mastodon/log"],
      connectionEnv: {
        DB_HOST: "host",
        DB_PORT: "port",
        DB_NAME: "dbname",
        DB_USER: "user",
        DB_PASS: "password",
        DB_SSLMODE: "sslmode", // config/database.yml says "prefer" otherwise, over what libpq's own variable says
        ...(tls === "verified" ? { PGSSLROOTCERT: "sslrootcert" } : {}),
      },
      env: {
        ...domains,
        PORT: "3000",
        BIND: "0.0.0.0",
        RAILS_LOG_TO_STDOUT: "enabled",
        ...given({ STREAMING_API_BASE_URL: options.streamingUrl, VAPID_PUBLIC_KEY: vapidKeys?.publicKey }),
        ...(s3 && {
          S3_ENABLED: "true",
          S3_BUCKET: s3.bucket,
          S3_REGION: s3Region(s3),
          ...given({ S3_ENDPOINT: s3.endpoint, S3_ALIAS_HOST: options.mediaHost }),
          ...(s3.endpoint === undefined ? {} : hostAndProtocol(s3.endpoint)),
        }),
        ...(smtp &&
          given({
            SMTP_SERVER: smtp.host,
            SMTP_PORT: smtp.port,
            SMTP_FROM_ADDRESS: smtp.from,
            SMTP_LOGIN: smtp.user,
            SMTP_SSL: smtp.implicitTls ? "true" : undefined,
          })),
        ...(search &&
          given({ ES_ENABLED: "true", ES_HOST: search.host, ES_PORT: String(search.port ?? 9200), ES_USER: search.user })),
      },
      secretEnv: given({
        ...shared,
        VAPID_PRIVATE_KEY: vapidKeys?.privateKey,
        AWS_ACCESS_KEY_ID: s3?.accessKeyId,
        AWS_SECRET_ACCESS_KEY: s3?.secretAccessKey,
        SMTP_PASSWORD: smtp?.password,
        ES_PASS: search?.password,
      }),
      // The migration starts the whole application, and some of its steps encrypt what is there.
      generatedSecrets: {
        SECRET_KEY_BASE: { length: 128, format: "hex", migration: true },
        OTP_SECRET: { length: 128, format: "hex", migration: true },
        ACTIVE_RECORD_ENCRYPTION_PRIMARY_KEY: { length: 32, migration: true },
        ACTIVE_RECORD_ENCRYPTION_DETERMINISTIC_KEY: { length: 32, migration: true },
        ACTIVE_RECORD_ENCRYPTION_KEY_DERIVATION_SALT: { length: 32, migration: true },
      },
      migration: {
        command: ["bundle", "exec", "ruby", "-e", BEFORE],
        env: domains,
        secretEnv: shared,
        timeoutSeconds: 3600,
        resources: MEMORY,
        postDeploy: { command: ["bundle", "exec", "rake", "db:migrate"], env: domains },
      },
      probes: asks({ readiness: "/health", liveness: A_CONNECTION }), // as in the chart, templates/deployment-web.yaml:253
      resources: MEMORY,
      ingressNeeds: { maxBodySize: "100Mi", timeoutSeconds: 300 },
      workers: {
        // One: the queue "scheduler" must not be worked on twice.
        sidekiq: {
          command: ["bundle", "exec", "sidekiq", "-c", THREADS],
          env: { DB_POOL: THREADS },
          resources: MEMORY,
          terminationGracePeriodSeconds: 60,
        },
      },
      ...(mediaClaim === undefined
        ? {}
        : { volumes: [{ mountPath: "/opt/mastodon/public/system", existingClaim: mediaClaim, accessMode: "ReadWriteMany" }] }),
    };
  });
}

/** Mastodon wants a server's address in pieces too, for links to what is in the bucket. */
function hostAndProtocol(endpoint: pulumi.Input<string>): Record<string, pulumi.Input<string>> {
  const url = pulumi.output(endpoint).apply((address) => new URL(address));
  return { S3_HOSTNAME: url.apply(({ host }) => host), S3_PROTOCOL: url.apply(({ protocol }) => protocol.replace(":", "")) };
}
