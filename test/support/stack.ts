import * as assert from "assert";
import { spawn } from "child_process";
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from "fs/promises";
import { tmpdir } from "os";
import { dirname, join } from "path";
import * as runtime from "@pulumi/pulumi/runtime";
import { EngineEvent, LocalWorkspace, PulumiFn, Stack } from "@pulumi/pulumi/automation";
import type { Sdk } from "./sdks";

const root = join(__dirname, "..", "..");

// After an inline program Pulumi's SDK leaves connections open, which try for good to reach an engine that has ended. By default
// connections to one address have their state in common, so the next engine on that port would pass for unreachable at its first call:
// "14 UNAVAILABLE: No connection established. Last error: null".
const { grpcClientOptions } = runtime as unknown as { grpcClientOptions: Record<string, unknown> };
grpcClientOptions["grpc.use_local_subchannel_pool"] = 1;

/** What one operation of the engine did and said. */
export interface Outcome {
  ok: boolean;
  /** What stood on the screen, the error included. */
  output: string;
  /** Operations that change something (neither "same" nor "read" nor "refresh"), as "<operation> <type>::<name>", in the order in which they began. */
  changes: string[];
  outputs: Record<string, any>;
  /** What the engine and the program had to say of what went wrong, each message once for every time that it was said. */
  errors: string[];
}

const short = (urn: string) => {
  const [, , types, name] = urn.split("::");
  return `${types.split("$").pop()}::${name}`;
};

/** Settings of a stack whose state is in a folder of its own. */
const alone = (folder: string) => ({
  envVars: { PULUMI_BACKEND_URL: `file://${folder}`, PULUMI_CONFIG_PASSPHRASE: "test", PULUMI_SKIP_UPDATE_CHECK: "true" },
  secretsProvider: "passphrase",
});

/** What stands in the summary at the end of an operation's output under each resource's name. */
export function diagnostics(output: string): Record<string, string> {
  const [, summary = ""] = output.split(/^Diagnostics:$/m);
  const parts = summary.split(/^ {2}\S+ \(([^)]+)\):\n/m).slice(1);
  return Object.fromEntries(
    parts.flatMap((name, index) => (index % 2 ? [] : [[name, parts[index + 1].replace(/\n\S[^]*/, "")]])),
  );
}

