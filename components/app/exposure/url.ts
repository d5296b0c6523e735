import * as pulumi from "@pulumi/pulumi";
import * as core from "@pulumi/kubernetes/core/v1";
import { namespaceOf } from "../../common/answers";
import { AppServiceType } from "./exposureArgs";
import { ResolvedExposure } from "./resolveExposure";

/** Where the application is reached: under its first host, at its load balancer's address, or inside the cluster. No "/" at the end. */
export function urlOf(
  { service: { port, type }, ingress, httpRoute }: ResolvedExposure,
  service: core.Service,
): pulumi.Output<string> {
  const suffix = pulumi.output(port).apply((known) => (known === 80 ? "" : `:${known}`));
  const inside = pulumi.interpolate`http://${service.metadata.name}.${namespaceOf(service)}.svc${suffix}`;
  if (ingress) return hosted(ingress.tls !== undefined, ingress, inside);
  if (httpRoute) return hosted(httpRoute.https, httpRoute, inside);
  if (type !== AppServiceType.LoadBalancer) return inside;
  return pulumi.all([service.status, suffix, inside]).apply(([status, colon, otherwise]) => {
    const [address] = status?.loadBalancer?.ingress ?? []; // which is waited for, and which mocks do not have
    return address ? `http://${address.hostname ?? address.ip}${colon}` : otherwise;
  });
}

function hosted(
  isHttps: boolean,
  { hosts, paths }: { hosts: pulumi.Input<string>[]; paths: pulumi.Input<string>[] },
  inside: pulumi.Output<string>,
): pulumi.Output<string> {
  return pulumi.all([pulumi.all(hosts), pulumi.all(paths), inside]).apply(([names, beginnings, otherwise]) => {
    const host = names.find((name) => !name.startsWith("*."));
    const path = beginnings.includes("/") ? "" : beginnings[0].replace(/\/$/, "");
    return host === undefined ? otherwise : `${isHttps ? "https" : "http"}://${host}${path}`;
  });
}
