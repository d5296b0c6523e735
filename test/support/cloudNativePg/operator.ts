import { mkdtemp, readFile, rm } from "fs/promises";
import { tmpdir } from "os";
import { join } from "path";
import { restrictedContainer, restrictedPod } from "../../../components/common/security";
import { Namespace, run, sleep } from "../kubectl";

// A stand-in for the CloudNativePG operator, of our own, for one namespace of a test: the real one is not run here, because no registry
// with its images is within reach. It does what this package relies on, as far as that can be read in CloudNativePG 1.30's sources, with
// one real Postgres for each Cluster; neither replication nor take-over, nor backups of any content.
// It is late on purpose: a Cluster is Ready as soon as its server is, its roles and extensions follow when it comes to them.

/** Between the moment in which something is seen and the one in which it is done, in ms. */
const LATE = 3_000;
const POLL = 500;
const LABEL = "cnpg.io/cluster";

const START = `
set -eu
[ -e /data/pg/PG_VERSION ] || initdb -D /data/pg -U postgres --auth=trust -E UTF8 --locale=C.UTF-8 -k --no-sync >/dev/null
printf 'local all all trust\\nhost all all all scram-sha-256\\n' >/data/pg/pg_hba.conf
exec postgres -D /data/pg -c listen_addresses='*' -c unix_socket_directories=/tmp -c shared_buffers=32MB -c fsync=off \\
  -c ssl=on -c ssl_cert_file=/tls/tls.crt -c ssl_key_file=/tls/tls.key`;

const identifier = (name: string) => `"${name.replace(/"/g, '""')}"`;
const literal = (text: string) => `'${text.replace(/'/g, "''")}'`;

export class StandInOperator {
  private going = true;
  private readonly loop: Promise<void>;
  /** When something was first seen that is not done yet, and what was done last, by name. */
  private readonly seen = new Map<string, { wish: string; at: number }>();
  private readonly done = new Map<string, string>();
  /** Directories of object stores, with the Cluster that archives into each first. */
  private readonly archives = new Map<string, string>();
  /** What Postgres or it refused to do. */
  readonly complaints: string[] = [];

  constructor(private readonly namespace: Namespace) {
    this.loop = this.reconcile();
  }

  async stop(): Promise<void> {
    this.going = false;
    await this.loop;
  }

  private async reconcile(): Promise<void> {
    while (this.going) {
      try {
        const objects = await this.namespace.items("clusters,databases,scheduledbackups,secrets,pods");
        const of = (kind: string) => objects.filter((object) => object.kind === kind && !object.metadata.deletionTimestamp);
        for (const cluster of of("Cluster")) await this.cluster(cluster, of("Pod"), of("Secret"));
        for (const database of of("Database")) await this.database(database);
        for (const schedule of of("ScheduledBackup")) await this.firstBackup(schedule);
      } catch (error) {
        // The next round tries again.
        if (process.env.VERBOSE) console.error(`stand-in operator: ${error}`);
      }
      await sleep(POLL);
    }
  }

  /** Whether the time has come for a wish that is not what was done last. */
  private due(name: string, wish: string): boolean {
    if (this.done.get(name) === wish) return false;
    if (this.seen.get(name)?.wish !== wish) this.seen.set(name, { wish, at: Date.now() });
    return Date.now() - this.seen.get(name)!.at >= LATE;
  }

  // --- Clusters ---

  private async cluster(cluster: any, pods: any[], secrets: any[]): Promise<void> {
    const { name, uid } = cluster.metadata;
    const pod = pods.find(({ metadata }) => metadata.name === `${name}-1`);
    const isOwn = pod?.metadata.ownerReferences?.some((owner: any) => owner.uid === uid);
    if (pod && !isOwn) return this.takeOver(name);
    if (!pod) {
      if (this.due(`${uid} server`, "there")) await this.start(cluster);
      return;
    }
    if (!pod.status.conditions?.some(({ type, status }: any) => type === "Ready" && status === "True")) return;
    if (!this.done.has(`${uid} server`)) {
      await this.bootstrap(cluster);
      await this.status(cluster, {
        phase: "Cluster in healthy state",
        instances: 1,
        readyInstances: 1,
        conditions: [
          { type: "Ready", status: "True", reason: "ClusterIsReady", message: "", lastTransitionTime: new Date().toISOString() },
        ],
      });
      this.done.set(`${uid} server`, "there");
    }
    const roles = cluster.spec.managed?.roles ?? [];
    const passwords = roles.map((role: any) => secrets.find(({ metadata }) => metadata.name === role.passwordSecret?.name));
    const wish = JSON.stringify([roles, passwords.map((secret: any) => secret?.metadata.resourceVersion)]);
    if (!this.due(`${uid} roles`, wish)) return;
    await this.roles(name, roles, passwords);
    this.done.set(`${uid} roles`, wish);
  }

