import { join } from "path";
import { run } from "./kubectl";

const script = join(__dirname, "..", "..", "tools", "cluster", "node.sh");

/** The local cluster's second node, which tools/cluster/node.sh starts and removes. */
export const secondNode = {
  name: "node2",
  toleration: { key: "pulumi-postgres-app/node2", operator: "Exists", effect: "NoSchedule" },
  up: () => call("up"),
  down: () => call("down"),
};

async function call(command: "up" | "down"): Promise<void> {
  const { code, stderr } = await run(script, [command], { seconds: 200 });
  if (code !== 0) throw new Error(`node.sh ${command}: ${stderr}`);
}
