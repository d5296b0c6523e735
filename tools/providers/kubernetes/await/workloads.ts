// Deployments, StatefulSets, DaemonSets and Pods.
import type { Properties } from "../../rpc/values";
import { at, condition, count, qualifiedName, text } from "../objects";
import { labelSelector, READY, type Rule, type Verdict, waiting } from "./rule";

const selected = (object: Properties) => labelSelector(at(object, "spec", "selector", "matchLabels"));

/** The controller has seen the object as it is now. */
function isObserved(object: Properties): boolean {
  return count(object, "status", "observedGeneration") >= count(object, "metadata", "generation");
}

function wanted(object: Properties): number {
  return Number(at(object, "spec", "replicas") ?? 1);
}

export const deployment: Rule = {
  pods: selected,
  judge({ object }) {
    const replicas = wanted(object);
    const updated = count(object, "status", "updatedReplicas");
    const available = count(object, "status", "availableReplicas");
    const total = count(object, "status", "replicas");
    if (isObserved(object) && updated === replicas && total === replicas && available >= replicas) {
      return { ready: true, status: "Deployment initialization complete" };
    }
    return waiting(`[1/2] Waiting for app ReplicaSet to be available (${available}/${replicas} Pods available)`);
  },
  explain({ object }) {
    const available = condition(object, "Available");
    const isServing = available?.status === "True";
    const reasons = available && !isServing ? [`[${available.reason}] ${available.message}`] : [];
    const progressing = condition(object, "Progressing");
    if (progressing?.status === "False") reasons.push(`[${progressing.reason}] ${progressing.message}`);
    reasons.push(
      isServing
        ? "Minimum number of Pods to consider the application live was not attained"
        : "Minimum number of live Pods was not attained",
    );
    return reasons;
  },
};

interface Progress {
  readonly wanted: number;
  readonly ready: number;
  readonly replicasReady: boolean;
  readonly revisionReady: boolean;
}

function progress(object: Properties): Progress {
  const replicas = wanted(object);
  const ready = count(object, "status", "readyReplicas");
  const isManual = text(object, "spec", "updateStrategy", "type") === "OnDelete" && count(object, "metadata", "generation") > 1;
  const counts = [count(object, "status", "replicas"), ready, ...(isManual ? [] : [count(object, "status", "currentReplicas")])];
  const isCurrent = text(object, "status", "currentRevision") === text(object, "status", "updateRevision");
  return {
    wanted: replicas,
    ready,
    replicasReady: isObserved(object) && counts.every((number) => number === replicas),
    revisionReady: isObserved(object) && (isManual || isCurrent),
  };
}

export const statefulSet: Rule = {
  pods: selected,
  judge({ object }): Verdict {
    const { wanted, ready, replicasReady, revisionReady } = progress(object);
    if (replicasReady && revisionReady) return { ready: true, status: "StatefulSet initialization complete" };
    const pods = `(${ready}/${wanted} Pods ready)`;
    if (count(object, "metadata", "generation") <= 1) return waiting(`[1/2] Waiting for StatefulSet to create Pods ${pods}`);
    if (!replicasReady) return waiting(`[1/3] Waiting for StatefulSet update to roll out ${pods}`);
    return waiting("[2/3] Waiting for StatefulSet to update .status.currentRevision");
  },
  explain({ object }) {
    const { wanted, ready, replicasReady, revisionReady } = progress(object);
    const reasons = replicasReady ? [] : [`${ready} out of ${wanted} replicas succeeded readiness checks`];
    if (!revisionReady) {
      const [from, to] = [text(object, "status", "currentRevision"), text(object, "status", "updateRevision")];
      reasons.push(`StatefulSet controller failed to advance from revision "${from}" to revision "${to}"`);
    }
    return reasons;
  },
};

export const daemonSet: Rule = {
  pods: selected,
  judge({ object }) {
    const desired = count(object, "status", "desiredNumberScheduled");
    const isReady = ["updatedNumberScheduled", "numberAvailable"].every((name) => count(object, "status", name) >= desired);
    return isObserved(object) && isReady ? READY : waiting(`Waiting for DaemonSet (${desired} Pods wanted)`);
  },
};

export const pod: Rule = {
  judge({ object }) {
    const isReady = condition(object, "Ready")?.status === "True" || at(object, "status", "phase") === "Succeeded";
    return isReady ? READY : waiting(`Waiting for Pod "${qualifiedName(object)}" to be ready`);
  },
};
