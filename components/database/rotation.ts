import * as pulumi from "@pulumi/pulumi";
import { beforePreviewedUpdate, together } from "../common/hooks";
import { Earlier, updatedOnlyAfter } from "../common/order";
import { Validation } from "../common/validation";

/**
 * Why a rotation would lock out pods that run with the one that was rolled out last, if it would. The rotation after it leaves their login
 * alone; so does the one before it where the setup Job sets passwords (`back`), and not an operator. Pure, and exported for its tests.
 */
export function outOfTurn(rolledOut: number, asked: number, back: boolean): string | undefined {
  if (asked === rolledOut || asked === rolledOut + 1 || (back && asked === rolledOut - 1)) return undefined;
  const next = `write ${rolledOut + 1}`;
  return asked > rolledOut
    ? `is ${asked}, and pods run with the login of rotation ${rolledOut}, the last that was rolled out: its password would change under them. ${next[0].toUpperCase()}${next.slice(1)}, and let \`pulumi up\` finish before the next one`
    : `is ${asked}, and pods run with the login of rotation ${rolledOut}: going back would change its password under them. For another password ${next}`;
}

/**
 * Remembers the rotation that was rolled out last: a component of no more than this number, which comes after what is rolled out, and so
 * keeps the former number where that fails, and where --target leaves the pods out. A preview that would change it by more than is good for
 * running pods fails.
 */
export class RolledOutRotation extends pulumi.ComponentResource {
  constructor(
    name: string,
    rotation: pulumi.Input<number>,
    {
      back,
      path,
      validation,
      after,
      pods,
    }: {
      back: boolean;
      path: string;
      validation: Validation;
      after: pulumi.Output<pulumi.Resource[]>;
      /** Whose logins these are, as far as that is known. */
      pods: Earlier[];
    },
    opts: pulumi.ComponentResourceOptions,
  ) {
    const inTurn = beforePreviewedUpdate(`${name}-in-turn`, ({ oldInputs, newInputs }) => {
      const [rolledOut, asked] = [numberIn(oldInputs), numberIn(newInputs)];
      if (rolledOut === undefined || asked === undefined) return;
      const reason = outOfTurn(rolledOut, asked, back);
      if (reason) throw validation.late(`${path}credentials.rotation`, reason);
    });
    const rolledOut = updatedOnlyAfter(`${name}-rolled-out`, `${path}credentials.rotation is not rolled out`, pods);
    super(
      "pulumi-postgres-app:index:RolledOutRotation",
      name,
      { rotation },
      { ...pulumi.mergeOptions(opts, { dependsOn: after }), hooks: together(inTurn, rolledOut) },
    );
  }

  /** It has none, and the SDK would wait for its URN, which there is not after a refusal. */
  protected override registerOutputs(): void {}
}

/** A number that is not known yet is nothing to compare. */
function numberIn(inputs: unknown): number | undefined {
  const { rotation } = (inputs ?? {}) as { rotation?: unknown };
  return typeof rotation === "number" ? rotation : undefined;
}
