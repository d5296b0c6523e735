import { Controller, CustomObject } from "./plan";
import { NO_BODY_LIMIT, OF_TRAEFIK } from "./cannot";
import { IngressTlsArgs } from "./exposureArgs";

/** Google issues one: nothing says which. */
const isManaged = (tls: IngressTlsArgs) => Object.values(tls).every((value) => value === undefined);

/**
 * GKE's own Ingress (kubernetes/ingress-gce, read from 1.36). What its load balancer does is told by objects: a BackendConfig, which the
 * Service names, a FrontendConfig and a ManagedCertificate, which the Ingress names.
 */
export const gce: Controller = {
  cannot: {
    maxBodySize: NO_BODY_LIMIT,
    safeNaming: OF_TRAEFIK,
    // It looks at the annotation alone, and leaves an Ingress with a class name to others.
    className: "is not what GKE goes by: leave it out, and say `internal` for an address inside the VPC",
  },
  cannotTls: {
    certificateArn: 'is for controller "alb": give secretName, clusterIssuer, issuer or preSharedCertificate, or leave all out',
  },
  asksPods: true,
  host: ({ tls, internal }) => {
    if (!tls || !isManaged(tls)) return undefined;
    if (internal)
      return () =>
        "gets no certificate: Google issues none for an internal load balancer; give one of secretName, clusterIssuer, issuer and preSharedCertificate in ingress.tls";
    return (host) =>
      host.startsWith("*.")
        ? `"${host}" gets no certificate: Google issues none with a wildcard; give one of secretName, clusterIssuer, issuer and preSharedCertificate in ingress.tls`
        : undefined;
  },
  plan(name, { hosts, tls, httpsRedirect, internal, healthCheckPath, timeoutSeconds, stickySessions }) {
    const backend: CustomObject = {
      apiVersion: "cloud.google.com/v1",
      kind: "BackendConfig",
      name,
      spec: {
        timeoutSec: timeoutSeconds,
        healthCheck: { type: "HTTP", requestPath: healthCheckPath },
        // Without it requests that a leaving pod is still answering are cut off.
        connectionDraining: { drainingTimeoutSec: 60 },
        sessionAffinity: stickySessions ? { affinityType: "GENERATED_COOKIE", affinityCookieTtlSec: 86400 } : undefined,
      },
    };
    const frontend: CustomObject = {
      apiVersion: "networking.gke.io/v1beta1",
      kind: "FrontendConfig",
      name,
      spec: { redirectToHttps: { enabled: true, responseCodeName: "MOVED_PERMANENTLY_DEFAULT" } },
    };
    const certificate: CustomObject = {
      apiVersion: "networking.gke.io/v1",
      kind: "ManagedCertificate",
      name,
      spec: { domains: hosts },
    };
    const managed = tls !== undefined && isManaged(tls);
    return {
      annotations: () => ({
        "kubernetes.io/ingress.class": internal ? "gce-internal" : "gce",
        "networking.gke.io/v1beta1.FrontendConfig": httpsRedirect ? frontend.name : undefined,
        "networking.gke.io/managed-certificates": managed ? certificate.name : undefined,
        "ingress.gcp.kubernetes.io/pre-shared-cert": tls?.preSharedCertificate,
        // An internal load balancer has one port or the other.
        "kubernetes.io/ingress.allow-http": tls && internal ? "false" : undefined,
        // Every Ingress has an address of its own: the challenge has to be answered at this one. And the Secret has to be there before
        // the load balancer is, which cert-manager sees to by a temporary certificate then.
        "acme.cert-manager.io/http01-edit-in-place": tls?.issuer || tls?.clusterIssuer ? "true" : undefined,
      }),
      service: () => ({
        // Straight to the pods.
        "cloud.google.com/neg": JSON.stringify({ ingress: true }),
        "cloud.google.com/backend-config": JSON.stringify({ default: backend.name }),
      }),
      serviceObjects: [backend],
      objects: [...(httpsRedirect ? [frontend] : []), ...(managed ? [certificate] : [])],
    };
  },
};
