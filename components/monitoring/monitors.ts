import * as pulumi from "@pulumi/pulumi";
import { CustomResource } from "@pulumi/kubernetes/apiextensions";
import { Child } from "../common/childOptions";
import { METRICS_PORT_NAME, PORT_NAME } from "../app/probes";
import { WorkloadKind } from "../app/workload";
import { onUnknownKind } from "../common/hooks";
import { labels, selectorLabels } from "../common/labels";
import { ServerSeen } from "../database/engine";
import { ResolvedBackups } from "../database/backup";
import type { ResolvedStrategy } from "../migration/strategy";
import { alertRules, Watched } from "./alerts";
import { longestInterval } from "./interval";
import { ResolvedMonitoring } from "./monitoringArgs";

const MONITORING_API = "monitoring.coreos.com/v1";

/** How the application's metrics are found. */
export function appMonitor(
  name: string,
  { kind, path, port, intervalSeconds }: ResolvedMonitoring,
): { kind: string; spec: pulumi.Inputs } {
  const selector = { matchLabels: selectorLabels(name, "app") };
  const endpoint = {
    port: port === undefined ? PORT_NAME : METRICS_PORT_NAME,
    path,
    interval: pulumi.interpolate`${intervalSeconds}s`,
  };
  if (kind === "PodMonitor") return { kind, spec: { selector, podMetricsEndpoints: [endpoint] } };
  // The headless Service has the same labels and pods: by way of both, every pod would be read twice.
  const relabelings = [{ sourceLabels: ["__meta_kubernetes_service_name"], regex: name, action: "keep" }];
  return { kind, spec: { selector, endpoints: [{ ...endpoint, relabelings }] } };
}

/** How CloudNativePG's instances are found: the operator's own way to have this made is deprecated ("Monitoring"). */
export const clusterMonitor = (cluster: pulumi.Input<string>): pulumi.Inputs => ({
  selector: { matchLabels: { "cnpg.io/cluster": cluster, "cnpg.io/podRole": "instance" } },
  podMetricsEndpoints: [{ port: "metrics" }],
});

interface Watching {
  namespace: pulumi.Output<string>;
  seen: ServerSeen;
  backups?: ResolvedBackups;
  migrations: Watched["migrations"];
  workloads: Watched["workloads"];
}

/** The spec of the PrometheusRule. */
export function alertsSpec(
  name: string,
  { alertLabels, diskFreePercent }: ResolvedMonitoring,
  { namespace, seen, backups, migrations, workloads }: Watching,
): pulumi.Output<{ groups: object[] }> {
  return pulumi
    .all([namespace, seen, backups && pulumi.all([backups.schedule, backups.timeoutSeconds]), diskFreePercent])
    .apply(([where, { statefulSet, cluster, claims }, schedule, percent]) => {
      const rules = alertRules({
        name,
        namespace: where,
        migrations,
        workloads,
        database: { statefulSet, cluster, claims },
        backups: schedule && {
          cronJob: cluster === undefined ? `${name}-db-backup` : undefined,
          intervalSeconds: longestInterval(schedule[0]),
          timeoutSeconds: schedule[1],
        },
        diskFreePercent: percent,
      });
      const labelled = rules.map((rule) => ({ ...rule, labels: { ...alertLabels, ...rule.labels } }));
      return { groups: [{ name: `${where}/${name}`, rules: labelled }] };
    });
}

/** What of the application's other arguments there is to watch. */
interface WatchedApp {
  kind: WorkloadKind;
  workers: Record<string, unknown>;
  database: { backups?: ResolvedBackups };
  migration: ResolvedStrategy;
}

/**
 * Tells Prometheus where the metrics are and what to be alarmed of. It waits for no rollout: the alerts are about one that does not come
 * to its end too.
 */
export function watchApp(
  name: string,
  { kind: workload, workers, database, migration }: WatchedApp,
  monitoring: ResolvedMonitoring,
  { namespace, seen }: { namespace: pulumi.Output<string>; seen: ServerSeen },
  child: Child,
): void {
  const metadata = { namespace, labels: { ...labels(name, "app"), ...monitoring.labels } };
  const hooks = installHint(name);
  const make = (suffix: string, kind: string, spec: pulumi.Input<pulumi.Inputs>) =>
    new CustomResource(
      `${name}${suffix}`,
      { apiVersion: MONITORING_API, kind, metadata: { ...metadata, name: `${name}${suffix}` }, spec },
      child({ hooks }),
    );
  const job = (suffix: string, of?: { timeoutSeconds: number }) =>
    of && !migration.inPods ? [{ job: `${name}-${suffix}`, timeoutSeconds: of.timeoutSeconds }] : [];
  const watching = {
    namespace,
    seen,
    backups: database.backups,
    migrations: [...job("migration", migration.run), ...job("post-deploy", migration.postDeploy)],
    workloads: [
      { kind: workload, name },
      ...Object.keys(workers).map((worker) => ({ kind: "Deployment" as const, name: `${name}-${worker}` })),
    ],
  };
  if (monitoring.path !== undefined) {
    const { kind, spec } = appMonitor(name, monitoring);
    make("", kind, spec);
  }
  const { cluster } = seen;
  if (cluster !== undefined) make("-db", "PodMonitor", clusterMonitor(cluster));
  if (monitoring.alerts) make("-alerts", "PrometheusRule", alertsSpec(name, monitoring, watching));
}

/** Says what to install when the kinds are not known to the cluster. */
const installHint = (name: string) =>
  onUnknownKind(
    `${name}-monitoring`,
    "monitoring: the Prometheus Operator is not installed in this cluster. Install it, for example with " +
      "`helm upgrade --install kube-prometheus-stack --namespace monitoring --create-namespace oci://ghcr.io/prometheus-community/charts/kube-prometheus-stack`, " +
      "and run `pulumi up` again, or leave monitoring out.",
  );
