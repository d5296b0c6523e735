import * as assert from "assert";
import * as pulumi from "@pulumi/pulumi";
import { IngressArgs, PostgresApp, PostgresAppArgs } from "../../index";
import { everything, exposed } from "../support/exposures";
import { graph } from "../support/graph";

const SERVICE = "kubernetes:core/v1:Service::notes";
const INGRESS = "kubernetes:networking.k8s.io/v1:Ingress::notes";
const ROUTE = "kubernetes:gateway.networking.k8s.io/v1:HTTPRoute::notes";
const WORKLOAD = "kubernetes:apps/v1:StatefulSet::notes";
const SKIP = { "pulumi.com/skipAwait": "true" };

const run = (more: Partial<PostgresAppArgs>) => graph(() => new PostgresApp("notes", { ...exposed, ...more }));
const withIngress = async (ingress: IngressArgs) => (await run({ ingress })).resources;
const urlOf = async (more: Partial<PostgresAppArgs>) => {
  const { result } = await run(more);
  return new Promise<string>((resolve) => result.url.apply(resolve));
};
const annotationsOf = (resources: Awaited<ReturnType<typeof withIngress>>, key: string) =>
  resources.get(key)!.inputs.metadata.annotations;
const backend = { service: { name: "notes", port: { name: "http" } } };
const all = { path: "/", pathType: "Prefix", backend };

describe("the Service", () => {
  it("is inside the cluster, on port 80, and not waited for", async () => {
    const { resources } = await run({});
    const { metadata, spec } = resources.get(SERVICE)!.inputs;
    assert.deepStrictEqual(metadata.annotations, SKIP);
    assert.strictEqual(spec.type, "ClusterIP");
    assert.deepStrictEqual(spec.ports, [{ name: "http", port: 80, targetPort: "http" }]);
    assert.strictEqual(await urlOf({}), "http://notes.default.svc");
  });

  it("has another port, type and annotations as given, and waits for the address of a load balancer", async () => {
    const service = { port: 8080, type: "LoadBalancer", annotations: { "example.org/a": "b" } } as const;
    const { resources } = await run({ service });
    const { metadata, spec } = resources.get(SERVICE)!.inputs;
    assert.deepStrictEqual(metadata.annotations, {
      "pulumi.com/waitFor": "jsonpath={.status.loadBalancer.ingress}",
      "example.org/a": "b",
    });
    assert.strictEqual(spec.type, "LoadBalancer");
    assert.strictEqual(spec.ports[0].port, 8080);
    assert.strictEqual(await urlOf({ service: { port: 8080 } }), "http://notes.default.svc:8080");
  });
});

