import { Namespace } from "../test/support/kubectl";
import { Manifest } from "./support/kubectlDeploy";
import { Row, table } from "./support/report";
import { alternate, difference, pairs, timed } from "./support/samples";
import { plain, Resource, Values } from "./support/state";

const LIMIT = 120;
const GOAL = 3;

interface Container {
  name: string;
  command: string[];
  env: { name: string }[];
  volumeMounts: { name: string }[];
}

interface Job extends Manifest {
  spec: { template: { spec: { initContainers?: Container[]; containers: Container[]; volumes: { name: string }[] } } };
}

/** What is only there because the migration is watched over. */
const OURS = /^migration-(scripts|tools|run)$|^guard-tmp$/;

/**
 * The Jobs of a migration as the component makes them, beside the same command in the same image by hand. Nothing is pending, so that
 * what is measured is the way there.
 */
export async function migrationCost(namespace: Namespace, rounds: number, resources: Resource[], command: string[]) {
  const jobOf = (name: string) =>
    plain(resources.find((one) => one.name === name && one.type.endsWith(":Job"))!.inputs as Values) as Job;
  const [start, migration] = [jobOf("notes-migration-start"), jobOf("notes-migration")];
  const plainJob = byHand(migration, command);
  let runs = 0;
  const run = (...jobs: Job[]) =>
    timed(async () => {
      for (const job of jobs) await complete(namespace, job, `run-${++runs}`);
    });
  const { jobs, alone, hand } = await alternate(rounds, {
    jobs: () => run(start, migration),
    alone: () => run(migration),
    hand: () => run(plainJob),
  });
  const rows: Row[] = [
    { what: "start Job and migration Job", values: jobs, unit: " s" },
    { what: "migration Job alone", values: alone, unit: " s" },
    { what: "the command in a Job by hand", values: hand, unit: " s" },
    { what: "difference", values: pairs(jobs, hand, difference), unit: " s", goal: GOAL },
    { what: "difference of the migration Job alone", values: pairs(alone, hand, difference), unit: " s" },
  ];
  return table("A migration with nothing to do, over the same command by hand in the cluster", rows);
}

/** The Job as somebody would write it who only wants the command to run. */
function byHand(job: Job, command: string[]): Job {
  const hand = structuredClone(job);
  const pod = hand.spec.template.spec;
  const notOurs = ({ name }: { name: string }) => !OURS.test(name);
  delete pod.initContainers;
  pod.containers = pod.containers.slice(-1);
  const [container] = pod.containers;
  container.command = command;
  container.env = container.env.filter(({ name }) => !name.startsWith("POSTGRES_APP_"));
  container.volumeMounts = container.volumeMounts.filter(notOurs);
  pod.volumes = pod.volumes.filter(notOurs);
  return hand;
}

async function complete(namespace: Namespace, job: Job, name: string): Promise<void> {
  await namespace.apply({ ...job, metadata: { name, namespace: namespace.name } });
  await namespace.kubectl(["wait", "--for=condition=complete", `job/${name}`, `--timeout=${LIMIT}s`], { seconds: LIMIT + 10 });
}
