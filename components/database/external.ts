import * as pulumi from "@pulumi/pulumi";
import * as core from "@pulumi/kubernetes/core/v1";
import { ClusterRules, ownImage } from "../common/clusterRules";
import { imageReference, oneOf, port, postgresName, text, wholeNumber } from "../common/rules";
import { isDeferred, Validation } from "../common/validation";
import { Connection, ConnectionOffer, ownOffer } from "./connection";
import { checkClientCertificate, ClientCertificateArgs, TlsFiles, tlsPaths } from "./tlsFiles";
import { Logins } from "./credentials";
import { clientOf, Engine, EngineContext } from "./engine";
import { userOf } from "./image";

/** How connections to an external server are encrypted and whom they trust, in libpq's terms. */
export const TlsMode = {
  /** No encryption. */
  Disable: "disable",
  /** Encryption, without asking who answers. */
  Require: "require",
  /** The server's certificate has to be signed by the authority. */
  VerifyCa: "verify-ca",
  /** And it has to be for the server's host name. */
  VerifyFull: "verify-full",
} as const;
export type TlsMode = (typeof TlsMode)[keyof typeof TlsMode];

/** TLS to an external server. */
export interface ExternalTlsArgs {
  /**
   * "disable", "require", "verify-ca" or "verify-full". Defaults to "verify-full" where `ca` is given, else to "require".
   * Caution: programs do not agree on "require"; Node.js' pg verifies the certificate with it. A change rolls the pods.
   */
  mode?: TlsMode;
  /**
   * Certificate of the authority that signs the server's, in PEM: the provider's bundle, such as Amazon's global-bundle.pem.
   * It is mounted into the application and the migration. "verify-ca" and "verify-full" need it.
   */
  ca?: pulumi.Input<string>;
  /**
   * Certificate that clients show to the server. It is mounted into whatever connects, and the parts sslcert and sslkey are its files: in
   * PGSSLCERT and PGSSLKEY, and in the URI. It is the same for every login: with `admin`, whose logins have other names, the server may ask
   * for a certificate of its authority (`clientcert=verify-ca`), but not for one of the login's name. Where the server asks for nothing else (`cert` in its pg_hba.conf), leave out `password`.
   * Java's driver reads keys in PEM since November 2025 (pgjdbc#3700), older ones want PKCS #8 in DER. A change runs the migration, then rolls the pods. Defaults to none.
   */
  clientCertificate?: ClientCertificateArgs;
}

/** A Secret that is there already, with the connection or some of it. Each part comes from its key, or else from the arguments. */
export interface ExternalSecretArgs {
  /**
   * Name of the Secret, in the application's namespace. Pods do not notice when its content changes.
   */
  name: pulumi.Input<string>;
  /**
   * Key with the host name. Defaults to none: then `host` is asked for.
   */
  hostKey?: pulumi.Input<string>;
  /**
   * Key with the port. Defaults to none: then `port` is taken.
   */
  portKey?: pulumi.Input<string>;
  /**
   * Key with the database's name. Defaults to none: then `databaseName` is asked for.
   */
  databaseNameKey?: pulumi.Input<string>;
  /**
   * Key with the login role. Defaults to none: then `user` is asked for.
   */
  userKey?: pulumi.Input<string>;
  /**
   * Key with the password. Needed unless `uriKey` or a client certificate (`tls.clientCertificate`) is given.
   */
  passwordKey?: pulumi.Input<string>;
  /**
   * Key with the whole connection, `postgresql://user:password@host:port/dbname`, percent-encoded. It is enough alone. Without it there
   * is no URI for the application, because Kubernetes cannot make one out of parts; TLS parameters have to be in it. The application gets it
   * as it is; Postgres' programs also take a driver's (`jdbc:postgresql://`, `postgresql+asyncpg://`, `?schema=`), without the parameters that only the driver knows.
   */
  uriKey?: pulumi.Input<string>;
}

