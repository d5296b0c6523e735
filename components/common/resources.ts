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

type Quantities = ContainerResourcesArgs["limits"];

/** Checks quantities and fills in the requests that are not given; `otherwise` are the limits where none are given. */
export function checkResources(
  validation: Validation,
  path: string,
  given: ContainerResourcesArgs | undefined,
  requests: Record<string, string>,
  otherwise?: Quantities,
): ContainerResourcesArgs {
  const requested = validation.map(`${path}.requests`, given?.requests, anyName, quantity);
  const limits = limited(validation.map(`${path}.limits`, given?.limits, anyName, quantity), otherwise, requested);
  return { requests: requested ?? within(requests, limits), limits };
}

/** CPU and memory of a container of this package's own, where every container has to have limits. */
export const ownResources = (requests: Record<string, string>, limits: Quantities): ContainerResourcesArgs =>
  limits === undefined ? { requests } : { requests: within(requests, limits), limits };

/** By resource: what is given, or else what holds otherwise, but no less than is requested: Kubernetes refuses that. */
export function limited(given: Quantities, otherwise: Quantities, requested?: Quantities): Quantities {
  if (otherwise === undefined) return given;
  return pulumi.all([given ?? {}, otherwise, requested ?? {}]).apply(([own, general, least]) => ({
    ...Object.fromEntries(
      Object.entries(general).map(([name, limit]) => {
        const request = (least as Record<string, string>)[name];
        return [name, request !== undefined && bytes(request) > bytes(limit) ? request : limit];
      }),
    ),
    ...own,
  }));
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
