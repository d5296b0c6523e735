import { Namespace, sleep } from "../test/support/kubectl";
import { Load } from "../test/support/load";
import { Cleanup } from "./support/cleanup";
import { Project } from "./support/project";
import { Row, table } from "./support/report";
import { alternate, pairs, ratio, timed } from "./support/samples";
import { say } from "./support/say";

/** Seconds of load beside which nothing happens. */
const QUIET = 20;

/** Latencies that users see while the application is given another password, beside those while nothing happens. */
export async function rotation(cleanup: Cleanup, rounds: number): Promise<string> {
  say("an application of two pods under load, not measured");
  const namespace = await Namespace.create("bench");
  const removeNamespace = cleanup.add(() => namespace.delete());
  const project = await Project.ofFile("rotation.js", namespace.name);
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
  const { rotated } = await alternate(rounds, {
    quiet: () => during(`quiet ${number + 1}`, () => sleep(QUIET * 1000)),
    rotated: () => {
      number++;
      return during(`rotation ${number}`, () => project.up("--config", `rotation=${number}`));
    },
  });
  const { phases, failures } = await load.stop();
  await removeNamespace();
  await removeProject();

  const all = (what: string, field: "p50" | "p99" | "failed" | "sent") =>
    rotated.map((_, round) => phases[`${what} ${round + 1}`][field]);
  const rows = (["p50", "p99"] as const).flatMap((field): Row[] => {
    const [quiet, rotating] = [all("quiet", field), all("rotation", field)];
    return [
      { what: `${field}, rotation`, values: rotating, unit: " ms", digits: 1 },
      { what: `${field}, nothing happens`, values: quiet, unit: " ms", digits: 1 },
      { what: `${field}, rotation / nothing happens`, values: pairs(rotating, quiet, ratio) },
    ];
  });
  return table(
    "Requests while the application gets another password, over the same load while nothing happens",
    [
      ...rows,
      { what: "requests, rotation", values: all("rotation", "sent"), digits: 0 },
      { what: "failed requests, rotation", values: all("rotation", "failed"), digits: 0, goal: 0 },
      { what: "failed requests, nothing happens", values: all("quiet", "failed"), digits: 0 },
      { what: "up that rotates", values: rotated, unit: " s" },
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
