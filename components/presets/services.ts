import * as pulumi from "@pulumi/pulumi";
import { port, text, wholeNumber } from "../common/rules";
import { Rule, Validation } from "../common/validation";

/** A Redis (or Valkey) that is there already. */
export interface PresetRedis {
  /**
   * Host name: `redis.cache.svc`.
   */
  host: pulumi.Input<string>;
  /**
   * Port. Defaults to 6379.
   */
  port?: pulumi.Input<number>;
  /**
   * User name. Defaults to none, which is Redis' user "default".
   */
  user?: pulumi.Input<string>;
  /**
   * Password. It is kept in the application's Secret. Defaults to none.
   */
  password?: pulumi.Input<string>;
  /**
   * Whether the connection is encrypted, with a certificate that the image's own authorities know. Defaults to false.
   */
  tls?: boolean;
}

/** A bucket that speaks S3's protocol and is there already. */
export interface PresetS3 {
  /**
   * Name of the bucket.
   */
  bucket: pulumi.Input<string>;
  /**
   * Region. Defaults to "us-east-1", which most others than AWS take for granted.
   */
  region?: pulumi.Input<string>;
  /**
   * Address of a server other than AWS': `https://minio.example.org`. Defaults to AWS.
   */
  endpoint?: pulumi.Input<string>;
  /**
   * Access key. It is kept in the application's Secret.
   */
  accessKeyId: pulumi.Input<string>;
  /**
   * Secret of the access key. It is kept in the application's Secret.
   */
  secretAccessKey: pulumi.Input<string>;
}

/** A mail server that is there already. */
export interface PresetSmtp {
  /**
   * Host name: `smtp.example.org`.
   */
  host: pulumi.Input<string>;
  /**
   * Port. Defaults to 587, on which the connection is encrypted by STARTTLS; 465 is encrypted from the beginning.
   */
  port?: number;
  /**
   * Address that mail comes from: `forum@example.org`.
   */
  from: pulumi.Input<string>;
  /**
   * User name. Defaults to none, which is no login.
   */
  user?: pulumi.Input<string>;
  /**
   * Password. It is kept in the application's Secret. Defaults to none.
   */
  password?: pulumi.Input<string>;
}

const REDIS_PORT = 6379;
const SMTP_PORT = 587;

/** A Redis with its defaults. */
export function resolveRedis(
  redis: PresetRedis,
  validation: Validation,
): Omit<PresetRedis, "port"> & { port: pulumi.Input<string> } {
  validation.required("redis.host", redis.host, hostOnly, "name the host, such as redis.cache.svc");
  validation.check("redis.port", redis.port, port);
  return { ...redis, port: asText(redis.port ?? REDIS_PORT) };
}

/** `redis://user:password@host:port`, which holds the password. */
export function redisUrl({ host, user, password, tls, ...redis }: PresetRedis): pulumi.Output<string> {
  return pulumi.all([host, redis.port ?? REDIS_PORT, user ?? "", password]).apply(([at, on, name, word]) => {
    const login = word === undefined && name === "" ? "" : `${encodeURIComponent(name)}:${encodeURIComponent(word ?? "")}@`;
    return `${tls ? "rediss" : "redis"}://${login}${at}:${on}`;
  });
}

export function checkS3(s3: PresetS3 | undefined, validation: Validation): void {
  if (s3 === undefined) return;
  validation.required("s3.bucket", s3.bucket, text, "name the bucket");
  validation.check("s3.endpoint", s3.endpoint, address);
  for (const key of ["accessKeyId", "secretAccessKey"] as const)
    validation.required(`s3.${key}`, s3[key], notShown, "give the key, such as config.requireSecret(…)");
}

export const s3Region = ({ region = "us-east-1" }: PresetS3) => region;

/** A mail server with its defaults. */
export function resolveSmtp(smtp: PresetSmtp | undefined, validation: Validation) {
  if (smtp === undefined) return undefined;
  validation.required("smtp.host", smtp.host, hostOnly, "name the host, such as smtp.example.org");
  validation.required("smtp.from", smtp.from, text, "name the address that mail comes from");
  validation.check("smtp.port", smtp.port, wholeNumber(1, 65535));
  const on = smtp.port ?? SMTP_PORT;
  return { ...smtp, port: String(on), implicitTls: on === 465 };
}

/** The entries that have a value. */
export const given = (values: Record<string, pulumi.Input<string> | undefined>): Record<string, pulumi.Input<string>> =>
  Object.fromEntries(Object.entries(values).filter((entry): entry is [string, pulumi.Input<string>] => entry[1] !== undefined));

const hostOnly: Rule<string> = (host) =>
  typeof host === "string" && /^[A-Za-z0-9]([-A-Za-z0-9.]*[A-Za-z0-9])?$/.test(host)
    ? undefined
    : `${JSON.stringify(host)} is not a host name: write it without scheme, port and path`;

const address: Rule<string> = (url) =>
  typeof url === "string" && /^https?:\/\/[^/\s]+\/?$/.test(url)
    ? undefined
    : `${JSON.stringify(url)} is not the address of a server: write one such as "https://minio.example.org"`;

/** Does not show the value. */
const notShown: Rule<string> = (value) => (typeof value === "string" && value !== "" ? undefined : "is empty");

const asText = (value: pulumi.Input<number>): pulumi.Input<string> =>
  typeof value === "number" ? String(value) : pulumi.output(value).apply(String);
