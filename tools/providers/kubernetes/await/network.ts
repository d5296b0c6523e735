// Services, Ingresses, and claims of volumes: objects that wait for others.
import type { Properties } from "../../rpc/values";
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

/** When nothing is heard of endpoints for this long, in seconds, an Ingress is no longer held up by a Service without any. */
const SILENCE = 60;

/** As the official plugin has it, down to this: a Service without endpoints holds an Ingress up only for a while. */
export const ingress: Rule = {
  related: (object) => `api/v1/namespaces/${namespaceOf(object)}/endpoints`,
  judge({ object, others, seconds }) {
    const known = new Set(others.map(nameOf));
    const isFound = targets(object).every((name) => known.has(name));
    const isSettled = seconds >= (others.length > 0 ? SETTLE : SILENCE);
    if (!isFound && !isSettled) return waiting("[1/3] Finding a matching service for each Ingress path");
    return items(object, "status", "loadBalancer", "ingress").length > 0
      ? { ready: true, status: "Ingress initialization complete" }
      : waiting("[2/3] Waiting for update of .status.loadBalancer with hostname/IP");
  },
  explain: ({ object }) =>
    items(object, "status", "loadBalancer", "ingress").length > 0
      ? ["Ingress has at least one rule with an unavailable target endpoint."]
      : [
          "Ingress .status.loadBalancer field was not updated with a hostname/IP address. " +
            "\n    for more information about this error, see https://pulumi.io/xdv72s",
        ],
};

/** Names of the Services that its paths lead to. */
const targets = (object: Properties) =>
  items(object, "spec", "rules")
    .flatMap((rule) => items(rule, "http", "paths"))
    .map((path) => text(path, "backend", "service", "name"))
    .filter((name) => name !== undefined);

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
