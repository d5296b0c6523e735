import * as assert from "assert";
import { MonitorKind, PostgresApp, PostgresAppArgs } from "../../index";
import { longestInterval } from "../../components/monitoring/interval";
import { graph } from "../support/graph";
import { refusal } from "../support/refusal";

const API = "kubernetes:monitoring.coreos.com/v1";
const image = "registry.example.org/notes:1.0.0";
const base: PostgresAppArgs = { image, migration: { command: ["migrate"], timeoutSeconds: 900 }, monitoring: {} };
/** Each program is run once, however many tests look at it. */
const rendered = new Map<string, ReturnType<typeof graph<PostgresApp>>>();
async function render(more: Partial<PostgresAppArgs> = {}) {
  const key = JSON.stringify(more, (_, value) => value ?? null);
  if (!rendered.has(key))
    rendered.set(
      key,
      graph(() => new PostgresApp("notes", { ...base, ...more })),
    );
  return (await rendered.get(key)!).resources;
}
const rulesOf = (resources: Map<string, any>): any[] =>
  resources.get(`${API}:PrometheusRule::notes-alerts`)!.inputs.spec.groups.flatMap(({ rules }: any) => rules);
const backups = { schedule: "30 2 * * *", destination: { claim: { claimName: "backups" } } };

describe("the longest time between two runs of a schedule", () => {
  const HOUR = 3600;
  for (const [schedule, expected] of [
    ["30 2 * * *", 24 * HOUR],
    ["*/15 * * * *", 900],
    ["0 */6 * * *", 6 * HOUR],
    ["0 8-18 * * mon-fri", (24 * 2 + 14) * HOUR], // from Friday evening to Monday morning
    ["0 3 * * 0", 7 * 24 * HOUR],
    ["0 3 1 * *", 31 * 24 * HOUR],
    ["0 3 1,15 * 1", 7 * 24 * HOUR], // either of the two, so Mondays are enough
    ["10/20 0 * * ?", (23 * 60 + 20) * 60],
    ["0 0 29 feb *", 4 * 366 * 24 * HOUR - 3 * 24 * HOUR],
  ] as const)
    it(`is ${expected} s for ${schedule}`, () => assert.strictEqual(longestInterval(schedule), expected));
});

