import * as assert from "assert";
import { mkdtempSync, rmSync, writeFileSync } from "fs";
import { tmpdir } from "os";
import { join } from "path";
import { PostgresApp, PostgresAppArgs, WorkloadKind } from "../../index";
import { AlertRule } from "../../components/monitoring/alerts";
import { graph } from "../support/graph";
import { run } from "../support/kubectl";

/** A series as promtool writes them, one value a minute. */
type Series = [series: string, values: string];

interface Case {
  what: string;
  series: Series[];
  at: string;
  /** What the alert says beside its own labels; none: it is not to fire. */
  fires?: { labels: Record<string, string>; value?: string };
}

const APP: PostgresAppArgs = {
  image: "registry.example.org/notes:1.0.0",
  namespace: "shop",
  migration: { command: ["migrate"], timeoutSeconds: 1200 },
  database: {
    embedded: { storage: "10Gi" },
    backups: { schedule: "30 2 * * *", destination: { claim: { claimName: "backups" } } },
  },
  monitoring: {},
};

async function rulesOf(args: PostgresAppArgs): Promise<AlertRule[]> {
  const { resources } = await graph(() => new PostgresApp("notes", args));
  const rule = [...resources.values()].find(({ type }) => type.endsWith(":PrometheusRule"))!;
  return rule.inputs.spec.groups.flatMap(({ rules }: { rules: AlertRule[] }) => rules);
}

/** Two replicas of kube-state-metrics tell the same. */
const twice = (series: (by: string) => Series): Series[] => [series("10.0.0.1:8080"), series("10.0.0.2:8080")];
const told = (metric: string, labels: Record<string, string>, values: string): Series[] =>
  twice((instance) => {
    const all = { namespace: "shop", instance, job: "kube-state-metrics", ...labels };
    return [`${metric}{${Object.entries(all).map(([name, value]) => `${name}="${value}"`)}}`, values];
  });

const migration = (labels: Record<string, string>) => ({ job_name: "notes-migration-0a1b2c3d", ...labels });
const scheduled = { job_name: "notes-db-backup-29411670" };
const cronJob = { cronjob: "notes-db-backup" };
const succeededAt = (values: string) => told("kube_cronjob_status_last_successful_time", cronJob, values);
/** Of the server as the mocks name it. */
const disk = { persistentvolumeclaim: "data-notes-db-id-0" };
const GiB = 2 ** 30;