/** An administrator of an external server, with whose rights role, database and logins are made. */
export interface ExternalAdminArgs {
  /**
   * Login role with CREATEROLE and CREATEDB; a superuser is not needed, but for extensions that ask for one.
   */
  user: pulumi.Input<string>;
  /**
   * Its password, as a secret of Pulumi's configuration. Exactly one of `password` and `secretName`.
   */
  password?: pulumi.Input<string>;
  /**
   * Name of a Secret that is there already, with its password.
   */
  secretName?: pulumi.Input<string>;
  /**
   * Key of the password in that Secret. Defaults to "password".
   */
  passwordKey?: pulumi.Input<string>;
  /**
   * Database that it logs in to at first. Defaults to "postgres".
   */
  databaseName?: pulumi.Input<string>;
  /**
   * Names of roles that are there already and that the component takes over, with the databases that they own: `["notes", "notes_a"]`.
   * They get its passwords, and whoever logged in with the former ones no longer can. Roles that another installation of the component
   * made, or somebody else, are refused otherwise, by name. A change rolls nothing. Defaults to none.
   */
  takeOver?: pulumi.Input<pulumi.Input<string>[]>;
}

/**
 * A Postgres server that is not of this package. Exactly one of `password`, `secret` and `admin` says how to log in, or with
 * `tls.clientCertificate` none.
 */
export interface ExternalPostgresArgs {
  /**
   * Host name or address of the server. Needed, unless the Secret has it.
   */
  host?: pulumi.Input<string>;
  /**
   * Port of the server. Defaults to 5432.
   */
  port?: pulumi.Input<number>;
  /**
   * Host name of the server itself where `host` is a pooler's: migrations, setup and backups connect there, because what holds for a
   * whole session (locks, settings, roles) is lost behind a pooler. Without it, those that need a session refuse a pooler in transaction
   * mode: setup with an administrator, a migration's lock, dumps and restores. Defaults to `host`.
   */
  directHost?: pulumi.Input<string>;
  /**
   * Port of the server itself. Defaults to `port`; with a `directHost` to 5432.
   */
  directPort?: pulumi.Input<number>;
  /**
   * Login role on the server itself where the pooler knows it by another name: "app" where `user`, or the Secret, says "app.project".
   * The password is the same. Not with `admin`. Defaults to the pooler's. A change migrates again.
   */
  directUser?: pulumi.Input<string>;
  /**
   * Name of the database on the server itself where the pooler knows it by another name. Not with `admin`. Defaults to the pooler's. A
   * change migrates again.
   */
  directDatabaseName?: pulumi.Input<string>;
  /**
   * Password of the login role `user`, as a secret of Pulumi's configuration. The database has to exist. A change rolls the pods.
   */
  password?: pulumi.Input<string>;
  /**
   * A Secret that is there already. The database has to exist.
   */
  secret?: ExternalSecretArgs;
  /**
   * An administrator: role, logins and database are made, and passwords generated.
   */
  admin?: ExternalAdminArgs;
  /**
   * TLS. Defaults to "require": encryption without asking who answers.
   */
  tls?: ExternalTlsArgs;
  /**
   * Major version of the server, for the programs that set up, back up and restore. Defaults to 17. Newer programs do with an older
   * server, but pg_dump refuses a newer one.
   */
  version?: pulumi.Input<number>;
  /**
   * Image with psql, pg_dump and pg_restore. Defaults to `docker.io/library/postgres:<version>`.
   */
  clientImage?: pulumi.Input<string>;
}

export interface ResolvedExternal {
  host?: pulumi.Input<string>;
  port: pulumi.Input<number>;
  directHost?: pulumi.Input<string>;
  directPort: pulumi.Input<number>;
  /** What the server itself calls the login and the database, where that is something else. */
  directNames: { user?: pulumi.Input<string>; dbname?: pulumi.Input<string> };
  /** Whether the server itself is somewhere else than where the application connects. */
  pooled: boolean;
  password?: pulumi.Input<string>;
  secret?: ExternalSecretArgs;
  admin?: ExternalAdminArgs;
  sslmode: TlsMode;
  ca?: pulumi.Input<string>;
  clientCertificate?: ClientCertificateArgs;
  clientImage: pulumi.Input<string>;
}

