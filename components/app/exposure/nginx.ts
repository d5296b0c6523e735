import { BY_INSTALLATION, BY_READINESS, FROM_SECRETS, OF_TRAEFIK } from "./cannot";
import { Controller, prefixed, textOf } from "./plan";

/** kubernetes/ingress-nginx; annotations as its last release, 1.15.1, documents them. */
export const nginx: Controller = {
  className: "nginx",
  cannot: { internal: BY_INSTALLATION, healthCheckPath: BY_READINESS, safeNaming: OF_TRAEFIK },
  cannotTls: FROM_SECRETS,
  plan: (_, ingress) => ({
    annotations: () =>
      prefixed("nginx.ingress.kubernetes.io", {
        "ssl-redirect": ingress.tls && String(ingress.httpsRedirect),
        "proxy-body-size": textOf(ingress.maxBodyBytes),
        "proxy-read-timeout": textOf(ingress.timeoutSeconds),
        "proxy-send-timeout": textOf(ingress.timeoutSeconds),
        ...(ingress.stickySessions
          ? {
              affinity: "cookie",
              // The other mode, "balanced", moves sessions to other pods when the application is scaled out.
              "affinity-mode": "persistent",
              "session-cookie-samesite": "Lax",
              "session-cookie-secure": ingress.tls && ingress.httpsRedirect ? "true" : undefined,
            }
          : {}),
      }),
  }),
};
