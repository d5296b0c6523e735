import * as pulumi from "@pulumi/pulumi";
import { GeneratedSecretArgs } from "../app/generatedSecrets";
import { AppProbesArgs } from "../app/probes";
import { ownImage } from "../common/clusterRules";
import { imageReference } from "../common/rules";
import { shaped } from "../common/shape";
import { ShapeName } from "../common/shapeTypes";
import { Rule, Validation } from "../common/validation";
import { AppDatabaseArgs } from "../database/databaseArgs";
import { PostgresAppArgs } from "../postgresAppArgs";
import { IngressArgs } from "../app/exposure/exposureArgs";
import { CertificateVariables, withClientCertificate } from "./clientCertificate";
import { ingressFor, IngressNeeds } from "./ingress";
import { atLeast, productVersion } from "./version";

/**
 * What every preset takes. A preset is a function that returns the arguments of a PostgresApp, and changes nothing else: what is not
 * here is said beside it, `new PostgresApp("heimdall", { ...heimdall({ host }), replicas: 3 })`.
 */
export interface PresetOptions {
  /**
   * Version of the product, as "2.13.1". It decides the image's tag and the commands, where these changed. Defaults to the newest that the
   * preset knows; a newer one is taken to be like that. A change runs the migration, then rolls the pods.
   */
  version?: string;
  /**
   * Host name under which browsers reach it, by HTTPS: "heimdall.example.org". The product is told its address by it, and there is an
   * Ingress for it, with HTTPS (`ingress: undefined` beside the preset leaves that out). Defaults to none: then it is reached inside the
   * cluster only. A change rolls the pods.
   */
  host?: pulumi.Input<string>;
  /**
   * Image in place of the official one: a mirror, one of your own, or the official one with its digest. `version` still decides the
   * commands. A change runs the migration, then rolls the pods.
   */
  image?: pulumi.Input<string>;
  /**
   * Registry, or a path in it, in place of those of the official image and of every other one that is not given, as in PostgresApp:
   * "registry.example.org/mirror". Defaults to none. A change runs the migration, then rolls the pods.
   */
  imageRegistry?: pulumi.Input<string>;
  /**
   * The database, as in PostgresApp. It is said here, and not beside the preset, because the product has to be told whether the server
   * has TLS. Defaults to Postgres in the cluster.
   */
  database?: AppDatabaseArgs;
  /**
   * More plain settings, and others in place of the preset's. A change rolls the pods.
   */
  env?: Record<string, pulumi.Input<string>>;
  /**
   * More settings with secret values. A change rolls the pods.
   */
  secretEnv?: Record<string, pulumi.Input<string>>;
  /**
   * More about the secrets that the preset has generated, such as the value of one that there is already:
   * `{ SECRET_KEY_BASE: { value: config.requireSecret("secretKeyBase") } }`; and more of them.
   */
  generatedSecrets?: Record<string, GeneratedSecretArgs>;
  /**
   * More about the Ingress of `host`: `{ controller: "nginx", tls: { clusterIssuer: "letsencrypt" } }`. Name the controller: body size,
   * time-outs and sticky sessions, which the preset knows, can be asked for only then. Needs `host`.
   */
  ingress?: Partial<IngressArgs>;
}

/** What is known of a product. */
export interface Product {
  /** Name of the preset's function. */
  name: string;
  /** Name of its options' interface. */
  options: ShapeName;
  /** The official image, without its tag. */
  repository: string;
  /** Tag of a version. Defaults to the version itself. */
  tag?: (version: string) => string;
  /** Newest version whose facts were read; what `version` defaults to. */
  newest: string;
  /** Oldest version that the preset is right for. */
  oldest: string;
  /** How it is told of a client certificate. Without, it can show none. */
  clientCertificate?: CertificateVariables;
}

/** What a preset makes its arguments of. */
export interface Preset<Options extends PresetOptions = PresetOptions> {
  /** What was asked for, in its right shape. */
  options: Options;
  version: string;
  /** Whether the product's version is this one or newer. */
  since(version: string): boolean;
  image: pulumi.Input<string>;
  /** `https://<host>`, if there is a host. */
  url?: pulumi.Input<string>;
  /** How the database can be reached. */
  tls: DatabaseTls;
  /** Problems found here are said with all others, in the preset's name. */
  validation: Validation;
}

/** A preset's arguments: its maps are there and plain, as they are made into others. */
export interface PresetArgs extends Omit<PostgresAppArgs, "env" | "secretEnv" | "database"> {
  env: Record<string, pulumi.Input<string>>;
  secretEnv?: Record<string, pulumi.Input<string>>;
  /** What the product needs of the database, such as extensions; the user's own word wins. */
  database?: AppDatabaseArgs;
  /** What the product needs of the Ingress before it. */
  ingressNeeds?: IngressNeeds;
}

