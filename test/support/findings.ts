/** A finding of checkov that stays, and why. */
export interface Explained {
  /** checkov's number of the check. */
  check: string;
  /** Which objects, as "Kind/name" of a rendered manifest: all if it is not said. */
  objects?: RegExp;
  why: string;
}

/** Every finding is mended or stands here; one that no longer occurs has to go. */
export const explained: Explained[] = [
  {
    check: "CKV_K8S_21",
    why: "The namespace is the user's: the examples leave it to the stack's provider, as `namespace` says.",
  },
  {
    check: "CKV_K8S_11",
    why: "A CPU limit slows a process down while the node idles; the requests share the CPU fairly. `resources.limits` sets one.",
  },
  {
    check: "CKV_K8S_13",
    why: "How much memory a user's application or migration takes is not known here, and a limit that is too low kills it. `resources.limits` sets one.",
  },
  {
    check: "CKV_K8S_15",
    why: "Kubernetes' own rule (Always for latest, else IfNotPresent) lets a node restart pods while the registry is away. `imagePullPolicy` sets it.",
  },
  {
    check: "CKV_K8S_43",
    why: "The image is the user's, and its docstring asks for a digest; Postgres' minor versions are to come with a pod's restart.",
  },
  {
    check: "CKV_K8S_35",
    why: "Applications and migration tools read their connection from the environment; the specs hold references to Secrets, no values.",
  },
  {
    check: "CKV_K8S_40",
    why: "User ids are those of the images, who own their files: Postgres' 999, the application's own. User namespaces are the cluster's answer to shared ids.",
  },
  {
    check: "CKV_K8S_8",
    objects: /^StatefulSet\/.*-db$/,
    why: "A server that recovers after a crash or is busy must not be killed for it, which would begin the recovery anew; its container ends when the server does.",
  },
  {
    check: "CKV_K8S_8",
    objects: /^Pod\/.*-migration-plan-/,
    why: "It looks at what is pending and ends; its own time limit bounds it.",
  },
  {
    check: "CKV_K8S_9",
    objects: /^Pod\/.*-migration-plan-/,
    why: "Nothing sends it requests.",
  },
  {
    check: "CKV_K8S_8",
    objects: /^Deployment\/.*-sidekiq$/,
    why: "There is no question that is right for every queue; a worker that dies ends its container, and one that hangs is for an alert on the queue.",
  },
  {
    check: "CKV_K8S_9",
    objects: /^Deployment\/.*-sidekiq$/,
    why: "Nothing sends workers requests; minReadySeconds has them run for a while before they count as started.",
  },
];
