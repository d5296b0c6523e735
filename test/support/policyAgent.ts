import { spawn } from "child_process";
import { join } from "path";

const script = join(__dirname, "..", "..", "tools", "cluster", "policies.sh");

/**
 * Has network policies enforced, everywhere in the local cluster, until what is returned is called, or this process is gone. A cluster of
 * yours has a network plugin that does it.
 */
export async function enforcePolicies(): Promise<() => Promise<void>> {
  if (process.env.CONTEXT) return async () => undefined;
  // Out of reach of the signals of a keyboard: it ends with its standard input, and tidies up.
  const agent = spawn(script, ["enforce"], { detached: true, stdio: "pipe" });
  let said = "";
  agent.stderr.on("data", (text) => (said += text));
  const ended = new Promise<void>((resolve, reject) => {
    agent.once("error", reject);
    agent.once("exit", (code) => (code === 0 ? resolve() : reject(new Error(`policies.sh enforce: ${said}`))));
  });
  await Promise.race([new Promise((resolve) => agent.stdout.once("data", resolve)), ended]);
  return () => {
    agent.stdin.end();
    return ended;
  };
}