describe("an Ingress", () => {
  it("is made after the workload, and leads every host and path to the Service", async () => {
    const ingress = (await withIngress({ hosts: ["a.example.org", "b.example.org"], paths: ["/x", "/y"] })).get(INGRESS)!;
    assert.ok(ingress.dependencies.includes(WORKLOAD));
    assert.deepStrictEqual(ingress.inputs.spec, {
      rules: ["a.example.org", "b.example.org"].map((host) => ({
        host,
        http: { paths: ["/x", "/y"].map((path) => ({ path, pathType: "Prefix", backend })) },
      })),
    });
    assert.deepStrictEqual(ingress.options.customTimeouts, { create: "600s", update: "600s", delete: "" });
  });

  it("of nginx", async () => {
    const { inputs } = (await withIngress(everything.nginx)).get(INGRESS)!;
    const nginx = "nginx.ingress.kubernetes.io";
    assert.deepStrictEqual(inputs.metadata.annotations, {
      "cert-manager.io/cluster-issuer": "letsencrypt",
      [`${nginx}/ssl-redirect`]: "true",
      [`${nginx}/proxy-body-size`]: "52428800",
      [`${nginx}/proxy-read-timeout`]: "300",
      [`${nginx}/proxy-send-timeout`]: "300",
      [`${nginx}/affinity`]: "cookie",
      [`${nginx}/affinity-mode`]: "persistent",
      [`${nginx}/session-cookie-samesite`]: "Lax",
      [`${nginx}/session-cookie-secure`]: "true",
    });
    assert.strictEqual(inputs.spec.ingressClassName, "nginx");
    assert.deepStrictEqual(inputs.spec.tls, [{ hosts: ["notes.example.org", "*.notes.example.org"], secretName: "notes-tls" }]);
  });

  it("of Traefik, with one more for plain HTTP, Middlewares and a ServersTransport", async () => {
    const resources = await withIngress(everything.traefik);
    const traefik = "traefik.ingress.kubernetes.io";
    assert.deepStrictEqual(annotationsOf(resources, INGRESS), {
      [`${traefik}/router.entrypoints`]: "websecure",
      [`${traefik}/router.tls`]: "true",
      [`${traefik}/router.middlewares`]: "default-notes-body-size@kubernetescrd",
    });
    assert.deepStrictEqual(resources.get(INGRESS)!.inputs.spec, {
      ingressClassName: "traefik",
      tls: [{ hosts: ["notes.example.org"], secretName: "notes-certificate" }],
      rules: [{ host: "notes.example.org", http: { paths: [all] } }],
    });
    const plainHttp = resources.get(`${INGRESS}-http`)!;
    assert.deepStrictEqual(plainHttp.inputs.metadata.annotations, {
      ...SKIP,
      [`${traefik}/router.entrypoints`]: "web",
      [`${traefik}/router.middlewares`]: "default-notes-https@kubernetescrd",
    });
    assert.strictEqual(plainHttp.inputs.spec.tls, undefined);
    assert.deepStrictEqual(annotationsOf(resources, SERVICE), {
      ...SKIP,
      [`${traefik}/service.serverstransport`]: "default-notes-timeout@kubernetescrd",
      [`${traefik}/service.sticky.cookie`]: "true",
      [`${traefik}/service.sticky.cookie.httponly`]: "true",
      [`${traefik}/service.sticky.cookie.samesite`]: "lax",
      [`${traefik}/service.sticky.cookie.secure`]: "true",
    });
    const spec = (key: string) => resources.get(`kubernetes:traefik.io/v1alpha1:${key}`)!.inputs.spec;
    assert.deepStrictEqual(spec("Middleware::notes-body-size"), { buffering: { maxRequestBodyBytes: 1000000 } });
    assert.deepStrictEqual(spec("Middleware::notes-https"), { redirectScheme: { scheme: "https", permanent: true } });
    assert.deepStrictEqual(spec("ServersTransport::notes-timeout"), { forwardingTimeouts: { responseHeaderTimeout: "300s" } });
  });

  it("of Traefik refers to its objects by the names that it has for them", async () => {
    const resources = await withIngress({ ...everything.traefik, safeNaming: true });
    const references = [INGRESS, `${INGRESS}-http`, SERVICE].flatMap((key) =>
      Object.values<string>(annotationsOf(resources, key)).filter((value) => value.includes("@")),
    );
    const names = ["body-size", "https", "timeout"];
    assert.deepStrictEqual(
      references,
      names.map((one) => `default_notes-${one}@kubernetescrd`),
    );
  });

  it("of Traefik without a redirect serves plain HTTP with the same limit, and without TLS is one", async () => {
    const both = await withIngress({ ...everything.traefik, httpsRedirect: false, stickySessions: false });
    const plainHttp = annotationsOf(both, `${INGRESS}-http`);
    assert.strictEqual(plainHttp["traefik.ingress.kubernetes.io/router.middlewares"], "default-notes-body-size@kubernetescrd");
    assert.ok(!both.has("kubernetes:traefik.io/v1alpha1:Middleware::notes-https"));
    const one = await withIngress({ controller: "traefik", hosts: ["notes.example.org"] });
    assert.ok(!one.has(`${INGRESS}-http`));
    assert.strictEqual(annotationsOf(one, INGRESS), undefined);
  });

  it("of an ALB", async () => {
    const { inputs } = (await withIngress(everything.alb)).get(INGRESS)!;
    const alb = "alb.ingress.kubernetes.io";
    assert.deepStrictEqual(inputs.metadata.annotations, {
      [`${alb}/scheme`]: "internet-facing",
      [`${alb}/target-type`]: "ip",
      [`${alb}/listen-ports`]: '[{"HTTP":80},{"HTTPS":443}]',
      [`${alb}/ssl-redirect`]: "443",
      [`${alb}/certificate-arn`]: "arn:aws:acm:eu-central-1:123456789012:certificate/0a1b",
      [`${alb}/healthcheck-path`]: "/ready",
      [`${alb}/success-codes`]: "200-399",
      [`${alb}/load-balancer-attributes`]: "idle_timeout.timeout_seconds=300",
      [`${alb}/target-group-attributes`]:
        "stickiness.enabled=true,stickiness.type=lb_cookie,stickiness.lb_cookie.duration_seconds=86400",
    });
    assert.strictEqual(inputs.spec.ingressClassName, "alb");
  });

  it("of an ALB without TLS, inside the VPC, with a path of its own for health checks", async () => {
    const annotations = annotationsOf(
      await withIngress({ controller: "alb", hosts: ["notes.internal"], internal: true, healthCheckPath: "/up" }),
      INGRESS,
    );
    assert.deepStrictEqual(annotations, {
      "alb.ingress.kubernetes.io/scheme": "internal",
      "alb.ingress.kubernetes.io/target-type": "ip",
      "alb.ingress.kubernetes.io/listen-ports": '[{"HTTP":80}]',
      "alb.ingress.kubernetes.io/healthcheck-path": "/up",
      "alb.ingress.kubernetes.io/success-codes": "200-399",
    });
  });

  it("of GKE, with what its Service and it name", async () => {
    const resources = await withIngress(everything.gce);
    const { inputs } = resources.get(INGRESS)!;
    assert.deepStrictEqual(inputs.metadata.annotations, {
      "kubernetes.io/ingress.class": "gce",
      "networking.gke.io/v1beta1.FrontendConfig": "notes",
      "networking.gke.io/managed-certificates": "notes",
    });
    assert.deepStrictEqual(inputs.spec, { rules: [{ host: "notes.example.org", http: { paths: [all] } }] });
    assert.deepStrictEqual(annotationsOf(resources, SERVICE), {
      ...SKIP,
      "cloud.google.com/neg": '{"ingress":true}',
      "cloud.google.com/backend-config": '{"default":"notes"}',
    });
    const backendConfig = "kubernetes:cloud.google.com/v1:BackendConfig::notes";
    assert.deepStrictEqual(resources.get(backendConfig)!.inputs.spec, {
      timeoutSec: 300,
      healthCheck: { type: "HTTP", requestPath: "/ready" },
      connectionDraining: { drainingTimeoutSec: 60 },
      sessionAffinity: { affinityType: "GENERATED_COOKIE", affinityCookieTtlSec: 86400 },
    });
    assert.ok(resources.get(SERVICE)!.dependencies.includes(backendConfig));
    assert.deepStrictEqual(resources.get("kubernetes:networking.gke.io/v1beta1:FrontendConfig::notes")!.inputs.spec, {
      redirectToHttps: { enabled: true, responseCodeName: "MOVED_PERMANENTLY_DEFAULT" },
    });
    assert.deepStrictEqual(resources.get("kubernetes:networking.gke.io/v1:ManagedCertificate::notes")!.inputs.spec, {
      domains: ["notes.example.org"],
    });
  });

  it("of GKE inside the VPC serves HTTPS alone, with a certificate of cert-manager's", async () => {
    const resources = await withIngress({
      controller: "gce",
      hosts: ["notes.internal"],
      internal: true,
      tls: { issuer: "company" },
    });
    const { inputs } = resources.get(INGRESS)!;
    assert.deepStrictEqual(inputs.metadata.annotations, {
      "cert-manager.io/issuer": "company",
      "kubernetes.io/ingress.class": "gce-internal",
      "kubernetes.io/ingress.allow-http": "false",
      "acme.cert-manager.io/http01-edit-in-place": "true",
    });
    assert.deepStrictEqual(inputs.spec.tls, [{ hosts: ["notes.internal"], secretName: "notes-tls" }]);
    assert.ok(![...resources.keys()].some((key) => /FrontendConfig|ManagedCertificate/.test(key)));
  });

  it("takes given annotations before its own, and adds its Middlewares to those given", async () => {
    const resources = await withIngress({
      ...everything.traefik,
      annotations: {
        "traefik.ingress.kubernetes.io/router.middlewares": "default-login@kubernetescrd",
        "traefik.ingress.kubernetes.io/router.entrypoints": "public",
      },
    });
    const annotations = annotationsOf(resources, INGRESS);
    assert.strictEqual(annotations["traefik.ingress.kubernetes.io/router.entrypoints"], "public");
    assert.strictEqual(
      annotations["traefik.ingress.kubernetes.io/router.middlewares"],
      "default-login@kubernetescrd,default-notes-body-size@kubernetescrd",
    );
    // A redirect needs no login.
    assert.strictEqual(
      annotationsOf(resources, `${INGRESS}-http`)["traefik.ingress.kubernetes.io/router.middlewares"],
      "default-notes-https@kubernetescrd",
    );
  });

  it("is not waited for when that is said", async () => {
    const { inputs, options } = (await withIngress({ hosts: ["notes.example.org"], waitSeconds: 0 })).get(INGRESS)!;
    assert.deepStrictEqual(inputs.metadata.annotations, SKIP);
    assert.deepStrictEqual(options.customTimeouts, { create: "", update: "", delete: "" });
  });
});

