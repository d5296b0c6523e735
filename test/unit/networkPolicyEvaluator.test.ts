import * as assert from "assert";
import * as yaml from "js-yaml";
import { NetworkPolicies } from "../support/networkPolicy";

/** The cases of kubernetes.io/docs/concepts/services-networking/network-policies. */

const namespaces = [
  { metadata: { name: "default", labels: { "kubernetes.io/metadata.name": "default" } } },
  { metadata: { name: "myproject", labels: { "kubernetes.io/metadata.name": "myproject", project: "myproject" } } },
  { metadata: { name: "frontend", labels: { "kubernetes.io/metadata.name": "frontend", user: "alice" } } },
];
let next = 0;
const pod = (labels: Record<string, string>, namespace = "default", more: any = {}) => ({
  pod: {
    metadata: { name: `pod-${++next}`, uid: `uid-${next}`, namespace, labels },
    spec: { containers: [], ...more.spec },
    status: { podIP: `10.1.0.${next}`, hostIP: "192.168.0.1", ...more.status },
  },
});
const policies = (...texts: string[]) =>
  new NetworkPolicies(
    texts.map((text, index) => ({ metadata: { name: `policy-${index}`, namespace: "default" }, spec: yaml.load(text) })),
    namespaces,
  );
const db = pod({ role: "db" });
const frontend = pod({ role: "frontend" });
const other = pod({ role: "other" });
const elsewhere = pod({ role: "frontend" }, "myproject");
const internet = { ip: "203.0.113.9" };

