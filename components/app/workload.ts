import * as pulumi from "@pulumi/pulumi";
import { types } from "@pulumi/kubernetes";
import { Placement, podPlacement } from "../common/placement";
import { ContainerResourcesArgs } from "../common/resources";
import { restrictedContainer, restrictedPod, writable } from "../common/security";
import { caVolume, Connection, connectionVariables } from "../database/connection";
import { ResolvedAutoscaling } from "./autoscaling";
import { METRICS_PORT_NAME, PORT_NAME, ResolvedProbes } from "./probes";
import { ResolvedServiceAccount } from "./serviceAccount";
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
  connectionEnv: Record<string, pulumi.Input<string>>;
  probes: ResolvedProbes;
  /** One pod after the other, also when there was none before. */
  startsInOrder: boolean;
  resources: ContainerResourcesArgs;
  uid?: pulumi.Input<number>;
  writablePaths: string[];
}

/** What the application's container is given by others. */
export interface AppSurroundings {
  connection: Connection;
  envFrom: types.input.core.v1.EnvFromSource[];
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
    // Pods of an application need no order, and with OrderedReady a rollout that is stuck on a broken pod stays stuck when
    // the image is corrected (kubernetes/kubernetes#67250). A rolling update replaces one pod at a time all the same.
    podManagementPolicy: app.startsInOrder ? "OrderedReady" : "Parallel",
    ...common(app, around, "StatefulSet"),
  };
}

/** The Deployment of the application: a new pod is ready before an old one goes, so that also one pod is never none. */
export const appDeployment = (app: ResolvedApp, around: PodSurroundings): types.input.apps.v1.DeploymentSpec => ({
  ...surging,
  ...common(app, around, "Deployment"),
});

/** How Deployments replace pods. Former versions are Pulumi's to bring back: what Kubernetes keeps of them is for looking at. */
export const surging = {
  strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
  revisionHistoryLimit: 2,
};

function common(app: ResolvedApp, around: PodSurroundings, kind: WorkloadKind) {
  const revision = kind === "StatefulSet" ? "controller-revision-hash" : "pod-template-hash";
  return {
    replicas: app.autoscaling ? app.autoscaling.minReplicas : app.replicas,
    minReadySeconds: app.minReadySeconds,
    selector: { matchLabels: { ...around.selector, ...ofKind(kind) } },
    template: {
      metadata: { labels: { ...around.labels, ...ofKind(kind) }, annotations: around.annotations },
      spec: {
        ...appPod(app),
        terminationGracePeriodSeconds: app.terminationGracePeriodSeconds,
        topologySpreadConstraints: topologySpread(app.topologySpread, around.selector, revision),
        initContainers: around.init?.containers,
        containers: [{ ...appContainer(app, around), lifecycle: stopping(app) }],
        volumes: [...appVolumes(app, around), ...(around.init?.volumes ?? [])],
      },
    },
  };
}

/** Between the moment a pod is told to stop and the moment nobody sends it requests any more. Kubernetes refuses a sleep of 0. */
const stopping = ({ preStopSeconds: seconds }: ResolvedApp) => (seconds === 0 ? undefined : { preStop: { sleep: { seconds } } });

/** What holds for every pod that runs the application. */
export const appPod = (app: ResolvedApp) => ({
  serviceAccountName: app.serviceAccount.name,
  automountServiceAccountToken: app.serviceAccount.automountToken,
  enableServiceLinks: false, // they would put a variable for each Service of the namespace into the application
  securityContext: restrictedPod(app.uid),
  ...podPlacement(app.placement),
});

export function appContainer(app: ResolvedApp, { connection, envFrom }: AppSurroundings): types.input.core.v1.Container {
  return {
    name: "app",
    image: app.image,
    imagePullPolicy: app.imagePullPolicy,
    command: app.command,
    args: app.args,
    env: connectionVariables(connection, app.connectionEnv),
    envFrom,
    ports: [
      { name: PORT_NAME, containerPort: app.port },
      ...(app.metricsPort === undefined ? [] : [{ name: METRICS_PORT_NAME, containerPort: app.metricsPort }]),
    ],
    ...app.probes,
    resources: app.resources,
    securityContext: restrictedContainer(),
    terminationMessagePolicy: "FallbackToLogsOnError",
    volumeMounts: [...caVolume(connection).volumeMounts, ...writable(app.writablePaths).volumeMounts],
  };
}

export const appVolumes = (app: ResolvedApp, { connection }: AppSurroundings): types.input.core.v1.Volume[] => [
  ...caVolume(connection).volumes,
  ...writable(app.writablePaths).volumes,
];
