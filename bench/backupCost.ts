import { Namespace } from "../test/support/kubectl";
import { Cleanup } from "./support/cleanup";
import { Project } from "./support/project";
import { Table, table } from "./support/report";
import { alternate, difference, pairs, ratio, timed } from "./support/samples";
import { say } from "./support/say";

const LIMIT = 180;
const POD = "db-0";

/** About 100 MB in the database, and text that compresses to half of that. */
const FILL = `SET ROLE notes;
  CREATE TABLE bulk AS SELECT i AS id, md5(i::text) || md5((-i)::text) AS text FROM generate_series(1, 1000000) AS i;`;

const ADMIN = 'export PGPASSWORD="$(cat "$ADMIN_PASSWORD_FILE")" PGHOST=127.0.0.1 PGUSER="$ADMIN_USER" PGDATABASE=notes';

/** A backup as the component's CronJob makes it, from the Job to its end, beside `pg_dump` alone beside the server. */
export async function backupCost(cleanup: Cleanup, rounds: number): Promise<Table> {
  say("a database with backups, not measured");
  const namespace = await Namespace.create("bench");
  const removeNamespace = cleanup.add(() => namespace.delete());
  await namespace.apply({
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: { name: "backups", namespace: namespace.name },
    spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
  });
  const project = await Project.ofFile("backup.js", namespace.name);
  const removeProject = cleanup.add(() => project.remove());
  await project.up();

  let runs = 0;
  const backup = () => backupJob(namespace, `run-${++runs}`);
  await backup(); // binds the claim
  const { fixed } = await alternate(rounds, { fixed: () => timed(backup) });

  const megabytes = Number(await sql(namespace, FILL, "SELECT pg_database_size('notes') / 1000000"));
  say(`the database has ${megabytes} MB`);
  const { backupJob: whole, dump } = await alternate(rounds, {
    backupJob: () => timed(backup),
    dump: () => plainDump(namespace),
  });
  await removeNamespace();
  await removeProject();

  return table(`A backup of ${megabytes} MB to a claim, over pg_dump in the server's pod`, [
    { what: "backup Job, from creation to Complete", values: whole, unit: " s" },
    { what: "pg_dump -Fc", values: dump, unit: " s" },
    { what: "difference", values: pairs(whole, dump, difference), unit: " s" },
    { what: "backup Job / pg_dump", values: pairs(whole, dump, ratio) },
    { what: "backup Job, empty database", values: fixed, unit: " s" },
  ]);
}

/** A run of the CronJob by hand, to its end. */
async function backupJob(namespace: Namespace, name: string): Promise<void> {
  await namespace.kubectl(["create", "job", name, "--from=cronjob/db-backup"]);
  try {
    await namespace.kubectl(["wait", "--for=condition=complete", `job/${name}`, `--timeout=${LIMIT}s`], { seconds: LIMIT + 10 });
  } catch (error) {
    const log = await namespace.kubectl(["logs", `job/${name}`]).catch(String);
    throw new Error(`waited for the backup ${name}\n${error}\n${log}`, { cause: error });
  }
}

/** Seconds of a dump, by the pod's clock: what kubectl takes for itself is not in it. */
async function plainDump(namespace: Namespace): Promise<number> {
  const out = await inPod(
    namespace,
    `${ADMIN}; begin=$(date +%s%N); pg_dump -Fc --file=/tmp/plain.dump; echo $((($(date +%s%N) - begin) / 1000000)); rm /tmp/plain.dump`,
  );
  return Number(out) / 1000;
}

/** What the last of the commands answers. */
const sql = (namespace: Namespace, ...commands: string[]) =>
  inPod(namespace, `${ADMIN}; psql -X -q -A -t -v ON_ERROR_STOP=1`, `${commands.join(";\n")};\n`);

async function inPod(namespace: Namespace, line: string, input?: string): Promise<string> {
  const { code, stdout, stderr } = await namespace.exec(POD, ["sh", "-ec", line], { seconds: LIMIT, input });
  if (code !== 0) throw new Error(`${line}: exit ${code}\n${stdout}${stderr}`);
  return stdout.trim();
}
