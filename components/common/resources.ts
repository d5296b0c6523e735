import * as pulumi from "@pulumi/pulumi";
import { quantity } from "./rules";
import { Validation } from "./validation";

/** CPU and memory of a container, in Kubernetes' quantities ("250m", "512Mi"). */
export interface ContainerResourcesArgs {
  /**
   * What the scheduler reserves for the container, by resource name: `{ cpu: "100m", memory: "128Mi" }`.
   * A change rolls the pods.
   */
  requests?: pulumi.Input<Record<string, pulumi.Input<string>>>;
  /**
   * What the container may use at most. More memory than this ends it (out of memory); more CPU slows it down.
   * Defaults to no limit. A change rolls the pods.
   */
  limits?: pulumi.Input<Record<string, pulumi.Input<string>>>;
}

const anyName = () => undefined;

/** Checks quantities and fills in the requests that are not given. */
export function checkResources(
  validation: Validation,
  path: string,
  given: ContainerResourcesArgs | undefined,
  requests: Record<string, string>,
): ContainerResourcesArgs {
  return {
    requests: validation.map(`${path}.requests`, given?.requests, anyName, quantity) ?? requests,
    limits: validation.map(`${path}.limits`, given?.limits, anyName, quantity),
  };
}
