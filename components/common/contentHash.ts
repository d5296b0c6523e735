import { createHash } from "crypto";
import * as pulumi from "@pulumi/pulumi";

/** A short hash of a value, whatever the order is in which the code names the fields. */
export const contentHash = (value: unknown, digits = 12) =>
  createHash("sha256").update(JSON.stringify(value, sorted)).digest("hex").slice(0, digits);

/** The same of what outputs are in. The hash of what has something secret in it is none: with it an object's name would become one. */
export const hashOf = (value: pulumi.Input<unknown>, digits?: number): pulumi.Output<string> =>
  pulumi.unsecret(pulumi.output(value) as pulumi.Output<unknown>).apply((known) => contentHash(known, digits));

const sorted = (_: string, value: unknown) =>
  value !== null && typeof value === "object" && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1)))
    : value;
