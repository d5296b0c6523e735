import { startPods } from "./backupServer";
import { Namespace } from "./kubectl";
import { OutsidePostgres } from "./outsidePostgres";

/** Ports of the pooler: the second takes what clients set when they connect, and forgets it. */
export const POOLER_PORT = { strict: 6432, lenient: 6433 };
/** The database `name` in session mode; by its own name it is in transaction mode. */
export const inSessionMode = (name: string) => `${name}_session`;

/** A PgBouncer before a server, without TLS; gives its host name. `users` are roles of the server, with their passwords. */
export async function startPgBouncer(
  namespace: Namespace,
  server: OutsidePostgres,
  users: Record<string, string>,
  databases: string[],
): Promise<string> {
  const metadata = { name: "pgbouncer", namespace: namespace.name };
  const to = `host=${server.address} port=${server.port}`;
  const config = (port: number, more: string) => `[databases]
${databases.map((name) => `${inSessionMode(name)} = ${to} dbname=${name} pool_mode=session\n`).join("")}* = ${to}
[pgbouncer]
listen_addr = *
listen_port = ${port}
unix_socket_dir =
pool_mode = transaction
auth_type = scram-sha-256
auth_file = /config/users
server_tls_sslmode = require
${more}`;
  const ports = Object.entries(POOLER_PORT).map(([name, port]) => ({ name, port }));
  await namespace.apply(
    {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata,
      data: {
        strict: config(POOLER_PORT.strict, ""),
        lenient: config(POOLER_PORT.lenient, "ignore_startup_parameters = options\n"),
        users: Object.entries(users)
          .map(([user, password]) => `"${user}" "${password}"\n`)
          .join(""),
      },
    },
    { apiVersion: "v1", kind: "Service", metadata, spec: { selector: { app: metadata.name }, ports } },
  );
  const container = (name: keyof typeof POOLER_PORT) => ({
    name,
    image: "docker.io/local/pgbouncer:1",
    args: [`/config/${name}`],
    readinessProbe: { tcpSocket: { port: POOLER_PORT[name] }, periodSeconds: 1 },
    volumeMounts: [{ name: "config", mountPath: "/config" }],
  });
  await startPods(namespace, {
    name: metadata.name,
    uid: 1000,
    containers: [container("strict"), container("lenient")],
    volumes: [{ name: "config", configMap: { name: metadata.name } }],
  });
  return `pgbouncer.${namespace.name}.svc`;
}
