import { Namespace } from "../test/support/kubectl";
import { fillDatabase } from "./support/bulk";
import { Cleanup } from "./support/cleanup";
import { Project } from "./support/project";
import { Table, table } from "./support/report";
import { alternate, difference, pairs, ratio, timed } from "./support/samples";
import { say } from "./support/say";

/** `up` with a migration that does nothing, with and without its rehearsal on a copy. */
export async function rehearsalCost(cleanup: Cleanup, rounds: number): Promise<Table> {
  say("a database to be migrated, not measured");
  const namespace = await Namespace.create("bench");
  const removeNamespace = cleanup.add(() => namespace.delete());
  const project = await Project.ofFile("rehearsal.js", namespace.name);
  const removeProject = cleanup.add(() => project.remove());
  await project.up();
  const megabytes = await fillDatabase(namespace);
  say(`the database has ${megabytes} MB`);

  let runs = 0;
  const up = (rehearsed: boolean) => {
    process.env.BENCH_RUN = String(++runs);
    process.env.BENCH_REHEARSAL = rehearsed ? "yes" : "";
    return timed(() => project.up());
  };
  await up(true);
  const { rehearsed, alone } = await alternate(rounds, { rehearsed: () => up(true), alone: () => up(false) });
  delete process.env.BENCH_RUN;
  await removeNamespace();
  await removeProject();

  return table(`A rehearsal on a copy of ${megabytes} MB`, [
    { what: "up with a migration and its rehearsal", values: rehearsed, unit: " s" },
    { what: "up with a migration", values: alone, unit: " s" },
    { what: "difference", values: pairs(rehearsed, alone, difference), unit: " s" },
    { what: "rehearsed / alone", values: pairs(rehearsed, alone, ratio) },
  ]);
}
