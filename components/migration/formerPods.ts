import * as pulumi from "@pulumi/pulumi";
import { types } from "@pulumi/kubernetes";
import { TEMPLATE } from "../app/templateMark";
import { podMetadata } from "../common/clusterRules";
import { computed } from "../common/computed";
import { CANCELLED, inNamespace } from "../common/hooks";
import { labels, Part } from "../common/labels";
import { Placement, podPlacement } from "../common/placement";
import { ownResources } from "../common/resources";
import { restrictedPod } from "../common/security";
import { ClientImage, ownContainer } from "./supervision";

/** What runs the application's code, and so knows the schema. */
const PARTS: Part[] = ["app", "worker"];

/** What is known of the pods that have to be gone. */
export interface FormerPods {
  /** Of the component. */
  name: string;
  /** Of the templates of today, of which pods may be there. */
  marks: pulumi.Input<string>[];
  client: ClientImage;
  placement: Placement;
  seconds: pulumi.Input<number>;
}

/**
 * A Job that is done when no pod of the application or its workers is left that was made of another template, also none that has been
 * told to stop and still answers. It is the scheduler that waits: the Job's pod does not bear them anywhere in the cluster. So nobody has to
 * read pods, which would take a Role, a token and a way to the API server.
 */
export function formerPodsJob({ name, marks, client, placement, seconds }: FormerPods): types.input.batch.v1.JobSpec {
  return {
    backoffLimit: 0,
    podFailurePolicy: { rules: [{ action: "Ignore", onPodConditions: [{ type: "DisruptionTarget", status: "True" }] }] },
    activeDeadlineSeconds: seconds,
    template: {
      metadata: podMetadata({ labels: labels(name, "former-pods") }, client.rules),
      spec: {
        restartPolicy: "Never",
        automountServiceAccountToken: false,
        enableServiceLinks: false,
        // With the application's priority: with a higher one it would have them evicted.
        ...podPlacement(placement),
        securityContext: restrictedPod(),
        affinity: {
          podAntiAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: [
              {
                topologyKey: "kubernetes.io/os", // every kubelet sets it, so the nodes that run the application are one place
                labelSelector: {
                  matchLabels: { "app.kubernetes.io/instance": name },
                  matchExpressions: [
                    { key: "app.kubernetes.io/component", operator: "In", values: PARTS },
                    { key: TEMPLATE, operator: "NotIn", values: marks },
                  ],
                },
              },
            ],
          },
        },
        containers: [
          ownContainer(client, {
            name: "gone",
            command: ["true"],
            resources: ownResources({ cpu: "10m", memory: "16Mi" }, client.rules.limits),
          }),
        ],
      },
    },
  };
}

/** What of an application says how long a pod may take to stop. */
interface Stopping {
  preStopSeconds: pulumi.Input<number>;
  terminationGracePeriodSeconds: pulumi.Input<number>;
  workers: Record<string, { terminationGracePeriodSeconds: pulumi.Input<number> }>;
}

/** How long the last pod may take to go. The former version's own time is not known here: that of today, and five minutes. */
export function goingSeconds({ preStopSeconds, terminationGracePeriodSeconds, workers }: Stopping): pulumi.Input<number> {
  const ofWorkers = Object.values(workers).map((worker) => worker.terminationGracePeriodSeconds);
  return computed([preStopSeconds, terminationGracePeriodSeconds, ...ofWorkers], (...all) => 300 + Math.max(...all));
}

/**
 * In words, why the contract did not begin. Of a pod that no node takes the provider says nothing, so this is not told from a cluster without
 * room. Pure, and exported for its tests.
 */
export function explanation(
  errors: string[],
  { name, seconds, namespace }: { name: string; seconds: number; namespace?: string },
): string {
  const look = (command: string) => `  kubectl${inNamespace(namespace)} ${command}`;
  const events = look("get events --field-selector type=Warning");
  if (errors.some((error) => CANCELLED.test(error)))
    return "the deployment was cancelled before migration.postDeploy; the next `pulumi up` goes on there";
  if (errors.some((error) => error.includes("[Pod ")))
    return `migration.postDeploy was not begun: the pod that waited for the former version's pods to be gone did not run; this may say why:\n${events}`;
  return [
    `migration.postDeploy was not begun: ${seconds} s after the rollout there are pods of the former version still, those that have another label ${TEMPLATE} than the newest:`,
    look(
      `get pods --selector app.kubernetes.io/instance=${name} --label-columns ${TEMPLATE} --sort-by .metadata.creationTimestamp`,
    ),
    "one that is Terminating ends by itself, or was lost with its node (`kubectl delete node`); those of a worker that was taken out, or of the former kind, go at the end of a `pulumi up` that succeeds: deploy once without migration.postDeploy, then with it",
    'if there are none, no node had room for the pod that waited for them, or the cluster let none be made ("FailedCreate": set what it asks for in jobs, for a quota jobs.limits):',
    events,
  ].join("\n");
}
