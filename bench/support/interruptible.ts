import { readFileSync } from "fs";

/**
 * Runs something that ends early on Ctrl-C and on a request to end, by ending the programs it runs: they are told again and again,
 * since it may be about to start another one. When this returns nothing is running any more that would make new things.
 */
export async function interruptible(work: () => Promise<void>): Promise<void> {
  let ended: string | undefined;
  let telling: NodeJS.Timeout | undefined;
  const end = (signal: NodeJS.Signals) => {
    if (ended) return;
    ended = signal;
    const tell = () => children().forEach((child) => tellToEnd(child, signal));
    tell();
    telling = setInterval(tell, 1000);
  };
  process.on("SIGINT", end).on("SIGTERM", end);
  try {
    await work();
  } catch (error) {
    throw ended ? new Error(`ended by ${ended}`) : error;
  } finally {
    clearInterval(telling);
    process.off("SIGINT", end).off("SIGTERM", end);
  }
}

const children = () => readFileSync(`/proc/self/task/${process.pid}/children`, "utf8").split(" ").filter(Boolean).map(Number);

function tellToEnd(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // it has ended meanwhile
  }
}
