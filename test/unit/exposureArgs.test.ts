import * as assert from "assert";
import { exposed } from "../support/exposures";
import { refusal } from "../support/refusal";

const hosts = ["notes.example.org"];
const ingress = (more: object, args: object = exposed) => refusal({ ...args, ingress: { hosts, ...more } });
const httpRoute = (more: object) => refusal({ ...exposed, httpRoute: { hosts, gateway: { name: "public" }, ...more } });

describe("wrong arguments of an exposure", () => {
  for (const host of [
    "https://notes.example.org",
    "notes.example.org/",
    "notes:80",
    "10.0.0.1",
    "Notes.example.org",
    "*",
    "a.*.org",
    "-a.org",
    "",
    5,
  ])
    it(`refuses the host ${JSON.stringify(host)}`, async () => {
      assert.match(await ingress({ hosts: [host] }), /^ {2}ingress\.hosts\[0\]: .* (is not a host|is an IP address)/m);
      assert.match(await httpRoute({ hosts: [host] }), /^ {2}httpRoute\.hosts\[0\]: /m);
    });

  for (const host of ["localhost", "notes.example.org", "*.example.org", "a-b.c1.example"])
    it(`accepts the host ${host}`, async () => assert.strictEqual(await ingress({ hosts: [host] }), ""));

  for (const path of ["notes", "", "/a b", "/a//b", "/a/../b", "/a?b", "/*"])
    it(`refuses the path ${JSON.stringify(path)}`, async () =>
      assert.match(await ingress({ paths: [path] }), /^ {2}ingress\.paths\[0\]: .* is not the beginning of a path/m));

  it("asks for hosts and paths where the lists are empty", async () => {
    const message = await refusal({ ...exposed, ingress: { hosts: [], paths: [] }, httpRoute: { gateway: {} } });
    assert.match(message, /ingress\.hosts: is missing: list the DNS names/);
    assert.match(message, /ingress\.paths: lists no path/);
    assert.match(message, /httpRoute\.hosts: is missing/);
    assert.match(message, /httpRoute\.gateway\.name: is missing: name the Gateway/);
  });

  it("names what the Service cannot be", async () => {
    const message = await refusal({ ...exposed, service: { port: 0, type: "Public", annotations: { a: 1 } } });
    assert.match(message, /service\.port: 0 is not a port/);
    assert.match(message, /service\.type: is "Public": write one of "ClusterIP", "NodePort", "LoadBalancer"/);
    assert.match(message, /service\.annotations: "a" is a number: write it as a string/);
  });

  it("names what a controller cannot do, and does not leave it out in silence", async () => {
    for (const controller of ["alb", "gce"])
      assert.match(
        await ingress({ controller, maxBodySize: "1Mi" }),
        /ingress\.maxBodySize: cannot be set: the load balancer lets/,
      );
    for (const controller of ["nginx", "traefik"]) {
      const message = await ingress({ controller, internal: true, healthCheckPath: "/up" });
      assert.match(message, /ingress\.internal: is decided by how the controller itself is installed/);
      assert.match(message, /ingress\.healthCheckPath: is not asked by this controller, which goes by the pods' readiness/);
    }
    for (const controller of ["nginx", "alb", "gce", undefined])
      assert.match(
        await ingress({ controller, safeNaming: true }),
        /ingress\.safeNaming: says how Traefik names its own objects/,
      );
    const other = await ingress({ tls: {}, httpsRedirect: true, maxBodySize: "1Mi", timeoutSeconds: 9, stickySessions: true });
    for (const argument of ["httpsRedirect", "maxBodySize", "timeoutSeconds", "stickySessions"])
      assert.match(other, new RegExp(`ingress\\.${argument}: is no part of Ingress, each controller has its own way: name the`));
    assert.match(await ingress({ controller: "gce", className: "gce" }), /ingress\.className: is not what GKE goes by/);
    assert.match(
      await ingress({ controller: "alb", timeoutSeconds: 4001 }),
      /timeoutSeconds: 4001 is out of range.* at most 4000/,
    );
    assert.match(await ingress({ controller: "haproxy" }), /ingress\.controller: is "haproxy": write one of "nginx", "traefik"/);
    assert.strictEqual(await ingress({ controller: "alb", stickySessions: false, internal: false }), "");
  });

  it("needs a path for load balancers that ask the pods themselves", async () => {
    for (const controller of ["alb", "gce"]) {
      const without = { ...exposed, probes: undefined };
      assert.match(
        await ingress({ controller }, without),
        /ingress\.healthCheckPath: is missing: .* set probes\.readiness\.httpPath/,
      );
      assert.strictEqual(await ingress({ controller, healthCheckPath: "/" }, without), "");
    }
  });

  it("takes one origin of a certificate, which the controller knows", async () => {
    const tls = (controller: string, given: object, more = {}) => ingress({ controller, tls: given, ...more });
    const certificateArn = "arn:aws:acm:eu-central-1:1:certificate/a";
    assert.match(
      await tls("nginx", { issuer: "a", clusterIssuer: "b" }),
      /tls\.issuer: is a second origin .* beside clusterIssuer/,
    );
    assert.match(await tls("nginx", { certificateArn }), /tls\.certificateArn: is for controller "alb"/);
    assert.match(
      await tls("alb", { secretName: "a" }),
      /tls\.secretName: cannot be used: an ALB takes its certificates from ACM/,
    );
    assert.match(await tls("alb", { certificateArn: "a" }), /tls\.certificateArn: "a" is not the ARN of a certificate/);
    assert.match(await tls("gce", { preSharedCertificate: "a", secretName: "b" }), /tls\.secretName: is a second origin/);
    assert.match(
      await tls("gce", {}, { hosts: ["*.example.org"] }),
      /hosts\[0\]: "\*\.example\.org" gets no certificate: Google/,
    );
    assert.match(await tls("gce", {}, { internal: true }), /hosts\[0\]: gets no certificate: Google issues none for an internal/);
    assert.match(
      await ingress({ controller: "nginx", httpsRedirect: true }),
      /httpsRedirect: leads to HTTPS, which is not served/,
    );
    assert.match(
      await tls("gce", { secretName: "a" }, { internal: true, httpsRedirect: true }),
      /httpsRedirect: cannot be: GKE's internal load balancer has no redirect/,
    );
    assert.strictEqual(await tls("nginx", { issuer: "a", secretName: "b" }), "");
    assert.strictEqual(await tls("alb", {}), "");
  });

  it("names the listener for HTTPS where plain HTTP is redirected", async () => {
    const gateway = { name: "public", httpSectionName: "http" };
    assert.match(
      await httpRoute({ gateway }),
      /httpRoute\.gateway\.sectionName: is missing: without it the application is served/,
    );
    assert.match(await httpRoute({ timeoutSeconds: 100000 }), /timeoutSeconds: 100000 is out of range/);
    assert.strictEqual(await httpRoute({ gateway: { ...gateway, sectionName: "https" } }), "");
  });
});
