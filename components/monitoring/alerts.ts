/**
 * Alerts on what kube-state-metrics (docs/metrics/workload) and the kubelet tell. Each says what to do. `max by` takes the replicas of
 * kube-state-metrics together and leaves its own labels out. Jobs are found by regular expressions: Pulumi chooses the end of their names.
 */
export interface AlertRule {
  alert: string;
  expr: string;
  for?: string;
  labels: Record<string, string>;
  annotations: { summary: string; description: string };
}

/** What there is to watch; all of it known. */
export interface Watched {
  name: string;
  namespace: string;
  /** The migration's Jobs and how long each may take. */
  migrations: { job: string; timeoutSeconds: number }[];
  workloads: { kind: "StatefulSet" | "Deployment"; name: string }[];
  database: { statefulSet?: string; cluster?: string; claims?: string };
  /** `cronJob` is none with CloudNativePG, which makes them itself. */
  backups?: { cronJob?: string; intervalSeconds: number; timeoutSeconds: number };
  diskFreePercent: number;
}

type Draft = Omit<AlertRule, "labels"> & { severity: "warning" | "critical" };

export function alertRules(watched: Watched): AlertRule[] {
  const drafts = [
    ...watched.migrations.flatMap((migration) => migrationAlerts(watched, migration)),
    ...backupAlerts(watched),
    ...databaseAlerts(watched),
    ...diskAlerts(watched),
    ...watched.workloads.flatMap((workload) => workloadAlerts(watched, workload)),
  ];
  return drafts.map(({ severity, ...rule }) => ({ ...rule, labels: { severity, application: watched.name } }));
}

/** One metric of our namespace, whatever other labels it has. */
function metric(namespace: string, by: string[], name: string, matchers: Record<string, string>): string {
  const all = [`namespace="${namespace}"`, ...Object.entries(matchers).map(([label, value]) => `${label}${value}`)];
  return `max by (${["namespace", ...by].join(", ")}) (${name}{${all.join(", ")}})`;
}
const is = (value: string) => `="${value}"`;
const like = (pattern: string) => `=~"${pattern}"`;

function migrationAlerts({ name, namespace }: Watched, { job, timeoutSeconds }: Watched["migrations"][0]): Draft[] {
  // The Job that finds out whether it can start is one of the migration's.
  const failed = metric(namespace, ["job_name"], "kube_job_failed", {
    job_name: like(`${job}(-start)?-[0-9a-z]+`),
    condition: is("true"),
  });
  const mine = { job_name: like(`${job}-[0-9a-z]+`) };
  const started = metric(namespace, ["job_name"], "kube_job_status_start_time", mine);
  const active = metric(namespace, ["job_name"], "kube_job_status_active", mine);
  const half = Math.ceil(timeoutSeconds / 2);
  const see = `kubectl -n ${namespace} logs job/{{ $labels.job_name }} --all-containers --tail=50`;
  return [
    {
      alert: "PostgresAppMigrationFailed",
      expr: `${failed} == 1`,
      severity: "critical",
      annotations: {
        summary: `The migration of ${name} failed; its old version goes on.`,
        description:
          `Job {{ $labels.job_name }} failed. Its last words: \`${see}\`. Correct the cause and run \`pulumi up\`, which runs it again. ` +
          `If that has been done and the Job is a leftover: \`kubectl -n ${namespace} delete job {{ $labels.job_name }}\`.`,
      },
    },
    {
      alert: "PostgresAppMigrationOverdue",
      expr: `(time() - ${started} > ${half}) and on (namespace, job_name) ${active} > 0`,
      severity: "warning",
      annotations: {
        summary: `The migration of ${name} has run for more than half of the ${timeoutSeconds} s that it may take.`,
        description:
          `Job {{ $labels.job_name }} has run for {{ $value | humanizeDuration }}. What it is doing: \`${see}\`. It may wait for a lock: ` +
          "`SELECT pid, state, wait_event_type, query FROM pg_stat_activity`. It ends by itself when its time is over; more time is `timeoutSeconds`.",
      },
    },
  ];
}

