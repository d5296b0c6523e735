import * as pulumi from "@pulumi/pulumi";
import { types } from "@pulumi/kubernetes";
import { byName } from "../common/environment";
import { Rule, Validation } from "../common/validation";
import { environmentName } from "../common/rules";

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
  /** `postgresql://user:password@host:port/dbname`, percent-encoded, with sslmode and sslrootcert where there is TLS. */
  Uri: "uri",
  /** `jdbc:postgresql://host:port/dbname?user=…&password=…`, percent-encoded, with sslmode and sslrootcert where there is TLS. */
  JdbcUri: "jdbc-uri",
  /** A line of a libpq password file. */
  Pgpass: "pgpass",
  /** libpq's TLS mode: disable, require, verify-ca or verify-full. */
  Sslmode: "sslmode",
  /** Path of the file, in the application's and the migration's containers, with the authority that signs the server's certificate. */
  Sslrootcert: "sslrootcert",
} as const;
export type ConnectionKey = (typeof ConnectionKey)[keyof typeof ConnectionKey];

/** Where a database is and how to log in. */
export interface ConnectionParts {
  host: string;
  port: number;
  dbname: string;
  user: string;
  password: string;
  sslmode: string;
  sslrootcert?: string;
}

/** Where containers find the authority of the server's certificate. */
const CA_DIRECTORY = "/etc/postgres-app/tls";
const CA_KEY = "ca.crt";
export const CA_FILE = `${CA_DIRECTORY}/${CA_KEY}`;

/** The connection Secret's content: the parts, and the forms in which programs want them in one piece, the user's own among them. */
export function connectionSecretData(parts: ConnectionParts, formats: Record<string, string> = {}): Record<string, string> {
  const { host, port, dbname, user, password, sslmode, sslrootcert } = parts;
  const encode = encodeURIComponent;
  const pgpass = (field: string) => field.replace(/[\\:]/g, "\\$&");
  // Without TLS nothing is said of it: not every program takes a parameter that it does not know.
  const tls: Record<string, string> = sslmode === "disable" ? {} : { sslmode, ...(sslrootcert ? { sslrootcert } : {}) };
  const query = (more: Record<string, string>) => {
    const pairs = Object.entries({ ...more, ...tls }).map(([name, value]) => `${name}=${encode(value)}`);
    return pairs.length ? `?${pairs.join("&")}` : "";
  };
  return {
    host,
    port: String(port),
    dbname,
    user,
    password,
    uri: `postgresql://${encode(user)}:${encode(password)}@${authority(host)}:${port}/${encode(dbname)}${query({})}`,
    "jdbc-uri": `jdbc:postgresql://${authority(host)}:${port}/${encode(dbname)}${query({ user, password })}`,
    pgpass: [host, String(port), dbname, user, password].map(pgpass).join(":"),
    sslmode,
    ...(sslrootcert ? { sslrootcert } : {}),
    ...Object.fromEntries(Object.entries(formats).map(([key, template]) => [key, fill(template, parts)])),
  };
}

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
      if (!/^[-._a-zA-Z0-9]{1,253}$/.test(key)) return 'is not the key of a Secret: use letters, digits, "-", "_" and "."';
      return key in ownKeys(true) ? "is a key that the connection Secret has already: use another one" : undefined;
    },
    (template) => {
      const unknown = [...template.matchAll(PLACEHOLDER)].filter(([, part]) => !parts.includes(part)).map(([found]) => found);
      if (unknown.length === 0) return undefined;
      return `has ${unknown.join(" and ")}, which this connection does not have: write ${parts.map((part) => `{${part}}`).join(", ")}`;
    },
  );
}

/** Keys of the Secret that are made of its parts. */
const FORMS: string[] = ["uri", "jdbc-uri", "pgpass"];

/** An IPv6 address stands in brackets where a port follows it. */
const authority = (host: string) => (host.includes(":") ? `[${host}]` : host);

/** How containers log in: every part either by reference to a Secret's key, or as a value that is none of a secret. */
export interface Connection {
  secretName: pulumi.Input<string>;
  /** Key of the Secret by part. */
  keys: Record<string, pulumi.Input<string>>;
  /** Parts that stand in no Secret. */
  values: Record<string, pulumi.Input<string>>;
  /** Secret whose ca.crt signs the server's certificate. */
  caSecretName?: pulumi.Input<string>;
  /** What those of the keys are made of that are the user's own forms. */
  formats?: Record<string, string>;
}

/** Keys of a Secret that is made by this package. */
export const ownKeys = (ca: boolean, formats: Record<string, string> = {}): Record<string, string> =>
  Object.fromEntries(
    [...Object.values(ConnectionKey), ...Object.keys(formats)]
      .filter((key) => ca || key !== "sslrootcert")
      .map((key) => [key, key]),
  );

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
const tlsConnectionEnv: Record<string, ConnectionKey> = {
  PGSSLMODE: "sslmode",
  PGSSLROOTCERT: "sslrootcert",
  NODE_EXTRA_CA_CERTS: "sslrootcert",
};

/** Environment variables of a container by the app's own names. No secret value stands in a pod's spec. */
export function connectionVariables(
  { secretName, keys, values }: Connection,
  names: Record<string, pulumi.Input<string>>,
): pulumi.Input<types.input.core.v1.EnvVar>[] {
  const variable = (name: string, part: string): types.input.core.v1.EnvVar =>
    part in keys ? { name, valueFrom: { secretKeyRef: { name: secretName, key: keys[part] } } } : { name, value: values[part] };
  return byName(names).map(([name, part]) =>
    typeof part === "string" ? variable(name, part) : pulumi.output(part).apply((known) => variable(name, known)),
  );
}

/** What psql, pg_dump and our scripts read: libpq's variables, or the whole URI where that is all there is. */
export function libpqVariables(connection: Connection): pulumi.Input<types.input.core.v1.EnvVar>[] {
  const { DATABASE_URL: whole, ...parts } = defaultConnectionEnv;
  const { NODE_EXTRA_CA_CERTS: _, ...tls } = tlsConnectionEnv;
  const wanted = { ...("password" in connection.keys ? parts : { CONNECTION_URI: whole }), ...tls };
  const there = ([, part]: [string, string]) => part in connection.keys || part in connection.values;
  return connectionVariables(connection, Object.fromEntries(Object.entries(wanted).filter(there)));
}

/** The volume with the authority's certificate, for containers that log in. */
export function caVolume({ caSecretName }: Pick<Connection, "caSecretName">): {
  volumes: types.input.core.v1.Volume[];
  volumeMounts: types.input.core.v1.VolumeMount[];
} {
  if (caSecretName === undefined) return { volumes: [], volumeMounts: [] };
  const name = "database-ca";
  return {
    // One key only: CloudNativePG keeps the authority's private key beside it.
    volumes: [{ name, secret: { secretName: caSecretName, items: [{ key: CA_KEY, path: CA_KEY }] } }],
    volumeMounts: [{ name, mountPath: CA_DIRECTORY, readOnly: true }],
  };
}

/** What the application's variables may be made of, and what they are if nothing is said. */
export interface ConnectionOffer {
  parts: string[];
  /** Whether connections are encrypted, which libpq's variables have to say then. */
  tls: boolean;
}

/** An offer of everything that our own Secrets hold. */
export function ownOffer(tls: boolean, ca: boolean): ConnectionOffer {
  return { parts: Object.keys(ownKeys(ca)), tls };
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
    return part in ownKeys(true)
      ? `is ${JSON.stringify(part)}, which this connection does not have: ${choice}, or add a key of the Secret that holds it`
      : `is ${JSON.stringify(part)}: ${choice}`;
  };
