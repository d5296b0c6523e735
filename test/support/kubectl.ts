import { execFile } from "child_process";
import { randomBytes } from "crypto";

export const sleep = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

export interface Ran {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs a program to its end, within a limit. */
export function run(
  program: string,
  args: string[],
  options: { input?: string; seconds?: number; env?: NodeJS.ProcessEnv; cwd?: string } = {},
) {
  const { input, seconds = 60, env = process.env, cwd } = options;
  return new Promise<Ran>((resolve, reject) => {
    const child = execFile(
      program,
      args,
      { env, cwd, timeout: seconds * 1000, killSignal: "SIGKILL", maxBuffer: 64 << 20 },
      (error, stdout, stderr) => {
        if (child.killed) reject(new Error(`${program} ${args.join(" ")}: not done after ${seconds} s\n${stdout}${stderr}`));
        else if (error && typeof error.code !== "number") reject(error);
        else resolve({ code: error ? Number(error.code) : 0, stdout, stderr });
      },
    );
    child.stdin?.on("error", () => undefined); // it ended without reading
    child.stdin?.end(input ?? "");
  });
}

/** kubectl against the cluster under test, the current context of KUBECONFIG. Fails with what kubectl says. */
export async function kubectl(args: string[], options: { input?: string; seconds?: number } = {}): Promise<string> {
  const { code, stdout, stderr } = await run("kubectl", args, options);
  if (code !== 0) throw new Error(`kubectl ${args.join(" ")}: ${stderr || stdout}`);
  return stdout;
}

/** Looks again and again until there is something to see; says what it waited for, and what it saw last, when there never is. */
export async function until<T>(what: string, seconds: number, look: () => Promise<T | undefined | false>): Promise<T> {
  const end = Date.now() + seconds * 1000;
  let last: unknown;
  for (;;) {
    try {
      const seen = await look();
      if (seen) return seen;
      last = seen;
    } catch (error) {
      last = error;
    }
    if (Date.now() > end)
      throw new Error(`waited ${seconds} s for ${what}; last: ${last instanceof Error ? last.message : JSON.stringify(last)}`);
    await sleep(500); // each look is a process
  }
}

/** A namespace of a test's own, with the restricted Pod Security Standard enforced. */
export class Namespace {
  private constructor(readonly name: string) {}

  static async create(purpose: string): Promise<Namespace> {
    const namespace = new Namespace(`test-${purpose}-${randomBytes(3).toString("hex")}`);
    await namespace.apply({
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name: namespace.name, labels: { "pod-security.kubernetes.io/enforce": "restricted" } },
    });
    await until("the namespace's service account", 30, () => namespace.get("serviceaccount/default"));
    return namespace;
  }

  kubectl(args: string[], options?: { input?: string; seconds?: number }): Promise<string> {
    return kubectl(["--namespace", this.name, ...args], options);
  }

  async apply(...objects: object[]): Promise<void> {
    await kubectl(["apply", "-f", "-"], { input: JSON.stringify({ apiVersion: "v1", kind: "List", items: objects }) });
  }

  /** One object ("pod/name"), or a list ("pods"). */
  async get(...what: string[]): Promise<any> {
    return JSON.parse(await this.kubectl(["get", ...what, "-o", "json"]));
  }

  async items(...what: string[]): Promise<any[]> {
    return (await this.get(...what)).items;
  }

  /** Runs a shell line in a container; does not fail when the line does. */
  exec(
    pod: string,
    command: string[],
    { container, ...options }: { input?: string; seconds?: number; container?: string } = {},
  ): Promise<Ran> {
    const flags = [...(options.input === undefined ? [] : ["-i"]), ...(container === undefined ? [] : ["-c", container])];
    return run("kubectl", ["--namespace", this.name, "exec", ...flags, pod, "--", ...command], options);
  }

  async delete(): Promise<void> {
    await kubectl(["delete", "namespace", this.name, "--wait=true", "--timeout=120s"], { seconds: 130 });
  }
}