function backupAlerts({ name, namespace, backups, database }: Watched): Draft[] {
  if (!backups) return [];
  const { cronJob, intervalSeconds, timeoutSeconds } = backups;
  const limit = 2 * intervalSeconds + timeoutSeconds;
  const days = (intervalSeconds / 86400).toFixed(1).replace(/\.0$/, "");
  const overdue = (see: string, expr: string): Draft => ({
    alert: "PostgresAppBackupOverdue",
    expr,
    for: "15m",
    severity: "critical",
    annotations: {
      summary: `The database of ${name} has had no backup for two schedules.`,
      description: `The last one that succeeded is {{ $value | humanizeDuration }} old; there should be one every ${days} days at least. ${see}`,
    },
  });
  if (cronJob === undefined) {
    const of = { pod: like(`${database.cluster}-[0-9]+`) };
    const at = (what: string) => metric(namespace, [], `barman_cloud_cloudnative_pg_io_last_${what}_backup_timestamp`, of);
    const see = `\`kubectl -n ${namespace} get backups.postgresql.cnpg.io\`, and \`kubectl -n ${namespace} describe\` the one that failed.`;
    return [
      {
        alert: "PostgresAppBackupFailed",
        expr: `${at("failed")} > ${at("available")}`,
        severity: "warning",
        annotations: { summary: `The last backup of the database of ${name} failed.`, description: see },
      },
      overdue(see, `time() - ${at("available")} > ${limit}`),
    ];
  }
  const job = { job_name: like(`${cronJob}-[0-9]+`) };
  const started = metric(namespace, ["job_name"], "kube_job_status_start_time", job);
  const failed = metric(namespace, ["job_name"], "kube_job_failed", { ...job, condition: is("true") });
  const of = { cronjob: is(cronJob) };
  // One that has never succeeded is measured from its beginning.
  const last = `(${metric(namespace, [], "kube_cronjob_status_last_successful_time", of)} or ${metric(namespace, [], "kube_cronjob_created", of)})`;
  const select = `-l app.kubernetes.io/component=backup --tail=50 --all-containers --prefix`;
  const see =
    `Its last words: \`kubectl -n ${namespace} logs ${select}\`. ` +
    `To make one now: \`kubectl -n ${namespace} create job --from=cronjob/${cronJob} ${cronJob}-by-hand\`.`;
  return [
    {
      alert: "PostgresAppBackupFailed",
      // Failed Jobs are kept: only those count that no success came after.
      expr: `max by (namespace) (${started} and on (namespace, job_name) (${failed} == 1)) > ${last}`,
      severity: "warning",
      annotations: { summary: `The last backup of the database of ${name} failed.`, description: see },
    },
    overdue(see, `time() - ${last} > ${limit}`),
  ];
}

function databaseAlerts({ name, namespace, database: { statefulSet, cluster } }: Watched): Draft[] {
  const down = { alert: "PostgresAppDatabaseDown", for: "2m", severity: "critical" as const };
  const summary = `The database of ${name} is down.`;
  if (statefulSet !== undefined) {
    const ready = metric(namespace, ["statefulset"], "kube_statefulset_status_replicas_ready", { statefulset: is(statefulSet) });
    const pod = `${statefulSet}-0`;
    const description =
      `Pod ${pod} is not ready. Why: \`kubectl -n ${namespace} describe pod ${pod}\`; what it said: ` +
      `\`kubectl -n ${namespace} logs ${pod} --tail=50\`, with \`--previous\` before its last restart.`;
    return [{ ...down, expr: `${ready} == 0`, annotations: { summary, description } }];
  }
  if (cluster === undefined) return [];
  const of = { pod: like(`${cluster}-[0-9]+`) };
  // absent() has the labels of a plain selector alone: of `absent(… == 1)` it would have none, and an alert without a namespace finds no route.
  const expr = `${metric(namespace, [], "cnpg_collector_up", of)} == 0 or absent(cnpg_collector_up{namespace="${namespace}", pod=~"${cluster}-[0-9]+"})`;
  const description =
    `No instance of Cluster ${cluster} says that it is up. Why: \`kubectl -n ${namespace} get cluster ${cluster}\` and ` +
    `\`kubectl -n ${namespace} get pods -l cnpg.io/cluster=${cluster}\`.`;
  return [{ ...down, expr, annotations: { summary, description } }];
}

