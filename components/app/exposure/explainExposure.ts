import * as pulumi from "@pulumi/pulumi";
import { inNamespace, Named, onFailure } from "../../common/hooks";

/** Says what it means when nobody takes what exposes the application, and how to find out why. */
const explain = (hook: string, words: (look: (command: string) => string) => string[]) =>
  onFailure(`${hook}-failure`, ({ errors, newInputs, failedOperation }) => {
    // What the API server refuses says itself why.
    if (failedOperation === "delete" || !errors.some((error) => error.includes("timed out"))) return undefined;
    const { namespace } = (newInputs as Named | undefined)?.metadata ?? {};
    const lines = words((command) => `kubectl${inNamespace(namespace)} ${command}`);
    return [...lines, "the application itself runs, and is reached inside the cluster"].join("\n");
  });

export const explainIngress = (name: string, seconds: number, className: pulumi.Input<string> | undefined) => {
  const kind = typeof className === "string" ? ` "${className}"` : "";
  return explain(`${name}-ingress`, (look) => [
    `no controller gave the Ingress an address within ${seconds} s (ingress.waitSeconds):`,
    `  - there is none for its class${kind}: \`kubectl get ingressclasses\` lists those there are; set ingress.controller or className`,
    `  - or it says why not: \`${look(`describe ingress ${name}`)}\`, and its log`,
    "  - or it never does, behind a NodePort or host ports for example: set ingress.waitSeconds to 0",
  ]);
};

export const explainHttpRoute = (name: string, seconds: number, gateway: pulumi.Input<string>) => {
  const which = typeof gateway === "string" ? ` "${gateway}"` : "";
  return explain(`${name}-http-route`, (look) => [
    `no Gateway accepted the HTTPRoute within ${seconds} s (httpRoute.waitSeconds):`,
    `  - \`${look(`describe httproute ${name}`)}\` says why, if the Gateway${which} has seen it`,
    "  - if it has not: the Gateway has to exist in httpRoute.gateway.namespace, and a controller for its class",
    "  - its listener has to fit the hosts, and to allow routes from this namespace (allowedRoutes)",
  ]);
};

export const explainLoadBalancer = (name: string) =>
  explain(`${name}-service`, (look) => [
    "nothing gave the Service an address: the cluster has no load balancer, or says why not in the Service's events:",
    `  ${look(`describe service ${name}`)}`,
    'set service.type to "NodePort", or leave it out and use ingress',
  ]);

/**
 * Says what it means that the Service of the application exists, which is among the first of all objects to be made: all that Pulumi
 * says is how to import it. Exported for its tests.
 */
export function explainExisting({ errors, newInputs }: Pick<pulumi.ErrorHookArgs, "errors" | "newInputs">): string | undefined {
  if (!errors.some((error) => /^[^]*was not successfully created[^]* already exists/.test(error))) return undefined;
  const { name, namespace } = (newInputs as Named | undefined)?.metadata ?? {};
  return (
    `there is an application "${name}" in this namespace already, of which this stack's state knows nothing. If it is another program's, give this one another name or namespace. ` +
    `If its state was lost, or retainOnDelete left it behind, delete its objects but not its volumes, and run \`pulumi up\` again; with onDelete "delete" not before you have read docs/recovery.md:\n` +
    `  kubectl${inNamespace(namespace)} delete statefulsets,deployments,services,serviceaccounts,configmaps,secrets,jobs,cronjobs,poddisruptionbudgets,horizontalpodautoscalers,ingresses,networkpolicies --selector 'app.kubernetes.io/part-of=${name},app.kubernetes.io/component!=kept-secrets'`
  );
}

/** Of a Service that is not waited for. */
export const explainService = (name: string) => onFailure(`${name}-service-failure`, explainExisting);
