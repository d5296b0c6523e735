import { Cleanup } from "./support/cleanup";
import { Project } from "./support/project";
import { Row, Table, table } from "./support/report";
import { alternate } from "./support/samples";
import { inNamespace, withProject } from "./support/scratch";

/** Of one more application among many over one more among few: 1 is a straight line. */
const GOAL = 1.2;

type Usage = Awaited<ReturnType<Project["usage"]>>;

/** The program of a first preview of 1, 10 and 100 applications, from its own process: the engine and the cluster are not in it. */
export async function manyApplications(cleanup: Cleanup, rounds: number): Promise<Table> {
  const { one, ten, hundred } = await inNamespace(cleanup, async ({ name }) =>
    withProject(cleanup, await Project.ofFile("many.js", name), (project) => {
      const preview = async (applications: number) => {
        await project.preview("--config", `applications=${applications}`);
        return project.usage();
      };
      return alternate(rounds, { one: () => preview(1), ten: () => preview(10), hundred: () => preview(100) });
    }),
  );

  const rows = (what: string, part: keyof Usage, shown: Pick<Row, "unit" | "digits">): Row[] => {
    const [a, b, c] = [one, ten, hundred].map((usages) => usages.map((usage) => usage[part]));
    const slopes = a.map((_, round) => (c[round] - b[round]) / 90 / ((b[round] - a[round]) / 9));
    return [
      { what: `${what}, 1 application`, values: a, ...shown },
      { what: `${what}, 10 applications`, values: b, ...shown },
      { what: `${what}, 100 applications`, values: c, ...shown },
      { what: `${what}, one more of 100 / one more of 10`, values: slopes, goal: GOAL },
    ];
  };
  return table("Many applications in one program, first preview", [
    ...rows("processor's time", "cpu", { unit: " s" }),
    ...rows("memory", "memory", { unit: " MiB", digits: 0 }),
  ]);
}
