import { readFileSync } from "fs";
import { join } from "path";
import { backupFiles } from "../../components/database/backup";
import { restrictedContainer, restrictedPod } from "../../components/common/security";
import { keysFiles } from "../../components/database/keysJob";
import { restoreFiles } from "../../components/database/restore";
import { Namespace, Ran } from "./kubectl";

const START = `
initdb -D /data/pg -U postgres --auth=trust -E UTF8 --locale=C.UTF-8 --no-sync >/dev/null
echo 'host all all all trust' >> /data/pg/pg_hba.conf
exec postgres -D /data/pg -c listen_addresses='*' -c unix_socket_directories=/tmp -c fsync=off -c shared_buffers=64MB`;

/** Applies pods whose containers meet the restricted standard and end at once, and waits for them. */
export async function startPods(
  namespace: Namespace,
  ...pods: { name: string; uid: number; containers: any[]; volumes: any[] }[]
) {
  await namespace.apply(
    ...pods.map(({ name, uid, containers, volumes }) => ({
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name, namespace: namespace.name, labels: { app: name } },
      spec: {
        automountServiceAccountToken: false,
        // Else what is killed would be Postgres' to reap, which takes a killed child for one of its own and starts anew.
        shareProcessNamespace: true,
        terminationGracePeriodSeconds: 1,
        securityContext: restrictedPod(uid),
        containers: containers.map((container) => ({ securityContext: restrictedContainer(), ...container })),
        volumes,
      },
    })),
  );
  await namespace.kubectl(["wait", "--for=condition=Ready", ...pods.map(({ name }) => `pod/${name}`), "--timeout=90s"], {
    seconds: 100,
  });
}

/** A store that speaks S3, with a folder /data for its buckets: those that are named are there already. */
export const s3Pod = (keys: { AWS_ACCESS_KEY_ID: string; AWS_SECRET_ACCESS_KEY: string }, ...buckets: string[]) => ({
  name: "s3",
  uid: 1000,
  containers: [
    {
      name: "s3",
      image: "docker.io/local/s3:1",
      env: [
        { name: "ROOT_ACCESS_KEY_ID", value: keys.AWS_ACCESS_KEY_ID },
        { name: "ROOT_SECRET_ACCESS_KEY", value: keys.AWS_SECRET_ACCESS_KEY },
      ],
      readinessProbe: { tcpSocket: { port: 9000 }, periodSeconds: 1 },
      volumeMounts: [
        { name: "data", mountPath: "/data" },
        ...buckets.map((bucket) => ({ name: "data", mountPath: `/data/${bucket}`, subPath: bucket })),
        { name: "tmp", mountPath: "/tmp" },
      ],
    },
  ],
  volumes: [
    { name: "data", emptyDir: {} },
    { name: "tmp", emptyDir: {} },
  ],
});

/** A ConfigMap with every script of backups and restores, and the one that compares keys. */
export async function applyScripts(namespace: Namespace): Promise<void> {
  const data = { ...backupFiles(), ...restoreFiles(), ...keysFiles() };
  await namespace.apply({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "scripts", namespace: namespace.name }, data });
}

/** A Postgres of one major version, with the scripts and the claim "backups", and with databases of the role "owner". */
export class BackupServer {
  readonly name: string;

  constructor(
    private readonly namespace: Namespace,
    readonly major: number,
  ) {
    this.name = `postgres-${major}`;
  }

  get pod() {
    const mount = (name: string, mountPath: string) => ({ name, mountPath });
    return {
      name: this.name,
      uid: 999,
      containers: [
        {
          name: "postgres",
          image: `docker.io/library/postgres:${this.major}`,
          command: ["sh", "-c", START],
          readinessProbe: { exec: { command: ["pg_isready", "-q", "-h", "127.0.0.1"] }, periodSeconds: 1, failureThreshold: 90 },
          volumeMounts: [
            mount("data", "/data"),
            mount("tmp", "/tmp"),
            mount("memory", "/dev/shm"),
            mount("small", "/small"),
            mount("scripts", "/scripts"),
            mount("backups", "/claim"),
          ],
        },
      ],
      volumes: [
        { name: "data", emptyDir: {} },
        { name: "tmp", emptyDir: {} },
        { name: "memory", emptyDir: { medium: "Memory" } },
        { name: "small", emptyDir: { medium: "Memory", sizeLimit: "8Mi" } },
        { name: "scripts", configMap: { name: "scripts" } },
        { name: "backups", persistentVolumeClaim: { claimName: "backups" } },
      ],
    };
  }

  sh(line: string, options: { input?: string; seconds?: number } = {}): Promise<Ran> {
    return this.namespace.exec(this.name, ["sh", "-c", line], { seconds: 120, ...options });
  }

