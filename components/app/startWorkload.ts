import * as pulumi from "@pulumi/pulumi";
import * as apps from "@pulumi/kubernetes/apps/v1";
import * as autoscaling from "@pulumi/kubernetes/autoscaling/v2";
import * as core from "@pulumi/kubernetes/core/v1";
import * as policy from "@pulumi/kubernetes/policy/v1";
import { Child, overrules } from "../common/childOptions";
import { isDeferred } from "../common/validation";
import { autoscaler } from "./autoscaling";
import { boundedRollout } from "./boundedRollout";
import { ResolvedExposure } from "./exposure/resolveExposure";
import { servicePorts } from "./probes";
import { scaleOut } from "./scaleOut";
import { appDeployment, appStatefulSet, PodSurroundings, ResolvedApp } from "./workload";

/**
 * Where the autoscaler says so, the number is only for the beginning. Left out, it would be taken away from the object, and
 * Kubernetes would make it 1, which is a moment with one pod. Ignored, Pulumi's provider leaves it to whom it belongs, or sends
 * what it is.
 */
const AUTOSCALED = { ignoreChanges: ["spec.replicas"] };

export interface Workload {
  object: apps.StatefulSet | apps.Deployment;
  /** When these are there, all pods are. */
  complete: pulumi.Resource[];
}

/** The application's pods, how many there are, and how many may be taken away at a time. */
export function startWorkload(
  name: string,
  app: ResolvedApp & { exposure: ResolvedExposure },
  { namespace, ...around }: PodSurroundings & { namespace?: pulumi.Input<string> },
  child: Child,
  dependsOn: pulumi.Resource[],
): Workload {
  const labelled = { namespace, labels: around.labels };
  // Where the program says how many pods there are, it is right, whoever scaled by hand. The annotation is there only then, which makes
  // it a change when the number comes back from the autoscaler, even if it is the same as before.
  const metadata = { ...labelled, name, annotations: app.autoscaling ? undefined : overrules };
  const own = (more: pulumi.Resource[]) =>
    child({
      dependsOn: [...dependsOn, ...more],
      ...boundedRollout(name, app.rolloutSeconds),
      ...(app.autoscaling ? AUTOSCALED : {}),
    });
  const start = () => {
    if (app.kind === "Deployment") return new apps.Deployment(name, { metadata, spec: appDeployment(app, around) }, own([]));
    const pods = podNames(name, app, labelled, around.selector, child);
    const serviceName = pods.metadata.name;
    return new apps.StatefulSet(name, { metadata, spec: appStatefulSet(app, { ...around, serviceName }) }, own([pods]));
  };
  const object = start();
  if (app.autoscaling)
    new autoscaling.HorizontalPodAutoscaler(
      name,
      { metadata: { ...labelled, name }, spec: autoscaler(app.autoscaling, app.kind, object.metadata.name) },
      child({ dependsOn: object }),
    );
  if (app.autoscaling || isDeferred(app.replicas) || (app.replicas as number) > 1)
    new policy.PodDisruptionBudget(
      name,
      {
        metadata: { ...labelled, name },
        // A pod that is not ready serves nobody, and kept from being evicted it would keep its node from being drained.
        spec: { maxUnavailable: 1, unhealthyPodEvictionPolicy: "AlwaysAllow", selector: { matchLabels: around.selector } },
      },
      child(),
    );
  if (!(object instanceof apps.StatefulSet) || !app.startsAlone || app.autoscaling) return { object, complete: [object] };
  const later = child({ dependsOn: object, ...boundedRollout(`${name}-replicas`, app.rolloutSeconds) });
  return { object, complete: [scaleOut(name, object, app.replicas, later)] };
}

/** The Service that a StatefulSet has to name. */
const podNames = (
  name: string,
  { exposure, metricsPort }: ResolvedApp & { exposure: ResolvedExposure },
  metadata: { namespace?: pulumi.Input<string>; labels: Record<string, string> },
  selector: Record<string, string>,
  child: Child,
) =>
  new core.Service(
    `${name}-pods`,
    {
      metadata: { ...metadata, name: `${name}-pods` },
      spec: {
        clusterIP: "None",
        selector,
        ports: servicePorts(exposure.service.port, metricsPort),
        publishNotReadyAddresses: true,
      },
    },
    child(),
  );
