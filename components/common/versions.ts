import * as pulumi from "@pulumi/pulumi";
import { version } from "@pulumi/pulumi/version";
import { withoutStack } from "./validation";

/** Before it, a resource's constructor loses the hooks that say in words what failed (pulumi/pulumi#23375). */
export const SDK_FLOOR = "3.245.0";

/** Before it, the engine does not call those hooks (pulumi/pulumi#23347). */
export const CLI_FLOOR = "3.244.0";

const numbers = (version: string) => version.split(/[.+-]/).slice(0, 3).map(Number);

/** What to do about an SDK that is too old, if it is. Pure, and exported for its tests. */
export function tooOld(sdk: string): string | undefined {
  const [given, least] = [sdk, SDK_FLOOR].map(numbers);
  const differs = given.findIndex((part, index) => part !== least[index]);
  if (differs < 0 || given[differs] > least[differs]) return undefined;
  return `pulumi-postgres-app needs @pulumi/pulumi ${SDK_FLOOR} or newer, and the program has ${sdk}: npm install @pulumi/pulumi@^${SDK_FLOOR}`;
}

/** Programs, by their engine, that have asked already. */
const asked = new WeakSet<object>();

/** Refuses versions of Pulumi with which a failure would not be explained: the SDK's at once, the CLI's when the engine has answered. */
export function requireVersions(): void {
  const problem = tooOld(version);
  if (problem) throw new pulumi.RunError(problem);
  const engine = pulumi.runtime.getEngine();
  if (!engine || asked.has(engine)) return;
  asked.add(engine);
  // Nobody waits for the answer: what it fails with ends the program, as an error of the program itself does.
  void pulumi.requirePulumiVersion(`>=${CLI_FLOOR}`).catch(({ message }: Error) => {
    const reason = message.replace(/^\d+ [A-Z_]+: /, ""); // gRPC's code
    const error = new pulumi.RunError(
      `pulumi-postgres-app needs Pulumi's CLI ${CLI_FLOOR} or newer (pulumi.com/docs/install): ${reason}`,
    );
    throw withoutStack(error);
  });
}
