// Which changes need a new object, because the API refuses them or because nothing would notice them.
import type { Path } from "./diff";

export interface Mutability {
  readonly enableConfigMapMutable: boolean;
  readonly enableSecretMutable: boolean;
}

const ANY_KIND = ["metadata.name", "metadata.namespace"];

const BY_KIND: Record<string, string[] | undefined> = {
  ClusterRoleBinding: ["roleRef"],
  DaemonSet: ["spec.selector"],
  Deployment: ["spec.selector"],
  Job: ["spec.completions", "spec.parallelism", "spec.selector", "spec.template"],
  PersistentVolumeClaim: ["spec.accessModes", "spec.selector", "spec.storageClassName", "spec.volumeName"],
  ReplicaSet: ["spec.selector"],
  RoleBinding: ["roleRef"],
  Service: ["spec.clusterIP"],
  StatefulSet: [
    "spec.podManagementPolicy",
    "spec.revisionHistoryLimit",
    "spec.selector",
    "spec.serviceName",
    "spec.volumeClaimTemplates",
  ],
  StorageClass: ["parameters", "provisioner", "reclaimPolicy", "volumeBindingMode"],
};

/** Everything in a Pod's spec but what may change while it runs. */
function replacesPod(path: Path): boolean {
  if (path[0] !== "spec") return false;
  const [, field, , member] = path;
  const isImage = (field === "containers" || field === "initContainers") && member === "image";
  return !isImage && field !== "activeDeadlineSeconds" && field !== "tolerations";
}

/** A rule over paths for objects of one kind; `isImmutable` is the object's own `immutable: true`. */
export function replacementRule(
  kind: string,
  isPatch: boolean,
  isImmutable: boolean,
  settings: Mutability,
): (path: Path) => boolean {
  const keys = [...ANY_KIND];
  if (!isPatch) {
    keys.push(...(BY_KIND[kind] ?? []));
    if (kind === "ConfigMap" && (isImmutable || !settings.enableConfigMapMutable)) keys.push("data", "binaryData");
    if (kind === "Secret") keys.push("type");
    if (kind === "Secret" && (isImmutable || !settings.enableSecretMutable)) keys.push("data", "stringData");
  }
  const patterns = keys.map((key) => key.split("."));
  return (path) => {
    if (kind === "Pod" && !isPatch && replacesPod(path)) return true;
    return patterns.some((pattern) => pattern.every((key, index) => path[index] === key));
  };
}
