import { Namespace } from "../test/support/kubectl";
import { Cleanup } from "./support/cleanup";
import { deploy, stepsOf } from "./support/kubectlDeploy";
import { Project } from "./support/project";
import { rawProgram } from "./support/rawProgram";
import { percent, table } from "./support/report";
import { alternate, difference, pairs, ratio, summarize, timed } from "./support/samples";
import { Resource } from "./support/state";

const GOAL = 1.1;

/**
 * The first `up` of an application beside the same objects applied with kubectl, in the same order and with the same waits.
 * Beside it two programs that say where the difference is: the same resources without a component, and no resources at all.
 */
export async function firstUp(cleanup: Cleanup, rounds: number, resourcesIn: (namespace: string) => Resource[]): Promise<string> {
  /** What ran in one round has ended before the next begins; the rest, which only lies there, goes at the end. */
  const inNamespace = async (measure: (namespace: string) => Promise<number>) => {
    const namespace = await Namespace.create("bench");
    cleanup.add(() => namespace.delete());
    const seconds = await measure(namespace.name);
    await namespace.kubectl(["delete", "statefulsets,jobs", "--all", "--cascade=foreground", "--timeout=90s"], { seconds: 100 });
    return seconds;
  };
  const up = async (project: Project) => {
    const remove = cleanup.add(() => project.remove());
    const seconds = await timed(() => project.up());
    await remove();
    return seconds;
  };

  const { component, kubectl, raw, empty } = await alternate(rounds, {
    component: () => inNamespace(async (namespace) => up(await Project.ofFile("component.js", namespace))),
    kubectl: () => inNamespace((namespace) => timed(() => deploy(stepsOf(resourcesIn(namespace))))),
    raw: () => inNamespace(async (namespace) => up(await Project.create(rawProgram(resourcesIn(namespace))))),
    empty: async () => up(await Project.ofFile("empty.js")),
  });

  const start = summarize(pairs(empty, component, ratio)).median;
  return table(
    "First up, over the critical path of the same objects with kubectl",
    [
      { what: "PostgresApp", values: component, unit: " s" },
      { what: "kubectl apply and wait", values: kubectl, unit: " s" },
      { what: "PostgresApp / kubectl", values: pairs(component, kubectl, ratio), goal: GOAL },
      { what: "raw resources", values: raw, unit: " s" },
      { what: "empty program", values: empty, unit: " s" },
      { what: "PostgresApp / raw resources", values: pairs(component, raw, ratio) },
      { what: "(PostgresApp - empty) / kubectl", values: pairs(pairs(component, empty, difference), kubectl, ratio) },
    ],
    [`${percent(start)} of the first up is what a program without any resource takes: no component can change that.`],
  );
}
