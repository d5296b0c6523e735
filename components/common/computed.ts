import * as pulumi from "@pulumi/pulumi";
import { isDeferred } from "./validation";

/** A number made of others: at once where all of them are known, as Pulumi's options have to be. */
export const computed = (values: pulumi.Input<number>[], from: (...known: number[]) => number): pulumi.Input<number> =>
  values.some(isDeferred) ? pulumi.all(values).apply((known) => from(...known)) : from(...(values as number[]));