const embedded: Record<string, Case[]> = {
  PostgresAppMigrationFailed: [
    {
      what: "a failed Job",
      series: told("kube_job_failed", migration({ condition: "true" }), "0 1 1"),
      at: "2m",
      fires: { labels: migration({}) },
    },
    {
      what: "the Job that finds out whether it can start",
      series: told("kube_job_failed", { job_name: "notes-migration-start-0a1b2c3d", condition: "true" }, "1 1"),
      at: "1m",
      fires: { labels: { job_name: "notes-migration-start-0a1b2c3d" } },
    },
    { what: "one that succeeded", series: told("kube_job_failed", migration({ condition: "true" }), "0 0"), at: "1m" },
    {
      what: "another application's",
      series: told("kube_job_failed", { job_name: "shop-notes-migration-0a1b2c3d", condition: "true" }, "1 1"),
      at: "1m",
    },
    {
      what: "another namespace's",
      series: told("kube_job_failed", migration({ condition: "true", namespace: "other" }), "1 1"),
      at: "1m",
    },
  ],
  PostgresAppMigrationOverdue: [
    {
      what: "half of its time is over",
      series: [
        ...told("kube_job_status_start_time", migration({}), "60x20"),
        ...told("kube_job_status_active", migration({}), "1x20"),
      ],
      at: "12m",
      fires: { labels: migration({}), value: "11m 0s" },
    },
    {
      what: "it is not yet",
      series: [
        ...told("kube_job_status_start_time", migration({}), "60x20"),
        ...told("kube_job_status_active", migration({}), "1x20"),
      ],
      at: "11m",
    },
    {
      what: "it has ended",
      series: [
        ...told("kube_job_status_start_time", migration({}), "60x20"),
        ...told("kube_job_status_active", migration({}), "1x5 0x15"),
      ],
      at: "12m",
    },
  ],
  PostgresAppBackupFailed: [
    {
      what: "the last one failed",
      series: [
        ...succeededAt("0x10"),
        ...told("kube_job_status_start_time", scheduled, "120x10"),
        ...told("kube_job_failed", { ...scheduled, condition: "true" }, "0x2 1x8"),
      ],
      at: "4m",
      fires: { labels: {} },
    },
    {
      what: "a later one succeeded",
      series: [
        ...succeededAt("0x4 300x6"),
        ...told("kube_job_status_start_time", scheduled, "120x10"),
        ...told("kube_job_failed", { ...scheduled, condition: "true" }, "0x2 1x8"),
      ],
      at: "8m",
    },
  ],
  PostgresAppBackupOverdue: [
    // Two days and the backup's own hour, and 15 minutes.
    { what: "none for two schedules", series: succeededAt("0x3000"), at: "2956m", fires: { labels: {}, value: "2d 1h 16m 0s" } },
    { what: "one was missed", series: succeededAt("0x3000"), at: "2800m" },
    {
      what: "there never was one",
      series: told("kube_cronjob_created", cronJob, "0x3000"),
      at: "2956m",
      fires: { labels: {}, value: "2d 1h 16m 0s" },
    },
  ],
  PostgresAppDatabaseDown: [
    {
      what: "for two minutes",
      series: told("kube_statefulset_status_replicas_ready", { statefulset: "notes-db" }, "1 0x5"),
      at: "3m",
      fires: { labels: { statefulset: "notes-db" } },
    },
    {
      what: "for one, as while it is restarted",
      series: told("kube_statefulset_status_replicas_ready", { statefulset: "notes-db" }, "1 0x5"),
      at: "2m",
    },
  ],
  PostgresAppDiskFillingUp: [
    {
      what: "a gibibyte in six hours",
      series: [
        ...told("kubelet_volume_stats_available_bytes", disk, `${2 * GiB}-${Math.floor(GiB / 360)}x480`),
        ...told("kubelet_volume_stats_capacity_bytes", disk, `${10 * GiB}x480`),
      ],
      at: "420m",
      fires: { labels: disk, value: "8.333%" },
    },
    {
      what: "little free, and not getting less",
      series: [
        ...told("kubelet_volume_stats_available_bytes", disk, `${GiB}x480`),
        ...told("kubelet_volume_stats_capacity_bytes", disk, `${10 * GiB}x480`),
      ],
      at: "420m",
    },
  ],
  PostgresAppDiskNearlyFull: [
    {
      what: "a fiftieth is free",
      series: [
        ...told("kubelet_volume_stats_available_bytes", disk, `${GiB / 10}x5`),
        ...told("kubelet_volume_stats_capacity_bytes", disk, `${5 * GiB}x5`),
      ],
      at: "2m",
      fires: { labels: disk, value: "2%" },
    },
    {
      what: "another database's",
      series: [
        ...told("kubelet_volume_stats_available_bytes", { persistentvolumeclaim: "data-other-db-0" }, "0x5"),
        ...told("kubelet_volume_stats_capacity_bytes", { persistentvolumeclaim: "data-other-db-0" }, `${5 * GiB}x5`),
      ],
      at: "2m",
    },
  ],
};

/** Of both kinds of workloads: the metrics' names, and the label that has the workload's. */
const workload = (label: string, wanted: string): Record<string, Case[]> => {
  const labels = { [label]: "notes" };
  const pods = (numbers: Record<"wanted" | "updated" | "ready", string>) => [
    ...told(wanted, labels, numbers.wanted),
    ...told(`kube_${label}_status_replicas_updated`, labels, numbers.updated),
    ...told(`kube_${label}_status_replicas_ready`, labels, numbers.ready),
  ];
  return {
    PostgresAppUnavailable: [
      { what: "no pod is ready", series: pods({ wanted: "2x10", updated: "2x10", ready: "0x10" }), at: "5m", fires: { labels } },
      { what: "one is", series: pods({ wanted: "2x10", updated: "2x10", ready: "1x10" }), at: "5m" },
      { what: "none is wanted", series: pods({ wanted: "0x10", updated: "0x10", ready: "0x10" }), at: "5m" },
    ],
    PostgresAppRolloutStuck: [
      {
        what: "a pod of the previous version",
        series: pods({ wanted: "2x20", updated: "1x20", ready: "2x20" }),
        at: "15m",
        fires: { labels },
      },
      {
        what: "a pod that is not ready",
        series: pods({ wanted: "2x20", updated: "2x20", ready: "1x20" }),
        at: "15m",
        fires: { labels },
      },
      { what: "a rollout that ends in time", series: pods({ wanted: "2x20", updated: "1x9 2x11", ready: "2x20" }), at: "15m" },
    ],
  };
};

