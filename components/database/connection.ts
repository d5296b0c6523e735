import * as pulumi from "@pulumi/pulumi";
import { types } from "@pulumi/kubernetes";
import { byName } from "../common/environment";
import { Rule, Validation } from "../common/validation";
import { environmentName, oneOf } from "../common/rules";

/** Keys of the connection Secret. */
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
  /** `postgresql://user:password@host:port/dbname`, percent-encoded. */
  Uri: "uri",
  /** `jdbc:postgresql://host:port/dbname?user=…&password=…`, percent-encoded. */
  JdbcUri: "jdbc-uri",
  /** A line of a libpq password file. */
  Pgpass: "pgpass",
} as const;
export type ConnectionKey = (typeof ConnectionKey)[keyof typeof ConnectionKey];

/** Where a database is and how to log in; nothing that uses one knows which engine it came from. */
export interface ConnectionParts {
  host: string;
  port: number;
  dbname: string;
  user: string;
  password: string;
}

/** The connection Secret's content: the parts, and the forms in which programs want them in one piece. */
export function connectionSecretData({ host, port, dbname, user, password }: ConnectionParts): Record<ConnectionKey, string> {
  const encode = encodeURIComponent;
  const pgpass = (field: string) => field.replace(/[\\:]/g, "\\$&");
  return {
    host,
    port: String(port),
    dbname,
    user,
    password,
    uri: `postgresql://${encode(user)}:${encode(password)}@${host}:${port}/${encode(dbname)}`,
    "jdbc-uri": `jdbc:postgresql://${host}:${port}/${encode(dbname)}?user=${encode(user)}&password=${encode(password)}`,
    pgpass: [host, String(port), dbname, user, password].map(pgpass).join(":"),
  };
}

/** What most programs and every libpq tool read. */
export const defaultConnectionEnv: Record<string, ConnectionKey> = {
  DATABASE_URL: "uri",
  PGHOST: "host",
  PGPORT: "port",
  PGDATABASE: "dbname",
  PGUSER: "user",
  PGPASSWORD: "password",
};

/** Environment variables of a container by the app's own names, always by reference: no value stands in a pod's spec. */
export function connectionVariables(
  secretName: pulumi.Input<string>,
  names: Record<string, pulumi.Input<string>>,
): types.input.core.v1.EnvVar[] {
  return byName(names).map(([name, key]) => ({ name, valueFrom: { secretKeyRef: { name: secretName, key } } }));
}

const knownKey: Rule<string> = oneOf(Object.values(ConnectionKey));

export function checkConnectionEnv(
  validation: Validation,
  propertyPath: string,
  given: Record<string, pulumi.Input<string>> | undefined,
): Record<string, pulumi.Input<string>> {
  if (given === undefined) return defaultConnectionEnv;
  for (const name of Object.keys(given)) {
    const reason = environmentName(name);
    if (reason) validation.problem(`${propertyPath}["${name}"]`, reason);
  }
  return Object.fromEntries(
    Object.entries(given).map(([name, key]) => [name, validation.check(`${propertyPath}.${name}`, key, knownKey)]),
  );
}
