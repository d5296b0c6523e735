import { Namespace } from "../test/support/kubectl";
import { ADMIN, fillDatabase, inPod } from "./support/bulk";
import { Cleanup } from "./support/cleanup";
import { Project } from "./support/project";
import { Table, table } from "./support/report";
import { alternate, difference, pairs, ratio, timed } from "./support/samples";
import { say } from "./support/say";

const LIMIT = 300;

/** A backup as the component's CronJob makes it, from the Job to its end, beside `pg_dump` alone beside the server. */
export async function backupCost(cleanup: Cleanup, rounds: number): Promise<Table> {
  say("a database with backups, not measured");
  const namespace = await Namespace.create("bench");
  const removeNamespace = cleanup.add(() => namespace.delete());
  await namespace.apply({
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: { name: "backups", namespace: namespace.name },
    spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "4Gi" } } },
  });
  const project = await Project.ofFile("backup.js", namespace.name);
  const removeProject = cleanup.add(() => project.remove());
  await project.up();

  let runs = 0;
  const backup = () => backupJob(namespace, `run-${++runs}`);
  await backup(); // binds the claim
  const { fixed } = await alternate(rounds, { fixed: () => timed(backup) });

  const megabytes = await fillDatabase(namespace);
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
