import { Namespace } from "../test/support/kubectl";
import { byHand, complete, jobOf } from "./support/bareJob";
import { Chart } from "./support/chart";
import { Cleanup } from "./support/cleanup";
import { deploy, manifestsOf, remove, stepsOf } from "./support/kubectlDeploy";
import { Bars } from "./support/picture";
import { Project } from "./support/project";
import { rawProgram } from "./support/rawProgram";
import { percent, Table, table } from "./support/report";
import { alternate, difference, pairs, ratio, summarize, timed } from "./support/samples";
import { inNamespace, withProject } from "./support/scratch";
import { FIRST, NEXT, Versions } from "./support/versions";

/** Of the first `up` over Helm's installation, and over kubectl with the same objects. */
const FIRST_OVER_HELM = 0.4;
const FIRST_OVER_KUBECTL = 1.1;
/** Of an upgrade over what Kubernetes itself takes for its migration and its rollout. */
const UPGRADE_OVER_BARE = 1.15;
const DESTROY_OVER_KUBECTL = 1.1;

/**
 * The life of an application of two pods, by what people use and by the component, each in a namespace of its own: from nothing to every pod
 * ready, to the next version, to nothing but its volume. Beside them what Kubernetes alone takes for an upgrade, and Pulumi for no resource.
 */
export async function beside(
  cleanup: Cleanup,
  rounds: number,
  versions: Versions,
): Promise<{ tables: Table[]; pictures: Bars[] }> {
  const byChart = async (namespace: Namespace, chart: Chart) => {
    const install = await timed(() => chart.install(FIRST));
    const password = await chart.password();
    const upgrade = await timed(() => chart.upgrade(NEXT, password));
    return { install, upgrade, destroy: await timedToTheEnd(namespace, () => chart.uninstall()) };
  };

  const measured = await alternate(rounds, {
    component: () =>
      inNamespace(cleanup, async (namespace) =>
        withProject(cleanup, await Project.ofFile("component.js", namespace.name), async (project) => ({
          install: await timed(() => project.up("--config", `version=${FIRST}`)),
          upgrade: await timed(() => project.up("--config", `version=${NEXT}`)),
          destroy: await timedToTheEnd(namespace, () => project.destroy()),
        })),
      ),
    helm: () => inNamespace(cleanup, (namespace) => byChart(namespace, new Chart(namespace))),
    helmWithoutDelays: () => inNamespace(cleanup, (namespace) => byChart(namespace, Chart.withoutDelays(namespace))),
    kubectl: () =>
      inNamespace(cleanup, async (namespace) => {
        const [first, next] = [versions.first(namespace.name), versions.next(namespace.name)];
        return {
          install: await timed(() => deploy(stepsOf(first))),
          upgrade: await timed(() => deploy(stepsOf(next))),
          destroy: await timedToTheEnd(namespace, () => remove(manifestsOf(next))),
        };
      }),
    bare: () => inNamespace(cleanup, (namespace) => bareUpgrade(namespace, versions)),
    raw: () =>
      inNamespace(cleanup, async (namespace) => {
        const [first, next] = [versions.first(namespace.name), versions.next(namespace.name)].map(rawProgram);
        return withProject(cleanup, await Project.create(first), async (project) => {
          const install = await timed(() => project.up());
          await project.rewrite(next);
          const upgrade = await timed(() => project.up());
          return { install, upgrade, destroy: await timedToTheEnd(namespace, () => project.destroy()) };
        });
      }),
    empty: async () => withProject(cleanup, await Project.ofFile("empty.js"), (project) => timed(() => project.up())),
  });
  const { component, helm, helmWithoutDelays, kubectl, raw, bare, empty } = measured;

  const of = (part: "install" | "upgrade" | "destroy") => {
    const seconds = (lives: Record<typeof part, number>[]) => lives.map((life) => life[part]);
    const ours = seconds(component);
    return {
      ours,
      kubectl: seconds(kubectl),
      /** What people see of it, and the same divided. */
      rows: [
        { what: WAYS.component, values: ours, unit: " s" },
        { what: WAYS.raw, values: seconds(raw), unit: " s" },
        { what: WAYS.kubectl, values: seconds(kubectl), unit: " s" },
        { what: WAYS.helm, values: seconds(helm), unit: " s" },
        { what: WAYS.helmWithoutDelays, values: seconds(helmWithoutDelays), unit: " s" },
      ],
      over: (others: typeof raw) => pairs(ours, seconds(others), ratio),
    };
  };
  const [install, upgrade, destroy] = [of("install"), of("upgrade"), of("destroy")];
  const start = summarize(pairs(empty, install.ours, ratio)).median;

  const tables = [
    table(
      "First installation, until the schema is migrated and both pods are ready",
      [
        ...install.rows,
        { what: "Pulumi program without a resource", values: empty, unit: " s" },
        { what: "PostgresApp / Helm", values: install.over(helm), goal: FIRST_OVER_HELM },
        { what: "PostgresApp / Helm, chart without delays", values: install.over(helmWithoutDelays) },
        { what: "PostgresApp / kubectl", values: install.over(kubectl), goal: FIRST_OVER_KUBECTL },
        {
          what: "(PostgresApp - no resource) / kubectl",
          values: pairs(pairs(install.ours, empty, difference), install.kubectl, ratio),
        },
        { what: "PostgresApp / raw resources", values: install.over(raw) },
      ],
      [`${percent(start)} of the first up is what a program without any resource takes: no component can change that.`],
    ),
    table("Upgrade, one migration and two pods", [
      ...upgrade.rows,
      { what: "bare Job, then the rollout", values: bare, unit: " s" },
      { what: "PostgresApp / (bare Job, then the rollout)", values: pairs(upgrade.ours, bare, ratio), goal: UPGRADE_OVER_BARE },
      { what: "PostgresApp / Helm", values: upgrade.over(helm) },
      { what: "PostgresApp / Helm, chart without delays", values: upgrade.over(helmWithoutDelays) },
      { what: "PostgresApp / kubectl", values: upgrade.over(kubectl) },
      { what: "PostgresApp / raw resources", values: upgrade.over(raw) },
    ]),
    table("Destroy, until the pods are gone; the volume stays", [
      ...destroy.rows,
      { what: "PostgresApp / kubectl", values: destroy.over(kubectl), goal: DESTROY_OVER_KUBECTL },
      { what: "PostgresApp / Helm", values: destroy.over(helm) },
      { what: "PostgresApp / raw resources", values: destroy.over(raw) },
    ]),
  ];
  const pictures = [
    { title: "First installation", bars: install.rows },
    { title: "Upgrade, one migration and two pods", bars: [...upgrade.rows, { what: WAYS.bare, values: bare }] },
    { title: "Destroy", bars: destroy.rows },
  ];
  return { tables, pictures };
}

