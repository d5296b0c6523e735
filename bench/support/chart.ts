import { join } from "path";
import { Namespace, run } from "../../test/support/kubectl";
import { secret } from "../../test/support/notes";

const CHART = join(__dirname, "..", "chart");
const LIMIT = 240;

/** The chart's one release in a namespace of its own, driven by Helm as its users do. */
export class Chart {
  constructor(
    private readonly namespace: Namespace,
    private readonly values: string[] = [],
  ) {}

  /** The same chart with nothing in it that only waits. */
  static withoutDelays(namespace: Namespace): Chart {
    return new Chart(namespace, ["--values", join(CHART, "values-without-delays.yaml")]);
  }

  install(version: string): Promise<void> {
    return this.helm("install", CHART, "--wait", ...this.settings(version));
  }

  /** Without a password the chart generates another one: people give it the one that is there. */
  upgrade(version: string, password?: string): Promise<void> {
    return this.helm("upgrade", CHART, "--wait", ...this.settings(version, password));
  }

  uninstall(): Promise<void> {
    return this.helm("uninstall", "--wait", "--cascade=foreground");
  }

  async password(): Promise<string> {
    return (await secret(this.namespace, "notes-postgres")).password;
  }

  /** What the hook that migrates printed last. */
  async lastWords(): Promise<string> {
    const log = await this.namespace.kubectl(["logs", "job/notes-migration", "--tail=20"]);
    const lines = log.trim().split("\n");
    return (lines.findLast((line) => /error/i.test(line)) ?? lines.at(-1)!).trim();
  }

  private settings(version: string, password?: string): string[] {
    const given = password === undefined ? [] : ["--set-string", `postgres.password=${password}`];
    return [...this.values, "--set", `image=docker.io/local/notes:${version}`, ...given];
  }

  private async helm(command: string, ...args: string[]): Promise<void> {
    const all = [command, "notes", ...args, "--namespace", this.namespace.name, `--timeout=${LIMIT}s`];
    const { code, stdout, stderr } = await run("helm", all, { seconds: LIMIT + 10 });
    if (code === 0) return;
    const pods = await this.namespace.kubectl(["get", "pods,jobs"]).catch(String);
    throw new Error(`helm ${command}: exit ${code}\n${stdout}${stderr}\n${pods}`);
  }
}
