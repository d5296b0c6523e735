import * as pulumi from "@pulumi/pulumi";
import { PostgresAppArgs } from "../postgresAppArgs";
import { asks, Preset, preset, PresetOptions, Product } from "./preset";
import { LIBPQ } from "./clientCertificate";
import { atLeast } from "./version";

/** Options of `vulcan`. */
export interface VulcanOptions extends PresetOptions {
  /**
   * Mail address of the first administrator, made by the first migration from 2.3.1 on; the password is the generated
   * VULCAN_ADMIN_PASSWORD. Defaults to "admin@vulcan.local". A change runs the migration, and does nothing once there is one.
   */
  adminEmail?: string;
}

/**
 * Read from the tags v2.1.6, v2.2.1, v2.3.1 and v2.3.7 of mitre/vulcan (Dockerfile, bin, config, lib/tasks), and for what is going to be
 * 2.4.0 from its main branch of 2026-08-21. Its documents ask for CIPHER_PASSWORD and CIPHER_SALT, which no version reads.
 */
const VULCAN: Product = {
  name: "vulcan",
  options: "VulcanOptions",
  repository: "docker.io/mitre/vulcan",
  // By the workflows that push them; the README's v2.3.7 is another name than theirs.
  tag: (version) => (atLeast(version, "2.3.0") ? version : `v${version}`),
  newest: "2.3.7",
  oldest: "2.1.6",
  clientCertificate: LIBPQ,
};

/** The name that 2.4.0 expects; one of the former ones is renamed to it, by whoever migrates. */
const DATABASE = "vulcan_production";
const FORMER = ["vulcan_postgres_production", "vulcan_vue_development", "vulcan_vue_test"];

/** MITRE Vulcan, for writing security guidance. */
export function vulcan(options: VulcanOptions = {}): PostgresAppArgs {
  return preset(VULCAN, options, (of) => {
    const { image, since, validation, options } = of;
    const modern = since("2.3.0");
    const home = modern ? "/rails" : "/app";
    if (since("2.4.0") && FORMER.includes(String(options.database?.databaseName)))
      validation.problem(
        "database.databaseName",
        `is renamed by the migration of 2.4.0 and newer: rename it before (ALTER DATABASE … RENAME TO ${DATABASE}), and leave this out`,
      );
    const rails = {
      RAILS_ENV: "production",
      RAILS_LOG_TO_STDOUT: "true",
      RAILS_SERVE_STATIC_FILES: "true",
      // Else whoever registers first is an administrator.
      ...(modern ? { VULCAN_ADMIN_EMAIL: options.adminEmail ?? "admin@vulcan.local", VULCAN_FIRST_USER_ADMIN: "false" } : {}),
    };
    return {
      image,
      runAsUser: 1000,
      port: 3000,
      // In place of the ENTRYPOINT too, which from 2.3.1 on migrates when it sees the word "server".
      command: ["bundle", "exec", "puma", "-C", "config/puma.rb"],
      connectionEnv: connectionEnv(of),
      // On a volume that is there already it is the user who says which one is Vulcan's.
      database: options.database?.embedded?.existingClaim === undefined ? { databaseName: DATABASE } : {},
      migration: {
        command: migrate(of),
        env: { ...rails, ...(modern ? anyPassword : {}) },
        resources: { requests: { cpu: "250m", memory: "512Mi" } },
      },
      env: { ...rails, ...addressed(of) },
      generatedSecrets: {
        SECRET_KEY_BASE: { length: 128, format: "hex", migration: true }, // from 2.4.0 on API tokens are hashed with it
        ...(modern ? { VULCAN_ADMIN_PASSWORD: { length: 32, encryptsData: false, migration: true } } : {}),
      },
      // Else the answer is a redirect to HTTPS, which the kubelet follows and fails.
      probes: asks({
        readiness: modern ? "/health_check" : "/users/sign_in",
        // config/routes.rb:5; before, a file of public/, which is served before anything of the application is asked (RAILS_SERVE_STATIC_FILES).
        liveness: modern ? "/up" : "/robots.txt",
        httpHeaders: { "X-Forwarded-Proto": "https" },
      }),
      writablePaths: ["/tmp", `${home}/tmp`, `${home}/log`],
      resources: { requests: { cpu: "500m", memory: "1Gi" } }, // as in its docs/deployment/kubernetes.md
      ingressNeeds: { maxBodySize: "101Mi", timeoutSeconds: 120 }, // archives of projects may have 100 megabytes
    };
  });
}

/** Without a host there is no HTTPS, to which it would send everybody. 2.1 asks whether a variable is there, 2.2 does not ask. */
function addressed({ url, since }: Preset): Record<string, pulumi.Input<string>> {
  const https = url !== undefined;
  return {
    ...(https ? { VULCAN_APP_URL: url } : {}),
    ...(since("2.3.0") ? { RAILS_FORCE_SSL: String(https) } : {}),
    ...(https && !since("2.2.0") ? { FORCE_SSL: "true" } : {}),
  };
}

/** From 2.3.1 on the parts, since 2.4.0's renaming reads no URL. libpq reads the last two. */
function connectionEnv({ since, tls }: Preset): Record<string, string> {
  if (!since("2.3.0")) return { DATABASE_URL: "uri" };
  return {
    DATABASE_HOST: "host",
    DATABASE_PORT: "port",
    POSTGRES_USER: "user",
    POSTGRES_PASSWORD: "password",
    POSTGRES_DB: "dbname", // up to 2.3.7
    DATABASE_NAME: "dbname", // from 2.4.0 on
    ...(tls === "off" ? {} : { PGSSLMODE: "sslmode" }),
    ...(tls === "verified" ? { PGSSLROOTCERT: "sslrootcert" } : {}),
  };
}

/** What the image's own ENTRYPOINT does, step by step. */
function migrate({ since }: Preset): string[] {
  if (!since("2.3.0")) return ["bundle", "exec", "rails", "db:migrate"];
  const prepare = ["./bin/rails", "db:prepare"]; // loads the schema of an empty database, and makes the administrator
  if (!since("2.4.0")) return prepare;
  return ["sh", "-c", `set -e\n./bin/db-rename-legacy\n${prepare.join(" ")}\n./bin/rails upgrade:auto\n`];
}

/** The generated password has no special characters, but it is longer than what Vulcan's rules for people are after. */
const anyPassword = Object.fromEntries(
  ["UPPERCASE", "LOWERCASE", "NUMBER", "SPECIAL"].map((kind) => [`VULCAN_PASSWORD_MIN_${kind}`, "0"]),
);
