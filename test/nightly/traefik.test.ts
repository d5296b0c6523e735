import * as assert from "assert";
import { IngressArgs, PostgresAppArgs } from "../../index";
import { gatewayApi, installDefinitions, traefik as traefikDefinitions } from "../support/definitions";
import { inOrder } from "../support/inOrder";
import { kubectl, Namespace, sleep, until } from "../support/kubectl";
import { Load } from "../support/load";
import { succeeded } from "../support/migrations";
import { notes, psql, secret } from "../support/notes";
import { TestStack } from "../support/stack";
import { Answer, CONTROLLERS, request, selfSigned, startTraefik, Traefik } from "../support/traefik";
import { turn } from "../support/turn";

const BY_INGRESS = "notes.example.org";
const BY_GATEWAY = "gateway.example.org";
const PER_SECOND = 20;
const LIMIT = 20_000; // bytes
const TIMEOUT = 2; // seconds
/** What Traefik's provider for the Gateway API asks for when it starts. */
const WATCHED = ["gatewayclasses", "gateways", "httproutes", "grpcroutes", "tlsroutes", "referencegrants", "backendtlspolicies"];
const CLASSES = "pulumi-postgres-app-traefik";

/** The application behind a Traefik that is real: what it does with an Ingress and an HTTPRoute, and not what they say. */
describe("an application behind Traefik", function () {
  this.timeout(240_000);
  inOrder(this);
  let namespace: Namespace;
  let stack: TestStack;
  let traefik: Traefik;
  let removeDefinitions: () => Promise<void>;
  let login: Record<string, string>;
  const certificates: Record<string, { certificate: string; key: string }> = {};

  const args = (more: Partial<IngressArgs> = {}): Partial<PostgresAppArgs> => ({
    replicas: 2,
    preStopSeconds: undefined, // what users have
    ingress: {
      controller: "traefik",
      hosts: [BY_INGRESS],
      tls: { secretName: "ingress-certificate" },
      maxBodySize: `${LIMIT}`, // a quantity without a unit is one too
      timeoutSeconds: TIMEOUT,
      stickySessions: true,
      waitSeconds: 60,
      ...more,
    },
    httpRoute: {
      hosts: [BY_GATEWAY],
      paths: ["/api"],
      gateway: { name: "public", sectionName: "https", httpSectionName: "http" },
      timeoutSeconds: TIMEOUT,
      waitSeconds: 60,
    },
  });
  const up = async (version: string, more?: Partial<IngressArgs>) =>
    succeeded(await stack.up(notes(namespace, version, args(more)))).outputs;
  const ca = (host: string) => certificates[host].certificate;
  const ask = (host: string, path: string, more: Parameters<typeof request>[2] = {}) =>
    request(traefik, `https://${host}${path}`, { ca: ca(host), ...more });
  const json = ({ status, body }: Answer) => {
    assert.strictEqual(status, 200, body);
    return JSON.parse(body);
  };
  /** A thread that takes so many bytes to say. */
  const write = (host: string, bytes: number) => {
    const text = (padding: string) => JSON.stringify({ title: "title", body: "text", padding });
    const body = text("x".repeat(bytes - text("").length));
    return ask(host, "/api/threads", { method: "POST", headers: { "content-type": "application/json" }, body });
  };

  const network = turn("network", { shared: true });
  before(network.begin);
  const kinds = turn("kinds");
  before(kinds.begin);
  before(async () => {
    removeDefinitions = await installDefinitions([...(await gatewayApi(WATCHED)), ...(await traefikDefinitions({ all: true }))]);
    namespace = await Namespace.create("traefik");
    stack = await TestStack.create("traefik");
    for (const [host, name] of [
      [BY_INGRESS, "ingress-certificate"],
      [BY_GATEWAY, "gateway-certificate"],
    ]) {
      const { certificate, key } = (certificates[host] = await selfSigned(host));
      const metadata = { name, namespace: namespace.name };
      const stringData = { "tls.crt": certificate, "tls.key": key };
      await namespace.apply({ apiVersion: "v1", kind: "Secret", type: "kubernetes.io/tls", metadata, stringData });
    }
    traefik = await startTraefik(namespace.name);
    const listener = { allowedRoutes: { namespaces: { from: "Same" } } };
    const tls = { certificateRefs: [{ name: "gateway-certificate" }] };
    await namespace.apply(
      {
        apiVersion: "networking.k8s.io/v1",
        kind: "IngressClass",
        metadata: { name: "traefik" }, // as its Helm chart calls it
        spec: { controller: CONTROLLERS.ingress },
      },
      {
        apiVersion: "gateway.networking.k8s.io/v1",
        kind: "GatewayClass",
        metadata: { name: CLASSES },
        spec: { controllerName: CONTROLLERS.gateway },
      },
      {
        apiVersion: "gateway.networking.k8s.io/v1",
        kind: "Gateway",
        metadata: { name: "public", namespace: namespace.name },
        spec: {
          gatewayClassName: CLASSES,
          listeners: [
            { ...listener, name: "http", protocol: "HTTP", port: traefik.web },
            { ...listener, name: "https", protocol: "HTTPS", port: traefik.websecure, tls },
          ],
        },
      },
    );
  });
  afterEach(async function () {
    if (this.currentTest?.state === "failed") console.log(await traefik.log());
  });
  after(async () => {
    await traefik?.stop();
    await stack?.remove();
    await namespace?.delete();
    await kubectl(["delete", "ingressclass/traefik", `gatewayclass/${CLASSES}`, "--ignore-not-found", "--timeout=20s"]);
    await removeDefinitions?.();
  });
  after(network.end);
  after(kinds.end);

  it("is waited for until Traefik has given the Ingress an address and taken the HTTPRoute", async () => {
    const outputs = await up("1.0.0");
    login = await secret(namespace, outputs.connectionSecret);
    assert.strictEqual(outputs.url, `https://${BY_INGRESS}`);
    const { status } = await namespace.get("ingress/notes");
    assert.deepStrictEqual(status.loadBalancer.ingress, [{ ip: traefik.address }]);
    const [parent] = (await namespace.get("httproute/notes")).status.parents;
    assert.strictEqual(parent.controllerName, CONTROLLERS.gateway);
    for (const type of ["Accepted", "ResolvedRefs"])
      assert.strictEqual(parent.conditions.find((one: any) => one.type === type).status, "True", JSON.stringify(parent));
  });

  it("answers over HTTPS within seconds, each host with its own certificate", async () => {
    const begun = Date.now();
    for (const host of [BY_INGRESS, BY_GATEWAY]) {
      // It takes new routes every two seconds.
      await until(`an answer for ${host}`, 15, async () => (await ask(host, "/api/version")).status === 200);
      await until(`a redirect for ${host}`, 15, async () => (await request(traefik, `http://${host}/`)).status !== 404);
      console.log(`      ${host}: ${Date.now() - begun} ms after \`up\``);
      const { version, migrations } = json(await ask(host, "/api/version"));
      assert.deepStrictEqual([version, migrations.length], ["1.0.0", 11]);
      // The certificate is checked: that of the other host is none.
      const [other] = [BY_INGRESS, BY_GATEWAY].filter((one) => one !== host);
      await assert.rejects(ask(host, "/api/version", { ca: ca(other) }), /self-signed certificate/);
    }
  });

  it("is nowhere else", async () => {
    for (const address of ["http://other.example.org/", "https://other.example.org/", `https://${BY_GATEWAY}/health`]) {
      const { status, body } = await request(traefik, address);
      assert.deepStrictEqual([status, body.trim()], [404, "404 page not found"], address);
    }
    assert.strictEqual((await ask(BY_INGRESS, "/health")).status, 200);
  });

  it("is led to by a redirect from plain HTTP", async () => {
    for (const host of [BY_INGRESS, BY_GATEWAY]) {
      const { status, headers } = await request(traefik, `http://${host}/api/version?a=b`);
      assert.deepStrictEqual([status, headers.location], [301, `https://${host}/api/version?a=b`]);
    }
    // What is sent must not become a GET.
    const { status, headers } = await request(traefik, `http://${BY_INGRESS}/api/threads`, { method: "POST", body: "{}" });
    assert.deepStrictEqual([status, headers.location], [308, `https://${BY_INGRESS}/api/threads`]);
  });

  it("gets no larger bodies than maxBodySize by the Ingress", async () => {
    assert.strictEqual((await write(BY_INGRESS, LIMIT)).status, 201);
    assert.strictEqual((await write(BY_INGRESS, LIMIT + 1)).status, 413);
    assert.strictEqual((await write(BY_GATEWAY, LIMIT + 1)).status, 201);
  });

  it("has timeoutSeconds for its answer by the Ingress, and as long as it takes by the HTTPRoute", async () => {
    const lock = psql(
      namespace,
      login.user,
      login.password,
      `BEGIN; LOCK TABLE threads; SELECT pg_sleep(${2 * TIMEOUT + 1}); COMMIT`,
    );
    await sleep(1000);
    const timed = async (host: string) => {
      const begun = Date.now();
      const { status } = await ask(host, "/api/threads");
      return [status, (Date.now() - begun) / 1000];
    };
    const [[byIngress, seconds], [byGateway, longer], { code, stderr }] = await Promise.all([
      timed(BY_INGRESS),
      timed(BY_GATEWAY),
      lock,
    ]);
    assert.strictEqual(code, 0, stderr);
    assert.deepStrictEqual([byIngress, byGateway], [504, 200]);
    assert.ok(seconds >= TIMEOUT && seconds < TIMEOUT + 1, `${seconds}`);
    assert.ok(longer > TIMEOUT + 1, `${longer}`);
  });

  it("keeps a session on its pod by the Ingress", async () => {
    const first = await ask(BY_INGRESS, "/api/version");
    const { hostname } = json(first);
    const [set] = first.headers["set-cookie"]!;
    assert.match(set, /; HttpOnly(;|$)/);
    assert.match(set, /; Secure(;|$)/);
    assert.match(set, /; SameSite=Lax(;|$)/);
    const seen = async (headers: Record<string, string>) => {
      const answers = await Promise.all([...Array(10)].map(() => ask(BY_INGRESS, "/api/version", { headers })));
      return [...new Set(answers.map((one) => json(one).hostname))].sort();
    };
    assert.deepStrictEqual(await seen({ cookie: set.split(";")[0] }), [hostname]);
    assert.deepStrictEqual(await seen({}), ["notes-0", "notes-1"]);
  });

  it(`is upgraded under ${PER_SECOND} requests a second each way, of which none is lost`, async () => {
    const hostAliases = [{ ip: traefik.address, hostnames: [BY_INGRESS, BY_GATEWAY] }];
    const way = (name: string, host: string) => ({
      name,
      hostAliases,
      url: `https://${host}:${traefik.websecure}`,
      ca: ca(host),
    });
    const loads = await Promise.all([
      Load.start(namespace, "before", PER_SECOND, way("by-ingress", BY_INGRESS)),
      Load.start(namespace, "before", PER_SECOND, way("by-gateway", BY_GATEWAY)),
    ]);
    const phase = (name: string) => Promise.all(loads.map((load) => load.phase(name)));
    await sleep(3000);
    await phase("upgrade");
    const begun = Date.now();
    await up("1.1.0");
    const seconds = (Date.now() - begun) / 1000;
    await phase("after");
    await sleep(3000);
    const summaries = await Promise.all(loads.map((load) => load.stop()));
    for (const [index, { phases }] of summaries.entries())
      for (const [name, { sent, failed, p50, p99, max }] of Object.entries(phases))
        console.log(
          `      ${["Ingress", "HTTPRoute"][index]}, ${name}: ${sent} requests, ${failed} failed, p50 ${p50} ms, p99 ${p99} ms, slowest ${max} ms`,
        );
    for (const { failures, phases } of summaries) {
      assert.deepStrictEqual(failures, {});
      assert.ok(phases.upgrade.sent > 0.9 * PER_SECOND * (seconds - 3), `${phases.upgrade.sent} in ${seconds} s`);
    }
    for (const host of [BY_INGRESS, BY_GATEWAY]) assert.strictEqual(json(await ask(host, "/api/version")).version, "1.1.0");
    const acknowledged = summaries.reduce((sum, one) => sum + one.acknowledged, 0);
    const { stdout } = await psql(
      namespace,
      login.user,
      login.password,
      "SELECT count(*) FROM threads WHERE title LIKE 'load %'",
    );
    assert.strictEqual(stdout.trim(), String(acknowledged));
  });

  it("is reached by the Ingress of a Traefik with safe names too", async () => {
    await traefik.stop();
    traefik = await startTraefik(namespace.name, ["--providers.kubernetesCRD.safeNaming=true"]);
    // What is referred to by another name is not there, and neither is what refers to it.
    await until("Traefik's complaint", 20, async () => (await traefik.log()).includes("not found"));
    assert.strictEqual((await ask(BY_INGRESS, "/health", { ca: undefined })).status, 404);
    await up("1.1.0", { safeNaming: true });
    await until("an answer", 15, async () => (await ask(BY_INGRESS, "/health")).status === 200);
    await until("a redirect", 15, async () => (await request(traefik, `http://${BY_INGRESS}/`)).status === 301);
    assert.strictEqual((await write(BY_INGRESS, LIMIT + 1)).status, 413);
  });

  it("is served over plain HTTP too where no redirect is wanted, with the same limit", async () => {
    await up("1.1.0", { safeNaming: true, httpsRedirect: false });
    await until("an answer", 15, async () => (await request(traefik, `http://${BY_INGRESS}/health`)).status === 200);
    const body = "x".repeat(LIMIT + 1);
    assert.strictEqual((await request(traefik, `http://${BY_INGRESS}/health`, { method: "POST", body })).status, 413);
    assert.strictEqual((await ask(BY_INGRESS, "/health")).status, 200);
  });
});
