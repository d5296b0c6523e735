// Names that are made up.
import { randomBytes } from "node:crypto";
import type { Properties } from "../rpc/values";
import { annotation, annotations, text } from "./objects";

/** The manager of objects as they are created; the first update hands them over to a manager of their own. */
export const CREATOR = "pulumi-kubernetes";

/** Eight hexadecimal digits. */
export function randomHex(): string {
  return randomBytes(4).toString("hex");
}

/** The manager of one resource's fields, the same for its whole life. */
export function fieldManager(inputs: Properties, state: Properties): string {
  return annotation(inputs, annotations.patchFieldManager) ?? (text(state, "__fieldManager") || `${CREATOR}-${randomHex()}`);
}
