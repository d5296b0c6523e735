import * as pulumi from "@pulumi/pulumi";
import { BY_INSTALLATION, BY_READINESS, FROM_SECRETS } from "./cannot";
import { Controller, CustomObject, NamespaceOf, prefixed } from "./plan";

const ANNOTATION = "traefik.ingress.kubernetes.io";
const object = (kind: string, name: string, spec: pulumi.Inputs): CustomObject => ({
  apiVersion: "traefik.io/v1alpha1",
  kind,
  name,
  spec,
});
/**
 * Traefik 3 (read from 3.7). The annotations of an Ingress make routers that have TLS on all of their entry points or on none, so plain
 * HTTP has an Ingress of its own; what a router does beside routing are Middlewares. Entry points are called "web" and "websecure",
 * as in its Helm chart.
 */
export const traefik: Controller = {
  className: "traefik",
  cannot: { internal: BY_INSTALLATION, healthCheckPath: BY_READINESS },
  cannotTls: FROM_SECRETS,
  plan(name, { tls, httpsRedirect, maxBodyBytes, timeoutSeconds, stickySessions, safeNaming }) {
    /** How an annotation names an object of the cluster. */
    const reference = (namespaceOf: NamespaceOf, object: string) =>
      pulumi.interpolate`${namespaceOf(object)}${safeNaming ? "_" : "-"}${object}@kubernetescrd`;
    const limit = maxBodyBytes && object("Middleware", `${name}-body-size`, { buffering: { maxRequestBodyBytes: maxBodyBytes } });
    const redirect =
      tls && httpsRedirect
        ? object("Middleware", `${name}-https`, { redirectScheme: { scheme: "https", permanent: true } })
        : undefined;
    const responseHeaderTimeout = timeoutSeconds === undefined ? undefined : pulumi.interpolate`${timeoutSeconds}s`;
    const transport =
      responseHeaderTimeout && object("ServersTransport", `${name}-timeout`, { forwardingTimeouts: { responseHeaderTimeout } });

    const router = (entryPoint: string | undefined, middleware: CustomObject | undefined, isTls?: "true") => (of: NamespaceOf) =>
      prefixed(ANNOTATION, {
        "router.entrypoints": entryPoint,
        "router.tls": isTls,
        "router.middlewares": middleware && reference(of, middleware.name),
      });
    return {
      annotations: tls ? router("websecure", limit, "true") : router(undefined, limit),
      plainHttp: tls && router("web", redirect ?? limit),
      service: (of) =>
        prefixed(ANNOTATION, {
          "service.serverstransport": transport && reference(of, transport.name),
          ...(stickySessions
            ? {
                "service.sticky.cookie": "true",
                "service.sticky.cookie.httponly": "true",
                "service.sticky.cookie.samesite": "lax",
                "service.sticky.cookie.secure": redirect && "true",
              }
            : {}),
        }),
      serviceObjects: transport ? [transport] : [],
      objects: [limit, redirect].filter((made) => made !== undefined),
    };
  },
};

/** The one annotation that is a list: what is given and what is ours are both meant. */
export const MIDDLEWARES = `${ANNOTATION}/router.middlewares`;
