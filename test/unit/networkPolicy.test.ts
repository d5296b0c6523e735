import * as assert from "assert";
import { PostgresApp, PostgresAppArgs, PostgresDatabase, PostgresDatabaseArgs } from "../../index";
import { graph } from "../support/graph";
import { NetworkPolicies } from "../support/networkPolicy";
import { refusal } from "../support/refusal";

const POLICY = "kubernetes:networking.k8s.io/v1:NetworkPolicy";
const JOB = "kubernetes:batch/v1:Job";
const image = "registry.example.org/notes:1.0.0";
const base: PostgresAppArgs = { image, migration: { command: ["migrate"] }, networkPolicy: {} };
const s3 = { bucket: "backups", secretName: "keys" };

/** Each program is run once, however many tests look at it. */
const rendered = new Map<string, ReturnType<typeof graph<PostgresApp>>>();
function render(more: Partial<PostgresAppArgs> = {}) {
  const key = JSON.stringify(more, (_, value) => value ?? null);
  if (!rendered.has(key))
    rendered.set(
      key,
      graph(() => new PostgresApp("notes", { ...base, ...more })),
    );
  return rendered.get(key)!;
}
async function specs(more: Partial<PostgresAppArgs> = {}): Promise<Record<string, any>> {
  const { resources } = await render(more);
  const found = [...resources.values()].filter(({ type }) => type === POLICY);
  return Object.fromEntries(found.map(({ inputs }) => [inputs.metadata.name, inputs.spec]));
}
/** The policies as a cluster would hold them against pods. */
const evaluator = async (more: Partial<PostgresAppArgs> = {}) =>
  new NetworkPolicies(
    Object.entries(await specs(more)).map(([name, spec]) => ({ metadata: { name, namespace: "default" }, spec })),
    ["default", "ingress", "cnpg-system", "monitoring", "minio", "db"].map((name) => ({
      metadata: { name, labels: { "kubernetes.io/metadata.name": name } },
    })),
  );
let next = 0;
const pod = (labels: Record<string, string>, namespace = "default", ports: Record<string, number> = {}) => ({
  pod: {
    metadata: { name: `p${++next}`, uid: `${next}`, namespace, labels },
    spec: { containers: [{ ports: Object.entries(ports).map(([name, containerPort]) => ({ name, containerPort })) }] },
    status: { podIP: `10.0.0.${next}` },
  },
});
const part = (component: string, instance = "notes", ports?: Record<string, number>) =>
  pod({ "app.kubernetes.io/instance": instance, "app.kubernetes.io/component": component }, "default", ports);
const database = part("database", "notes-db");
const cnpg = () => pod({ "cnpg.io/cluster": "notes-db", "cnpg.io/podRole": "instance" });
const parts = [
  ...["app", "worker", "canary", "keys"].map((one) => part(one)),
  ...["setup", "restore", "backup"].map((one) => part(one, "notes-db")),
  ...["migration", "migration-start", "migration-plan", "restore"].map((one) => part(one, "notes-migration")),
  ...["migration", "migration-start", "migration-plan", "restore"].map((one) => part(one, "notes-post-deploy")),
];
const app = part("app", "notes", { http: 8080, metrics: 9000 });
const internet = { ip: "203.0.113.9" };
const cloudNativePg = { database: { cloudNativePg: {} } };

