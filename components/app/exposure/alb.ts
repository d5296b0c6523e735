import * as pulumi from "@pulumi/pulumi";
import { NO_BODY_LIMIT, OF_TRAEFIK } from "./cannot";
import { Controller, prefixed } from "./plan";

const FROM_ACM =
  "cannot be used: an ALB takes its certificates from ACM; give certificateArn, or leave all out to have them found there by the hosts' names";

/** AWS Load Balancer Controller; annotations as of version 3.5, most of them the same since 2.0. */
export const alb: Controller = {
  className: "alb",
  cannot: { maxBodySize: NO_BODY_LIMIT, safeNaming: OF_TRAEFIK },
  cannotTls: {
    secretName: FROM_ACM,
    clusterIssuer: FROM_ACM,
    issuer: FROM_ACM,
    preSharedCertificate: 'is for controller "gce": give certificateArn',
  },
  asksPods: true,
  longestTimeout: 4000, // of the attribute idle_timeout.timeout_seconds
  plan: (_, { tls, httpsRedirect, internal, healthCheckPath, timeoutSeconds, stickySessions }) => ({
    annotations: () =>
      prefixed("alb.ingress.kubernetes.io", {
        scheme: internal ? "internal" : "internet-facing",
        // Straight to the pods: through node ports, which are the default, sessions stick to nodes.
        "target-type": "ip",
        "listen-ports": JSON.stringify(tls ? [{ HTTP: 80 }, { HTTPS: 443 }] : [{ HTTP: 80 }]),
        "ssl-redirect": httpsRedirect ? "443" : undefined,
        "certificate-arn": tls?.certificateArn,
        "healthcheck-path": healthCheckPath,
        // What the kubelet takes for a yes; the load balancer alone would take nothing but 200.
        "success-codes": "200-399",
        "load-balancer-attributes":
          timeoutSeconds === undefined ? undefined : pulumi.interpolate`idle_timeout.timeout_seconds=${timeoutSeconds}`,
        "target-group-attributes": stickySessions
          ? "stickiness.enabled=true,stickiness.type=lb_cookie,stickiness.lb_cookie.duration_seconds=86400"
          : undefined,
      }),
  }),
};