describe("monitoring", function () {
  this.timeout(60_000);

  it("is none unless asked for, and alerts alone with {}", async () => {
    const kinds = async (more: Partial<PostgresAppArgs>) =>
      [...(await render(more)).values()]
        .filter(({ type }) => type.startsWith(API))
        .map(({ type, name }) => `${type.slice(API.length + 1)} ${name}`);
    assert.deepStrictEqual(await kinds({ monitoring: undefined }), []);
    assert.deepStrictEqual(await kinds({}), ["PrometheusRule notes-alerts"]);
    assert.deepStrictEqual(await kinds({ monitoring: { path: "/metrics", alerts: false } }), ["ServiceMonitor notes"]);
    assert.deepStrictEqual((await kinds({ database: { cloudNativePg: {} } })).sort(), [
      "PodMonitor notes-db",
      "PrometheusRule notes-alerts",
    ]);
  });

  it("reads the application by way of one Service, by the port's name", async () => {
    const resources = await render({ monitoring: { path: "/metrics", intervalSeconds: 15, labels: { release: "prometheus" } } });
    const { metadata, spec } = resources.get(`${API}:ServiceMonitor::notes`)!.inputs;
    assert.strictEqual(metadata.labels.release, "prometheus");
    assert.deepStrictEqual(spec, {
      selector: { matchLabels: { "app.kubernetes.io/instance": "notes", "app.kubernetes.io/component": "app" } },
      endpoints: [
        {
          port: "http",
          path: "/metrics",
          interval: "15s",
          relabelings: [{ sourceLabels: ["__meta_kubernetes_service_name"], regex: "notes", action: "keep" }],
        },
      ],
    });
    const service = resources.get("kubernetes:core/v1:Service::notes")!.inputs;
    for (const [label, value] of Object.entries(spec.selector.matchLabels))
      assert.strictEqual(service.metadata.labels[label], value);
    assert.ok(service.spec.ports.some(({ name }: any) => name === "http"));
  });

  it("reads a port of its own by pod, which container and Service have then", async () => {
    const resources = await render({ monitoring: { port: 9090, kind: MonitorKind.PodMonitor } });
    const { spec } = resources.get(`${API}:PodMonitor::notes`)!.inputs;
    assert.deepStrictEqual(spec.podMetricsEndpoints, [{ port: "metrics", path: "/metrics", interval: "30s" }]);
    const [container] = resources.get("kubernetes:apps/v1:StatefulSet::notes")!.inputs.spec.template.spec.containers;
    assert.deepStrictEqual(container.ports, [
      { name: "http", containerPort: 8080 },
      { name: "metrics", containerPort: 9090 },
    ]);
    assert.deepStrictEqual(resources.get("kubernetes:core/v1:Service::notes")!.inputs.spec.ports, [
      { name: "http", port: 80, targetPort: "http" },
      { name: "metrics", port: 9090, targetPort: "metrics" },
    ]);
  });

  it("does not wait for the migration or the rollout, whose failure it tells of", async () => {
    const resources = await render({ database: { backups } });
    const { dependencies } = resources.get(`${API}:PrometheusRule::notes-alerts`)!;
    assert.deepStrictEqual(
      dependencies.filter((key) => /:Job::|StatefulSet::notes$/.test(key)),
      [],
    );
  });

  it("has alerts for what there is", async () => {
    const names = async (more: Partial<PostgresAppArgs>) =>
      rulesOf(await render(more)).map(({ alert }) => alert.replace("PostgresApp", ""));
    const always = ["Unavailable", "RolloutStuck"];
    const database = ["DatabaseDown", "DiskFillingUp", "DiskNearlyFull"];
    const migration = ["MigrationFailed", "MigrationOverdue"];
    assert.deepStrictEqual(await names({ migration: undefined }), [...database, ...always]);
    assert.deepStrictEqual(await names({ database: { backups } }), [
      ...migration,
      "BackupFailed",
      "BackupOverdue",
      ...database,
      ...always,
    ]);
    const external = { databaseName: "notes", user: "notes", external: { host: "db.example.org", password: "x" } };
    assert.deepStrictEqual(await names({ database: external }), [...migration, ...always]);
  });

  it("says in each alert what to do, how grave it is, whose it is, and nothing secret", async () => {
    const s3 = { schedule: "30 2 * * *", destination: { s3: { bucket: "backups", secretName: "keys" } } };
    for (const more of [{ database: { backups } }, { database: { cloudNativePg: {}, backups: s3 } }]) {
      const rules = rulesOf(await render({ ...more, monitoring: { alertLabels: { team: "notes" } } }));
      assert.ok(rules.length >= 9);
      for (const { alert, expr, labels, annotations } of rules) {
        assert.match(labels.severity, /^(warning|critical)$/, alert);
        assert.deepStrictEqual([labels.application, labels.team], ["notes", "notes"]);
        assert.ok(annotations.summary.includes("notes"), alert);
        assert.match(annotations.description, /`kubectl -n default |`pulumi up`/, alert);
        assert.match(expr, /namespace="default"/, alert);
      }
    }
  });

  it("finds the Jobs that Pulumi names, and no others", async () => {
    const failed = rulesOf(await render()).find(({ alert }) => alert === "PostgresAppMigrationFailed");
    const [, pattern] = /job_name=~"([^"]+)"/.exec(failed.expr)!;
    const matches = (name: string) => new RegExp(`^(${pattern})$`).test(name);
    assert.ok(matches("notes-migration-0123abcd") && matches("notes-migration-start-0123abcd"));
    for (const other of [
      "notes-migration",
      "other-notes-migration-0123abcd",
      "notes-db-setup-0123abcd",
      "notes-migration-restore-x-y",
    ])
      assert.ok(!matches(other), other);
    const overdue = rulesOf(await render()).find(({ alert }) => alert === "PostgresAppMigrationOverdue");
    assert.match(overdue.expr, /> 450\)/, "half of timeoutSeconds");
  });

  it("refuses what is wrong", async () => {
    const message = await refusal({
      image,
      port: 3000,
      monitoring: {
        port: 3000,
        kind: "Monitor",
        intervalSeconds: 0,
        diskFreePercent: 99,
        labels: { "app.kubernetes.io/name": "x" },
        alertLabels: { severity: "x" },
      },
    });
    for (const line of [
      /monitoring\.port: 3000 is the application's own: leave it out, and give path/,
      /monitoring\.kind: is "Monitor": write one of "ServiceMonitor", "PodMonitor"/,
      /monitoring\.intervalSeconds: 0 is out of range/,
      /monitoring\.diskFreePercent: 99 is out of range/,
      /monitoring\.labels\["app\.kubernetes\.io\/name"\]: is one that the component sets itself/,
      /monitoring\.alertLabels\["severity"\]: is one that the component sets itself/,
    ])
      assert.match(message, line);
    const idle = await refusal({ image, monitoring: { alerts: false, kind: "PodMonitor" } });
    assert.match(idle, /monitoring\.kind: is given, but nothing is read from the application: give path/);
    assert.match(idle, /monitoring\.alerts: is false, and without path or port nothing is left/);
  });
});