  async ok(line: string, input?: string): Promise<string> {
    const { code, stdout, stderr } = await this.sh(line, { input });
    if (code !== 0) throw new Error(`${line}: ${stderr}${stdout}`);
    return stdout;
  }

  /** SQL as the administrator, or as the application's login, which acts as the owner. */
  async sql(sql: string, { database = "postgres", user = "postgres" } = {}): Promise<string> {
    return (await this.ok(`psql -X -q -A -t -v ON_ERROR_STOP=1 -h /tmp -U ${user} -d ${database}`, sql)).trim();
  }

  async createRoles(): Promise<void> {
    await this.sql("CREATE ROLE owner; CREATE ROLE app LOGIN IN ROLE owner; ALTER ROLE app SET role = owner;");
  }

  /** A database as the setup leaves it: empty, but for an extension. */
  async createDatabase(name: string): Promise<void> {
    await this.sql(`CREATE DATABASE ${name} OWNER owner`);
    await this.sql("GRANT ALL ON SCHEMA public TO owner; CREATE EXTENSION pg_trgm;", { database: name });
    // As PostGIS has it: a table of the extension's, whose rows are dumped and which only an administrator may write.
    await this.sql(
      `CREATE TABLE spatial_ref_sys (srid int); GRANT SELECT ON spatial_ref_sys TO PUBLIC; ALTER EXTENSION pg_trgm ADD TABLE spatial_ref_sys;
       UPDATE pg_extension SET extconfig = ARRAY['spatial_ref_sys'::regclass::oid], extcondition = ARRAY[''] WHERE extname = 'pg_trgm'`,
      { database: name },
    );
  }

  async fill(name: string): Promise<void> {
    await this.createDatabase(name);
    // What only an administrator may make: restores leave it out. citext is one that the owner may make.
    const admin = "CREATE EXTENSION citext; CREATE EXTENSION postgres_fdw; CREATE PUBLICATION everything FOR ALL TABLES;";
    await this.sql(admin, { database: name });
    await this.sql(readFileSync(join(__dirname, "sample.sql"), "utf8"), { database: name, user: "app" });
  }

  /** Everything in a database: each table's rows and checksum, sequences, large objects, and the schema without owners and our own. */
  async contents(database: string): Promise<{ rows: string; schema: string }> {
    const rows = await this.sql(
      `SELECT format(
         CASE relkind WHEN 'S' THEN 'SELECT %L, last_value, is_called FROM %I.%I'
         ELSE 'SELECT %L, count(*), md5(string_agg(t::text, ''|'' ORDER BY t::text)) FROM %I.%I t' END, relname, nspname, relname)
       FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace
       WHERE relkind IN ('r', 'm', 'v', 'S') AND nspname IN ('public', 'audit') ORDER BY nspname, relname \\gexec
       SELECT oid, convert_from(lo_get(oid), 'UTF8') FROM pg_largeobject_metadata ORDER BY oid;`,
      { database },
    );
    const left = "postgres_fdw|PUBLICATION|^--|^$|^.(un)?restrict ";
    const schema = await this.ok(
      `pg_dump -h /tmp -U postgres --schema-only --no-owner --no-acl --exclude-schema=postgres_app ${database} | grep -v -E '${left}'`,
    );
    return { rows, schema };
  }
}

export interface JobResult {
  ok: boolean;
  /** The logs of all its containers, in their order. */
  log: string;
  /** What the container that ended last left as its message. */
  message: string;
}

/** Runs a Job to its end, within a limit. */
export async function runJob(namespace: Namespace, name: string, spec: object, seconds = 150): Promise<JobResult> {
  await namespace.apply({ apiVersion: "batch/v1", kind: "Job", metadata: { name, namespace: namespace.name }, spec });
  return jobResult(namespace, name, seconds);
}

export async function jobResult(namespace: Namespace, name: string, seconds = 150): Promise<JobResult> {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const { status = {} } = await namespace.get(`job/${name}`);
    const done = (status.conditions ?? []).find(
      ({ type, status }: any) => ["Complete", "Failed"].includes(type) && status === "True",
    );
    if (done) {
      const pods = await namespace.items("pods", "-l", `job-name=${name}`);
      const { spec, status } = pods[pods.length - 1];
      const states = [...(status.initContainerStatuses ?? []), ...status.containerStatuses];
      const ended = states.filter(({ state }: any) => state.terminated);
      const names = [...(spec.initContainers ?? []), ...spec.containers].map((container: any) => container.name);
      let log = "";
      for (const container of names.slice(0, ended.length))
        log += await namespace.kubectl(["logs", `pod/${pods[pods.length - 1].metadata.name}`, "-c", container]);
      return { ok: done.type === "Complete", log, message: ended[ended.length - 1]?.state.terminated.message ?? "" };
    }
    if (Date.now() > end) throw new Error(`Job ${name} has not ended after ${seconds} s: ${JSON.stringify(status)}`);
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}
