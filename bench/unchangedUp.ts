import { Namespace } from "../test/support/kubectl";
import { Cleanup } from "./support/cleanup";
import { Project } from "./support/project";
import { rawProgram } from "./support/rawProgram";
import { Table, table } from "./support/report";
import { alternate, pairs, ratio, timed } from "./support/samples";
import { say } from "./support/say";
import { Versions } from "./support/versions";

const GOAL = 1.05;

/** `up` and `preview` without a change of the component's program beside those of the same resources without a component. */
export async function unchangedUp(cleanup: Cleanup, rounds: number, versions: Versions): Promise<Table> {
  say("the component and the same resources without it, not measured");
  const deployed = async (projectIn: (namespace: string) => Promise<Project>) => {
    const namespace = await Namespace.create("bench");
    const removeNamespace = cleanup.add(() => namespace.delete());
    const project = await projectIn(namespace.name);
    const removeProject = cleanup.add(() => project.remove());
    await project.up();
    return { project, remove: () => Promise.all([removeNamespace(), removeProject()]) };
  };
  const component = await deployed((namespace) => Project.ofFile("component.js", namespace));
  const raw = await deployed((namespace) => Project.create(rawProgram(versions.first(namespace))));

  const measure = async (project: Project) => {
    const up = await timed(() => project.up("--expect-no-changes"));
    const { memory } = await project.usage();
    return { up, memory, preview: await timed(() => project.preview("--expect-no-changes")) };
  };
  const measured = await alternate(rounds, { component: () => measure(component.project), raw: () => measure(raw.project) });
  await component.remove();
  await raw.remove();

  const of = (part: "up" | "preview" | "memory") => {
    const [ours, others] = [measured.component, measured.raw].map((values) => values.map((value) => value[part]));
    return { ours, others, over: pairs(ours, others, ratio) };
  };
  const [up, preview, memory] = [of("up"), of("preview"), of("memory")];
  return table("Nothing changed, over a program of the same resources without a component", [
    { what: "PostgresApp, up", values: up.ours, unit: " s" },
    { what: "raw resources, up", values: up.others, unit: " s" },
    { what: "PostgresApp / raw, up", values: up.over, goal: GOAL },
    { what: "PostgresApp, preview", values: preview.ours, unit: " s" },
    { what: "raw resources, preview", values: preview.others, unit: " s" },
    { what: "PostgresApp / raw, preview", values: preview.over, goal: GOAL },
    { what: "PostgresApp, program's peak memory", values: memory.ours, unit: " MiB", digits: 0 },
    { what: "raw, program's peak memory", values: memory.others, unit: " MiB", digits: 0 },
    { what: "PostgresApp / raw, memory", values: memory.over },
  ]);
}
