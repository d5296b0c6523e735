import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "fs/promises";
import { tmpdir } from "os";
import { join } from "path";
import { run } from "../../test/support/kubectl";

const root = join(__dirname, "..", "..");
const programs = join(root, "bench", "programs");

const PULUMI_YAML = "name: bench\nmain: index.js\nruntime: { name: nodejs, options: { typescript: false } }\n";

/** A program in plain JavaScript, so that no compiler is measured, with a stack and a state of its own, driven by the CLI. */
export class Project {
  private constructor(
    private readonly folder: string,
    private readonly namespace: string,
  ) {}

  /** `source` is the program's text; the ones that need none come from `programs/`. */
  static async create(source: string, namespace = ""): Promise<Project> {
    const project = new Project(await mkdtemp(join(tmpdir(), "pulumi-postgres-app-bench-")), namespace);
    try {
      await project.write(source);
      await project.pulumi("stack", "init", "bench");
    } catch (error) {
      await project.remove();
      throw error;
    }
    return project;
  }

  static async ofFile(
    program: "component.js" | "many.js" | "backup.js" | "rehearsal.js" | "empty.js",
    namespace?: string,
  ): Promise<Project> {
    return Project.create(await readFile(join(programs, program), "utf8"), namespace);
  }

  up(...more: string[]): Promise<string> {
    return this.pulumi("up", "--yes", "--skip-preview", ...more);
  }

  preview(...more: string[]): Promise<string> {
    return this.pulumi("preview", ...more);
  }

  destroy(): Promise<string> {
    return this.pulumi("destroy", "--yes", "--skip-preview");
  }

  /** Makes another text the program. */
  rewrite(source: string): Promise<void> {
    return writeFile(join(this.folder, "index.js"), source);
  }

  /** The state, with its secrets readable. */
  async export(): Promise<unknown> {
    return JSON.parse(await this.pulumi("stack", "export", "--show-secrets"));
  }

  /** Of the program's process, in the last operation: the most memory that it had, in MiB, and its processor's time, in seconds. */
  async usage(): Promise<{ memory: number; cpu: number }> {
    const [kibibytes, microseconds] = (await readFile(this.usageFile, "utf8")).split(" ").map(Number);
    return { memory: kibibytes / 1024, cpu: microseconds / 1e6 };
  }

  remove(): Promise<void> {
    return rm(this.folder, { recursive: true, force: true });
  }

  private get usageFile() {
    return join(this.folder, "usage.txt");
  }

  private async write(source: string): Promise<void> {
    const packages = join(this.folder, "node_modules");
    await mkdir(packages);
    await mkdir(join(this.folder, "state"));
    await symlink(join(root, "node_modules", "@pulumi"), join(packages, "@pulumi"));
    await symlink(root, join(packages, "pulumi-postgres-app"));
    await cp(join(programs, "usage.js"), join(this.folder, "usage.js"));
    await writeFile(join(this.folder, "Pulumi.yaml"), PULUMI_YAML);
    await writeFile(join(this.folder, "package.json"), "{}"); // without one the SDK looks for it and warns
    await this.rewrite(source);
  }

  private async pulumi(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await run("pulumi", [...args, "--non-interactive", "--color", "never"], {
      cwd: this.folder,
      seconds: 300,
      env: {
        ...process.env,
        PULUMI_BACKEND_URL: `file://${join(this.folder, "state")}`,
        PULUMI_CONFIG_PASSPHRASE: "bench",
        BENCH_NAMESPACE: this.namespace,
        BENCH_USAGE: this.usageFile,
      },
    });
    if (code !== 0) throw new Error(`pulumi ${args.join(" ")}: exit ${code}\n${stdout}${stderr}`);
    return stdout;
  }
}
