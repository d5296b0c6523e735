import * as pulumi from "@pulumi/pulumi";
import { shaped } from "../../common/shape";
import { ShapeName } from "../../common/shapeTypes";
import { Validation } from "../../common/validation";

/**
 * Commands of a migration tool: `const tool = sequelize();` and then
 * `migration: { command: tool.migrate, pending: tool.status, rollbackCommand: tool.rollback }`.
 * They run without a shell, in the image's working directory. docs/migration-tools.md says what each tool needs and where it surprises.
 */
export interface MigrationTool {
  /** Brings the schema up to date. */
  migrate: string[];
  /**
   * Says what is pending. It changes nothing but the tool's own table of what has run, which some make here. Undefined where the tool
   * cannot. What counts is its output: `prisma migrate status` ends with 1 when something is pending, Rails' when nothing has ever run.
   */
  status?: string[];
  /**
   * Takes back the one migration that succeeded last. If a run failed at its first migration, that is one of the former release.
   * Undefined where the tool cannot.
   */
  rollback?: string[];
  /**
   * Whether the tool holds a lock while it migrates, so that of two runs at once only one runs a migration and the other waits or fails.
   * Where it is false, two runs at once can run a migration twice.
   */
  locksItself: boolean;
}

/** The options of a tool in their right shape; throws one error with all that is wrong. */
export function optionsOf<Options extends object>(tool: string, shape: ShapeName, given: Options): Options {
  const validation = new Validation(tool);
  const options = shaped(shape, given, validation);
  validation.throwIfAny();
  return options;
}

/**
 * A word that Kubernetes replaces by the variable's value when it starts the container, so that neither the pod's spec nor Pulumi's state
 * has it (kubernetes: pkg/kubelet/container/helpers.go, ExpandContainerCommandAndArgs). It encodes nothing: what is in the variable
 * has to be a URL already, as the part "uri" is. Of a variable that the container does not have the word stays as it is.
 */
export const fromVariable = (name: string) => `$(${name})`;

/** A flag with its value, or nothing where the option is not given. */
export function flag(option: string, name: string, value: string | undefined): string[] {
  return value === undefined ? [] : [name, given(option, value)];
}

/** The option's value, which an empty one is not: the tool would take the next word for it. */
export function given<T extends string | string[]>(option: string, value: T): T {
  if (value === undefined || value.length === 0 || [...value].includes(""))
    throw new pulumi.RunError(`${option} is empty: give it a value or leave it out`);
  return value;
}
