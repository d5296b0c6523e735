/** The parts of one application, as they stand in `app.kubernetes.io/component`. */
export type Part =
  | "app"
  | "worker"
  | "database"
  | "database-trial"
  | "setup"
  | "restore"
  | "backup"
  | "migration"
  | "migration-start"
  | "migration-plan"
  | "former-pods"
  | "canary"
  | "keys"
  | "kept-secrets";

/** Labels that select the pods of one component. A selector can never be changed in Kubernetes: keep them as they are. */
export function selectorLabels(name: string, part: Part): Record<string, string> {
  return { "app.kubernetes.io/instance": name, "app.kubernetes.io/component": part };
}

/**
 * Labels of every object of one component. No version and nothing else that changes by itself: a label on a pod template that
 * changed with this package would run migrations and roll pods with every new version of it.
 */
export function labels(name: string, part: Part, partOf = name): Record<string, string> {
  return {
    ...selectorLabels(name, part),
    "app.kubernetes.io/name": name,
    "app.kubernetes.io/part-of": partOf,
    "app.kubernetes.io/managed-by": "pulumi",
  };
}