const PATTERNS = ["password", "secret", "admin"] as const;
const SECRET_KEYS = {
  host: "hostKey",
  port: "portKey",
  dbname: "databaseNameKey",
  user: "userKey",
  password: "passwordKey",
  uri: "uriKey",
} as const;

export function resolveExternal(
  args: ExternalPostgresArgs,
  given: { databaseName: boolean; user: boolean },
  root: string,
  validation: Validation,
  rules: ClusterRules,
): ResolvedExternal {
  const path = `${root}external`;
  const check: Validation["check"] = (property, value, rule) => validation.check(`${path}.${property}`, value, rule);

  const { secret, admin, tls } = args;
  const certificate = tls?.clientCertificate;
  const patterns = PATTERNS.filter((pattern) => args[pattern] !== undefined);
  if (patterns.length > 1 || (patterns.length === 0 && certificate === undefined)) {
    validation.problem(
      path,
      `${patterns.length ? `has ${patterns.join(" and ")}` : "does not say how to log in"}: give exactly one of password (from Pulumi's configuration), secret (one that is there already) and admin (role and database are made), or tls.clientCertificate alone`,
    );
  }
  if (args.host === undefined && secret?.hostKey === undefined && secret?.uriKey === undefined)
    validation.missing(
      `${path}.host`,
      `write the server's host name${secret ? ", or its key of the Secret in secret.hostKey" : ""}`,
    );
  const pooled = args.directHost !== undefined || args.directPort !== undefined;
  if (!admin && (secret?.uriKey === undefined || pooled)) {
    if (!given.databaseName && secret?.databaseNameKey === undefined)
      validation.missing(
        `${root}databaseName`,
        `name the database${secret ? ", or its key of the Secret in external.secret.databaseNameKey" : ""}`,
      );
    if (!given.user && secret?.userKey === undefined)
      validation.missing(
        `${root}user`,
        `name the login role${secret ? ", or its key of the Secret in external.secret.userKey" : ""}`,
      );
  }
  if (secret) checkSecret(secret, args, `${path}.secret`, validation);
  if (admin) {
    check("admin.user", admin.user, nonEmpty);
    check("admin.takeOver", admin.takeOver, roleNames);
    if ((admin.password === undefined) === (admin.secretName === undefined))
      validation.problem(
        `${path}.admin`,
        "give exactly one of password (from Pulumi's configuration) and secretName (a Secret that is there already)",
      );
  }
  const mode = check("tls.mode", tls?.mode, oneOf(Object.values(TlsMode)));
  if (mode?.startsWith("verify") && tls?.ca === undefined)
    validation.missing(`${path}.tls.ca`, `${mode} needs the certificate of the authority, in PEM`);

  if (certificate) {
    const inside = `${path}.tls.clientCertificate`;
    checkClientCertificate(certificate, inside, validation);
    if (mode === "disable") validation.problem(inside, 'is never shown with tls.mode "disable": leave out one of the two');
  }

  const version = check("version", args.version, wholeNumber(10, 99));
  const directPort = check("directPort", args.directPort, port);
  const ownPort = check("port", args.port, port) ?? 5432;
  for (const property of ["directUser", "directDatabaseName"] as const) {
    if (args[property] === undefined) continue;
    check(property, args[property], nonEmpty);
    if (admin)
      validation.problem(`${path}.${property}`, "is not for admin, which makes logins of the same names for both: leave it out");
    else if (!pooled)
      validation.problem(`${path}.${property}`, "is for the server behind a pooler: give directHost (or directPort) too");
  }
  return {
    host: check("host", args.host, hostName),
    port: ownPort,
    directHost: check("directHost", args.directHost, hostName),
    directPort: directPort ?? (args.directHost === undefined ? ownPort : 5432),
    directNames: {
      ...(args.directUser === undefined ? {} : { user: args.directUser }),
      ...(args.directDatabaseName === undefined ? {} : { dbname: args.directDatabaseName }),
    },
    pooled,
    password: check("password", args.password, text),
    secret,
    admin,
    sslmode: mode ?? (tls?.ca === undefined ? "require" : "verify-full"),
    ca: check("tls.ca", tls?.ca, pem),
    clientCertificate: certificate,
    clientImage:
      check("clientImage", args.clientImage, imageReference) ??
      ownImage(
        pulumi.output(version).apply((major) => `docker.io/library/postgres:${major ?? 17}`),
        rules,
      ),
  };
}

