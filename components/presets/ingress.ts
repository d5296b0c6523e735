import * as pulumi from "@pulumi/pulumi";
import { controllerOf } from "../app/exposure/controllers";
import { IngressArgs } from "../app/exposure/exposureArgs";

/** What a product needs of the Ingress before it. */
export type IngressNeeds = Pick<IngressArgs, "maxBodySize" | "timeoutSeconds" | "stickySessions">;

/**
 * The Ingress of a product that has a host: HTTPS, since the product is told so, what it needs as far as the controller can do it, and
 * over it what the user says.
 */
export function ingressFor(
  host: pulumi.Input<string> | undefined,
  needs: IngressNeeds,
  given: Partial<IngressArgs> = {},
): { ingress?: IngressArgs } {
  if (host === undefined) return {};
  const { cannot } = controllerOf(given.controller);
  const asked = Object.fromEntries(Object.entries(needs).filter(([need]) => !(need in cannot)));
  return { ingress: { hosts: [host], tls: {}, ...asked, ...given } };
}