function diskAlerts({ name, namespace, database: { claims }, diskFreePercent }: Watched): Draft[] {
  if (claims === undefined) return [];
  const by = ["persistentvolumeclaim"];
  const of = { persistentvolumeclaim: like(claims) };
  const series = `kubelet_volume_stats_available_bytes{namespace="${namespace}", persistentvolumeclaim=~"${claims}"}`;
  const free = `${metric(namespace, by, "kubelet_volume_stats_available_bytes", of)} / ${metric(namespace, by, "kubelet_volume_stats_capacity_bytes", of)}`;
  const description =
    "{{ $value | humanizePercentage }} of {{ $labels.persistentvolumeclaim }} is free; a database whose disk is full stops. Raise the " +
    "`storage` of the database and run `pulumi up`: the volume grows in place where its storage class can. What takes the room: " +
    "`SELECT relname, pg_size_pretty(pg_total_relation_size(oid)) FROM pg_class ORDER BY pg_total_relation_size(oid) DESC LIMIT 10`.";
  return [
    {
      alert: "PostgresAppDiskFillingUp",
      expr:
        `(${free} < ${diskFreePercent / 100}) and on (namespace, persistentvolumeclaim) ` +
        `max by (namespace, persistentvolumeclaim) (predict_linear(${series}[6h], 4 * 24 * 3600)) < 0`,
      for: "1h",
      severity: "warning",
      annotations: { summary: `The database's disk of ${name} will be full within four days.`, description },
    },
    {
      alert: "PostgresAppDiskNearlyFull",
      expr: `${free} < ${diskFreePercent / 300}`,
      for: "1m",
      severity: "critical",
      annotations: { summary: `The database's disk of ${name} is nearly full.`, description },
    },
  ];
}

const METRICS = {
  StatefulSet: {
    wanted: "kube_statefulset_replicas",
    updated: "kube_statefulset_status_replicas_updated",
    ready: "kube_statefulset_status_replicas_ready",
  },
  Deployment: {
    wanted: "kube_deployment_spec_replicas",
    updated: "kube_deployment_status_replicas_updated",
    ready: "kube_deployment_status_replicas_ready",
  },
};

function workloadAlerts({ name, namespace }: Watched, workload: Watched["workloads"][0]): Draft[] {
  const label = workload.kind.toLowerCase();
  const of = (what: keyof (typeof METRICS)["Deployment"]) =>
    metric(namespace, [label], METRICS[workload.kind][what], { [label]: is(workload.name) });
  const object = `${label}/${workload.name}`;
  const select = `-l app.kubernetes.io/instance=${name}`;
  const see = `\`kubectl -n ${namespace} get pods ${select}\`, then \`kubectl -n ${namespace} describe\` and \`logs\` of the pod that is not ready.`;
  return [
    {
      alert: "PostgresAppUnavailable",
      expr: `${of("ready")} == 0 and on (namespace, ${label}) ${of("wanted")} > 0`,
      for: "5m",
      severity: "critical",
      annotations: { summary: `No pod of ${object} is ready.`, description: `Which pods, and why: ${see}` },
    },
    {
      alert: "PostgresAppRolloutStuck",
      expr: `${of("wanted")} > on (namespace, ${label}) ${of("updated")} or ${of("wanted")} > on (namespace, ${label}) ${of("ready")}`,
      for: "15m",
      severity: "warning",
      annotations: {
        summary: `Not all pods of ${object} are of the new version and ready.`,
        description:
          `What it waits for: \`kubectl -n ${namespace} rollout status ${object} --timeout=5s\`. Which pods: ${see} ` +
          "Correct the cause, or go back to the former version (with `migration.goBackTo`, if the new one has migrated), and run `pulumi up`.",
      },
    },
  ];
}