describe("an HTTPRoute", () => {
  const httpRoute = { gateway: { name: "public", namespace: "gateways", sectionName: "https" }, hosts: ["notes.example.org"] };

  it("is made after the workload, leads to the Service, and is waited for", async () => {
    const { resources } = await run({
      httpRoute: { ...httpRoute, paths: ["/a", "/b"], timeoutSeconds: 90 },
      service: { port: 81 },
    });
    const { inputs, dependencies, options } = resources.get(ROUTE)!;
    assert.ok(dependencies.includes(WORKLOAD));
    assert.deepStrictEqual(inputs.spec, {
      parentRefs: [{ name: "public", namespace: "gateways", sectionName: "https" }],
      hostnames: ["notes.example.org"],
      rules: [
        {
          matches: ["/a", "/b"].map((value) => ({ path: { type: "PathPrefix", value } })),
          timeouts: { request: "90s" },
          backendRefs: [{ name: "notes", port: 81 }],
        },
      ],
    });
    assert.deepStrictEqual(inputs.metadata.annotations, {
      "pulumi.com/waitFor": 'jsonpath={.status.parents[*].conditions[?(@.type=="Accepted")].status}=True',
    });
    assert.strictEqual(options.customTimeouts!.create, "600s");
    assert.ok(!resources.has(`${ROUTE}-http`));
  });

  it("has a second one that redirects, where the Gateway's listener for it is named", async () => {
    const gateway = { ...httpRoute.gateway, httpSectionName: "http" };
    const { resources } = await run({ httpRoute: { ...httpRoute, gateway, waitSeconds: 0 } });
    assert.strictEqual(resources.get(ROUTE)!.inputs.metadata.annotations, undefined);
    assert.deepStrictEqual(resources.get(`${ROUTE}-http`)!.inputs.spec, {
      parentRefs: [{ name: "public", namespace: "gateways", sectionName: "http" }],
      hostnames: ["notes.example.org"],
      rules: [{ filters: [{ type: "RequestRedirect", requestRedirect: { scheme: "https", statusCode: 301 } }] }],
    });
  });
});