describe("network policies", function () {
  this.timeout(60_000);

  it("are none unless asked for", async () => {
    assert.deepStrictEqual(await specs({ networkPolicy: undefined }), {});
  });

  it("are exactly these, with fixed names", async () => {
    assert.deepStrictEqual(Object.keys(await specs()).sort(), [
      "notes",
      "notes-db",
      "notes-db-jobs",
      "notes-jobs",
      "notes-workers",
    ]);
    const external = { host: "db.example.org", password: "x" };
    const without = await specs({ database: { databaseName: "notes", user: "notes", external } });
    assert.deepStrictEqual(Object.keys(without).sort(), ["notes", "notes-db-jobs", "notes-jobs", "notes-workers"]);
  });

  it("come after the server and before the Jobs, and nothing is made inside an apply", async () => {
    const { resources, late } = await graph(() => new PostgresApp("notes", base), { preview: true });
    assert.deepStrictEqual(late, []);
    const depends = (key: string) => resources.get(key)!.dependencies;
    assert.ok(depends(`${POLICY}::notes-db`).includes("kubernetes:apps/v1:StatefulSet::notes-db"), "its pods' real labels");
    for (const name of ["notes-db", "notes-db-jobs"]) assert.ok(depends(`${JOB}::notes-db-setup`).includes(`${POLICY}::${name}`));
    for (const name of ["notes", "notes-jobs", "notes-workers"]) {
      assert.ok(depends(`${JOB}::notes-migration-start`).includes(`${POLICY}::${name}`), name);
      assert.ok(depends("kubernetes:apps/v1:StatefulSet::notes").includes(`${POLICY}::${name}`), name);
    }
  });

  it("do not change the migration's pods", async () => {
    const template = async (more: Partial<PostgresAppArgs>) =>
      (await render(more)).resources.get(`${JOB}::notes-migration`)!.inputs.spec.template;
    assert.deepStrictEqual(await template({}), await template({ networkPolicy: undefined }));
  });

  it("let every part reach the database, and nobody else", async () => {
    const policies = await evaluator();
    for (const from of parts) {
      assert.strictEqual(
        policies.refusal({ from, to: database, port: 5432 }),
        undefined,
        JSON.stringify(from.pod.metadata.labels),
      );
      assert.ok(!policies.allowed({ from, to: database, port: 5433 }));
    }
    const strangers = [pod({}), part("app", "other"), part("setup", "notes"), part("app", "notes-db"), internet];
    for (const from of [...strangers, pod(app.pod.metadata.labels, "ingress")])
      assert.ok(!policies.allowed({ from, to: database, port: 5432 }), JSON.stringify(from));
    assert.ok(!policies.allowed({ from: database, to: internet, port: 443 }), "nor does it reach anybody");
  });

  it("let Jobs reach the database and DNS alone, and the application everything", async () => {
    const policies = await evaluator();
    for (const from of parts) {
      const calls = /app|worker|canary/.test(from.pod.metadata.labels["app.kubernetes.io/component"]);
      assert.strictEqual(policies.allowed({ from, to: internet, port: 443 }), calls, JSON.stringify(from.pod.metadata.labels));
      for (const port of [53, 5353, 8053]) {
        for (const protocol of ["UDP", "TCP"] as const)
          assert.ok(policies.allowed({ from, to: { ip: "169.254.20.10" }, port, protocol }), "DNS, NodeLocal DNSCache's too");
      }
    }
  });

  it("let everybody reach the application's port by default, whatever number a pod gives it, and nobody the workers", async () => {
    const policies = await evaluator();
    const old = part("app", "notes", { http: 3000 });
    for (const from of [internet, pod({}, "ingress")]) {
      assert.ok(policies.allowed({ from, to: app, port: 8080 }) && policies.allowed({ from, to: old, port: 3000 }));
      assert.ok(!policies.allowed({ from, to: app, port: 3000 }) && !policies.allowed({ from, to: old, port: 8080 }));
      for (const to of ["worker", "canary", "keys"].map((one) => part(one)))
        assert.ok(!policies.allowed({ from, to, port: 8080 }));
    }
    for (const from of [part("app"), part("worker")])
      assert.ok(policies.allowed({ from, to: app, port: 4369 }), "among themselves");
  });

  it("narrow who reaches the application, and where it connects", async () => {
    const policies = await evaluator({
      networkPolicy: {
        clients: [{ namespace: "ingress", podLabels: { app: "nginx" } }, { cidr: "192.0.2.0/24" }],
        egress: [
          { ports: [443] },
          { namespace: "minio", ports: [9000] },
          { cidr: "198.51.100.7/32", ports: [8125], protocol: "UDP" },
        ],
      },
    });
    const reaches = (from: any) => policies.allowed({ from, to: app, port: 8080 });
    assert.ok(reaches(pod({ app: "nginx" }, "ingress")) && reaches({ ip: "192.0.2.9" }));
    assert.ok(!reaches(pod({}, "ingress")) && !reaches(pod({ app: "nginx" })) && !reaches(internet));
    for (const from of [app, part("worker"), part("canary")]) {
      const calls = (to: any, port: number, protocol?: "UDP") => policies.allowed({ from, to, port, protocol });
      assert.ok(calls(internet, 443) && calls(pod({}, "minio"), 9000) && calls({ ip: "198.51.100.7" }, 8125, "UDP"));
      assert.ok(calls(database, 5432) && calls(internet, 53, "UDP"));
      assert.ok(!calls(internet, 25) && !calls(pod({}), 9000) && !calls({ ip: "198.51.100.7" }, 8125) && !calls(internet, 5432));
    }
    const nobody = await evaluator({ networkPolicy: { clients: [], egress: [] } });
    assert.ok(!nobody.allowed({ from: pod({}, "ingress"), to: app, port: 8080 }));
    assert.ok(!nobody.allowed({ from: app, to: internet, port: 443 }) && nobody.allowed({ from: app, to: database, port: 5432 }));
  });

  it("let migrations and further clients of the database go where they are said to", async () => {
    const policies = await evaluator({
      networkPolicy: {
        migrationEgress: [{ podLabels: { app: "redis" }, ports: [6379] }],
        databaseClients: [{ podLabels: { app: "pgadmin" } }],
      },
    });
    const redis = pod({ app: "redis" });
    assert.ok(policies.allowed({ from: part("migration", "notes-migration"), to: redis, port: 6379 }));
    assert.ok(policies.allowed({ from: part("migration", "notes-post-deploy"), to: redis, port: 6379 }));
    assert.ok(!policies.allowed({ from: part("setup", "notes-db"), to: redis, port: 6379 }));
    assert.ok(policies.allowed({ from: pod({ app: "pgadmin" }), to: database, port: 5432 }));
    assert.ok(!policies.allowed({ from: pod({ app: "pgadmin" }, "ingress"), to: database, port: 5432 }));
  });

  it("let Prometheus read metrics from a port of their own, or from the application's", async () => {
    const own = await evaluator({ monitoring: { port: 9000 }, networkPolicy: { clients: [{ namespace: "ingress" }] } });
    const prometheus = pod({}, "monitoring");
    assert.ok(own.allowed({ from: prometheus, to: app, port: 9000 }) && !own.allowed({ from: internet, to: app, port: 9000 }));
    assert.ok(!own.allowed({ from: prometheus, to: app, port: 8080 }));
    const narrow = { clients: [{ namespace: "ingress" }], monitoring: [{ namespace: "monitoring" }] };
    const shared = await evaluator({ monitoring: { path: "/metrics" }, networkPolicy: narrow });
    assert.ok(
      shared.allowed({ from: prometheus, to: app, port: 8080 }) && !shared.allowed({ from: pod({}), to: app, port: 8080 }),
    );
    assert.ok(!(await evaluator()).allowed({ from: prometheus, to: app, port: 9000 }), "no metrics, no rule");
  });

  describe("with CloudNativePG", () => {
    it("let the operator and the instances reach the instances, which reach what they want", async () => {
      const policies = await evaluator(cloudNativePg);
      const operator = pod({ "app.kubernetes.io/name": "cloudnative-pg" }, "cnpg-system");
      for (const from of [operator, cnpg(), pod({ "cnpg.io/cluster": "notes-db", "cnpg.io/jobRole": "join" })]) {
        for (const port of [5432, 8000]) assert.ok(policies.allowed({ from, to: cnpg(), port }));
      }
      for (const from of parts) {
        assert.ok(policies.allowed({ from, to: cnpg(), port: 5432 }));
        assert.ok(!policies.allowed({ from, to: cnpg(), port: 8000 }));
      }
      assert.ok(!policies.allowed({ from: pod({ "cnpg.io/cluster": "other" }), to: cnpg(), port: 5432 }));
      assert.ok(policies.allowed({ from: cnpg(), to: internet, port: 443 }), "API server and object store");
      assert.ok(!policies.allowed({ from: pod({}, "monitoring"), to: cnpg(), port: 9187 }));
      const watched = await evaluator({ ...cloudNativePg, monitoring: {} });
      assert.ok(watched.allowed({ from: pod({}, "monitoring"), to: cnpg(), port: 9187 }));
    });
  });

  describe("with an external database", () => {
    const external = (more: object = {}, networkPolicy: object = {}) =>
      evaluator({
        networkPolicy,
        database: { databaseName: "notes", user: "notes", external: { host: "db.example.org", password: "x", ...more } },
      });
    const job = part("migration", "notes-migration");

    it("let Jobs reach its ports anywhere, or its addresses alone", async () => {
      const anywhere = await external({ port: 6432, directPort: 5433 });
      for (const port of [6432, 5433]) assert.ok(anywhere.allowed({ from: job, to: internet, port }));
      assert.ok(!anywhere.allowed({ from: job, to: internet, port: 5432 }));
      const there = await external({}, { databaseCidrs: ["203.0.113.0/24"], databasePorts: [5432, 5433], egress: [] });
      for (const from of [job, app, part("setup", "notes-db")]) {
        for (const port of [5432, 5433]) assert.ok(there.allowed({ from, to: internet, port }));
        assert.ok(!there.allowed({ from, to: { ip: "198.51.100.1" }, port: 5432 }));
      }
    });

    it("let them reach a Service of the cluster on whatever port its pods listen", async () => {
      const service = await external({ host: "pg.db.svc.cluster.local" });
      assert.ok(service.allowed({ from: job, to: pod({}, "db"), port: 15432 }));
      assert.ok(!service.allowed({ from: job, to: pod({}), port: 15432 }));
    });
  });

  describe("with backups in an object store", () => {
    const stored = (endpoint?: string) =>
      evaluator({
        database: { backups: { schedule: "0 2 * * *", destination: { s3: { ...s3, endpoint } } } },
        migration: { command: ["migrate"], backup: { s3: { ...s3, endpoint } } },
      });
    const savers = [part("backup", "notes-db"), part("migration", "notes-migration"), part("restore", "notes-migration")];

    it("let Jobs reach it, by 443 or the endpoint's port", async () => {
      for (const from of savers) {
        assert.ok((await stored()).allowed({ from, to: internet, port: 443 }));
        const own = await stored("http://store.example.org:9000");
        assert.ok(own.allowed({ from, to: internet, port: 9000 }) && !own.allowed({ from, to: internet, port: 443 }));
        assert.ok((await stored("http://store.example.org")).allowed({ from, to: internet, port: 80 }));
      }
    });

    it("let them reach one in the cluster, on whatever port its pods listen", async () => {
      for (const from of savers) {
        const there = await stored("http://minio.minio.svc");
        assert.ok(
          there.allowed({ from, to: pod({}, "minio"), port: 9000 }) && !there.allowed({ from, to: pod({}, "db"), port: 9000 }),
        );
        assert.ok((await stored("http://minio:80")).allowed({ from, to: pod({}), port: 9000 }));
      }
    });
  });

  it("refuse what is wrong, all at once, with the way out", async () => {
    const message = await refusal({
      image,
      networkPolicy: {
        clients: [{}, { cidr: "10.0.0.0/40" }, { namespace: "Ingress" }, { namespace: "a", namespaceLabels: {} }],
        monitoring: [{ cidr: "10.0.0.0/8", namespace: "monitoring" }],
        egress: [{}, { ports: [70000], protocol: "ICMP" }],
        databaseCidrs: ["10.0.0.0/8"],
        databasePorts: [5432],
      },
    });
    const expected = [
      /networkPolicy\.clients\[0\]: says nobody: give namespace/,
      /networkPolicy\.clients\[1\]\.cidr: "10\.0\.0\.0\/40" is not a range of addresses: write for example "192\.0\.2\.0\/24"/,
      /networkPolicy\.clients\[2\]\.namespace: "Ingress" is not a namespace's name/,
      /networkPolicy\.clients\[3\]\.namespaceLabels: is given beside namespace/,
      /networkPolicy\.monitoring: needs monitoring/,
      /networkPolicy\.monitoring\[0\]\.cidr: is for addresses outside the cluster/,
      /networkPolicy\.egress\[0\]: says nowhere/,
      /networkPolicy\.egress\[1\]\.ports\[0\]: 70000 is not a port/,
      /networkPolicy\.egress\[1\]\.protocol: is "ICMP": write one of "TCP", "UDP"/,
      /networkPolicy\.databaseCidrs: is for an external server/,
      /networkPolicy\.databasePorts: is for an external server/,
    ];
    for (const line of expected) assert.match(message, line);
    assert.match(message, /11 arguments have to change/);
  });

  it("refuse what would lock out silently: Prometheus, and a port that only a Secret knows", async () => {
    const monitoring = { path: "/metrics" };
    const locked = await refusal({ image, monitoring, networkPolicy: { clients: [{ namespace: "ingress" }] } });
    assert.match(locked, /networkPolicy\.monitoring: is missing: the metrics come from the application's own port/);
    const external = { secret: { name: "db", uriKey: "uri" } };
    const hidden = await refusal({ image, networkPolicy: { databaseClients: [{ podLabels: {} }] }, database: { external } });
    assert.match(hidden, /networkPolicy\.databasePorts: is missing: the server's port stands in a Secret/);
    assert.match(hidden, /networkPolicy\.databaseClients: cannot shield an external server/);
    assert.strictEqual(await refusal({ image, networkPolicy: { databasePorts: [5432] }, database: { external } }), "");
  });

  it("shield a database alone for the clients that are named", async () => {
    const args: PostgresDatabaseArgs = { networkPolicy: { clients: [{ podLabels: { app: "shop" } }] } };
    const { resources } = await graph(() => new PostgresDatabase("shop-db", args));
    const own = [...resources.values()]
      .filter(({ type }) => type === POLICY)
      .map(({ inputs }) => ({ ...inputs, metadata: { ...inputs.metadata, namespace: "default" } }));
    assert.deepStrictEqual(own.map(({ metadata }) => metadata.name).sort(), ["shop-db", "shop-db-jobs"]);
    const policies = new NetworkPolicies(own, []);
    const server = part("database", "shop-db");
    for (const from of [pod({ app: "shop" }), part("setup", "shop-db")])
      assert.ok(policies.allowed({ from, to: server, port: 5432 }));
    assert.ok(!policies.allowed({ from: pod({}), to: server, port: 5432 }));
  });
});
