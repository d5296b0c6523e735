import * as pulumi from "@pulumi/pulumi";
import { anyName, bytes, kubernetesName, namespaceName, oneOf, port, text, wholeNumber } from "../../common/rules";
import { Rule, Validation } from "../../common/validation";
import { AppProbesArgs } from "../probes";
import { controllerOf } from "./controllers";
import { AppServiceArgs, AppServiceType, HttpRouteArgs, IngressArgs, IngressController, IngressTlsArgs } from "./exposureArgs";
import { Controller, ResolvedIngress } from "./plan";
import { arn, bodySize, hostName, label, routePath } from "./rules";

export interface ResolvedService {
  port: pulumi.Input<number>;
  type: AppServiceType;
  annotations?: pulumi.Input<Record<string, pulumi.Input<string>>>;
}

export interface ResolvedHttpRoute extends HttpRouteArgs {
  paths: pulumi.Input<string>[];
  https: boolean;
  waitSeconds: number;
}

/** How the application is reached. */
export interface ResolvedExposure {
  service: ResolvedService;
  ingress?: ResolvedIngress;
  httpRoute?: ResolvedHttpRoute;
}

const WAIT = 600; // what Pulumi's provider waits when nothing is said

export function resolveExposure(
  name: string,
  args: { service?: AppServiceArgs; ingress?: IngressArgs; httpRoute?: HttpRouteArgs; probes?: AppProbesArgs },
  validation: Validation,
): ResolvedExposure {
  const { service, ingress, httpRoute } = args;
  return {
    service: {
      port: validation.check("service.port", service?.port, port) ?? 80,
      type: validation.check("service.type", service?.type, oneOf(Object.values(AppServiceType))) ?? AppServiceType.ClusterIp,
      annotations: validation.map("service.annotations", service?.annotations, anyName, text),
    },
    ingress: ingress && resolveIngress(name, ingress, readinessPath(args.probes), validation),
    httpRoute: httpRoute && resolveHttpRoute(httpRoute, validation),
  };
}

/** The path that says whether a pod can serve. */
const readinessPath = (probes: AppProbesArgs | undefined) => probes?.readiness?.httpPath;

const asked = (value: unknown) => value !== undefined && value !== false;

function resolveIngress(
  name: string,
  args: IngressArgs,
  readiness: pulumi.Input<string> | undefined,
  validation: Validation,
): ResolvedIngress {
  const at = (property: string) => `ingress.${property}`;
  validation.check(at("controller"), args.controller, oneOf(Object.values(IngressController)));
  const controller = controllerOf(args.controller);
  const isKnown = args.controller === undefined || Object.values(IngressController).includes(args.controller);
  for (const [property, why] of isKnown ? Object.entries(controller.cannot) : [])
    if (asked(args[property as keyof IngressArgs])) validation.problem(at(property), why);
  if (controller.asksPods && args.healthCheckPath === undefined && readiness === undefined)
    validation.missing(
      at("healthCheckPath"),
      "this load balancer asks the pods over HTTP whether they can serve; set probes.readiness.httpPath, or this",
    );
  if (args.httpsRedirect && !args.tls)
    validation.problem(at("httpsRedirect"), "leads to HTTPS, which is not served: add tls, or leave it out");
  const onlyHttps = args.controller === IngressController.Gce && args.internal;
  if (args.httpsRedirect && onlyHttps)
    validation.problem(
      at("httpsRedirect"),
      "cannot be: GKE's internal load balancer has no redirect and serves HTTPS alone; leave it out",
    );
  const most = controller.longestTimeout;
  return {
    hosts: checkHosts(at("hosts"), args.hosts, validation, controller.host?.(args)),
    paths: checkPaths(at("paths"), args.paths, validation),
    controller: args.controller,
    className: validation.check(at("className"), args.className, kubernetesName) ?? controller.className,
    tls: args.tls && resolveTls(name, args.tls, controller, validation),
    httpsRedirect: args.httpsRedirect ?? (args.tls !== undefined && args.controller !== undefined && !onlyHttps),
    maxBodyBytes:
      args.maxBodySize === undefined
        ? undefined
        : pulumi.output(validation.check(at("maxBodySize"), args.maxBodySize, bodySize)).apply((size) => Math.floor(bytes(size))),
    timeoutSeconds: validation.check(at("timeoutSeconds"), args.timeoutSeconds, wholeNumber(1, most)),
    stickySessions: args.stickySessions ?? false,
    safeNaming: args.safeNaming ?? false,
    internal: args.internal ?? false,
    healthCheckPath: validation.check(at("healthCheckPath"), args.healthCheckPath, routePath) ?? readiness,
    waitSeconds: validation.check(at("waitSeconds"), args.waitSeconds, wholeNumber(0)) ?? WAIT,
    annotations: validation.map(at("annotations"), args.annotations, anyName, text),
  };
}