/** Checks the options, makes the arguments, and puts what the user said over them; throws one error with all that is wrong. */
export function preset<Options extends PresetOptions>(
  product: Product,
  asked: Options,
  build: (preset: Preset<Options>) => PresetArgs,
): PostgresAppArgs {
  const validation = new Validation(product.name);
  const options = shaped(product.options, asked, validation);
  const { newest, oldest, repository, tag = (version: string) => version } = product;
  const wrong = options.version === undefined ? undefined : productVersion(oldest, newest)(options.version);
  if (wrong) validation.problem("version", wrong);
  const version = wrong || options.version === undefined ? newest : options.version;
  const host = validation.check("host", options.host, hostName);
  if (options.ingress !== undefined && host === undefined)
    validation.problem("ingress", "needs host, the name that it is for: add it, or leave ingress out");

  const { imageRegistry } = options;
  const made = build({
    options,
    version,
    since: (other) => atLeast(version, other),
    image:
      validation.check("image", options.image, imageReference) ?? ownImage(`${repository}:${tag(version)}`, { imageRegistry }),
    url: host === undefined ? undefined : httpsUrl(host),
    tls: databaseTls(options.database),
    validation,
  });
  const certified = withClientCertificate(made, product.clientCertificate, options.database, validation);
  const args = withSettings(certified, options, validation);
  validation.throwIfAny();
  const { ingressNeeds = {}, ...others } = args;
  return {
    ...others,
    ...(imageRegistry === undefined ? {} : { imageRegistry }),
    ...(args.database || options.database ? { database: { ...args.database, ...options.database } } : {}),
    ...ingressFor(host, ingressNeeds, options.ingress),
  };
}

/** The user's settings over those of the preset, whichever of the two maps either has them in. */
function withSettings(
  args: PresetArgs,
  { env = {}, secretEnv = {}, generatedSecrets = {} }: PresetOptions,
  validation: Validation,
) {
  const generated = { ...args.generatedSecrets };
  for (const [property, map] of Object.entries({ env, secretEnv })) {
    for (const name of Object.keys(map).filter((known) => known in generated))
      validation.problem(`${property}.${name}`, `is generated here: give yours as generatedSecrets: { ${name}: { value: … } }`);
  }
  for (const [name, more] of Object.entries(generatedSecrets)) generated[name] = { ...generated[name], ...more };
  const over = <T>(ours: Record<string, T>, theirs: Record<string, T>) => ({
    ...Object.fromEntries(Object.entries(ours).filter(([name]) => !(name in env) && !(name in secretEnv))),
    ...theirs,
  });
  return { ...args, env: over(args.env, env), secretEnv: over(args.secretEnv ?? {}, secretEnv), generatedSecrets: generated };
}

/** How a program may reach its database. */
export const DatabaseTls = {
  /** Not encrypted: the server has no certificate, or it was said so. */
  Off: "off",
  /** Encrypted, and nothing to verify the server's certificate with. */
  Unverified: "unverified",
  /** Encrypted, and the connection's part sslrootcert is the file with the authority. */
  Verified: "verified",
} as const;
export type DatabaseTls = (typeof DatabaseTls)[keyof typeof DatabaseTls];

function databaseTls({ embedded, cloudNativePg, external }: AppDatabaseArgs = {}): DatabaseTls {
  if (cloudNativePg) return "verified";
  if (!external) return embedded?.tls === "off" ? "off" : "verified";
  const { mode, ca } = external.tls ?? {};
  if (mode === "disable") return "off";
  return ca === undefined || mode === "require" ? "unverified" : "verified";
}

const hostName: Rule<string> = (host) =>
  typeof host === "string" && /^([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)(\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)*$/.test(host)
    ? undefined
    : `${JSON.stringify(host)} is not a host name: write it in lower case and without scheme, port and path, such as "app.example.org"`;

const httpsUrl = (host: pulumi.Input<string>) =>
  typeof host === "string" ? `https://${host}` : pulumi.interpolate`https://${host}`;

/** For liveness, where every path of the product's asks the database or another service: the product accepts a connection. */
export const A_CONNECTION = Symbol("an accepted connection");

/**
 * Probes that ask a path over HTTP: `readiness` says whether the product can serve, `liveness` whether a restart would help. That one must
 * not need the database, whose outage would restart every pod again and again, so it never follows from the other: each preset names the
 * line of the product's source that answers. `httpHeaders` are for products that answer differently without.
 */
export function asks({ readiness, liveness, httpHeaders }: Asked): AppProbesArgs {
  const ask = (httpPath: string) => ({ httpPath, ...(httpHeaders === undefined ? {} : { httpHeaders }) });
  return { readiness: ask(readiness), liveness: liveness === A_CONNECTION ? {} : ask(liveness) };
}

interface Asked {
  readiness: string;
  liveness: string | typeof A_CONNECTION;
  httpHeaders?: Record<string, string>;
}