  /** What a Cluster of that name left behind when it was deleted without its children: all but the volume and the authority gives way. */
  private async takeOver(name: string): Promise<void> {
    await this.namespace.kubectl(["delete", `service/${name}-rw`, `pod/${name}-1`, "--ignore-not-found", "--timeout=30s"]);
  }

  /** A new server archives into an empty directory only: what another has left there would become unusable. */
  private archive({ metadata: { name, uid }, spec }: any): void {
    const archiver = spec.plugins?.find(({ isWALArchiver }: any) => isWALArchiver);
    if (!archiver) return;
    const { barmanObjectName, serverName = name } = archiver.parameters;
    const other = (this.archives.get(serverName) ?? uid) !== uid;
    if (other) this.complaints.push(`${barmanObjectName}: expected empty archive: ${serverName}`);
    this.archives.set(serverName, uid);
  }

  private async start(cluster: any): Promise<void> {
    const { apiVersion, kind, spec } = cluster;
    const { name, uid } = cluster.metadata;
    const claims = await this.namespace.items("pvc");
    if (!claims.some(({ metadata }) => metadata.name === `${name}-1`)) this.archive(cluster);
    const metadata = (suffix: string) => ({
      name: `${name}${suffix}`,
      namespace: this.namespace.name,
      labels: { [LABEL]: name, ...spec.inheritedMetadata?.labels },
      ownerReferences: [{ apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: true }],
    });
    const { authority, server } = await certificates(name, this.namespace.name);
    await this.namespace.apply(
      { apiVersion: "v1", kind: "Secret", metadata: metadata("-ca"), stringData: authority },
      { apiVersion: "v1", kind: "Secret", metadata: metadata("-server"), type: "kubernetes.io/tls", stringData: server },
      {
        apiVersion: "v1",
        kind: "Service",
        metadata: metadata("-rw"),
        spec: { selector: { [LABEL]: name }, ports: [{ name: "postgres", port: 5432 }] },
      },
      {
        apiVersion: "v1",
        kind: "PersistentVolumeClaim",
        metadata: metadata("-1"),
        spec: {
          accessModes: ["ReadWriteOnce"],
          resources: { requests: { storage: spec.storage.size } },
          storageClassName: spec.storage.storageClass,
        },
      },
      {
        apiVersion: "v1",
        kind: "Pod",
        metadata: metadata("-1"),
        spec: {
          automountServiceAccountToken: false,
          enableServiceLinks: false,
          terminationGracePeriodSeconds: 1,
          securityContext: restrictedPod(999),
          containers: [
            {
              name: "postgres",
              image: spec.imageName,
              command: ["sh", "-c", START],
              readinessProbe: { exec: { command: ["pg_isready", "-q", "-h", "127.0.0.1"] }, periodSeconds: 1 },
              resources: spec.resources,
              securityContext: restrictedContainer(),
              volumeMounts: ["data", "tls", "tmp"].map((volume) => ({ name: volume, mountPath: `/${volume}` })),
            },
          ],
          volumes: [
            { name: "data", persistentVolumeClaim: { claimName: `${name}-1` } },
            // Postgres wants a key that none but its owner, or root's group, can read.
            { name: "tls", secret: { secretName: `${name}-server`, defaultMode: 0o440 } },
            { name: "tmp", emptyDir: {} },
          ],
        },
      },
    );
  }

  private async bootstrap({ metadata, spec }: any): Promise<void> {
    const { database, owner } = spec.bootstrap.initdb;
    // The owner's password is in a Secret of the operator's, which nobody here needs.
    await this.sql(
      metadata.name,
      "postgres",
      `SELECT 'CREATE ROLE ${identifier(owner)} LOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = ${literal(owner)}) \\gexec
       SELECT 'CREATE DATABASE ${identifier(database)} OWNER ${identifier(owner)}'
         WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = ${literal(database)}) \\gexec`,
    );
  }

