// Services, and claims of volumes: objects that wait for others.
import { at, items, nameOf, namespaceOf, text } from "../objects";
import { READY, type Rule, waiting } from "./rule";

/** The time in which the endpoints of a Service may still change, in seconds. */
const SETTLE = 10;

export const service: Rule = {
  related(object) {
    const selector = `kubernetes.io/service-name=${nameOf(object)}`;
    return `apis/discovery.k8s.io/v1/namespaces/${namespaceOf(object)}/endpointslices?labelSelector=${selector}`;
  },
  judge({ object, others, seconds }) {
    const type = text(object, "spec", "type");
    const isLoadBalanced = type === "LoadBalancer";
    if (isLoadBalanced && items(object, "status", "loadBalancer", "ingress").length === 0) {
      return waiting("[2/3] Waiting for an external address");
    }
    const isHeadless = text(object, "spec", "clusterIP") === "None";
    const selector = at(object, "spec", "selector");
    if (type === "ExternalName" || isHeadless || !selector) return READY;
    const endpoints = others.flatMap((slice) => items(slice, "endpoints"));
    const isSettled = seconds >= SETTLE && endpoints.every((endpoint) => at(endpoint, "conditions", "ready") !== false);
    return isSettled
      ? { ready: true, status: "Service initialization complete" }
      : waiting("[1/3] Finding Pods to direct traffic to");
  },
  explain: () => [
    "Service does not target any Pods. Selected Pods may not be ready, or field '.spec.selector' may not match labels on any Pods",
  ],
};

export const claim: Rule = {
  limit: 300,
  onlyAfterWriting: true,
  related(object) {
    const storageClass = text(object, "spec", "storageClassName");
    return storageClass ? `apis/storage.k8s.io/v1/storageclasses/${storageClass}` : undefined;
  },
  /** As the official plugin has it, down to this: a new Patch of a claim that is bound, of a class that binds late, waits in vain. */
  judge({ object, others, isUpdate }) {
    const phase = text(object, "status", "phase");
    const isLate = others.some((storageClass) => storageClass.volumeBindingMode === "WaitForFirstConsumer");
    const wanted = isLate ? "Pending" : "Bound";
    const isReady = phase === wanted || (isUpdate && phase === "Bound");
    return isReady ? READY : waiting(`Waiting for PersistentVolumeClaim to be ${wanted.toLowerCase()}`);
  },
};
