import * as pulumi from "@pulumi/pulumi";
import { types } from "@pulumi/kubernetes";
import { computed } from "../common/computed";
import { Placement, podPlacement } from "../common/placement";
import { ContainerResourcesArgs } from "../common/resources";
import { filesGroup, restrictedContainer, restrictedPod, writable } from "../common/security";
import { keyGroup, tlsVolumes } from "../database/tlsFiles";
import { ResolvedAutoscaling } from "./autoscaling";
import { extraContainers, extraVolumes, ResolvedContainer } from "./containers";
import { METRICS_PORT_NAME, PORT_NAME, ResolvedProbes } from "./probes";
import { ResolvedServiceAccount } from "./serviceAccount";
import { ResolvedVolume, volumeMounts, volumeSpecs } from "./volumes";
import { marked } from "./templateMark";
import { appVariables, VariableSources } from "./variables";
import { topologySpread, TopologySpreadArgs } from "./topologySpread";

/** Which of Kubernetes' controllers runs the application's pods. */
export const WorkloadKind = {
  /** Pods with fixed names; an upgrade stops one before it starts the next. */
  StatefulSet: "StatefulSet",
  /** An upgrade starts a pod before it stops one. */
  Deployment: "Deployment",
} as const;
export type WorkloadKind = (typeof WorkloadKind)[keyof typeof WorkloadKind];

export interface ResolvedApp {
  image: pulumi.Input<string>;
  imagePullPolicy?: pulumi.Input<string>;
  command?: pulumi.Input<pulumi.Input<string>[]>;
  args?: pulumi.Input<pulumi.Input<string>[]>;
  port: pulumi.Input<number>;
  /** Where the metrics are, if not on that port. */
  metricsPort?: pulumi.Input<number>;
  kind: WorkloadKind;
  /** How many pods there are, unless autoscaling says so. */
  replicas: pulumi.Input<number>;
  autoscaling?: ResolvedAutoscaling;
  topologySpread: TopologySpreadArgs[];
  placement: Placement;
  serviceAccount: ResolvedServiceAccount;
  preStopSeconds: pulumi.Input<number>;
  terminationGracePeriodSeconds: pulumi.Input<number>;
  minReadySeconds?: pulumi.Input<number>;
  /** How long all of them together may take to be ready. */
  rolloutSeconds: pulumi.Input<number>;
  connectionEnv: Record<string, pulumi.Input<string>>;
  probes: ResolvedProbes;
  /** At the first start one pod by itself, because it migrates. */
  startsAlone: boolean;
  resources: ContainerResourcesArgs;
  uid?: pulumi.Input<number>;
  writablePaths: string[];
  volumes: ResolvedVolume[];
  /** Sidecars and init containers of the user's. */
  containers: ResolvedContainer[];
  /** Whether pods say of which template they are, because something has to come after those of the former one. */
  marksTemplate: boolean;
}

/** What the application's container is given by others. */
export interface AppSurroundings extends VariableSources {
  envFrom: types.input.core.v1.EnvFromSource[];
  /** Names of the claims that are made here, by volume. */
  claims: Record<string, pulumi.Input<string>>;
}

/** What the pods of the application are given besides. */
export interface PodSurroundings extends AppSurroundings {
  /** Of the application's pods, whatever kind of workload they are of. */
  selector: Record<string, string>;
  labels: Record<string, string>;
  annotations?: Record<string, pulumi.Input<string>>;
  /** What each pod does before the application. */
  init?: { containers: types.input.core.v1.Container[]; volumes: types.input.core.v1.Volume[] };
}

/**
 * Tells apart the pods of the two kinds, which are there side by side when one takes the place of the other: a selector that others'
 * pods match too is asking for trouble.
 */
const ofKind = (kind: WorkloadKind) => ({ "pulumi-postgres-app/kind": kind });

/** The StatefulSet of the application. */
export function appStatefulSet(
  app: ResolvedApp,
  around: PodSurroundings & { serviceName: pulumi.Input<string> },
): types.input.apps.v1.StatefulSetSpec {
  return {
    serviceName: around.serviceName,
    // With OrderedReady a rollout that is stuck on a broken pod stays stuck when the image is corrected
    // (kubernetes/kubernetes#67250). A rolling update replaces one pod at a time all the same.
    podManagementPolicy: "Parallel",
    ...common(app, around, "StatefulSet"),
  };
}