  /** Roles in their order, then memberships, then those that have to go; roles that are not in the list are left alone. */
  private async roles(cluster: string, roles: any[], passwords: any[]): Promise<void> {
    const decoded = (value: string) => Buffer.from(value, "base64").toString().trim();
    const present = roles.flatMap(({ name, ensure, login, bypassrls, disablePassword, passwordSecret }, index) => {
      if (ensure === "absent") return [];
      const secret = passwords[index];
      if (passwordSecret && (!secret || decoded(secret.data.username) !== name)) {
        this.complaints.push(`role ${name}: no Secret ${passwordSecret.name} of that user`);
        return [];
      }
      const password = secret ? `PASSWORD ${literal(decoded(secret.data.password))}` : disablePassword ? "PASSWORD NULL" : "";
      return [
        `SELECT 'CREATE ROLE ${identifier(name)}' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = ${literal(name)}) \\gexec`,
        `ALTER ROLE ${identifier(name)} ${bypassrls ? "BYPASSRLS" : "NOBYPASSRLS"} NOCREATEDB NOCREATEROLE INHERIT ${login ? "LOGIN" : "NOLOGIN"} NOREPLICATION NOSUPERUSER
           CONNECTION LIMIT -1 ${password};`,
      ];
    });
    const memberships = roles.flatMap(({ name, ensure, inRoles = [] }) =>
      ensure === "absent"
        ? []
        : [
            `SELECT format('REVOKE %s FROM %s', roleid::regrole, member::regrole) FROM pg_auth_members
               WHERE member = (SELECT oid FROM pg_roles WHERE rolname = ${literal(name)})
                 AND roleid NOT IN (SELECT oid FROM pg_roles WHERE rolname = ANY (ARRAY[${inRoles.map(literal).join(", ")}]::text[])) \\gexec`,
            ...inRoles.map((role: string) => `GRANT ${identifier(role)} TO ${identifier(name)};`),
          ],
    );
    const absent = roles
      .filter(({ ensure }) => ensure === "absent")
      .map(({ name }) => `DROP ROLE IF EXISTS ${identifier(name)};`);
    await this.sql(cluster, "postgres", ["SET client_min_messages = error;", ...present, ...memberships, ...absent].join("\n"));
  }

  // --- what belongs to a Cluster ---

  private async database(database: any): Promise<void> {
    const { uid, generation } = database.metadata;
    const { cluster, name, extensions = [] } = database.spec;
    if (!this.due(`${uid} applied`, String(generation))) return;
    const statements = extensions.map(
      (extension: any) => `CREATE EXTENSION IF NOT EXISTS ${identifier(extension.name)} CASCADE;`,
    );
    const applied = await this.sql(cluster.name, name, ["SET client_min_messages = error;", ...statements].join("\n"));
    await this.status(database, { applied, observedGeneration: generation });
    if (applied) this.done.set(`${uid} applied`, String(generation));
  }

  private async firstBackup({ metadata, spec }: any): Promise<void> {
    if (!spec.immediate || !this.due(`${metadata.uid} backup`, "made")) return;
    const { cluster, method, pluginConfiguration } = spec;
    await this.namespace.apply({
      apiVersion: "postgresql.cnpg.io/v1",
      kind: "Backup",
      metadata: { name: `${metadata.name}-first`, namespace: this.namespace.name },
      spec: { cluster, method, pluginConfiguration },
    });
    this.done.set(`${metadata.uid} backup`, "made");
  }

  // --- tools ---

  private async status({ kind, metadata }: any, status: object): Promise<void> {
    const patch = ["--subresource=status", "--type=merge", "--patch", JSON.stringify({ status })];
    await this.namespace.kubectl(["patch", `${kind.toLowerCase()}.postgresql.cnpg.io/${metadata.name}`, ...patch]);
  }

  /** As the superuser, over the socket. A statement that fails does not keep the others from being run. */
  private async sql(cluster: string, database: string, input: string): Promise<boolean> {
    const command = ["psql", "-X", "-q", "-A", "-t", "-h", "/tmp", "-U", "postgres", "-d", database];
    const { code, stderr } = await this.namespace.exec(`${cluster}-1`, command, { input, seconds: 30 });
    if (stderr.includes("ERROR")) this.complaints.push(stderr);
    else if (code !== 0) throw new Error(`psql in ${cluster}-1: ${stderr}`);
    return !stderr.includes("ERROR");
  }
}

/** An authority, and the certificate that it signs for the Service's names. */
async function certificates(cluster: string, namespace: string) {
  const folder = await mkdtemp(join(tmpdir(), "pulumi-postgres-app-"));
  const read = (file: string) => readFile(join(folder, file), "utf8");
  const service = `${cluster}-rw`;
  const names = [service, `${service}.${namespace}`, `${service}.${namespace}.svc`].map((host) => `DNS:${host}`).join(",");
  const certificate = async (name: string, ...more: string[]) => {
    const key = [
      "-newkey",
      "ec",
      "-pkeyopt",
      "ec_paramgen_curve:P-256",
      "-nodes",
      "-keyout",
      `${name}.key`,
      "-out",
      `${name}.crt`,
    ];
    const { code, stderr } = await run("openssl", ["req", "-x509", ...key, "-days", "30", ...more], { cwd: folder });
    if (code !== 0) throw new Error(`openssl: ${stderr}`);
  };
  try {
    await certificate("ca", "-subj", `/OU=${namespace}/CN=${cluster}`);
    await certificate(
      "server",
      ...["-subj", `/CN=${service}`, "-CA", "ca.crt", "-CAkey", "ca.key"],
      ...["-addext", `subjectAltName=${names}`, "-addext", "basicConstraints=critical,CA:FALSE"],
    );
    return {
      authority: { "ca.crt": await read("ca.crt"), "ca.key": await read("ca.key") },
      server: { "tls.crt": await read("server.crt"), "tls.key": await read("server.key") },
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