describe("the evaluator of network policies", () => {
  it("lets everything through where there is no policy", () => {
    assert.ok(policies().allowed({ from: internet, to: db, port: 1 }));
    assert.ok(policies().allowed({ from: db, to: internet, port: 1 }));
  });

  it("knows default deny for ingress, for egress, and for both", () => {
    const ingress = policies("{ podSelector: {}, policyTypes: [Ingress] }");
    assert.strictEqual(ingress.refusal({ from: elsewhere, to: db, port: 80 }), "Ingress of policy-0");
    assert.ok(ingress.allowed({ from: db, to: elsewhere, port: 80 }));
    const egress = policies("{ podSelector: {}, policyTypes: [Egress] }");
    assert.ok(egress.allowed({ from: elsewhere, to: db, port: 80 }));
    assert.strictEqual(egress.refusal({ from: db, to: elsewhere, port: 80 }), "Egress of policy-0");
    assert.ok(!egress.allowed({ from: db, to: internet, port: 53, protocol: "UDP" }), "DNS too");
    const both = policies("{ podSelector: {}, policyTypes: [Ingress, Egress] }");
    assert.ok(!both.allowed({ from: elsewhere, to: db, port: 80 }) && !both.allowed({ from: db, to: elsewhere, port: 80 }));
  });

  it("knows allow all, which nothing takes back", () => {
    const all = policies(
      "{ podSelector: {}, ingress: [{}], policyTypes: [Ingress] }",
      "{ podSelector: {}, policyTypes: [Ingress] }",
    );
    assert.ok(all.allowed({ from: internet, to: db, port: 80 }));
    assert.ok(policies("{ podSelector: {}, egress: [{}], policyTypes: [Egress] }").allowed({ from: db, to: internet, port: 80 }));
  });

  it("isolates only the pods of its selector, and only in its namespace", () => {
    const one = policies("{ podSelector: { matchLabels: { role: db } }, policyTypes: [Ingress] }");
    assert.ok(!one.allowed({ from: other, to: db, port: 1 }));
    assert.ok(one.allowed({ from: db, to: other, port: 1 }));
    assert.ok(one.allowed({ from: other, to: pod({ role: "db" }, "myproject"), port: 1 }));
  });

  it("takes the type Egress as given where there are rules for it and none is named, and Ingress always", () => {
    const noTypes = policies("{ podSelector: {}, egress: [{ ports: [{ port: 443 }] }] }");
    assert.ok(!noTypes.allowed({ from: other, to: db, port: 443 }), "Ingress is isolated too");
    assert.ok(noTypes.allowed({ from: db, to: internet, port: 443 }));
    assert.ok(!noTypes.allowed({ from: db, to: internet, port: 80 }));
    assert.ok(policies("{ podSelector: {} }").allowed({ from: db, to: internet, port: 80 }), "no rule, no Egress");
  });

  const example = `
    podSelector: { matchLabels: { role: db } }
    policyTypes: [Ingress, Egress]
    ingress:
      - from:
          - ipBlock: { cidr: 172.17.0.0/16, except: [172.17.1.0/24] }
          - namespaceSelector: { matchLabels: { project: myproject } }
          - podSelector: { matchLabels: { role: frontend } }
        ports: [{ protocol: TCP, port: 6379 }]
    egress:
      - to: [{ ipBlock: { cidr: 10.0.0.0/24 } }]
        ports: [{ protocol: TCP, port: 5978 }]`;

  it("reads the documentation's example as it does", () => {
    const it = policies(example);
    const reaches = (from: any, port = 6379, protocol?: "UDP") => it.allowed({ from, to: db, port, protocol });
    assert.ok(reaches(frontend), "pods with role=frontend in its namespace");
    assert.ok(reaches(pod({}, "myproject")), "any pod of a namespace with project=myproject");
    assert.ok(reaches({ ip: "172.17.0.1" }) && reaches({ ip: "172.17.2.0" }), "172.17.0.0 to .0.255 and .2.0 to .255.255");
    assert.ok(!reaches({ ip: "172.17.1.7" }), "but not the exception");
    assert.ok(!reaches({ ip: "172.18.0.1" }) && !reaches(other) && !reaches(pod({ role: "frontend" }, "frontend")));
    assert.ok(!reaches(frontend, 6380) && !reaches(frontend, 6379, "UDP"), "that port and protocol alone");
    assert.ok(it.allowed({ from: db, to: { ip: "10.0.0.200" }, port: 5978 }));
    assert.ok(
      !it.allowed({ from: db, to: { ip: "10.0.1.1" }, port: 5978 }) && !it.allowed({ from: db, to: { ip: "10.0.0.1" }, port: 1 }),
    );
  });

  it("takes two selectors of one entry together, and those of two entries each for itself", () => {
    const alice = { namespaceSelector: { matchLabels: { user: "alice" } } };
    const client = { podSelector: { matchLabels: { role: "client" } } };
    const rule = (from: object[]) => policies(JSON.stringify({ podSelector: {}, ingress: [{ from }] }));
    const cases = [pod({ role: "client" }, "frontend"), pod({ role: "x" }, "frontend"), pod({ role: "client" })];
    const verdicts = (from: object[]) => cases.map((one) => rule(from).allowed({ from: one, to: db, port: 1 }));
    assert.deepStrictEqual(verdicts([{ ...alice, ...client }]), [true, false, false]);
    assert.deepStrictEqual(verdicts([alice, client]), [true, true, true]);
  });

  it("takes an empty selector of namespaces for every pod of the cluster, and for no address outside", () => {
    const it = policies("{ podSelector: {}, ingress: [{ from: [{ namespaceSelector: {} }] }] }");
    assert.ok(it.allowed({ from: elsewhere, to: db, port: 1 }));
    assert.ok(!it.allowed({ from: internet, to: db, port: 1 }));
  });

  it("finds namespaces by name, by the label that Kubernetes gives them, and by expressions", () => {
    const name = "kubernetes.io/metadata.name";
    const by = (selector: string) => policies(`{ podSelector: {}, ingress: [{ from: [{ namespaceSelector: ${selector} }] }] }`);
    const verdicts = (selector: string) =>
      ["myproject", "frontend"].map((where) => by(selector).allowed({ from: pod({}, where), to: db, port: 1 }));
    assert.deepStrictEqual(verdicts(`{ matchLabels: { ${name}: frontend } }`), [false, true]);
    assert.deepStrictEqual(verdicts(`{ matchExpressions: [{ key: ${name}, operator: In, values: [frontend, myproject] }] }`), [
      true,
      true,
    ]);
    assert.deepStrictEqual(verdicts(`{ matchExpressions: [{ key: user, operator: NotIn, values: [alice] }] }`), [true, false]);
    assert.deepStrictEqual(verdicts(`{ matchExpressions: [{ key: user, operator: Exists }] }`), [false, true]);
    assert.deepStrictEqual(verdicts(`{ matchExpressions: [{ key: user, operator: DoesNotExist }] }`), [true, false]);
  });

  it("knows ranges of ports, ports by name, and all ports of a protocol", () => {
    const range = policies("{ podSelector: {}, policyTypes: [Egress], egress: [{ ports: [{ port: 32000, endPort: 32768 }] }] }");
    const to = (port: number) => range.allowed({ from: db, to: internet, port });
    assert.deepStrictEqual([31999, 32000, 32768, 32769].map(to), [false, true, true, false]);
    const name = policies("{ podSelector: {}, ingress: [{ ports: [{ port: http }] }] }");
    const web = (containerPort: number) =>
      pod({}, "default", { spec: { containers: [{ ports: [{ name: "http", containerPort }] }] } });
    assert.ok(
      name.allowed({ from: other, to: web(8080), port: 8080 }) && name.allowed({ from: other, to: web(3000), port: 3000 }),
    );
    assert.ok(!name.allowed({ from: other, to: web(8080), port: 3000 }) && !name.allowed({ from: other, to: db, port: 8080 }));
    const udp = policies("{ podSelector: {}, ingress: [{ ports: [{ protocol: UDP }] }] }");
    assert.ok(udp.allowed({ from: other, to: db, port: 7, protocol: "UDP" }) && !udp.allowed({ from: other, to: db, port: 7 }));
  });

  it("adds policies up, and asks the sender's and the receiver's", () => {
    const rule = (port: number) => `{ podSelector: { matchLabels: { role: db } }, ingress: [{ ports: [{ port: ${port} }] }] }`;
    const two = policies(rule(1), rule(2));
    assert.deepStrictEqual(
      [1, 2, 3].map((port) => two.allowed({ from: other, to: db, port })),
      [true, true, false],
    );
    const deny = "{ podSelector: { matchLabels: { role: other } }, policyTypes: [Egress] }";
    assert.strictEqual(policies(rule(1), deny).refusal({ from: other, to: db, port: 1 }), "Egress of policy-1");
    assert.ok(policies(rule(1), deny).allowed({ from: frontend, to: db, port: 1 }));
  });

  it("never keeps a pod from itself or from its own node, and has no say about pods in the host's network", () => {
    const none = policies("{ podSelector: {}, policyTypes: [Ingress, Egress] }");
    assert.ok(none.allowed({ from: db, to: db, port: 1 }));
    assert.ok(
      none.allowed({ from: { ip: "192.168.0.1" }, to: db, port: 1 }) &&
        !none.allowed({ from: { ip: "192.168.0.2" }, to: db, port: 1 }),
    );
    const host = pod({ role: "db" }, "default", { spec: { hostNetwork: true }, status: { podIP: "192.168.0.7" } });
    assert.ok(none.allowed({ from: internet, to: host, port: 1 }));
    const byLabel = policies("{ podSelector: { matchLabels: { role: other } }, ingress: [{ from: [{ podSelector: {} }] }] }");
    assert.ok(!byLabel.allowed({ from: host, to: other, port: 1 }), "its labels do not count");
  });

  it("knows IPv6", () => {
    const it = policies('{ podSelector: {}, ingress: [{ from: [{ ipBlock: { cidr: "2001:db8::/32" } }] }] }');
    assert.ok(it.allowed({ from: { ip: "2001:db8::7" }, to: db, port: 1 }));
    assert.ok(!it.allowed({ from: { ip: "2001:db9::7" }, to: db, port: 1 }) && !it.allowed({ from: internet, to: db, port: 1 }));
  });
});
