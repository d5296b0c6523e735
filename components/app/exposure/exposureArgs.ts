import * as pulumi from "@pulumi/pulumi";

/** From where the application's Service is reached. */
export const AppServiceType = {
  /** Inside the cluster only: what an Ingress, a Gateway and other programs of the cluster need. */
  ClusterIp: "ClusterIP",
  /** On a port of every node, which Kubernetes chooses. */
  NodePort: "NodePort",
  /** At an address of its own, which the cloud or the cluster's load balancer gives. No TLS, no host names. */
  LoadBalancer: "LoadBalancer",
} as const;
export type AppServiceType = (typeof AppServiceType)[keyof typeof AppServiceType];

/** The application's Service. Every change is made in place and touches no pod. */
export interface AppServiceArgs {
  /**
   * Port of the Service. Defaults to 80.
   */
  port?: pulumi.Input<number>;
  /**
   * From where it is reached: "ClusterIP", "NodePort" or "LoadBalancer". `up` waits for the address of a load balancer, for ten
   * minutes at most, and it is the output `url` then. Defaults to "ClusterIP".
   */
  type?: AppServiceType;
  /**
   * Annotations, for what the cluster makes of the Service. Defaults to none. They win over those that `ingress` asks for.
   */
  annotations?: pulumi.Input<Record<string, pulumi.Input<string>>>;
}

/** Which program serves an Ingress. Body size, time-outs, sessions and redirects are not part of Ingress: each has its own way. */
export const IngressController = {
  /**
   * kubernetes/ingress-nginx (not F5's NGINX Ingress Controller). Its last release was that of March 2026: it gets no corrections any
   * more, not even of security holes (https://kubernetes.io/blog/2025/11/11/ingress-nginx-retirement/). For something new take
   * another one, or `httpRoute`.
   */
  Nginx: "nginx",
  /** Traefik 3, with its custom resources installed (`providers.kubernetesCRD`, as its Helm chart has it). */
  Traefik: "traefik",
  /** AWS Load Balancer Controller 2 and 3, with pods that have addresses of the VPC. */
  Alb: "alb",
  /** GKE's own Ingress, in a VPC-native cluster. */
  Gce: "gce",
} as const;
export type IngressController = (typeof IngressController)[keyof typeof IngressController];

/**
 * The certificate for an Ingress' hosts. Without any of these (`{}`) it is the controller's own: the default certificate of nginx and
 * Traefik, one that is found in ACM by the hosts' names (alb), one that Google issues (gce).
 */
export interface IngressTlsArgs {
  /**
   * Secret of type kubernetes.io/tls in the application's namespace. It has to exist, unless an issuer makes it. Refused with alb, which
   * takes none. Defaults to none, with an issuer to the component's name and "-tls".
   */
  secretName?: pulumi.Input<string>;
  /**
   * ClusterIssuer of cert-manager that gets the certificate and renews it. Refused with alb. Defaults to none.
   */
  clusterIssuer?: pulumi.Input<string>;
  /**
   * Issuer of cert-manager, in the application's namespace, that gets the certificate and renews it. Refused with alb. Defaults to none.
   */
  issuer?: pulumi.Input<string>;
  /**
   * ARN of a certificate in ACM, or several with commas between them. Only with alb. Defaults to those in ACM whose names fit the hosts.
   */
  certificateArn?: pulumi.Input<string>;
  /**
   * Name of a certificate in Google Cloud (`gcloud compute ssl-certificates`), or several with commas between them. Only with gce.
   * Defaults to one that Google issues, which takes up to an hour after the hosts' DNS records point to the address.
   */
  preSharedCertificate?: pulumi.Input<string>;
}

/**
 * An Ingress. It is made when the application's pods are ready. No change of it touches a pod. What a controller cannot do is refused,
 * not left out in silence.
 */
