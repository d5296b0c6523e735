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
  resources: ContainerResourcesArgs;
  uid?: pulumi.Input<number>;
  writablePaths: string[];
}

/** The StatefulSet of the application. */
export function appStatefulSet(
  app: ResolvedApp,
  around: {
    serviceName: pulumi.Input<string>;
    selector: Record<string, string>;
    labels: Record<string, string>;
    connection: Connection;
    envFrom: types.input.core.v1.EnvFromSource[];
  },
): types.input.apps.v1.StatefulSetSpec {
  const scratch = writable(app.writablePaths);
  const ca = caVolume(around.connection);
  return {
    serviceName: around.serviceName,
    replicas: app.replicas,
    selector: { matchLabels: around.selector },
    // Pods of an application need no order, and with OrderedReady a rollout that is stuck on a broken pod stays stuck when
    // the image is corrected (kubernetes/kubernetes#67250). A rolling update replaces one pod at a time all the same.
    podManagementPolicy: "Parallel",
    template: {
      metadata: { labels: around.labels },
      spec: {
        automountServiceAccountToken: false,
        enableServiceLinks: false, // they would put a variable for each Service of the namespace into the application
        securityContext: restrictedPod(app.uid),
        containers: [
          {
            name: "app",
            image: app.image,
            imagePullPolicy: app.imagePullPolicy,
            command: app.command,
            args: app.args,
            env: connectionVariables(around.connection, app.connectionEnv),
            envFrom: around.envFrom,
            ports: [{ name: PORT_NAME, containerPort: app.port }],
            ...app.probes,
            // Between the moment a pod is told to stop and the moment nobody sends it requests any more.
            lifecycle: { preStop: { sleep: { seconds: 3 } } },
            resources: app.resources,
            securityContext: restrictedContainer(),
            terminationMessagePolicy: "FallbackToLogsOnError",
            volumeMounts: [...ca.volumeMounts, ...scratch.volumeMounts],
          },
        ],
        volumes: [...ca.volumes, ...scratch.volumes],
      },
    },
  };
}
