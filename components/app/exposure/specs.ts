import * as pulumi from "@pulumi/pulumi";
import { types } from "@pulumi/kubernetes";
import { PORT_NAME } from "../probes";
import { IngressController } from "./exposureArgs";
import { ResolvedIngress } from "./plan";
import { ResolvedHttpRoute } from "./resolveExposure";

/** The Ingress. A second one for plain HTTP is the same without TLS. */
export function ingressSpec(
  ingress: ResolvedIngress,
  service: pulumi.Input<string>,
  isPlainHttp = false,
): types.input.networking.v1.IngressSpec {
  const { hosts, paths, tls, controller } = ingress;
  const backend = { service: { name: service, port: { name: PORT_NAME } } };
  // GKE takes an entry without a Secret for a mistake. The others have a certificate of their own for it.
  const hasEntry = tls && !isPlainHttp && (tls.secretName !== undefined || controller !== IngressController.Gce);
  return {
    ingressClassName: ingress.className,
    tls: hasEntry ? [{ hosts, secretName: tls.secretName }] : undefined,
    rules: hosts.map((host) => ({ host, http: { paths: paths.map((path) => ({ path, pathType: "Prefix", backend })) } })),
  };
}

/** cert-manager's, which are the same whatever controller there is. */
export const issuerAnnotations = ({ tls }: ResolvedIngress) => ({
  "cert-manager.io/cluster-issuer": tls?.clusterIssuer,
  "cert-manager.io/issuer": tls?.issuer,
});

/** The HTTPRoute to the application. */
export function httpRouteSpec(
  { gateway, hosts, paths, timeoutSeconds }: ResolvedHttpRoute,
  service: { name: pulumi.Input<string>; port: pulumi.Input<number> },
): pulumi.Inputs {
  const { name, namespace, sectionName } = gateway;
  return {
    parentRefs: [{ name, namespace, sectionName }],
    hostnames: hosts,
    rules: [
      {
        matches: paths.map((value) => ({ path: { type: "PathPrefix", value } })),
        timeouts: timeoutSeconds === undefined ? undefined : { request: pulumi.interpolate`${timeoutSeconds}s` },
        backendRefs: [service],
      },
    ],
  };
}

/** The HTTPRoute on the listener for plain HTTP. */
export function redirectRouteSpec({ gateway, hosts }: ResolvedHttpRoute): pulumi.Inputs {
  const { name, namespace, httpSectionName } = gateway;
  return {
    parentRefs: [{ name, namespace, sectionName: httpSectionName }],
    hostnames: hosts,
    // Of the redirects, 301 and 302 are what every Gateway has.
    rules: [{ filters: [{ type: "RequestRedirect", requestRedirect: { scheme: "https", statusCode: 301 } }] }],
  };
}