/** Of an operation with what is there already. What it would change is said with its differences. */
export function changesNothing({ ok, changes, output }: Outcome): void {
  assert.ok(ok, output);
  const differences = output.split("\n").filter((line) => /\[diff: |^ +[~+-]/.test(line));
  if (changes.length > 0) assert.fail([changes.join(", "), ...differences].join("\n"));
}

/** A stack of a test's own with a state of its own, driven through the real engine. */
export class TestStack {
  /** Whether something was deployed. */
  private begun = false;

  private constructor(
    private readonly stack: Stack,
    private readonly projectName: string,
    private readonly folder: string,
    private readonly packageFolder = root,
  ) {
    // After each operation the SDK runs the CLI three times more, for outputs and history, which takes longer than a small operation.
    const outputs = stack.outputs.bind(stack);
    stack.outputs = async () => ((await this.hasOutputs()) ? outputs() : {});
    stack.info = async () => undefined;
  }

  static async create(projectName: string): Promise<TestStack> {
    const folder = await mkdtemp(join(tmpdir(), "pulumi-postgres-app-"));
    const stack = await LocalWorkspace.createStack(
      { stackName: "test", projectName, program: async () => undefined },
      alone(folder),
    );
    return new TestStack(stack, projectName, folder);
  }

  /** Where objects go that name no namespace. */
  setNamespace(name: string): Promise<void> {
    return this.stack.setConfig("kubernetes:namespace", { value: name });
  }

  /** A secret of the stack's configuration, as `pulumi config set --secret` makes it. */
  setSecret(key: string, value: string): Promise<void> {
    return this.stack.setConfig(key, { value, secret: true });
  }

  /**
   * One whose programs are the text of a JavaScript file and run in a process of their own, as those of users do: an inline one in
   * which a value turns out wrong while others wait for it keeps Pulumi's own server waiting for good. With another SDK they have a copy
   * of this package, which finds that SDK and not the one that it is developed with.
   */
  static async createOfFiles(projectName: string, sdk?: Sdk): Promise<TestStack> {
    const folder = await mkdtemp(join(tmpdir(), "pulumi-postgres-app-"));
    const runtime = { name: "nodejs", options: { typescript: false } };
    await writeFile(join(folder, "Pulumi.yaml"), JSON.stringify({ name: projectName, runtime }));
    await writeFile(join(folder, "package.json"), JSON.stringify({ name: projectName, main: "index.js" }));
    await symlink(sdk?.nodeModules ?? join(root, "node_modules"), join(folder, "node_modules"));
    const settings = alone(folder);
    const packageFolder = sdk ? join(folder, "pulumi-postgres-app") : root;
    if (sdk) {
      await cp(join(root, "bin"), join(packageFolder, "bin"), { recursive: true });
      await cp(join(root, "package.json"), join(packageFolder, "package.json"));
      Object.assign(settings.envVars, { PATH: `${dirname(sdk.node)}:${process.env.PATH}` });
    }
    const stack = await LocalWorkspace.createStack({ stackName: "test", workDir: folder }, settings);
    return new TestStack(stack, projectName, folder, packageFolder);
  }

  /**
   * `more`: what the command line takes besides. The first one is previewed, as `pulumi up` does and the Automation API does not:
   * there is much that is unknown only then.
   */
  async up(
    program: PulumiFn | string,
    more: {
      continueOnError?: boolean;
      replace?: string[];
      refresh?: boolean;
      target?: string[];
      targetDependents?: boolean;
      exclude?: string[];
    } = {},
  ): Promise<Outcome> {
    if (!this.begun) {
      const preview = await this.preview(program, { target: more.target, exclude: more.exclude });
      if (!preview.ok) return preview;
    }
    this.begun = true;
    const inline = await this.write(program);
    return this.run((options) => this.stack.up({ ...options, ...inline, ...more, color: "never" }));
  }

  /** An `up` by a CLI of its own, which can be sent signals, as a runner sends them or a person at a keyboard. */
  async upInProcess(
    program: string,
  ): Promise<{ signal(signal: NodeJS.Signals): void; ended: Promise<{ ok: boolean; output: string }> }> {
    await this.write(program);
    const env = { ...process.env, ...alone(this.folder).envVars };
    const args = ["up", "--yes", "--skip-preview", "--non-interactive", "--color", "never", "--stack", "test"];
    const child = spawn("pulumi", args, { cwd: this.folder, env, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (text) => (output += text));
    const ended = new Promise<{ ok: boolean; output: string }>((resolve, reject) => {
      const limit = setTimeout(() => {
        child.kill("SIGKILL");
        reject(new Error(`pulumi up: not done after 150 s\n${output}`));
      }, 150_000);
      child.once("exit", (code) => {
        clearTimeout(limit);
        resolve({ ok: code === 0, output });
      });
    });
    return { signal: (signal) => child.kill(signal), ended };
  }

  /** What Pulumi asks for after its CLI was killed: its lock of the state is still there. */
  cancel(): Promise<void> {
    return this.stack.cancel();
  }

  /** What Pulumi asks for where it was killed while something was being created. */
  async clearPending(): Promise<void> {
    await this.stack.refresh({ clearPendingCreates: true });
  }

  /** A preview with the whole diff, as `pulumi preview --diff` shows it in a pull request. `more`: what the command line takes besides. */
  async preview(
    program: PulumiFn | string,
    more: { refresh?: boolean; target?: string[]; exclude?: string[] } = {},
  ): Promise<Outcome> {
    const inline = await this.write(program);
    return this.run((options) => this.stack.preview({ ...options, ...inline, ...more, diff: true, color: "never" }));
  }

  destroy(): Promise<Outcome> {
    return this.run((options) => this.stack.destroy({ ...options, color: "never" }));
  }

  /** The state as it lies in the file, secrets encrypted (exportStack would show them). */
  state(): Promise<string> {
    return readFile(join(this.folder, ".pulumi", "stacks", this.projectName, "test.json"), "utf8");
  }

  /** The same with its secrets in plain text. */
  async plainState(): Promise<string> {
    return JSON.stringify(await this.stack.exportStack());
  }

  private async hasOutputs(): Promise<boolean> {
    const { checkpoint } = JSON.parse(await this.state());
    const resources: any[] = checkpoint.latest?.resources ?? [];
    return resources.some(({ type, outputs = {} }) => type === "pulumi:pulumi:Stack" && Object.keys(outputs).length > 0);
  }

  /** The state alone: what was deployed goes with the test's namespace, all at once and not one after the other. */
  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }

  /** A program's text goes to where the stack looks for it; it has this package, as it was built last, and Pulumi's SDK. */
  private async write(program: PulumiFn | string): Promise<{ program?: PulumiFn }> {
    if (typeof program !== "string") return { program };
    const begin = `const pulumi = require("@pulumi/pulumi");
      const packageFolder = ${JSON.stringify(this.packageFolder)};
      const { ghost, MigrationJob, PostgresApp, PostgresDatabase, sequelize } = require(packageFolder);\n`;
    await writeFile(join(this.folder, "index.js"), begin + program);
    return {};
  }

  private async run(operation: (options: object) => Promise<any>): Promise<Outcome> {
    const changes: string[] = [];
    const errors: string[] = [];
    let output = "";
    const options = {
      onOutput: (text: string) => (output += text),
      onError: (text: string) => (output += text),
      onEvent: ({ resourcePreEvent, diagnosticEvent }: EngineEvent) => {
        if (diagnosticEvent?.severity === "error") errors.push(diagnosticEvent.message.replace(/<\{%.*?%\}>/g, "").trim());
        if (resourcePreEvent && !["same", "read", "refresh"].includes(resourcePreEvent.metadata.op))
          changes.push(`${resourcePreEvent.metadata.op} ${short(resourcePreEvent.metadata.urn)}`);
      },
    };
    if (process.env.VERBOSE) options.onOutput = (text) => ((output += text), process.stdout.write(text), output);
    try {
      const { outputs = {} } = await operation(options);
      const values = Object.fromEntries(Object.entries<any>(outputs).map(([name, { value }]) => [name, value]));
      return { ok: true, output, changes, errors, outputs: values };
    } catch (error) {
      return { ok: false, output: `${output}${error instanceof Error ? error.message : error}`, changes, errors, outputs: {} };
    }
  }
}
