import * as pulumi from "@pulumi/pulumi";
import { types } from "@pulumi/kubernetes";
import { ContainerResourcesArgs } from "../common/resources";
import { restrictedContainer, restrictedPod, writable } from "../common/security";
import { caVolume, Connection, connectionVariables } from "../database/connection";
import { PORT_NAME, ResolvedProbes } from "./probes";

export interface ResolvedApp {
  image: pulumi.Input<string>;
  imagePullPolicy?: pulumi.Input<string>;
  command?: pulumi.Input<pulumi.Input<string>[]>;
  args?: pulumi.Input<pulumi.Input<string>[]>;
  port: pulumi.Input<number>;
  replicas: pulumi.Input<number>;
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

/** The StatefulSet of the application. */
export function appStatefulSet(
  app: ResolvedApp,
  around: AppSurroundings & {
    serviceName: pulumi.Input<string>;
    selector: Record<string, string>;
    labels: Record<string, string>;
    annotations?: Record<string, pulumi.Input<string>>;
    /** What each pod does before the application. */
    init?: { containers: types.input.core.v1.Container[]; volumes: types.input.core.v1.Volume[] };
  },
): types.input.apps.v1.StatefulSetSpec {
  return {
    serviceName: around.serviceName,
    replicas: app.replicas,
    selector: { matchLabels: around.selector },
    // Pods of an application need no order, and with OrderedReady a rollout that is stuck on a broken pod stays stuck when
    // the image is corrected (kubernetes/kubernetes#67250). A rolling update replaces one pod at a time all the same.
    podManagementPolicy: app.startsInOrder ? "OrderedReady" : "Parallel",
    template: {
      metadata: { labels: around.labels, annotations: around.annotations },
      spec: {
        ...appPod(app),
        initContainers: around.init?.containers,
        containers: [
          {
            ...appContainer(app, around),
            // Between the moment a pod is told to stop and the moment nobody sends it requests any more.
            lifecycle: { preStop: { sleep: { seconds: 3 } } },
          },
        ],
        volumes: [...appVolumes(app, around), ...(around.init?.volumes ?? [])],
      },
    },
  };
}

/** What holds for every pod that runs the application. */
export const appPod = (app: Pick<ResolvedApp, "uid">) => ({
  automountServiceAccountToken: false,
  enableServiceLinks: false, // they would put a variable for each Service of the namespace into the application
  securityContext: restrictedPod(app.uid),
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
    ports: [{ name: PORT_NAME, containerPort: app.port }],
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