/** The Deployment of the application: a new pod is ready before an old one goes, so that also one pod is never none. */
export const appDeployment = (app: ResolvedApp, around: PodSurroundings): types.input.apps.v1.DeploymentSpec => ({
  ...surging(app),
  ...common(app, around, "Deployment"),
});

/** How Deployments replace pods. Former versions are Pulumi's to bring back: what Kubernetes keeps of them is for looking at. */
export const surging = ({ rolloutSeconds }: Pick<ResolvedApp, "rolloutSeconds">) => ({
  strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
  progressDeadlineSeconds: computed([rolloutSeconds], (seconds) => seconds + 60), // Pulumi's wait ends before, and says why
  revisionHistoryLimit: 2,
});

/** Where the first pod has to be alone, scaleOut.ts or the autoscaler says how many there are when it is ready. */
function firstReplicas({ startsAlone, autoscaling, replicas }: ResolvedApp): pulumi.Input<number> | undefined {
  if (startsAlone) return autoscaling ? 1 : undefined;
  return autoscaling ? autoscaling.minReplicas : replicas;
}

function common(app: ResolvedApp, around: PodSurroundings, kind: WorkloadKind) {
  const revision = kind === "StatefulSet" ? "controller-revision-hash" : "pod-template-hash";
  const initContainers = [...extraContainers(app, around), ...(around.init?.containers ?? [])];
  const template = {
    metadata: { labels: { ...around.labels, ...ofKind(kind) }, annotations: around.annotations },
    spec: {
      ...appPod(app, around),
      terminationGracePeriodSeconds: app.terminationGracePeriodSeconds,
      topologySpreadConstraints: topologySpread(app.topologySpread, around.selector, revision),
      initContainers: initContainers.length ? initContainers : undefined,
      containers: [{ ...appContainer(app, around), lifecycle: stopping(app) }],
      volumes: [...appVolumes(app, around), ...(around.init?.volumes ?? [])],
    },
  };
  return {
    replicas: firstReplicas(app),
    minReadySeconds: app.minReadySeconds,
    selector: { matchLabels: { ...around.selector, ...ofKind(kind) } },
    template: app.marksTemplate ? marked(template) : template,
  };
}

/** Between the moment a pod is told to stop and the moment nobody sends it requests any more. Kubernetes refuses a sleep of 0. */
const stopping = ({ preStopSeconds: seconds }: ResolvedApp) => (seconds === 0 ? undefined : { preStop: { sleep: { seconds } } });

/** What holds for every pod that runs the application. */
export const appPod = (app: ResolvedApp, { connection }: Pick<AppSurroundings, "connection">) => ({
  serviceAccountName: app.serviceAccount.name,
  automountServiceAccountToken: app.serviceAccount.automountToken,
  enableServiceLinks: false, // they would put a variable for each Service of the namespace into the application
  securityContext: {
    ...restrictedPod(app.uid),
    ...keyGroup(connection, app.uid),
    ...(app.volumes.some(({ claim }) => claim) ? filesGroup(app.uid) : {}),
  },
  ...podPlacement(app.placement),
});

export function appContainer(app: ResolvedApp, { connection, keys, envFrom }: AppSurroundings): types.input.core.v1.Container {
  return {
    name: "app",
    image: app.image,
    imagePullPolicy: app.imagePullPolicy,
    command: app.command,
    args: app.args,
    env: appVariables({ connection, keys }, app.connectionEnv),
    envFrom,
    ports: [
      { name: PORT_NAME, containerPort: app.port },
      ...(app.metricsPort === undefined ? [] : [{ name: METRICS_PORT_NAME, containerPort: app.metricsPort }]),
    ],
    ...app.probes,
    resources: app.resources,
    securityContext: restrictedContainer(),
    terminationMessagePolicy: "FallbackToLogsOnError",
    volumeMounts: [
      ...tlsVolumes(connection).volumeMounts,
      ...writable(app.writablePaths).volumeMounts,
      ...volumeMounts(app.volumes),
    ],
  };
}

/** `beside` as for `volumeSpecs`. */
export const appVolumes = (
  app: ResolvedApp,
  { connection, claims }: AppSurroundings,
  beside = false,
): types.input.core.v1.Volume[] => [
  ...tlsVolumes(connection).volumes,
  ...writable(app.writablePaths).volumes,
  ...volumeSpecs(app.volumes, claims, beside),
  ...extraVolumes(app),
];