describe("the output url", () => {
  const hosts = ["*.example.org", "notes.example.org", "other.example.org"];
  const gateway = { name: "public" };
  for (const [title, more, url] of [
    ["with TLS", { ingress: { hosts, tls: {} } }, "https://notes.example.org"],
    ["without TLS", { ingress: { hosts } }, "http://notes.example.org"],
    ["below a path", { ingress: { hosts, paths: ["/notes/", "/api"] } }, "http://notes.example.org/notes"],
    ["of wildcards alone", { ingress: { hosts: ["*.example.org"] } }, "http://notes.default.svc"],
    ["of a Gateway", { httpRoute: { gateway, hosts } }, "https://notes.example.org"],
    ["of a Gateway without HTTPS", { httpRoute: { gateway, hosts, https: false } }, "http://notes.example.org"],
    [
      "of both",
      { ingress: { hosts: ["a.example.org"] }, httpRoute: { gateway, hosts: ["b.example.org"] } },
      "http://a.example.org",
    ],
    [
      "of a host that is another resource's output",
      { ingress: { hosts: [pulumi.output(Promise.resolve("later.example.org"))], tls: {} } },
      "https://later.example.org",
    ],
  ] as [string, Partial<PostgresAppArgs>, string][])
    it(title, async () => assert.strictEqual(await urlOf(more), url));
});
