import * as pulumi from "@pulumi/pulumi";
import { types } from "@pulumi/kubernetes";
import { environmentName, kubernetesName } from "./rules";
import { Validation } from "./validation";

/**
 * All entries of an existing ConfigMap or Secret as environment variables. Name one of the two; it has to be in the application's
 * namespace. It is used by its name only: pods that run do not see a change of what is in it, no pod is rolled and no migration run by
 * one. Give the object a new name with each new content (Pulumi's own do that), or restart the pods.
 */
export interface EnvFromArgs {
  /**
   * Name of an existing ConfigMap. A change rolls the pods, or runs the migration again.
   */
  configMap?: pulumi.Input<string>;
  /**
   * Name of an existing Secret. A change rolls the pods, or runs the migration again.
   */
  secret?: pulumi.Input<string>;
  /**
   * What is put before each entry's name: "S3_" makes S3_BUCKET of BUCKET. Defaults to nothing. A change rolls the pods, or runs the
   * migration again.
   */
  prefix?: pulumi.Input<string>;
}

/**
 * The sources in their order. Of two with the same name Kubernetes takes the later one, and a container's own variables before
 * all: https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#environment-variables.
 */
export function resolveEnvFrom(
  sources: EnvFromArgs[] | undefined,
  at: string,
  validation: Validation,
): types.input.core.v1.EnvFromSource[] {
  const all = validation.list(at, sources, ({ configMap, secret, prefix }, path): types.input.core.v1.EnvFromSource => {
    if (configMap === undefined && secret === undefined)
      validation.problem(path, "names nothing: write { configMap: name } or { secret: name }");
    if (configMap !== undefined && secret !== undefined)
      validation.problem(path, "names a ConfigMap and a Secret: write an entry for each");
    const source = {
      ...(prefix === undefined ? {} : { prefix: validation.check(`${path}.prefix`, prefix, environmentName) }),
    };
    return secret === undefined
      ? { ...source, configMapRef: { name: validation.check(`${path}.configMap`, configMap, kubernetesName) } }
      : { ...source, secretRef: { name: validation.check(`${path}.secret`, secret, kubernetesName) } };
  });
  return all ?? [];
}
