import * as pulumi from "@pulumi/pulumi";
import { types } from "@pulumi/kubernetes";
import { plainVariables, referencedVariables } from "../common/environment";
import { Connection, connectionVariables } from "../database/connection";

/** What says where the application's variables come from. */
export interface VariableSources {
  connection: Connection;
  /** Keys of the application that are in Secrets which were there before: the Secret of each, by variable. */
  keys?: pulumi.Output<Record<string, string>>;
}

/** The variables of a container of the application's that do not come from a whole ConfigMap or Secret; its own win. */
export function appVariables(
  { connection, keys }: VariableSources,
  connectionEnv: Record<string, pulumi.Input<string>>,
  env?: pulumi.Output<Record<string, string>>,
): pulumi.Input<pulumi.Input<types.input.core.v1.EnvVar>[]> {
  if (!keys && !env) return connectionVariables(connection, connectionEnv);
  return pulumi.all([keys ?? {}, env ?? {}]).apply(([kept, own]) => {
    const others = <T>(all: Record<string, T>) => Object.fromEntries(Object.entries(all).filter(([name]) => !(name in own)));
    return [
      ...connectionVariables(connection, others(connectionEnv)),
      ...referencedVariables(others(kept)),
      ...plainVariables(own),
    ];
  });
}
