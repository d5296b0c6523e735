import * as assert from "assert";
import { IngressArgs, PostgresApp, PostgresAppArgs } from "../../index";
import { gatewayApi, gke, installDefinitions, traefik } from "../support/definitions";
import { everything, exposed } from "../support/exposures";
import { graph } from "../support/graph";
import { inOrder } from "../support/inOrder";
import { kubectl, Namespace, until } from "../support/kubectl";
import { failed, succeeded } from "../support/migrations";
import { changesNothing, TestStack } from "../support/stack";
import { turn } from "../support/turn";

const gateway = { name: "public", namespace: "gateways", sectionName: "https", httpSectionName: "http" };
const hosts = ["notes.example.org"];

/** What of an application goes to the network, as it would be sent to Kubernetes. */
async function objects(namespace: string, more: Partial<PostgresAppArgs>): Promise<any[]> {
  const { resources } = await graph(() => new PostgresApp("notes", { ...exposed, namespace, ...more }));
  const names = /Service|Ingress|HTTPRoute|Middleware|ServersTransport|BackendConfig|FrontendConfig/;
  return [...resources.values()]
    .filter(({ type, name }) => names.test(type.split(":")[2]) && !name.startsWith("notes-db") && !/Account/.test(type))
    .map(({ type, inputs }) => ({ apiVersion: type.split(":")[1].replace(/^core\//, ""), kind: type.split(":")[2], ...inputs }));
}

describe("what exposes an application", function () {
  this.timeout(240_000);
  let namespace: Namespace;
  let removeDefinitions: () => Promise<void>;

  const kinds = turn("kinds");
  before(kinds.begin);
  before(async () => {
    const definitions = [...(await gatewayApi()), ...(await traefik()), ...(await gke())];
    assert.strictEqual(definitions.length, 5);
    removeDefinitions = await installDefinitions(definitions);
    namespace = await Namespace.create("exposure");
  });
  after(async () => {
    await namespace?.delete();
    await removeDefinitions?.();
  });
  after(kinds.end);

  describe("is what the API server and the published kinds take, to the last field", () => {
    // GKE's managed certificates are published nowhere where a test could get them.
    const gce: IngressArgs = { ...everything.gce, tls: { preSharedCertificate: "notes" } };
    const cases: [string, Partial<PostgresAppArgs>, string[]][] = [
      ["nginx", { ingress: everything.nginx }, ["Ingress", "Service", "Service"]],
      [
        "traefik",
        { ingress: everything.traefik },
        ["Ingress", "Ingress", "Middleware", "Middleware", "ServersTransport", "Service", "Service"],
      ],
      ["alb", { ingress: everything.alb }, ["Ingress", "Service", "Service"]],
      ["gce", { ingress: gce }, ["BackendConfig", "FrontendConfig", "Ingress", "Service", "Service"]],
      [
        "a Gateway",
        { httpRoute: { gateway, hosts, paths: ["/", "/api"], timeoutSeconds: 90 } },
        ["HTTPRoute", "HTTPRoute", "Service", "Service"],
      ],
    ];
    for (const [title, more, kinds] of cases)
      it(`for ${title}`, async () => {
        const items = await objects(namespace.name, more);
        assert.deepStrictEqual(items.map(({ kind }) => kind).sort(), kinds);
        await kubectl(["create", "--dry-run=server", "--validate=strict", "-f", "-"], {
          input: JSON.stringify({ apiVersion: "v1", kind: "List", items }),
        });
      });

    it("and would not be with a field that there is not", async () => {
      const [item] = (await objects(namespace.name, { ingress: gce })).filter(({ kind }) => kind === "BackendConfig");
      item.spec.healthCheck.path = "/";
      await assert.rejects(
        kubectl(["create", "--dry-run=server", "--validate=strict", "-f", "-"], { input: JSON.stringify(item) }),
        /unknown field "spec.healthCheck.path"/,
      );
    });
  });

  describe("in a cluster", function () {
    inOrder(this);
    let stack: TestStack;
    let ids: string[];
    const app = (more: Partial<PostgresAppArgs>) => async () => {
      const args = { ...more, image: "docker.io/local/notes:1.0.0", port: 3000, namespace: namespace.name };
      const { url } = new PostgresApp("notes", {
        ...args,
        command: ["node", "server.js"],
        database: { embedded: { version: 17, storage: "1Gi" } },
        migration: { command: ["sequelize-cli", "db:migrate"], timeoutSeconds: 120 },
        probes: { readiness: { httpPath: "/ready" } },
      });
      return { url };
    };
    const pods = () => namespace.items("pods", "-l", "app.kubernetes.io/instance=notes,app.kubernetes.io/component=app");
    const podIds = async () => (await pods()).map((pod) => pod.metadata.uid).sort();
    /** Does what a controller does, once the object is there. Returns when it was made. */
    const answer = async (object: string, status: object) => {
      await until(`${object}`, 120, () => namespace.get(object));
      await namespace.kubectl(["patch", object, "--subresource=status", "--type=merge", "-p", JSON.stringify({ status })]);
      return Date.parse((await namespace.get(object)).metadata.creationTimestamp);
    };
    const address = { loadBalancer: { ingress: [{ ip: "192.0.2.1" }] } };
    const accepted = {
      parents: [
        {
          parentRef: { name: "public", namespace: "gateways" },
          controllerName: "example.org/gateways",
          conditions: [
            { type: "ResolvedRefs", status: "False", reason: "Waiting", message: "", lastTransitionTime: "2026-01-01T00:00:00Z" },
            { type: "Accepted", status: "True", reason: "Accepted", message: "", lastTransitionTime: "2026-01-01T00:00:00Z" },
          ],
        },
      ],
    };
    const ingress = everything.traefik;

    before(async () => {
      stack = await TestStack.create("exposure");
    });
    after(() => stack?.remove());

    it("is made when the pods are ready, and waited for until a controller has taken it", async () => {
      const [outcome, ...made] = await Promise.all([
        stack.up(app({ ingress: { ...ingress, waitSeconds: 60 }, httpRoute: { gateway, hosts, waitSeconds: 60 } })),
        answer("ingress/notes", address),
        answer("httproute/notes", accepted),
      ]);
      assert.strictEqual(succeeded(outcome).outputs.url, "https://notes.example.org");
      const ready = (await pods()).map(({ status }) =>
        Date.parse(status.conditions.find(({ type }: any) => type === "Ready").lastTransitionTime),
      );
      assert.strictEqual(ready.length, 1);
      for (const at of made) assert.ok(ready[0] <= at, `${ready[0]} ${at}`);
      const service = await namespace.get("service/notes");
      const name = "traefik.ingress.kubernetes.io/service.serverstransport";
      assert.strictEqual(service.metadata.annotations[name], `${namespace.name}-notes-timeout@kubernetescrd`);
      ids = await podIds();
      const routes = { ingress: { ...ingress, waitSeconds: 60 }, httpRoute: { gateway, hosts, waitSeconds: 60 } };
      changesNothing(await stack.preview(app(routes), { refresh: true }));
    });

    it("changes without a pod being touched, and has the address of a load balancer where the Service is one", async () => {
      const [outcome] = await Promise.all([
        stack.up(app({ service: { type: "LoadBalancer", port: 8080 } })),
        until("the Service's type", 60, async () => (await namespace.get("service/notes")).spec.type === "LoadBalancer").then(
          () => answer("service/notes", { loadBalancer: { ingress: [{ hostname: "lb.example.org" }] } }),
        ),
      ]);
      assert.strictEqual(succeeded(outcome).outputs.url, "http://lb.example.org:8080");
      assert.deepStrictEqual(await podIds(), ids);
      assert.deepStrictEqual(await namespace.items("ingresses,httproutes,middlewares,serverstransports"), []);
    });

    it("says what it means when no controller answers, and the application runs on", async () => {
      const output = failed(
        await stack.up(app({ ingress: { hosts, className: "nobodys", waitSeconds: 3 }, service: { port: 8080 } })),
      );
      assert.match(output, /Ingress \.status\.loadBalancer field was not updated/);
      assert.match(output, /no controller gave the Ingress an address within 3 s \(ingress\.waitSeconds\):/);
      assert.match(output, /there is none for its class "nobodys"/);
      assert.match(output, new RegExp(`kubectl --namespace ${namespace.name} describe ingress notes`));
      assert.deepStrictEqual(await podIds(), ids);
    });
  });
});
