import * as pulumi from "@pulumi/pulumi";
import { anyName, bytes, quantity } from "./rules";
import { Validation } from "./validation";

/** CPU and memory of a container, in Kubernetes' quantities ("250m", "512Mi"). */
export interface ContainerResourcesArgs {
  /**
   * What the scheduler reserves for the container, by resource name: `{ cpu: "100m", memory: "128Mi" }`. Defaults to what the place
   * where it is given says, but never more than `limits`. A change rolls the pods.
   */
  requests?: pulumi.Input<Record<string, pulumi.Input<string>>>;
  /**
   * What the container may use at most. More memory than this ends it (out of memory); more CPU slows it down.
   * Defaults to no limit. A change rolls the pods.
   */
  limits?: pulumi.Input<Record<string, pulumi.Input<string>>>;
}

/** Checks quantities and fills in the requests that are not given. */
export function checkResources(
  validation: Validation,
  path: string,
  given: ContainerResourcesArgs | undefined,
  requests: Record<string, string>,
): ContainerResourcesArgs {
  const limits = validation.map(`${path}.limits`, given?.limits, anyName, quantity);
  return {
    requests: validation.map(`${path}.requests`, given?.requests, anyName, quantity) ?? within(requests, limits),
    limits,
  };
}

/** Kubernetes refuses a request above the limit, which nobody expects of one that was not given. */
function within(
  requests: Record<string, string>,
  limits: ContainerResourcesArgs["limits"],
): NonNullable<ContainerResourcesArgs["requests"]> {
  if (limits === undefined) return requests;
  return pulumi.output(limits).apply((known) => {
    const most = (known ?? {}) as Record<string, string>;
    const lower = (name: string, request: string) =>
      most[name] !== undefined && bytes(most[name]) < bytes(request) ? most[name] : request;
    return Object.fromEntries(Object.entries(requests).map(([name, request]) => [name, lower(name, request)]));
  });
}
