import { mkdtemp, readFile, rm } from "fs/promises";
import { tmpdir } from "os";
import { join } from "path";
import { EngineEvent, LocalWorkspace, PulumiFn, Stack } from "@pulumi/pulumi/automation";

/** What one operation of the engine did and said. */
export interface Outcome {
  ok: boolean;
  /** What stood on the screen, the error included. */
  output: string;
  /** Operations that are not "same", as "<operation> <type>::<name>", in the order in which they began. */
  changes: string[];
  outputs: Record<string, any>;
}

const short = (urn: string) => {
  const [, , types, name] = urn.split("::");
  return `${types.split("$").pop()}::${name}`;
};

/** A stack of a test's own with a state of its own, driven through the real engine. */
export class TestStack {
  private constructor(
    private readonly stack: Stack,
    private readonly projectName: string,
    private readonly folder: string,
  ) {}

  static async create(projectName: string): Promise<TestStack> {
    const folder = await mkdtemp(join(tmpdir(), "pulumi-postgres-app-"));
    const stack = await LocalWorkspace.createStack(
      { stackName: "test", projectName, program: async () => undefined },
      {
        envVars: { PULUMI_BACKEND_URL: `file://${folder}`, PULUMI_CONFIG_PASSPHRASE: "test", PULUMI_SKIP_UPDATE_CHECK: "true" },
        secretsProvider: "passphrase",
      },
    );
    return new TestStack(stack, projectName, folder);
  }

  /** A secret of the stack's configuration, as `pulumi config set --secret` makes it. */
  setSecret(key: string, value: string): Promise<void> {
    return this.stack.setConfig(key, { value, secret: true });
  }

  up(program: PulumiFn): Promise<Outcome> {
    return this.run((options) => this.stack.up({ ...options, program, color: "never" }));
  }

  /** A preview with the whole diff, as `pulumi preview --diff` shows it in a pull request. */
  preview(program: PulumiFn): Promise<Outcome> {
    return this.run((options) => this.stack.preview({ ...options, program, diff: true, color: "never" }));
  }

  destroy(): Promise<Outcome> {
    return this.run((options) => this.stack.destroy({ ...options, color: "never" }));
  }

  /** The state as it lies in the file, secrets encrypted (exportStack would show them). */
  state(): Promise<string> {
    return readFile(join(this.folder, ".pulumi", "stacks", this.projectName, "test.json"), "utf8");
  }

  async remove(): Promise<void> {
    await this.stack.cancel().catch(() => undefined);
    await this.stack.destroy().catch(() => undefined);
    await rm(this.folder, { recursive: true, force: true });
  }

  private async run(operation: (options: object) => Promise<any>): Promise<Outcome> {
    const changes: string[] = [];
    let output = "";
    const options = {
      onOutput: (text: string) => (output += text),
      onError: (text: string) => (output += text),
      onEvent: ({ resourcePreEvent }: EngineEvent) => {
        if (resourcePreEvent && resourcePreEvent.metadata.op !== "same")
          changes.push(`${resourcePreEvent.metadata.op} ${short(resourcePreEvent.metadata.urn)}`);
      },
    };
    if (process.env.VERBOSE) options.onOutput = (text) => ((output += text), process.stdout.write(text), output);
    try {
      const { outputs = {} } = await operation(options);
      const values = Object.fromEntries(Object.entries<any>(outputs).map(([name, { value }]) => [name, value]));
      return { ok: true, output, changes, outputs: values };
    } catch (error) {
      return { ok: false, output: `${output}${error instanceof Error ? error.message : error}`, changes, outputs: {} };
    }
  }
}
