import * as pulumi from "@pulumi/pulumi";
import { GeneratedSecretArgs } from "./app/generatedSecrets";
import { RolloutArgs } from "./app/canary";
import { AppServiceArgs, HttpRouteArgs, IngressArgs } from "./app/exposure/exposureArgs";
import { AppProbesArgs } from "./app/probes";
import { ContainerResourcesArgs } from "./common/resources";
import { AppDatabaseArgs } from "./database/databaseArgs";
import { MigrationArgs } from "./migration/migrationArgs";

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
   * Number of pods. Defaults to 1, with which an upgrade has a moment without any pod.
   */
  replicas?: pulumi.Input<number>;
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
   * Secrets that are generated and stay the same from then on, as environment variables, each with how it is made:
   * `{ SECRET_KEY_BASE: {}, APP_KEY: { length: 32 }, SESSION_SECRET: { encryptsData: false } }`. An application that has one already
   * needs it as `value`. The migration sees those with `migration: true`. Defaults to none. A change rolls the pods.
   */
  generatedSecrets?: Record<string, GeneratedSecretArgs>;
  /**
   * Which environment variable gets which key of the connection Secret, in the application and in the migration:
   * `{ DB_HOST: "host", DB_PASSWORD: "password" }`. Keys are host, port, dbname, user, password, uri, jdbc-uri, pgpass, sslmode,
   * sslrootcert. Defaults to DATABASE_URL and libpq's PGHOST, PGPORT, PGDATABASE, PGUSER, PGPASSWORD, with TLS also PGSSLMODE,
   * PGSSLROOTCERT and Node's NODE_EXTRA_CA_CERTS; of those, what an existing Secret has.
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
   * Namespace of everything. Defaults to the provider's. It has to exist. A change is refused where a database of the component's own
   * would be left behind.
   */
  namespace?: pulumi.Input<string>;
  /**
   * The database. Defaults to Postgres in the cluster with a volume of 10Gi.
   */
  database?: AppDatabaseArgs;
  /**
   * The migration. Defaults to none: then nothing prepares the schema but the application itself, and if it does so when it starts,
   * `{ strategy: "Startup" }` keeps its pods from doing it at the same time.
   */
  migration?: MigrationArgs;
  /**
   * How a new version takes the place of the running one. Defaults to one pod after the other, each when the one before is ready.
   */
  rollout?: RolloutArgs;
  /**
   * Whether the image migrates when it starts, with its own command; with `migration.strategy` "Startup" with `command`, if that is
   * given. Defaults to what is known of the image. With the strategies "Job", "InitContainer" and "None" such an image has to be given a
   * `command` that does not.
   */
  migratesAtStart?: boolean;
}
