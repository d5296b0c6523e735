import * as pulumi from "@pulumi/pulumi";
import * as apps from "@pulumi/kubernetes/apps/v1";
import { overrules } from "../common/childOptions";
import { boundedLater } from "./boundedRollout";
import { ResolvedApp } from "./workload";

/**
 * Pods that migrate when they start must not do it together. A rollout replaces one after the other anyway; at the first start the
 * workload says nothing about how many there are, of which Kubernetes makes one, and this says it when that one is ready. The other way,
 * podManagementPolicy OrderedReady, needs a hand when a rollout is stuck (kubernetes/kubernetes#67250).
 */
export function scaleOut(
  name: string,
  workload: apps.StatefulSet,
  { replicas, rolloutSeconds }: Pick<ResolvedApp, "replicas" | "rolloutSeconds">,
  opts: pulumi.CustomResourceOptions,
): pulumi.Resource {
  const { name: of, namespace } = workload.metadata;
  return new apps.StatefulSetPatch(
    `${name}-replicas`,
    { metadata: { name: of, namespace, annotations: { ...overrules, ...boundedLater(rolloutSeconds) } }, spec: { replicas } },
    opts,
  );
}
