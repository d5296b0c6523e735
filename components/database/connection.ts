import * as pulumi from "@pulumi/pulumi";
import { types } from "@pulumi/kubernetes";
import { byName } from "../common/environment";
import { Rule, Validation } from "../common/validation";
import { environmentName, secretKey } from "../common/rules";
import { TlsFiles, tlsPaths } from "./tlsFiles";

/** Parts of a connection, and the keys of the connection Secret. */
export const ConnectionKey = {
  /** Host name of the server. */
  Host: "host",
  /** Port of the server. */
  Port: "port",
  /** Name of the database. */
  Dbname: "dbname",
  /** Login role. */
  User: "user",
  /** The login role's password. */
  Password: "password",
  /** `postgresql://user:password@host:port/dbname`, percent-encoded, with sslmode and the paths of files where there is TLS. */
  Uri: "uri",
  /** `jdbc:postgresql://host:port/dbname?user=…&password=…`, percent-encoded, with sslmode and the paths of files where there is TLS. */
  JdbcUri: "jdbc-uri",
  /** A line of a libpq password file. */
  Pgpass: "pgpass",
  /** libpq's TLS mode: disable, require, verify-ca or verify-full. */
  Sslmode: "sslmode",
  /** Path of the file, in the application's and the migration's containers, with the authority that signs the server's certificate. */
  Sslrootcert: "sslrootcert",
  /** Path of the file, there too, with the client's certificate. */
  Sslcert: "sslcert",
  /** Path of the file with that certificate's private key. */
  Sslkey: "sslkey",
} as const;
export type ConnectionKey = (typeof ConnectionKey)[keyof typeof ConnectionKey];

/** Where a database is and how to log in. */
export interface ConnectionParts {
  host: string;
  port: number;
  dbname: string;
  user: string;
  /** None where a certificate alone says who logs in. */
  password?: string;
  sslmode: string;
  sslrootcert?: string;
  sslcert?: string;
  sslkey?: string;
}

/** The connection Secret's content: the parts, and the forms in which programs want them in one piece, the user's own among them. */
export function connectionSecretData(parts: ConnectionParts, formats: Record<string, string> = {}): Record<string, string> {
  const { host, port, dbname, user, password, sslmode, sslrootcert, sslcert, sslkey } = parts;
  const encode = encodeURIComponent;
  const pgpass = (field: string) => field.replace(/[\\:]/g, "\\$&");
  // Without TLS nothing is said of it: not every program takes a parameter that it does not know.
  const files = given({ sslrootcert, sslcert, sslkey });
  const tls: Record<string, string> = sslmode === "disable" ? {} : { sslmode, ...files };
  const query = (more: Record<string, string>) => {
    const pairs = Object.entries({ ...more, ...tls }).map(([name, value]) => `${name}=${encode(value)}`);
    return pairs.length ? `?${pairs.join("&")}` : "";
  };
  const login = password === undefined ? encode(user) : `${encode(user)}:${encode(password)}`;
  return {
    host,
    port: String(port),
    dbname,
    user,
    ...given({ password }),
    uri: `postgresql://${login}@${authority(host)}:${port}/${encode(dbname)}${query({})}`,
    "jdbc-uri": `jdbc:postgresql://${authority(host)}:${port}/${encode(dbname)}${query({ user, ...given({ password }) })}`,
    ...(password === undefined ? {} : { pgpass: [host, String(port), dbname, user, password].map(pgpass).join(":") }),
    sslmode,
    ...files,
    ...Object.fromEntries(Object.entries(formats).map(([key, template]) => [key, fill(template, parts)])),
  };
}

const given = (parts: Record<string, string | undefined>) =>
  Object.fromEntries(Object.entries(parts).filter((part): part is [string, string] => part[1] !== undefined));

/** `{password}` in a template is that part, `{password:uri}` the same, percent-encoded. Other braces stay: ODBC quotes with them. */
const PLACEHOLDER = /\{([a-z]+)(:uri)?\}/g;

const fill = (template: string, parts: ConnectionParts) =>
  template.replace(PLACEHOLDER, (_, part: keyof ConnectionParts, uri?: string) => {
    const value = String(parts[part] ?? "");
    return uri ? encodeURIComponent(value) : value;
  });

/** Forms of the user's own of a connection that has these parts. */
export function checkConnectionFormats(
  validation: Validation,
  propertyPath: string,
  formats: Record<string, string>,
  offered: string[],
): void {
  const parts = offered.filter((part) => !FORMS.includes(part));
  validation.map(
    propertyPath,
    formats,
    (key) => {
      if (secretKey(key)) return 'is not the key of a Secret: use letters, digits, "-", "_" and "."';
      return KEYS.includes(key) ? "is a key that the connection Secret has already: use another one" : undefined;
    },
    (template) => {
      const unknown = [...template.matchAll(PLACEHOLDER)].filter(([, part]) => !parts.includes(part)).map(([found]) => found);
      if (unknown.length === 0) return undefined;
      return `has ${unknown.join(" and ")}, which this connection does not have: write ${parts.map((part) => `{${part}}`).join(", ")}`;
    },
  );
}

const KEYS: string[] = Object.values(ConnectionKey);
/** Those that are made of parts. */
const FORMS: string[] = ["uri", "jdbc-uri", "pgpass"];

/** An IPv6 address stands in brackets where a port follows it. */
const authority = (host: string) => (host.includes(":") ? `[${host}]` : host);