function resolveTls(name: string, args: IngressTlsArgs, controller: Controller, validation: Validation): IngressTlsArgs {
  const at = (property: string) => `ingress.tls.${property}`;
  for (const [property, why] of Object.entries(controller.cannotTls))
    if (asked(args[property as keyof IngressTlsArgs])) validation.problem(at(property), why);
  const { secretName, clusterIssuer, issuer, certificateArn, preSharedCertificate } = args;
  const origins = Object.entries({ clusterIssuer, issuer, certificateArn, preSharedCertificate }).filter(([, value]) =>
    asked(value),
  );
  if (secretName !== undefined && (certificateArn ?? preSharedCertificate) !== undefined)
    origins.push(["secretName", secretName]);
  const [[first] = [], ...more] = origins;
  for (const [property] of more)
    validation.problem(at(property), `is a second origin of the certificate, beside ${first}: keep one of the two`);
  const byIssuer = (issuer ?? clusterIssuer) !== undefined;
  return {
    secretName: validation.check(at("secretName"), secretName, kubernetesName) ?? (byIssuer ? `${name}-tls` : undefined),
    clusterIssuer: validation.check(at("clusterIssuer"), clusterIssuer, kubernetesName),
    issuer: validation.check(at("issuer"), issuer, kubernetesName),
    certificateArn: validation.check(at("certificateArn"), certificateArn, arn),
    preSharedCertificate: validation.check(at("preSharedCertificate"), preSharedCertificate, text),
  };
}

function resolveHttpRoute(args: HttpRouteArgs, validation: Validation): ResolvedHttpRoute {
  const at = (property: string) => `httpRoute.${property}`;
  const { gateway } = args;
  validation.required(at("gateway.name"), gateway?.name, kubernetesName, "name the Gateway that the route belongs to");
  validation.check(at("gateway.namespace"), gateway?.namespace, namespaceName);
  validation.check(at("gateway.sectionName"), gateway?.sectionName, label);
  validation.check(at("gateway.httpSectionName"), gateway?.httpSectionName, label);
  if (gateway?.httpSectionName !== undefined && gateway.sectionName === undefined)
    validation.missing(
      at("gateway.sectionName"),
      "without it the application is served on the listener for plain HTTP, too, and nothing says whether it or the redirect is; name the listener for HTTPS",
    );
  return {
    ...args,
    hosts: checkHosts(at("hosts"), args.hosts, validation),
    paths: checkPaths(at("paths"), args.paths, validation),
    timeoutSeconds: validation.check(at("timeoutSeconds"), args.timeoutSeconds, wholeNumber(0, 99999)), // GEP-2257's five digits
    https: args.https ?? true,
    waitSeconds: validation.check(at("waitSeconds"), args.waitSeconds, wholeNumber(0)) ?? WAIT,
  };
}

function checkHosts(
  at: string,
  hosts: pulumi.Input<string>[] | undefined,
  validation: Validation,
  more?: Rule<string>,
): pulumi.Input<string>[] {
  if (!hosts?.length) {
    validation.missing(at, 'list the DNS names that the application is reached under, such as ["notes.example.org"]');
    return [];
  }
  return hosts.map((host, index) => validation.check(`${at}[${index}]`, host, (known) => hostName(known) ?? more?.(known)));
}

function checkPaths(at: string, paths: pulumi.Input<string>[] | undefined, validation: Validation): pulumi.Input<string>[] {
  if (paths === undefined) return ["/"];
  if (paths.length === 0) {
    validation.problem(at, 'lists no path: leave it out for all, or write the beginnings of paths, such as ["/notes"]');
    return [];
  }
  return paths.map((path, index) => validation.check(`${at}[${index}]`, path, routePath));
}
