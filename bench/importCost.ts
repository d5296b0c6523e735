import { join } from "path";
import { run } from "../test/support/kubectl";
import { Table, table } from "./support/report";
import { alternate, difference, pairs } from "./support/samples";

const GOAL = 30;
const root = join(__dirname, "..");

/** What is imported, as a program would write it. What is exported is read once, in case a part is loaded only then. */
const IMPORTS = {
  kubernetes: 'require("@pulumi/kubernetes")',
  component: 'require("pulumi-postgres-app").PostgresApp',
  presets: 'Object.values(require("pulumi-postgres-app"))',
};

/** What a program waits for before its first line, in a process of its own each time. */
export async function importCost(rounds: number): Promise<Table> {
  for (const what of Object.values(IMPORTS)) await seconds(what); // from the disk
  const measured = await alternate(rounds, {
    kubernetes: () => seconds(IMPORTS.kubernetes),
    component: () => seconds(IMPORTS.component),
    presets: () => seconds(IMPORTS.presets),
  });
  const milliseconds = (values: number[]) => values.map((value) => value * 1000);
  const [kubernetes, component, presets] = [measured.kubernetes, measured.component, measured.presets].map(milliseconds);
  const row = { unit: " ms", digits: 0 };
  return table("Import, over @pulumi/kubernetes alone", [
    { what: "@pulumi/kubernetes", values: kubernetes, ...row },
    { what: "PostgresApp", values: component, ...row },
    { what: "PostgresApp and every preset", values: presets, ...row },
    { what: "PostgresApp, difference", values: pairs(component, kubernetes, difference), ...row, goal: GOAL },
    { what: "PostgresApp and every preset, difference", values: pairs(presets, kubernetes, difference), ...row, goal: GOAL },
  ]);
}

/** By the process' own clock: what Node takes to start is not in it. */
async function seconds(what: string): Promise<number> {
  const script = `const begin = performance.now(); ${what}; console.log(performance.now() - begin);`;
  const { code, stdout, stderr } = await run(process.execPath, ["-e", script], { cwd: root });
  if (code !== 0) throw new Error(`${what}: exit ${code}\n${stdout}${stderr}`);
  return Number(stdout) / 1000;
}