function checkSecret(secret: ExternalSecretArgs, args: ExternalPostgresArgs, path: string, validation: Validation): void {
  validation.required(`${path}.name`, secret.name, nonEmpty, "name the Secret");
  if (secret.passwordKey === undefined && secret.uriKey === undefined && args.tls?.clientCertificate === undefined)
    validation.problem(
      path,
      "does not say where the password is: name its key in passwordKey, or the key of a whole URI in uriKey",
    );
  const twice = [
    ["host", "hostKey"],
    ["port", "portKey"],
  ] as const;
  for (const [property, key] of twice) {
    if (args[property] !== undefined && secret[key] !== undefined)
      validation.problem(`${path}.${key}`, `is given beside ${property}: keep one of the two`);
  }
  if (args.directHost === undefined && args.directPort === undefined) return;
  if (secret.passwordKey === undefined && args.tls?.clientCertificate === undefined) {
    validation.problem(
      `${path}.uriKey`,
      "holds a host already, and another one cannot be put into it: name the keys of the parts too (databaseNameKey, userKey, passwordKey)",
    );
  } else if (args.directHost === undefined && secret.hostKey !== undefined) {
    validation.problem(`${path}.hostKey`, "is not known when directPort is put beside it: give directHost too");
  }
}

const nonEmpty = (value: unknown) =>
  typeof value === "string" && value !== "" ? undefined : `is ${JSON.stringify(value)}: write it as a string`;

const roleNames = (names: unknown) =>
  Array.isArray(names) &&
  names.every((name) => isDeferred(name) || (typeof name === "string" && postgresName(name) === undefined))
    ? undefined
    : `is ${JSON.stringify(names)}: write the roles' names as a list, such as ["notes", "notes_a"]`;

const hostName = (value: unknown) =>
  typeof value === "string" && /^[\w.:-]+$/.test(value) && !/:\d+$/.test(value.replace(/^[^:]*:[^:]*:.*/, ""))
    ? undefined
    : `${JSON.stringify(value)} is not a host name: write it without scheme, port and path; another port than 5432 goes into port`;

const pem = (value: unknown) =>
  typeof value === "string" && value.includes("-----BEGIN CERTIFICATE-----")
    ? undefined
    : "is not a certificate in PEM: it begins with -----BEGIN CERTIFICATE-----";

/** What a connection to it offers to the application. */
export function externalOffer(database: ResolvedExternal, given: { databaseName: boolean; user: boolean }): ConnectionOffer {
  const { secret, sslmode, host, pooled, password, admin } = database;
  const tls = sslmode !== "disable";
  const ca = database.ca !== undefined;
  const clientCertificate = database.clientCertificate !== undefined;
  if (!secret) return ownOffer(tls, { ca, clientCertificate, password: password !== undefined || admin !== undefined });
  const there: Record<string, boolean> = {
    host: host !== undefined || secret.hostKey !== undefined,
    port: secret.uriKey === undefined || secret.passwordKey !== undefined || secret.portKey !== undefined || host !== undefined,
    dbname: given.databaseName || secret.databaseNameKey !== undefined,
    user: given.user || secret.userKey !== undefined,
    password: secret.passwordKey !== undefined,
    // A URI names one host, and the migration's is another one then.
    uri: secret.uriKey !== undefined && !pooled,
    sslmode: true,
    sslrootcert: ca,
    sslcert: clientCertificate,
    sslkey: clientCertificate,
  };
  return { parts: Object.keys(there).filter((part) => there[part]), tls };
}

