import { spawn } from "child_process";
import { tmpdir } from "os";
import { join } from "path";

/** How long a file may be waited for, in minutes. */
const LIMIT = 15;

/**
 * Files of tests run beside each other: those that change what there is once in a cluster take turns. Give the hooks to `before` as
 * the first and `after` as the last. Those that only need it unchanged share a turn.
 */
export function turn(what: string, { shared = false } = {}): { begin: (this: Mocha.Context) => Promise<void>; end: () => void } {
  let end = () => undefined as unknown;
  return {
    async begin() {
      this.timeout((LIMIT + 1) * 60_000);
      // Who dies lets go of it too.
      const file = join(tmpdir(), `pulumi-postgres-app-${what}.turn`);
      const holder = spawn(
        "flock",
        [shared ? "--shared" : "--exclusive", "--wait", String(LIMIT * 60), file, "sh", "-c", "echo begun; cat"],
        {
          stdio: ["pipe", "pipe", "inherit"],
        },
      );
      end = () => holder.stdin.end();
      await new Promise<void>((resolve, reject) => {
        holder.once("error", reject);
        holder.once("exit", () => reject(new Error(`waited ${LIMIT} min for another file's turn with ${what}`)));
        holder.stdout.once("data", () => resolve());
      });
    },
    end: () => void end(),
  };
}
