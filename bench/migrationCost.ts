import { Namespace } from "../test/support/kubectl";
import { byHand, complete, Job, jobOf } from "./support/bareJob";
import { Cleanup } from "./support/cleanup";
import { deploy, stepsOf } from "./support/kubectlDeploy";
import { Row, Table, table } from "./support/report";
import { alternate, difference, pairs, timed } from "./support/samples";
import { say } from "./support/say";
import { Versions } from "./support/versions";

const GOAL = 3;

/**
 * The Jobs of a migration as the component makes them, beside the same command in the same image by hand. Nothing is pending, so that
 * what is measured is the way there.
 */
export async function migrationCost(cleanup: Cleanup, rounds: number, versions: Versions): Promise<Table> {
  say("a database that is migrated, not measured");
  const namespace = await Namespace.create("bench");
  const removeNamespace = cleanup.add(() => namespace.delete());
  const resources = versions.first(namespace.name);
  await deploy(stepsOf(resources));

  const [start, migration] = [jobOf(resources, "notes-migration-start"), jobOf(resources, "notes-migration")];
  const plainJob = byHand(migration, ["sequelize-cli", "db:migrate"]);
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
  await removeNamespace();

  const rows: Row[] = [
    { what: "start Job and migration Job", values: jobs, unit: " s" },
    { what: "migration Job alone", values: alone, unit: " s" },
    { what: "the command in a Job by hand", values: hand, unit: " s" },
    { what: "difference", values: pairs(jobs, hand, difference), unit: " s", goal: GOAL },
    { what: "difference of the migration Job alone", values: pairs(alone, hand, difference), unit: " s" },
  ];
  return table("A migration with nothing to do, over the same command by hand in the cluster", rows);
}