export interface IngressArgs {
  /**
   * DNS names that the application is reached under, such as ["notes.example.org"]; one may begin with "*.". The first without is that
   * of the output `url`.
   */
  hosts: pulumi.Input<string>[];
  /**
   * Beginnings of the paths that go to the application. Defaults to ["/"].
   */
  paths?: pulumi.Input<string>[];
  /**
   * Which program serves it: "nginx", "traefik", "alb" or "gce". Without it, only what every controller understands may be asked
   * for, and `annotations` say the rest. Defaults to none.
   */
  controller?: IngressController;
  /**
   * Name of the IngressClass. Defaults to the controller's name; without a controller to the cluster's default class. Refused with gce,
   * which has classes of its own (see `internal`).
   */
  className?: pulumi.Input<string>;
  /**
   * HTTPS. Defaults to none: plain HTTP.
   */
  tls?: IngressTlsArgs;
  /**
   * Whether plain HTTP is answered with a redirect to HTTPS. Defaults to true with `tls` and one of the four controllers. Refused as
   * true without them, and with `internal` on gce, which then serves HTTPS alone.
   */
  httpsRedirect?: boolean;
  /**
   * Largest body of a request, as a quantity of bytes such as "50Mi"; larger ones are answered with 413. Traefik reads the whole request
   * before it passes it on, and the whole answer before it sends it, so that streamed answers come in one piece. Defaults to
   * the controller's own: 1 MiB with nginx, none with the others. Refused with alb and gce, which have no limit that could be set.
   */
  maxBodySize?: pulumi.Input<string>;
  /**
   * Seconds that the controller waits for the application. What is waited for differs: nginx and alb for the next bytes, so this
   * is how long a WebSocket or a long poll may be silent; traefik for the beginning of the answer; gce for its end, and WebSockets are
   * closed after it. Defaults to the controller's own: 60 with nginx and alb, 30 with gce, no limit with traefik. At most
   * 4000 with alb.
   */
  timeoutSeconds?: pulumi.Input<number>;
  /**
   * Whether all requests of a browser go to the same pod as its first, by a cookie, as long as that pod is there: for applications that keep
   * sessions in memory. Defaults to false.
   */
  stickySessions?: boolean;
  /**
   * Whether Traefik is installed with `providers.kubernetesCRD.safeNaming: true` (3.7.11 or newer), by which it calls its Middlewares and
   * ServersTransports otherwise: where this is wrong, it answers 404 for what refers to them. Only with traefik. Defaults to false, as Traefik does.
   */
  safeNaming?: boolean;
  /**
   * Whether the load balancer has an address inside the VPC only. Only with alb and gce; with the others it is a matter of how
   * the controller itself is installed. Defaults to false. A change makes a new load balancer with a new address.
   */
  internal?: boolean;
  /**
   * Path that the load balancer asks to find out whether a pod can serve: 200 to 399 is a yes for alb, 200 alone for gce. Only with
   * those two, which ask for themselves; nginx and Traefik go by the pods' readiness. Defaults to `probes.readiness.httpPath`.
   */
  healthCheckPath?: pulumi.Input<string>;
  /**
   * Seconds that `up` waits until the controller has given the Ingress an address, then it fails; 0 for a controller that never does, such
   * as one behind a NodePort or host ports. Defaults to 600.
   */
  waitSeconds?: number;
  /**
   * Annotations for what is not an argument here. They win over those that the arguments ask for, but
   * `traefik.ingress.kubernetes.io/router.middlewares`, to which ours are added. Defaults to none.
   */
  annotations?: pulumi.Input<Record<string, pulumi.Input<string>>>;
}

/** Listener of a Gateway. */
export interface GatewayRefArgs {
  /**
   * Name of the Gateway. It has to exist, and its listener to allow routes from the application's namespace.
   */
  name: pulumi.Input<string>;
  /**
   * Namespace of the Gateway. Defaults to the application's.
   */
  namespace?: pulumi.Input<string>;
  /**
   * Name of one of the Gateway's listeners. Defaults to every listener that fits the hosts.
   */
  sectionName?: pulumi.Input<string>;
  /**
   * Name of the Gateway's listener for plain HTTP: a second route there redirects to HTTPS. Takes `sectionName` too, since else the
   * application would be served there as well. Defaults to none, no redirect.
   */
  httpSectionName?: pulumi.Input<string>;
}

/**
 * An HTTPRoute of the Gateway API 1.0 or newer (gateway.networking.k8s.io/v1). It is made when the application's pods are ready. No change
 * of it touches a pod. The certificate is the Gateway's part. Body size is no part of the API; sticky sessions are, but only in its
 * experimental channel: both are set by the Gateway's own policies.
 */
export interface HttpRouteArgs {
  /**
   * The Gateway that it belongs to.
   */
  gateway: GatewayRefArgs;
  /**
   * DNS names that the application is reached under, such as ["notes.example.org"]; one may begin with "*.". The first without is that
   * of the output `url`.
   */
  hosts: pulumi.Input<string>[];
  /**
   * Beginnings of the paths that go to the application. Defaults to ["/"].
   */
  paths?: pulumi.Input<string>[];
  /**
   * Seconds from the request to the end of its answer, at most 99999; 0 is no limit. Not every Gateway has it (Traefik 3 does not).
   * Defaults to the Gateway's own.
   */
  timeoutSeconds?: pulumi.Input<number>;
  /**
   * Whether the Gateway's listener is an HTTPS one, which only decides how the output `url` begins. Defaults to true.
   */
  https?: boolean;
  /**
   * Seconds that `up` waits until the Gateway has accepted the route, then it fails; 0 for not waiting. Defaults to 600.
   */
  waitSeconds?: number;
}