const WAYS = {
  component: "PostgresApp",
  raw: "raw resources in a Pulumi program",
  kubectl: "the same objects with kubectl, in order",
  helm: "Helm, --wait",
  helmWithoutDelays: "Helm, --wait, chart without delays",
  bare: "bare Job, then the rollout",
};

/** Seconds of a removal, which has to have ended: some commands can return before pods have. */
async function timedToTheEnd(namespace: Namespace, removal: () => Promise<unknown>): Promise<number> {
  const seconds = await timed(removal);
  const left = await namespace.items("pods", "--field-selector=status.phase=Running");
  if (left.length) throw new Error(`still running after the removal: ${left.map(({ metadata }) => metadata.name).join(", ")}`);
  return seconds;
}

/** What Kubernetes itself takes for the migration's command in a Job and then for the same pods, when all else is there. */
async function bareUpgrade(namespace: Namespace, versions: Versions): Promise<number> {
  const { name } = namespace;
  await deploy(stepsOf(versions.first(name)));
  const next = stepsOf(versions.next(name));
  await deploy(next.slice(0, 1));
  const migration = byHand(jobOf(versions.next(name), "notes-migration"), ["sequelize-cli", "db:migrate"]);
  const rollout = next.filter(({ manifests: [{ kind, metadata }] }) => kind === "StatefulSet" && metadata.name === "notes");
  return timed(async () => {
    await complete(namespace, migration, "by-hand");
    await deploy(rollout);
  });
}
