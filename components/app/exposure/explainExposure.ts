import * as pulumi from "@pulumi/pulumi";
import { onFailure } from "../../common/hooks";

/** Says what it means when nobody takes what exposes the application, and how to find out why. */
function explain(hook: string, words: (kubectl: (command: string) => string) => string[]) {
  return onFailure(`${hook}-failure`, ({ urn, errors, newInputs, failedOperation }) => {
    // What the API server refuses says itself why.
    if (failedOperation === "delete" || !errors.some((error) => error.includes("timed out"))) return;
    const { namespace } = (newInputs as { metadata?: { namespace?: string } })?.metadata ?? {};
    const kubectl = (command: string) => `kubectl ${namespace ? `--namespace ${namespace} ` : ""}${command}`;
    const lines = [...words(kubectl), "the application itself runs, and is reached inside the cluster"];
    pulumi.log.error(lines.join("\n"), { urn: pulumi.output(urn) } as pulumi.Resource);
  });
}

export const explainIngress = (name: string, seconds: number, className: pulumi.Input<string> | undefined) => {
  const kind = typeof className === "string" ? ` "${className}"` : "";
  return explain(`${name}-ingress`, (kubectl) => [
    `no controller gave the Ingress an address within ${seconds} s (ingress.waitSeconds):`,
    `  - there is none for its class${kind}: \`kubectl get ingressclasses\` lists those there are; set ingress.controller or className`,
    `  - or it says why not: \`${kubectl(`describe ingress ${name}`)}\`, and its log`,
    "  - or it never does, behind a NodePort or host ports for example: set ingress.waitSeconds to 0",
  ]);
};

export const explainHttpRoute = (name: string, seconds: number, gateway: pulumi.Input<string>) => {
  const which = typeof gateway === "string" ? ` "${gateway}"` : "";
  return explain(`${name}-http-route`, (kubectl) => [
    `no Gateway accepted the HTTPRoute within ${seconds} s (httpRoute.waitSeconds):`,
    `  - \`${kubectl(`describe httproute ${name}`)}\` says why, if the Gateway${which} has seen it`,
    "  - if it has not: the Gateway has to exist in httpRoute.gateway.namespace, and a controller for its class",
    "  - its listener has to fit the hosts, and to allow routes from this namespace (allowedRoutes)",
  ]);
};

export const explainLoadBalancer = (name: string) =>
  explain(`${name}-service`, (kubectl) => [
    "nothing gave the Service an address: the cluster has no load balancer, or says why not in the Service's events:",
    `  ${kubectl(`describe service ${name}`)}`,
    'set service.type to "NodePort", or leave it out and use ingress',
  ]);
