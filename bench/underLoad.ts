import { Namespace, sleep } from "../test/support/kubectl";
import { Load } from "../test/support/load";
import { Cleanup } from "./support/cleanup";
import { Project } from "./support/project";
import { Row, Table, table } from "./support/report";
import { alternate, pairs, ratio, timed } from "./support/samples";
import { say } from "./support/say";

/** Seconds of load beside which nothing happens. */
const QUIET = 20;

interface Change {
  /** One word for it. */
  name: string;
  /** What is read on its table. */
  title: string;
  /** The setting with which it is made, one after the other. */
  config(number: number): string;
}

export const rotation = (cleanup: Cleanup, rounds: number) =>
  underLoad(cleanup, rounds, {
    name: "rotation",
    title: "Requests while the application gets another password, over the same load while nothing happens",
    config: (number) => `rotation=${number}`,
  });

/** The migration runs each time; from the second on, there is nothing left for it to do. */
export const rollout = (cleanup: Cleanup, rounds: number) =>
  underLoad(cleanup, rounds, {
    name: "rollout",
    title: "Requests while another version is migrated to and rolled out, over the same load while nothing happens",
    config: (number) => `version=1.${number % 2}.0`,
  });

/** Latencies that users see while something is changed, beside those while nothing happens. */
async function underLoad(cleanup: Cleanup, rounds: number, { name, title, config }: Change): Promise<Table> {
  say("an application of two pods under load, not measured");
  const namespace = await Namespace.create("bench");
  const removeNamespace = cleanup.add(() => namespace.delete());
  const project = await Project.ofFile("component.js", namespace.name);
  const removeProject = cleanup.add(() => project.remove());
  await project.up();

  const load = await Load.start(namespace, "warm-up");
  await sleep(5000);
  let number = 0;
  const during = async (phase: string, what: () => Promise<unknown>) => {
    await load.phase(phase);
    const seconds = await timed(what);
    await load.phase("between");
    return seconds;
  };
  const { changed } = await alternate(rounds, {
    quiet: () => during(`quiet ${number + 1}`, () => sleep(QUIET * 1000)),
    changed: () => {
      number++;
      return during(`${name} ${number}`, () => project.up("--config", config(number)));
    },
  });
  const { phases, failures } = await load.stop();
  await removeNamespace();
  await removeProject();

  const all = (what: string, field: "p50" | "p99" | "failed" | "sent") =>
    changed.map((_, round) => phases[`${what} ${round + 1}`][field]);
  const rows = (["p50", "p99"] as const).flatMap((field): Row[] => {
    const [quiet, changing] = [all("quiet", field), all(name, field)];
    return [
      { what: `${field}, ${name}`, values: changing, unit: " ms", digits: 1 },
      { what: `${field}, nothing happens`, values: quiet, unit: " ms", digits: 1 },
      { what: `${field}, ${name} / nothing happens`, values: pairs(changing, quiet, ratio) },
    ];
  });
  return table(
    title,
    [
      ...rows,
      { what: `requests, ${name}`, values: all(name, "sent"), digits: 0 },
      { what: `failed requests, ${name}`, values: all(name, "failed"), digits: 0, goal: 0 },
      { what: "failed requests, nothing happens", values: all("quiet", "failed"), digits: 0 },
      { what: `up, ${name}`, values: changed, unit: " s" },
    ],
    [
      ...(all("quiet", "failed").some(Boolean)
        ? ["Requests failed while nothing happened: the machine is too busy for this load."]
        : []),
      ...Object.entries(failures)
        .slice(0, 5)
        .map(([failure, { times }]) => `failed ${times} times: ${failure}`),
    ],
  );
}
