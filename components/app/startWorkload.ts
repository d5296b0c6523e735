import * as pulumi from "@pulumi/pulumi";
import { types } from "@pulumi/kubernetes";
import * as apps from "@pulumi/kubernetes/apps/v1";
import * as autoscaling from "@pulumi/kubernetes/autoscaling/v2";
import * as core from "@pulumi/kubernetes/core/v1";
import * as policy from "@pulumi/kubernetes/policy/v1";
import { Child, overrules } from "../common/childOptions";
import { together } from "../common/hooks";
import { Earlier, isRolledOut, madeFor, onlyAfter } from "../common/order";
import { isDeferred } from "../common/validation";
import { autoscaler } from "./autoscaling";
import { boundedLater, boundedRollout } from "./boundedRollout";
import { ResolvedExposure } from "./exposure/resolveExposure";
import { servicePorts } from "./probes";
import { scaleOut } from "./scaleOut";
import { templateOf } from "./templateMark";
import { appDeployment, appStatefulSet, PodSurroundings, ResolvedApp } from "./workload";

/**
 * Where the autoscaler says so, the number is only for the beginning. Left out, it would be taken away from the object, and
 * Kubernetes would make it 1, which is a moment with one pod. Ignored, Pulumi's provider leaves it to whom it belongs, or sends
 * what it is.
 */
const AUTOSCALED = { ignoreChanges: ["spec.replicas"] };

export interface Workload extends Earlier {
  object: apps.StatefulSet | apps.Deployment;
  identity: pulumi.Input<types.input.core.v1.PodTemplateSpec>;
  /** When these are there, all pods are. */
  complete: pulumi.Resource[];
}

const APPLICATION = {
  missing: "the application is not there",
  other: "the application's pods are not those that the program says",
  unfinished: "pods of the application's former version are still there",
};

/**
 * The application's pods, how many there are, and how many may be taken away at a time. With `isAwaited` its object says what it is made for,
 * because others come after it.
 */
export function startWorkload(
  name: string,
  app: ResolvedApp & { exposure: ResolvedExposure },
  { namespace, ...around }: PodSurroundings & { namespace?: pulumi.Input<string> },
  child: Child,
  { dependsOn, earlier, isAwaited }: { dependsOn: pulumi.Resource[]; earlier: Earlier[]; isAwaited: boolean },
): Workload {
  const labelled = { namespace, labels: around.labels };
  // Where the program says how many pods there are, it is right, whoever scaled by hand. The annotation is there only then, which makes
  // it a change when the number comes back from the autoscaler, even if it is the same as before.
  const always = { ...(app.autoscaling ? {} : overrules), ...boundedLater(app.rolloutSeconds) };
  const metadata = (template: pulumi.Input<unknown>) => ({
    ...labelled,
    name,
    annotations: { ...always, ...(isAwaited ? madeFor(template) : {}) },
  });
  const bounded = boundedRollout(name, app.rolloutSeconds);
  const own = (more: pulumi.Resource[]) =>
    child({
      dependsOn: [...dependsOn, ...more],
      ...bounded,
      hooks: together(bounded.hooks, onlyAfter(`${name}-in-order`, "nothing was rolled out", earlier)),
      ...(app.autoscaling ? AUTOSCALED : {}),
    });
  const start = () => {
    if (app.kind === "Deployment") {
      const spec = appDeployment(app, around);
      return { spec, object: new apps.Deployment(name, { metadata: metadata(spec.template), spec }, own([])) };
    }
    const pods = podNames(name, app, labelled, around.selector, child);
    const spec = appStatefulSet(app, { ...around, serviceName: pods.metadata.name });
    return { spec, object: new apps.StatefulSet(name, { metadata: metadata(spec.template), spec }, own([pods])) };
  };
  const { object, spec } = start();
  const workload = {
    object,
    identity: spec.template,
    actual: templateOf(object),
    isDone: isRolledOut,
    words: APPLICATION,
    targets: `**::${name}`,
  };
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
  if (!(object instanceof apps.StatefulSet) || !app.startsAlone || app.autoscaling) return { ...workload, complete: [object] };
  const later = child({ dependsOn: object, ...boundedRollout(`${name}-replicas`, app.rolloutSeconds) });
  return { ...workload, complete: [scaleOut(name, object, app, later)] };
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
