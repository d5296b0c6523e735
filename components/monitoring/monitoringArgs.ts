import * as pulumi from "@pulumi/pulumi";
import { oneOf, path as pathRule, port as portRule, wholeNumber } from "../common/rules";
import { Rule, Validation } from "../common/validation";

/** What kind of object tells Prometheus where the metrics are. */
export const MonitorKind = {
  /** By way of the Service. */
  ServiceMonitor: "ServiceMonitor",
  /** The pods themselves. */
  PodMonitor: "PodMonitor",
} as const;
export type MonitorKind = (typeof MonitorKind)[keyof typeof MonitorKind];

/**
 * Metrics and alerts, as objects of the Prometheus Operator (monitoring.coreos.com/v1), which has to be installed. `{}` makes the alerts
 * alone. They read the metrics of kube-state-metrics and the kubelet, as kube-prometheus-stack collects them.
 */
export interface MonitoringArgs {
  /**
   * Path of the application's metrics. Defaults to "/metrics" if `port` is given, else to none: then nothing is read from the
   * application. A change is made in place.
   */
  path?: pulumi.Input<string>;
  /**
   * Port of the metrics, if the application has one of their own. It becomes a port "metrics" of the container and the Service. Defaults
   * to the application's port. A change rolls the pods.
   */
  port?: pulumi.Input<number>;
  /**
   * What tells Prometheus of the application: "ServiceMonitor" or "PodMonitor". Defaults to "ServiceMonitor".
   */
  kind?: MonitorKind;
  /**
   * Seconds between two readings. Defaults to 30. A change is made in place.
   */
  intervalSeconds?: pulumi.Input<number>;
  /**
   * Labels of these objects, by which Prometheus finds them: `{ release: "kube-prometheus-stack" }` for that chart under that name.
   * Defaults to none beside the component's own. A change is made in place.
   */
  labels?: Record<string, pulumi.Input<string>>;
  /**
   * Whether there are alerts: migration, backups, database, disk, application, rollout. Defaults to true.
   */
  alerts?: boolean;
  /**
   * Labels of every alert beside `severity` and `application`, for routing: `{ team: "notes" }`. Defaults to none.
   */
  alertLabels?: Record<string, pulumi.Input<string>>;
  /**
   * Percentage of free space below which a volume that will be full within four days is a warning; below a third of it, it is
   * critical in any case. Defaults to 15.
   */
  diskFreePercent?: pulumi.Input<number>;
}

export interface ResolvedMonitoring {
  path?: pulumi.Input<string>;
  port?: pulumi.Input<number>;
  kind: MonitorKind;
  intervalSeconds: pulumi.Input<number>;
  labels: Record<string, pulumi.Input<string>>;
  alerts: boolean;
  alertLabels: Record<string, pulumi.Input<string>>;
  diskFreePercent: pulumi.Input<number>;
}

const OWN_LABELS = [
  "app.kubernetes.io/name",
  "app.kubernetes.io/instance",
  "app.kubernetes.io/component",
  "app.kubernetes.io/part-of",
];
const OWN_ALERT_LABELS = ["severity", "application", "namespace"];

/** `port` is the application's own. */
export function resolveMonitoring(
  args: MonitoringArgs,
  port: pulumi.Input<number>,
  path: string,
  validation: Validation,
): ResolvedMonitoring {
  const check: Validation["check"] = (property, value, rule) => validation.check(`${path}.${property}`, value, rule);
  const other: Rule<number> = (number) =>
    portRule(number) ?? (number === port ? `${number} is the application's own: leave it out, and give path` : undefined);
  const given = check("path", args.path, pathRule) ?? (args.port === undefined ? undefined : "/metrics");
  for (const property of ["kind", "intervalSeconds"] as const) {
    if (given === undefined && args[property] !== undefined)
      validation.problem(
        `${path}.${property}`,
        'is given, but nothing is read from the application: give path, such as "/metrics"',
      );
  }
  if (args.alerts === false && given === undefined)
    validation.problem(`${path}.alerts`, "is false, and without path or port nothing is left: leave monitoring out");
  refuse(args.labels, OWN_LABELS, `${path}.labels`, validation);
  refuse(args.alertLabels, OWN_ALERT_LABELS, `${path}.alertLabels`, validation);
  return {
    path: given,
    port: check("port", args.port, other),
    kind: check("kind", args.kind, oneOf(Object.values(MonitorKind))) ?? "ServiceMonitor",
    intervalSeconds: check("intervalSeconds", args.intervalSeconds, wholeNumber(1, 3600)) ?? 30,
    labels: args.labels ?? {},
    alerts: args.alerts ?? true,
    alertLabels: args.alertLabels ?? {},
    diskFreePercent: check("diskFreePercent", args.diskFreePercent, wholeNumber(1, 90)) ?? 15,
  };
}

function refuse(given: object | undefined, ours: string[], path: string, validation: Validation): void {
  for (const name of Object.keys(given ?? {})) {
    if (ours.includes(name)) validation.problem(`${path}["${name}"]`, "is one that the component sets itself: take another name");
  }
}
