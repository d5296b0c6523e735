import * as pulumi from "@pulumi/pulumi";
import { AutoscalingArgs } from "./app/autoscaling";
import { GeneratedSecretArgs } from "./app/generatedSecrets";
import { RolloutArgs } from "./app/canary";
import { AppServiceArgs, HttpRouteArgs, IngressArgs } from "./app/exposure/exposureArgs";
import { AppProbesArgs } from "./app/probes";
import { AppServiceAccountArgs } from "./app/serviceAccount";
import { TopologySpreadArgs } from "./app/topologySpread";
import { WorkerArgs } from "./app/workers";
import { WorkloadKind } from "./app/workload";
import { JobPodsArgs } from "./common/clusterRules";
import { AppTolerationArgs } from "./common/placement";
import { AppContainerArgs } from "./app/containers";
import { EnvFromArgs } from "./common/envFrom";
import { AppVolumeArgs } from "./app/volumes";
import { ContainerResourcesArgs } from "./common/resources";
import { AppDatabaseArgs } from "./database/databaseArgs";
import { MigrationArgs } from "./migration/migrationArgs";
import { MonitoringArgs } from "./monitoring/monitoringArgs";
import { AppNetworkPolicyArgs } from "./network/appPolicies";

/** A Postgres-backed application. */
export interface PostgresAppArgs {
  /**
   * Image of the application, also that of the migration unless that names its own. Best with a digest: a tag that is pushed
   * again is no change that Pulumi could see. A change runs the migration, then rolls the pods.
   */
  image: pulumi.Input<string>;
  /**
   * When the image is pulled: Always, IfNotPresent or Never. Defaults to Kubernetes' rule: Always for the tag "latest", else
   * IfNotPresent. A change runs the migration, then rolls the pods.
   */
  imagePullPolicy?: pulumi.Input<string>;
  /**
   * Command that starts the application, in place of the image's ENTRYPOINT. Defaults to the image's own. Needed for an image
   * that migrates when it starts, since the migration has a Job of its own here. A change rolls the pods.
   */
  command?: pulumi.Input<pulumi.Input<string>[]>;
  /**
   * Arguments of the command, in place of the image's CMD. Defaults to the image's own. A change rolls the pods.
   */
  args?: pulumi.Input<pulumi.Input<string>[]>;
  /**
   * Port that the application listens on. Defaults to 8080. A change rolls the pods.
   */
  port?: pulumi.Input<number>;
  /**
   * The application's Service. Defaults to port 80, inside the cluster only. A change is made in place.
   */
  service?: AppServiceArgs;
  /**
   * Reaches the application from outside, by host names. May stand beside `httpRoute`, to move from the one to the other without a gap;
   * the output `url` is the Ingress' then. Defaults to none. A change touches no pod.
   */
  ingress?: IngressArgs;
  /**
   * Reaches the application from outside through a Gateway of the Gateway API. Defaults to none. A change touches no pod.
   */
  httpRoute?: HttpRouteArgs;
  /**
   * What runs the pods: "StatefulSet" (their names stay the same; an upgrade stops one before it starts the next) or "Deployment"
   * (an upgrade starts one before it stops the next, which takes room for one more). Defaults to "StatefulSet". After a change all
   * pods of the new kind are ready before the former ones stop. "Deployment" is refused where the image migrates when it starts, which
   * needs pods that start one by one.
   */
  kind?: WorkloadKind;
  /**
   * Number of pods. Defaults to 1, with which an upgrade of a StatefulSet has a moment without any pod. A change replaces no pod.
   * With more than one, a PodDisruptionBudget has nodes drained one pod at a time. Not beside `autoscaling`.
   */
  replicas?: pulumi.Input<number>;
  /**
   * Lets the number of pods follow their use of CPU or memory, in place of `replicas`: `{ maxReplicas: 6 }`. From either to the
   * other no pod is lost; a new `kind` begins with the fewest. Defaults to none. A change replaces no pod.
   */
  autoscaling?: AutoscalingArgs;
  /**
   * How pods are spread over nodes. Defaults to over nodes and over zones, as well as it can be done; `[]` leaves it to the
   * scheduler. A change rolls the pods.
   */
  topologySpread?: TopologySpreadArgs[];
  /**
   * Labels that a node has to have for the pods that run the application's image (application, canary, workers, migration):
   * `{ "kubernetes.io/arch": "arm64" }`. The database's pods are not told. Defaults to any node. A change runs the migration, then
   * rolls the pods.
   */
  nodeSelector?: pulumi.Input<Record<string, pulumi.Input<string>>>;
  /**
   * Taints of nodes that the same pods put up with: `[{ key: "dedicated", value: "notes" }]`. Defaults to none. A change runs the
   * migration, then rolls the pods.
   */
  tolerations?: AppTolerationArgs[];
  /**
   * PriorityClass of application, canary and workers: who has to go when a node is full. It has to exist. Defaults to the
   * cluster's default. A change rolls the pods.
   */
  priorityClassName?: pulumi.Input<string>;
  /**
   * Names of Secrets with logins for image registries (type kubernetes.io/dockerconfigjson), in the namespace, for every pod of
   * the component: application, workers, Jobs, backups, database. Defaults to none; those of the namespace's default
   * ServiceAccount do not reach the application, which has an account of its own. A change runs the migration, restarts the
   * embedded database and rolls the pods: keep the name when the login changes.
   */
  imagePullSecrets?: pulumi.Input<pulumi.Input<string>[]>;
  /**
   * Registry, or a path in it, that has the images which this package chooses (Postgres, CloudNativePG's Postgres, rclone), in place of
   * docker.io and ghcr.io: "registry.example.org/mirror". Images that are given are taken as they are. Defaults to none. A change runs the
   * migration and restarts the embedded database.
   */
  imageRegistry?: pulumi.Input<string>;
  /**
   * What quotas, meshes and other rules of the cluster ask of the pods that this package starts beside the application's: setup, migration,
   * backups, restores, canary. Defaults to nothing.
   */
  jobs?: JobPodsArgs;
  /**
   * The ServiceAccount that application, canary and workers run as. Defaults to one of their own, with the application's name and
   * without a token.
   */
  serviceAccount?: AppServiceAccountArgs;
  /**
   * Seconds between the moment a pod is told to stop and the signal to end, in which those who still send it requests learn that
   * it goes. Behind a cloud's load balancer 15 and more. Defaults to 5. A change rolls the pods.
   */
  preStopSeconds?: pulumi.Input<number>;
  /**
   * Seconds that a pod has for stopping, `preStopSeconds` included; then it is killed. As long as the longest request may take.
   * Defaults to 25 more than `preStopSeconds`. A change rolls the pods.
   */
  terminationGracePeriodSeconds?: pulumi.Input<number>;
  /**
   * Further processes of the same image, by name: `{ sidekiq: { command: ["bundle", "exec", "sidekiq"] } }`. Each is a Deployment
   * `<application>-<name>` with the application's settings and connection, which starts after the migration, and to which no
   * Service sends anything. Defaults to none.
   */
  workers?: Record<string, WorkerArgs>;
  /**
   * Plain settings, as environment variables. They are kept in a ConfigMap: a secret value is refused.
   * Defaults to none. A change rolls the pods.
   */
  env?: pulumi.Input<Record<string, pulumi.Input<string>>>;
  /**
   * Settings with secret values, as environment variables. They are kept in a Secret. Defaults to none. A change rolls the pods.
   */
  secretEnv?: pulumi.Input<Record<string, pulumi.Input<string>>>;
  /**
   * Existing ConfigMaps and Secrets whose entries the application has as environment variables. Of the same name, the later entry of
   * this list wins over the earlier, `env`, `secretEnv` and `generatedSecrets` over this list, and the connection over all. A change
   * of what is in them is not seen. The migration does not have them. Defaults to none. A change rolls the pods.
   */
  envFrom?: EnvFromArgs[];
  /**
   * Secrets that are generated and stay the same from then on, as environment variables, each with how it is made:
   * `{ SECRET_KEY_BASE: {}, APP_KEY: { length: 32 }, SESSION_SECRET: { encryptsData: false } }`. An application that has one already
   * needs it as `value`. The migration sees those with `migration: true`. Defaults to none. A change rolls the pods.
   */
  generatedSecrets?: Record<string, GeneratedSecretArgs>;
  /**
   * Which environment variable gets which key of the connection Secret, in the application and in the migration:
   * `{ DB_HOST: "host", DB_PASSWORD: "password" }`. Keys are host, port, dbname, user, password, uri, jdbc-uri, pgpass, sslmode,
   * sslrootcert, sslcert, sslkey and those of `database.connectionFormats`. Defaults to DATABASE_URL and libpq's PGHOST, PGPORT, PGDATABASE,
   * PGUSER, PGPASSWORD, with TLS also PGSSLMODE, PGSSLROOTCERT, PGSSLCERT, PGSSLKEY and Node's NODE_EXTRA_CA_CERTS; of those, what the
   * connection has.
   * A change runs the migration, then rolls the pods.
   */
  connectionEnv?: Record<string, pulumi.Input<string>>;
  /**
   * How Kubernetes tells whether a pod has started, lives and can serve. Defaults to a TCP connection. A change rolls the pods.
   */
  probes?: AppProbesArgs;
  /**
   * CPU and memory of a pod. Defaults to requests of 100m CPU and 128Mi of memory and no limits. A change rolls the pods.
   */
  resources?: ContainerResourcesArgs;
  /**
   * User id of the application and the migration. Defaults to the image's own user, which has to be numeric and not root.
   * A change runs the migration, then rolls the pods.
   */
  runAsUser?: pulumi.Input<number>;
  /**
   * Directories that the application and the migration write to, each an empty one in each pod; the rest of the file system is
   * read-only. Defaults to ["/tmp"]. A change runs the migration, then rolls the pods.
   */
  writablePaths?: string[];
  /**
   * What is mounted into the application's pods: volumes for its files, claims, ConfigMaps and Secrets that are there already. Defaults to
   * none. A change rolls the pods.
   */
  volumes?: AppVolumeArgs[];
  /**
   * Containers beside the application in each of its pods, started before it, in this order, and stopped after it. Defaults to none. A
   * change rolls the pods.
   */
  sidecars?: AppContainerArgs[];
  /**
   * Containers that come to their end before the application starts, one after the other, after `sidecars` have begun. Defaults to none.
   * A change rolls the pods.
   */
  initContainers?: AppContainerArgs[];
  /**
   * Namespace of everything. Defaults to the provider's. It has to exist. A change is refused where a database of the component's own
   * would be left behind.
   */
  namespace?: pulumi.Input<string>;
  /**
   * The database. Defaults to Postgres in the cluster with a volume of 10Gi.
   */
  database?: AppDatabaseArgs;
  /**
   * The migration. Defaults to `{ strategy: "Startup" }` where the image is known or said to migrate when it starts
   * (`migratesAtStart`), which keeps its pods from doing it at the same time; else to none.
   */
  migration?: MigrationArgs;
  /**
   * How a new version takes the place of the running one. Defaults to one pod after the other, each when the one before is ready.
   */
  rollout?: RolloutArgs;
  /**
   * Who reaches whom, as NetworkPolicies that follow from everything else; `{}` is enough. Defaults to none: what the namespace's own
   * policies allow.
   */
  networkPolicy?: AppNetworkPolicyArgs;
  /**
   * Metrics and alerts for the Prometheus Operator; `{}` makes the alerts, `{ path: "/metrics" }` reads the application's metrics too.
   * Defaults to none.
   */
  monitoring?: MonitoringArgs;
  /**
   * Whether the image migrates when it starts, with its own command; without `migration` and with `migration.strategy` "Startup" with
   * `command`, if that is given. Defaults to what is known of the image, which has to be known while the program runs. With the strategies
   * "Job", "InitContainer" and "None" such an image has to be given a `command` that does not.
   */
  migratesAtStart?: boolean;
}
