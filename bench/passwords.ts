import { getJson, postJson } from "../test/support/notes";
import { Namespace, until } from "../test/support/kubectl";
import { Chart } from "./support/chart";
import { Cleanup } from "./support/cleanup";
import { Answer, Fact } from "./support/facts";
import { Project } from "./support/project";
import { timed } from "./support/samples";
import { say } from "./support/say";
import { FIRST, NEXT } from "./support/versions";

const TITLE = "from before";
/** Seconds in which an application that works has answered. */
const LIMIT = 20;

/** How one of the two does what is asked, and what it is called when told of. */
interface Side {
  /** Installs the first version. */
  install(): Promise<void>;
  /** Removes everything but the volume. */
  remove(): Promise<unknown>;
  /** Deploys the next version, with new passwords. */
  upgrade(): Promise<unknown>;
  /** What shows why something failed. */
  lastWords(): Promise<string>;
}

interface Question {
  what: string;
  /** The command that is told of, by side. */
  commands: { chart: string; component: string };
  /** What comes before it, if anything. */
  before?(side: Side): Promise<unknown>;
  ask(side: Side): Promise<unknown>;
}

const QUESTIONS: Question[] = [
  {
    what: "Installed again on the volume that the first installation left",
    commands: { chart: "helm install", component: "pulumi up" },
    before: (side) => side.remove(),
    ask: (side) => side.install(),
  },
  {
    what: "Upgraded with a password that is generated anew",
    commands: { chart: "helm upgrade", component: "pulumi up" },
    ask: (side) => side.upgrade(),
  },
];

/** Whether the chart, and the component in its place, goes on with the data when the password in the Secret becomes another one. */
export async function passwords(cleanup: Cleanup): Promise<Fact[]> {
  const facts: Fact[] = [];
  for (const question of QUESTIONS) {
    say(question.what);
    const chart = await answered(cleanup, question, "chart", async (namespace) => byChart(new Chart(namespace)));
    const component = await answered(cleanup, question, "component", (namespace) => byProject(cleanup, namespace));
    facts.push({ what: question.what, chart, component });
  }
  return facts;
}

const byChart = (chart: Chart): Side => ({
  install: () => chart.install(FIRST),
  remove: () => chart.uninstall(),
  upgrade: () => chart.upgrade(NEXT),
  lastWords: () => chart.lastWords(),
});

async function byProject(cleanup: Cleanup, namespace: Namespace): Promise<Side> {
  const project = await Project.ofFile("component.js", namespace.name);
  cleanup.add(() => project.remove());
  return {
    install: async () => void (await project.up()),
    remove: () => project.destroy(),
    upgrade: () => project.up("--config", `version=${NEXT}`, "--config", "rotation=1"),
    lastWords: async () => "",
  };
}

async function answered(
  cleanup: Cleanup,
  { commands, before, ask }: Question,
  name: "chart" | "component",
  sideIn: (namespace: Namespace) => Promise<Side>,
): Promise<Answer> {
  const namespace = await Namespace.create("bench");
  const removeNamespace = cleanup.add(() => namespace.delete());
  const side = await sideIn(namespace);
  await side.install();
  await until("the application to take a thread", LIMIT, () =>
    postJson(namespace, "/api/threads", { title: TITLE, body: "kept" }),
  );
  const former = await passwordsIn(namespace);
  await before?.(side);

  let failure: Error | undefined;
  const seconds = await timed(() => ask(side).catch((error: Error) => (failure = error)));
  if ((await passwordsIn(namespace)) === former) throw new Error(`${commands[name]} has changed no password`);
  const kept = await until("the application to answer with the thread of before", LIMIT, () => hasThread(namespace)).catch(
    (error: Error) => error,
  );
  const command = `\`${commands[name]}\``;
  const told = failure
    ? `${command} fails after ${seconds.toFixed(0)} s: \`${await side.lastWords()}\``
    : `${command} ends after ${seconds.toFixed(0)} s`;
  say(`${name}: ${told}${failure ? `\n${failure.message}` : ""}${kept === true ? "" : `\n${kept.message}`}`);
  await removeNamespace();
  return {
    works: failure === undefined && kept === true,
    happened: `${told}; the application ${kept === true ? "answers with what was written before" : "does not answer with what was written before"}`,
  };
}

async function hasThread(namespace: Namespace): Promise<boolean> {
  const { threads } = await getJson(namespace, "/api/threads");
  return threads.some(({ title }: { title: string }) => title === TITLE);
}

/** All that stand in Secrets as such, to tell whether there are others. */
async function passwordsIn(namespace: Namespace): Promise<string> {
  const secrets = await namespace.items("secrets");
  return secrets
    .flatMap(({ data }) => (data?.password ? [data.password] : []))
    .sort()
    .join();
}