/** A server that is there: our own Secrets for the authority and the administrator, and the connection as it was given. */
export function externalServer(
  name: string,
  database: ResolvedExternal,
  { namespace, rules, labels, child }: EngineContext,
  around: { databaseName: pulumi.Input<string>; user: pulumi.Input<string>; defaults: string[]; logins?: Logins },
): Engine {
  const metadata = { namespace, labels };
  const { admin, secret, ca } = database;
  const caSecret =
    ca === undefined ? undefined : new core.Secret(`${name}-ca`, { metadata, stringData: { "ca.crt": ca } }, child());
  const files: TlsFiles = { caSecretName: caSecret?.metadata.name, clientCertificate: database.clientCertificate };
  const adminSecret =
    admin?.password === undefined
      ? undefined
      : new core.Secret(`${name}-admin`, { metadata, stringData: { password: admin.password } }, child());
  const host = pulumi.output(database.host ?? "");
  const server = { host, port: pulumi.output(database.port) };
  return {
    server,
    direct: { host: pulumi.output(database.directHost ?? host), port: pulumi.output(database.directPort) },
    pooled: database.pooled,
    directNames: database.directNames,
    sslmode: database.sslmode,
    ...files,
    onDelete: "retain",
    client: clientOf(database.clientImage, pulumi.output(database.clientImage).apply(userOf), rules),
    admin: admin && {
      user: admin.user,
      secretName: adminSecret?.metadata.name ?? admin.secretName!,
      passwordKey: adminSecret ? "password" : (admin.passwordKey ?? "password"),
      databaseName: admin.databaseName ?? "postgres",
      ownsServer: false,
      takeOver: Array.isArray(admin.takeOver) && admin.takeOver.length === 0 ? undefined : admin.takeOver,
    },
    logins: around.logins,
    seen: {},
    given: secret && givenConnection(secret, database, around, files),
    ready: [...(caSecret ? [caSecret] : []), ...(adminSecret ? [adminSecret] : [])],
  };
}

/** How to log in with a Secret that is there already: what has no key in it is what the arguments say. */
function givenConnection(
  secret: ExternalSecretArgs,
  { host, port, sslmode }: ResolvedExternal,
  { databaseName, user, defaults }: { databaseName: pulumi.Input<string>; user: pulumi.Input<string>; defaults: string[] },
  files: TlsFiles,
): Connection {
  const keys = Object.fromEntries(
    Object.entries(SECRET_KEYS).flatMap(([part, property]) => {
      const key = secret[property];
      return key === undefined ? [] : [[part, key] as [string, pulumi.Input<string>]];
    }),
  );
  const values: Record<string, pulumi.Input<string>> = {
    ...(host === undefined ? {} : { host }),
    port: pulumi.output(port).apply(String),
    // Beside a URI that has them, a default would be a guess.
    ...(defaults.includes("databaseName") ? {} : { dbname: databaseName }),
    ...(defaults.includes("user") ? {} : { user }),
    sslmode,
    ...tlsPaths(files),
  };
  return { secretName: secret.name, keys, values, ...files };
}

/** The same login on the server itself, past a pooler. */
export function directly(
  { keys, ...connection }: Connection,
  { direct: { host, port }, directNames }: Pick<Engine, "direct" | "directNames">,
): Connection {
  const other: Record<string, pulumi.Input<string>> = { host, port: port.apply(String), ...directNames };
  const same = Object.entries(keys).filter(([part]) => part !== "uri" && !(part in other));
  return { ...connection, keys: Object.fromEntries(same), values: { ...connection.values, ...other } };
}