/** How containers log in: every part either by reference to a Secret's key, or as a value that is none of a secret. */
export interface Connection extends TlsFiles {
  secretName: pulumi.Input<string>;
  /** Key of the Secret by part. */
  keys: Record<string, pulumi.Input<string>>;
  /** Parts that stand in no Secret. */
  values: Record<string, pulumi.Input<string>>;
  /** What those of the keys are made of that are the user's own forms. */
  formats?: Record<string, string>;
  /** Parts by reference that need not be there: a password where a client certificate may be all that it takes, or what nothing is done with. */
  optional?: string[];
}

/** What there may or may not be in a connection of our own. */
interface OwnParts {
  ca?: boolean;
  clientCertificate?: boolean;
  password?: boolean;
}

/** Keys of a Secret that is made by this package. */
export function ownKeys(
  { ca = false, clientCertificate = false, password = true }: OwnParts,
  formats: Record<string, string> = {},
): Record<string, string> {
  const absent = [
    ...(ca ? [] : ["sslrootcert"]),
    ...(clientCertificate ? [] : ["sslcert", "sslkey"]),
    ...(password ? [] : ["password", "pgpass"]),
  ];
  return Object.fromEntries([...KEYS, ...Object.keys(formats)].filter((key) => !absent.includes(key)).map((key) => [key, key]));
}

/**
 * What most programs and every libpq tool read, as far as the connection has it. Node.js does not read libpq's variable for the
 * authority, but one of its own, which adds it to those that it knows.
 */
const defaultConnectionEnv: Record<string, ConnectionKey> = {
  DATABASE_URL: "uri",
  PGHOST: "host",
  PGPORT: "port",
  PGDATABASE: "dbname",
  PGUSER: "user",
  PGPASSWORD: "password",
};
const libpqTlsEnv: Record<string, ConnectionKey> = {
  PGSSLMODE: "sslmode",
  PGSSLROOTCERT: "sslrootcert",
  PGSSLCERT: "sslcert",
  PGSSLKEY: "sslkey",
};
const tlsConnectionEnv: Record<string, ConnectionKey> = {
  ...libpqTlsEnv,
  NODE_EXTRA_CA_CERTS: "sslrootcert",
};

/** libpq's variables of the files, for who has no more of the connection than these. */
export function libpqFiles(files: TlsFiles): Record<string, string> {
  const paths: Record<string, string> = tlsPaths(files);
  const there = Object.entries(libpqTlsEnv).filter(([, part]) => part in paths);
  return Object.fromEntries(there.map(([name, part]) => [name, paths[part]]));
}

/** Environment variables of a container by the app's own names. No secret value stands in a pod's spec. */
export function connectionVariables(
  { secretName, keys, values, optional = [] }: Connection,
  names: Record<string, pulumi.Input<string>>,
): pulumi.Input<types.input.core.v1.EnvVar>[] {
  const whether = (part: string) => (optional.includes(part) ? { optional: true } : {});
  const variable = (name: string, part: string): types.input.core.v1.EnvVar =>
    part in keys
      ? { name, valueFrom: { secretKeyRef: { name: secretName, key: keys[part], ...whether(part) } } }
      : { name, value: values[part] };
  return byName(names).map(([name, part]) =>
    typeof part === "string" ? variable(name, part) : pulumi.output(part).apply((known) => variable(name, known)),
  );
}

/** Whether it can be logged in with single parts; else with the URI, which has to be whole. */
export const hasParts = ({ keys, values, clientCertificate }: Omit<Connection, "secretName">): boolean =>
  ["host", "dbname", "user"].every((part) => part in keys || part in values) &&
  ("password" in keys || clientCertificate !== undefined);

/** What psql, pg_dump and our scripts read: libpq's variables, or the whole URI where that is all there is. */
export function libpqVariables(connection: Connection): pulumi.Input<types.input.core.v1.EnvVar>[] {
  const { DATABASE_URL: whole, ...parts } = defaultConnectionEnv;
  const { keys, values } = connection;
  const there = ([, part]: [string, string]) => part in keys || part in values;
  const wanted = { ...(hasParts(connection) ? parts : { CONNECTION_URI: whole }), ...libpqTlsEnv };
  return connectionVariables(connection, Object.fromEntries(Object.entries(wanted).filter(there)));
}

/** What the application's variables may be made of, and what they are if nothing is said. */
export interface ConnectionOffer {
  parts: string[];
  /** Whether connections are encrypted, which libpq's variables have to say then. */
  tls: boolean;
}

/** An offer of everything that our own Secrets hold. */
export function ownOffer(tls: boolean, parts: OwnParts): ConnectionOffer {
  return { parts: Object.keys(ownKeys(parts)), tls };
}

export function checkConnectionEnv(
  validation: Validation,
  propertyPath: string,
  given: Record<string, pulumi.Input<string>> | undefined,
  { parts, tls }: ConnectionOffer,
): Record<string, pulumi.Input<string>> {
  if (given === undefined) {
    const all = { ...defaultConnectionEnv, ...(tls ? tlsConnectionEnv : {}) };
    return Object.fromEntries(Object.entries(all).filter(([, part]) => parts.includes(part)));
  }
  for (const name of Object.keys(given)) {
    const reason = environmentName(name);
    if (reason) validation.problem(`${propertyPath}["${name}"]`, reason);
  }
  const rule = offered(parts);
  return Object.fromEntries(
    Object.entries(given).map(([name, key]) => [name, validation.check(`${propertyPath}.${name}`, key, rule)]),
  );
}

const offered =
  (parts: string[]): Rule<string> =>
  (part) => {
    if (parts.includes(part)) return undefined;
    const choice = `write one of ${parts.map((known) => JSON.stringify(known)).join(", ")}`;
    return KEYS.includes(part)
      ? `is ${JSON.stringify(part)}, which this connection does not have: ${choice}, or add a key of the Secret that holds it`
      : `is ${JSON.stringify(part)}: ${choice}`;
  };
