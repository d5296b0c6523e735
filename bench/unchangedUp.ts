import { Project } from "./support/project";
import { table } from "./support/report";
import { alternate, pairs, ratio, timed } from "./support/samples";

const GOAL = 1.05;

/** `up` without a change of the component's program beside that of the same resources without a component. */
export async function unchangedUp(rounds: number, component: Project, raw: Project): Promise<string> {
  const memory = { component: [] as number[], raw: [] as number[] };
  const up = async (project: Project, peaks: number[]) => {
    const seconds = await timed(() => project.up("--expect-no-changes"));
    peaks.push(await project.peakMemory());
    return seconds;
  };
  const seconds = await alternate(rounds, {
    component: () => up(component, memory.component),
    raw: () => up(raw, memory.raw),
  });
  return table("Up without a change, over a program of the same resources without a component", [
    { what: "PostgresApp", values: seconds.component, unit: " s" },
    { what: "raw resources", values: seconds.raw, unit: " s" },
    { what: "PostgresApp / raw", values: pairs(seconds.component, seconds.raw, ratio), goal: GOAL },
    { what: "PostgresApp, program's peak memory", values: memory.component, unit: " MiB", digits: 0 },
    { what: "raw, program's peak memory", values: memory.raw, unit: " MiB", digits: 0 },
    { what: "PostgresApp / raw, memory", values: pairs(memory.component, memory.raw, ratio) },
  ]);
}
