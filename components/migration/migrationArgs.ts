import * as pulumi from "@pulumi/pulumi";
import { ContainerResourcesArgs } from "../common/resources";

/** How the schema is brought up to date before the application's new version starts. */
export interface MigrationArgs {
  /**
   * Command that migrates, as a list of words: `["sequelize-cli", "db:migrate"]`. It replaces the image's ENTRYPOINT and runs
   * once in a Job. Its exit code decides: anything but 0 stops the deployment, and the running version stays as it is.
   * A change runs it again.
   */
  command: pulumi.Input<pulumi.Input<string>[]>;
  /**
   * Image to run it in. Defaults to the application's. A change runs the migration again.
   */
  image?: pulumi.Input<string>;
  /**
   * Environment variables of the migration alone, beside those of `connectionEnv`. The application's own are not passed on,
   * so that a change of its settings does not run the migration again. They stand readable in the Job: a secret value is
   * refused. Defaults to none. A change runs it again.
   */
  env?: pulumi.Input<Record<string, pulumi.Input<string>>>;
  /**
   * Environment variables with secret values of the migration alone; they are kept in a Secret. Defaults to none.
   * A change runs the migration again.
   */
  secretEnv?: pulumi.Input<Record<string, pulumi.Input<string>>>;
  /**
   * Seconds a run may take, pulling the image included. Defaults to 600. It sets the Job's deadline, and Pulumi waits a minute
   * longer. A change applies from the next run on.
   */
  timeoutSeconds?: number;
  /**
   * How often a failed run is tried again within one `pulumi up`. Defaults to 0: the failure is shown at once, and the
   * next `pulumi up` runs the migration again.
   */
  backoffLimit?: pulumi.Input<number>;
  /**
   * Any text. A change runs the migration again without any other change. Defaults to none.
   */
  rerun?: pulumi.Input<string>;
  /**
   * CPU and memory of the migration. Defaults to requests of 100m CPU and 128Mi of memory and no limits.
   */
  resources?: ContainerResourcesArgs;
}

/** A migration beside a database and an application that are not of this package. */
export interface MigrationJobArgs extends MigrationArgs {
  /**
   * Image to run the migration in. A change runs it again.
   */
  image: pulumi.Input<string>;
  /**
   * Name of a Secret with a connection. A change runs the migration again; new content does not.
   */
  connectionSecretName: pulumi.Input<string>;
  /**
   * Which part of the connection is under which key of the Secret: `{ password: "DB_PASSWORD", host: "DB_HOST" }`. Parts are host,
   * port, dbname, user, password, uri, jdbc-uri, pgpass, sslmode. Defaults to keys of the parts' own names. Those that
   * `connectionEnv` uses have to be there. A change runs the migration again.
   */
  connectionKeys?: Record<string, pulumi.Input<string>>;
  /**
   * Parts of the connection that stand in no Secret: `{ host: "db.example.org", port: "5432" }`. They stand readable in the Job.
   * Defaults to none. A change runs the migration again.
   */
  connectionValues?: Record<string, pulumi.Input<string>>;
  /**
   * Name of a Secret with ca.crt, the authority that signs the server's certificate, as a file of the path that the part sslrootcert
   * is. Defaults to none.
   */
  connectionCaSecretName?: pulumi.Input<string>;
  /**
   * Any text that changes when the database becomes another one. A change runs the migration again. Defaults to none.
   */
  dataId?: pulumi.Input<string>;
  /**
   * Which environment variable gets which key of the connection Secret: `{ DB_HOST: "host", DB_PASSWORD: "password" }`.
   * Defaults to DATABASE_URL and libpq's PGHOST, PGPORT, PGDATABASE, PGUSER and PGPASSWORD. A change runs the migration again.
   */
  connectionEnv?: Record<string, pulumi.Input<string>>;
  /**
   * Namespace of the Job. Defaults to the provider's.
   */
  namespace?: pulumi.Input<string>;
  /**
   * When the image is pulled: Always, IfNotPresent or Never. Defaults to Kubernetes' rule: Always for the tag "latest", else
   * IfNotPresent.
   */
  imagePullPolicy?: pulumi.Input<string>;
  /**
   * User id to run as. Defaults to the image's own user, which has to be numeric and not root.
   */
  runAsUser?: pulumi.Input<number>;
  /**
   * Directories that the migration writes to, each an empty one of its own; the rest of the file system is read-only.
   * Defaults to ["/tmp"].
   */
  writablePaths?: string[];
  /**
   * Value of the label app.kubernetes.io/part-of. Defaults to the component's name.
   */
  partOf?: string;
}
