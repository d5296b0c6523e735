import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { beforeUpdate, known } from "../common/hooks";
import { Validation, withoutStack } from "../common/validation";
import { renamed } from "./remembered";

type Names = Record<"databaseName" | "user", pulumi.Output<string>>;

/**
 * Holds the names of the database and its owner from the day on which the setup has made them: what it refuses was never called so, and can
 * be corrected. It comes before everything that hangs on the names, so that an edit is refused before anything is changed, and is
 * given its outputs after the setup, which the engine keeps until then: its inputs are what is asked for, its outputs what there is.
 * No component of the SDK's, which would be given outputs by itself, namely none.
 */
export class HeldNames extends pulumi.Resource {
  /** Fails where the data has other names. */
  public readonly agreed: pulumi.Output<void>;
  private readonly names: Names;

  constructor(
    private readonly label: string,
    names: Names,
    validation: Validation,
    opts: pulumi.ResourceOptions,
  ) {
    let refusal: Error | undefined;
    const hooks = beforeUpdate(`${label}-held`, async ({ oldOutputs, newInputs }) => {
      const problem = renamed(await namesIn(oldOutputs), await namesIn(newInputs));
      if (!problem) return;
      refusal = validation.late(problem.key, problem.reason);
      throw refusal;
    });
    super("pulumi-postgres-app:index:HeldNames", label, false, names, { ...opts, hooks });
    this.names = names;
    // With --continue-on-error the program goes on after the hook.
    this.agreed = this.urn.apply(() => {
      if (refusal) throw refusal;
    });
  }

  /** Says after what the names are those of the data. */
  public from(setup: pulumi.Resource, opts: pulumi.CustomResourceOptions): void {
    const { databaseName, user } = this.names;
    const made = new random.RandomUuid(this.label, {}, pulumi.mergeOptions(opts, { dependsOn: setup }));
    const outputs = (async () => {
      if (!pulumi.runtime.isDryRun() && (await known(made.id)) === undefined) throw notMade();
      return { databaseName, user };
    })();
    outputs.catch(() => undefined);
    pulumi.runtime.registerResourceOutputs(this, outputs);
  }
}

/** With --continue-on-error, of a setup that failed: the SDK takes it for the end of the engine, and is silent. */
const notMade = () => withoutStack(Object.assign(new Error("the setup has failed"), { code: 1 }));

/** What of a resource's properties is known; a secret is an output. */
async function namesIn(properties: Record<string, unknown> | undefined): Promise<Record<string, string | undefined>> {
  const values = [properties?.databaseName, properties?.user].map((value) =>
    pulumi.Output.isInstance(value) ? known(value as pulumi.Output<unknown>) : value,
  );
  const [databaseName, user] = (await Promise.all(values)).map((value) => (typeof value === "string" ? value : undefined));
  return { databaseName, user };
}