const instance = (pod: string) => ({ pod, job: "shop/notes-db" });
const cloudNativePg: Record<string, Case[]> = {
  PostgresAppDatabaseDown: [
    {
      what: "no instance",
      series: told("cnpg_collector_up", instance("notes-db-1"), "1x3 0x10"),
      at: "6m",
      fires: { labels: {} },
    },
    { what: "nothing is told", series: [], at: "2m", fires: { labels: {} } },
    {
      what: "one of two",
      series: [
        ...told("cnpg_collector_up", instance("notes-db-1"), "0x10"),
        ...told("cnpg_collector_up", instance("notes-db-2"), "1x10"),
      ],
      at: "6m",
    },
  ],
  PostgresAppBackupFailed: [
    {
      what: "after the last that succeeded",
      series: [
        ...told("barman_cloud_cloudnative_pg_io_last_failed_backup_timestamp", instance("notes-db-1"), "60x5"),
        ...told("barman_cloud_cloudnative_pg_io_last_available_backup_timestamp", instance("notes-db-1"), "30x5"),
      ],
      at: "3m",
      fires: { labels: {} },
    },
    {
      what: "before it",
      series: [
        ...told("barman_cloud_cloudnative_pg_io_last_failed_backup_timestamp", instance("notes-db-1"), "30x5"),
        ...told("barman_cloud_cloudnative_pg_io_last_available_backup_timestamp", instance("notes-db-1"), "60x5"),
      ],
      at: "3m",
    },
  ],
};

/** What the rule's own words become: labels and the value, as the case has them. */
function worded(text: string, { labels, value }: NonNullable<Case["fires"]>): string {
  const said = text
    .replaceAll(/\{\{ \$labels\.(\w+) \}\}/g, (_, label: string) => labels[label])
    .replaceAll(/\{\{ \$value \| \w+ \}\}/g, () => value!);
  assert.doesNotMatch(said, /undefined|\{\{/);
  return said;
}

/** Prometheus' own unit tests of the rules that the component makes: whether they fire when they should, and what they say then. */
describe("alerts, in Prometheus", function () {
  this.timeout(60_000);
  const folder = mkdtempSync(join(tmpdir(), "alerts-"));
  after(() => rmSync(folder, { recursive: true }));

  for (const [name, args, cases] of [
    [
      "a StatefulSet and the component's own server",
      APP,
      { ...embedded, ...workload("statefulset", "kube_statefulset_replicas") },
    ],
    ["a Deployment", { ...APP, kind: WorkloadKind.Deployment }, workload("deployment", "kube_deployment_spec_replicas")],
    [
      "CloudNativePG",
      {
        ...APP,
        database: {
          cloudNativePg: {},
          backups: { schedule: "30 2 * * *", destination: { s3: { bucket: "backups", secretName: "keys" } } },
        },
      },
      cloudNativePg,
    ],
  ] as [string, PostgresAppArgs, Record<string, Case[]>][])
    describe(name, () => {
      let rules: AlertRule[];
      before(async () => {
        rules = await rulesOf(args);
        writeFileSync(join(folder, "rules.json"), JSON.stringify({ groups: [{ name: "notes", rules }] }));
      });

      it("are rules that Prometheus takes", async () => {
        const { code, stdout, stderr } = await run("promtool", ["check", "rules", "--lint-fatal", join(folder, "rules.json")]);
        assert.strictEqual(code, 0, stdout + stderr);
      });

      for (const [alert, each] of Object.entries(cases))
        for (const { what, series, at, fires } of each)
          it(`${alert} ${fires ? "fires" : "is silent"}: ${what}`, async () => {
            const rule = rules.find((one) => one.alert === alert)!;
            const { summary, description } = rule.annotations;
            const expected = fires && {
              exp_labels: { namespace: "shop", ...rule.labels, ...fires.labels },
              exp_annotations: { summary: worded(summary, fires), description: worded(description, fires) },
            };
            const test = join(folder, "test.json");
            writeFileSync(
              test,
              JSON.stringify({
                rule_files: ["rules.json"],
                evaluation_interval: "1m",
                tests: [
                  {
                    interval: "1m",
                    input_series: series.map(([series, values]) => ({ series, values })),
                    alert_rule_test: [{ eval_time: at, alertname: alert, exp_alerts: expected ? [expected] : [] }],
                  },
                ],
              }),
            );
            const { code, stdout, stderr } = await run("promtool", ["test", "rules", test]);
            assert.strictEqual(code, 0, stdout + stderr);
          });
    });

  it("are all tested", async () => {
    const tested = new Set([...Object.keys(embedded), ...Object.keys(workload("statefulset", ""))]);
    assert.deepStrictEqual([...new Set((await rulesOf(APP)).map(({ alert }) => alert))].sort(), [...tested].sort());
  });
});
