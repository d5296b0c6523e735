import * as pulumi from "@pulumi/pulumi";
import { JobPodsArgs } from "../common/clusterRules";
import { EnvFromArgs } from "../common/envFrom";
import { AppTolerationArgs } from "../common/placement";
import { ContainerResourcesArgs } from "../common/resources";
import { ClientCertificateArgs } from "../database/tlsFiles";
import { BackupDestinationArgs } from "../database/backupDestination";
import { MigrationFileArgs } from "./files";

/** A dump of the database before each run of the migration: no backup, no migration. */
export interface MigrationBackupArgs extends BackupDestinationArgs {
  /**
   * How long these backups are kept: a number and d (days), w (weeks) or m (30 days each). Older ones are removed after a backup has
   * succeeded; scheduled ones of the same database at the same place with them. Defaults to "30d". Not a reason to migrate again.
   */
  retention?: pulumi.Input<string>;
}

/** A run of the migration against a copy of the database, before the real one. */
export interface MigrationRehearsalArgs {
  /**
   * Lets a migration go ahead that destroys data on the copy: that drops a table or a column, empties a table (TRUNCATE, DELETE of
   * everything) or gives a column a type that holds less. Defaults to false: such a migration is refused, and the refusal names
   * each. A change does not rehearse again.
   */
  allowDestructive?: pulumi.Input<boolean>;
  /**
   * Image with Postgres' programs and server for the copy. Defaults to that of the embedded server, `clientImage` for a MigrationJob.
   * Best the server's own: of its major version, with its extensions. A change rehearses again, and does not migrate.
   */
  image?: pulumi.Input<string>;
  /**
   * User id to run that image as. Defaults to `jobs.runAsUser`, or to that of Postgres in the image, by its name. A change rehearses
   * again.
   */
  runAsUser?: pulumi.Input<number>;
  /**
   * Room for the copy on the node's disk, as a quantity of bytes ("20Gi"), which is reserved there; a database of more than two
   * thirds of it is refused. Defaults to nothing reserved, and to half of what the node's disk has free as the largest database. A
   * change rehearses again.
   */
  storage?: pulumi.Input<string>;
  /**
   * CPU and memory of the copy's server. Defaults to requests of 100m CPU and 256Mi of memory and no limits. A change rehearses again.
   */
  resources?: ContainerResourcesArgs;
  /**
   * Seconds that copying the database may take, and that migrating the copy may take. Defaults to the migration's `timeoutSeconds`. A
   * rehearsal that takes longer refuses the migration. A change applies from the next rehearsal on.
   */
  timeoutSeconds?: number;
}

/** How the schema is brought up to date, and what has to be so before and after. */
export interface MigrationRunArgs {
  /**
   * Command that migrates, as a list of words: `["sequelize-cli", "db:migrate"]`. It replaces the image's ENTRYPOINT and runs
   * once in a Job. Its exit code decides: anything but 0 stops the deployment, and the running version stays as it is.
   * `$(NAME)` in a word is the environment variable's value. A change runs it again.
   */
  command?: pulumi.Input<pulumi.Input<string>[]>;
  /**
   * Image to run it in. Defaults to the application's. Best with a digest: a tag that is pushed again is no change that Pulumi could
   * see, and a warning says so for tags that usually are. A change runs the migration again.
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
   * Environment variables of the migration alone whose values are in Secrets that exist: the Secret's name for each, in which the value
   * has the variable's name as its key. The values are never read. Defaults to none. A change runs the migration again; what changes
   * inside of the Secret does not.
   */
  existingSecretEnv?: pulumi.Input<Record<string, pulumi.Input<string>>>;
  /**
   * All entries of existing ConfigMaps and Secrets as environment variables, beside `env` and `secretEnv`, which win. Defaults to none: the
   * application's own `envFrom` is not passed on. A change runs the migration again; what changes inside of the objects does not.
   */
  envFrom?: EnvFromArgs[];
  /**
   * Existing ConfigMaps and Secrets as files: an authority's certificate, a configuration. Defaults to none: the application's own `volumes`
   * are not passed on. A change runs the migration again; what changes inside of the objects does not.
   */
  files?: MigrationFileArgs[];
  /**
   * Seconds a run may take, waiting for the lock, the backup before it and `verify` included. Defaults to 600. Then the command is ended
   * (SIGTERM, ten seconds later SIGKILL) and its last lines are shown. Pulling the images and finding a node may take five minutes
   * besides, or as long as this if that is less: a separate Job finds out first, so that an image that is not there does not take the
   * whole time. Rolling back and restoring, if asked for, have as long again. A change applies from the next run on.
   */
  timeoutSeconds?: number;
  /**
   * How often a run is tried again that failed for a passing reason: no connection, too many connections, a deadlock, a server that
   * restarts or is a standby since a moment ago, in the words of most drivers. What else fails is never tried again. Defaults to 0: the failure is shown at once, and the next `pulumi up` runs the
   * migration again. The pauses are 2, 4, 8, 16 and then 30 seconds, all within `timeoutSeconds`. A change applies from the next run on.
   */
  backoffLimit?: pulumi.Input<number>;
  /**
   * Any text. A change runs the migration again without any other change. Defaults to none.
   */
  rerun?: pulumi.Input<string>;
  /**
   * CPU and memory of the migration. Defaults to requests of 100m CPU and 128Mi of memory and no limits but those of `jobs`. A change
   * runs it again.
   */
  resources?: ContainerResourcesArgs;
  /**
   * Holds an advisory lock of Postgres while the migration runs, so that a second one of the same database, from anywhere that uses
   * this package, waits for the first: tools without a lock of their own (Sequelize's, plain SQL) would do everything twice. It takes a
   * connection that keeps its session: one through a pooler in transaction mode is refused before anything is migrated. Defaults to true.
   * A change applies from the next run on.
   */
  lock?: boolean;
  /**
   * Makes a backup right before each run; if that fails, nothing is migrated. Its name is an output and stands in the failure's text,
   * with the command that brings it back. Exactly one of `claim` and `s3` says where to. Defaults to none. A change runs the migration
   * again.
   */
  backup?: MigrationBackupArgs;
  /**
   * Command that has to succeed after the migration, in the same container: `["npm", "run", "check-schema"]`. If it fails, the
   * application is not rolled out, and the next `pulumi up` runs migration and verification again. Defaults to none. A change runs the
   * migration again.
   */
  verify?: pulumi.Input<pulumi.Input<string>[]>;
  /**
   * Command that is run when the migration failed, was ended or was not verified, in a container of its own with the same image and
   * environment, while the lock is still held: `["sequelize-cli", "db:migrate:undo"]`. Beware: most tools' undo takes back the last
   * migration that succeeded, which is not the one that failed. Defaults to none. A change runs the migration again.
   */
  rollbackCommand?: pulumi.Input<pulumi.Input<string>[]>;
  /**
   * Brings the database back to the backup from before the migration when the migration failed, was ended or was not verified, and
   * something of it has stayed. What the running version of the application wrote since the backup is lost then; so nothing is restored
   * where nothing was changed, or where only rows were and none are known to be the migration's. The failure says what was done. Needs
   * `backup`. Defaults to false. A change applies from the next run on.
   */
  restoreOnFailure?: boolean;
  /**
   * Command that lists what the migration is going to do: `["sequelize-cli", "db:migrate:status"]`. It runs before the migration with the
   * same image and environment; its output is shown by `pulumi up` and is the output `pendingMigrations`. An exit code that is not 0 is
   * said and stops nothing (Prisma's is 1 when something is pending), unless there is no output, or no such command. It may take
   * `timeoutSeconds`, and must change nothing. Defaults to none. A change lists again, and does not migrate.
   */
  pending?: pulumi.Input<pulumi.Input<string>[]>;
  /**
   * Lets the migration go ahead only when this is the hash of the list of `pending`, which the refusal shows:
   * `config.get("approvedMigrations") ?? ""` and `pulumi config set approvedMigrations <hash>`. Needs `pending`. Defaults to none: every
   * list is approved. A change, such as approving, runs neither the list nor the rehearsal again.
   */
  approval?: pulumi.Input<string>;
  /**
   * Runs the migration first against a copy of the database, in a Postgres of its own beside it in the same pod, and refuses the
   * migration when that fails or destroys data. `{}` asks for it with all defaults. Time, locks and the schema's difference are shown by
   * `pulumi up` and are the output `rehearsalReport`. Only what `connectionEnv` gives is pointed at the copy: a command that finds the
   * real database by other ways is refused as far as that can be seen. Defaults to none. A change rehearses again, and does not migrate.
   */
  rehearsal?: MigrationRehearsalArgs;
  /**
   * Image of a release that is gone back to. While it is the migration's image, to the letter, nothing is migrated, listed or rehearsed: a
   * migration that is still running is waited for, and the schema stays as the newer release left it, which the older one's tool would often
   * refuse (knex: "directory is corrupt", alembic: "Can't locate revision"). With any other image it means nothing, and a warning says so.
   * Write it out: where it follows `image`, nothing is ever migrated. Defaults to none. A change alone runs nothing.
   */
  goBackTo?: pulumi.Input<string>;
}

/** Where the schema of an application is migrated: in exactly one place. */
export const MigrationStrategy = {
  /** In a Job, before the first pod of the new version: if it fails, no pod is touched. */
  Job: "Job",
  /** By the image itself when it starts, one pod after the other. */
  Startup: "Startup",
  /** In each pod before the application, behind a lock, so that one does it and the others wait and find nothing to do. */
  InitContainer: "InitContainer",
  /** Not here: somebody else does it, or there is nothing to migrate. */
  None: "None",
} as const;
export type MigrationStrategy = (typeof MigrationStrategy)[keyof typeof MigrationStrategy];

/** The migration of an application. */
export interface MigrationArgs extends MigrationRunArgs {
  /**
   * Where the schema is migrated: "Job", "Startup", "InitContainer" or "None". Defaults to "Job", which is the one that stops before
   * any pod is touched, shows the tool's words at once and has gates; the others are for what cannot be had otherwise.
   *
   * "Startup": the image does it when it starts, and no Job is made. At the first install one pod starts by itself, and the others when
   * it is ready; an upgrade replaces one after the other. The startup probe leaves a pod `timeoutSeconds`. Only for an image that is
   * known to migrate at start, or said to by `migratesAtStart`. A migration that fails keeps `pulumi up` waiting for `timeoutSeconds` and
   * `rollout.timeoutSeconds`. A change to "Startup" has a moment with one pod.
   *
   * "InitContainer": each pod runs `command` before the application, with the lock, so that any number of them may start at once. An
   * upgrade replaces one pod after the other: the rest of the former version goes on serving while the first one migrates; with one
   * replica none does. A migration that fails is tried again by Kubernetes until `pulumi up` gives up after `timeoutSeconds` and
   * `rollout.timeoutSeconds`. Pods see the migration's login. A change from or to it rolls the pods.
   *
   * "None": says that the schema is somebody else's business. An image that migrates when it starts is refused with it.
   */
  strategy?: MigrationStrategy;
  /**
   * Command for after the application's new version has been rolled out to every pod and the last one of the former is gone: what removes
   * what the former version still needed (contract, after expand). It runs in a Job of its own, with the migration's image, `secretEnv`,
   * lock and limits, and again when these change; if it fails, `pulumi up` does, with the new version in place. It has the migration's
   * `backup`, `pending` and `rehearsal` too, and an approval of its own. With it `pulumi up` waits after each rollout for the last pod to stop,
   * and an edit that takes out of the program what has pods still (`kind`, a worker, the namespace) is refused in previews, with the way in two
   * steps. Only with strategy "Job". Defaults to none. Adding or removing it rolls the pods once, which get a label.
   */
  postDeploy?: PostDeployMigrationArgs;
}

/** The part of a migration that has to wait until no pod of the former version is left. */
export interface PostDeployMigrationArgs {
  /**
   * Command that migrates. Defaults to that of the migration. A change runs it again.
   */
  command?: pulumi.Input<pulumi.Input<string>[]>;
  /**
   * Environment variables in place of `migration.env`: Mastodon's migration, for one, has SKIP_POST_DEPLOYMENT_MIGRATIONS before and not
   * after. Defaults to none. A change runs it again.
   */
  env?: pulumi.Input<Record<string, pulumi.Input<string>>>;
  /**
   * Seconds it may take. Defaults to that of the migration.
   */
  timeoutSeconds?: number;
  /**
   * Backup right before it. Defaults to that of the migration: another dump, at the same place. A change runs it again.
   */
  backup?: MigrationBackupArgs;
  /**
   * Brings the database back to that backup when it failed, as the migration's `restoreOnFailure`; what the new version wrote since is
   * lost. Needs a backup. Defaults to false, whatever the migration has. A change applies from the next run on.
   */
  restoreOnFailure?: boolean;
  /**
   * Command that has to succeed after it, in the same container. Defaults to none: the migration's is for the schema before it. A change
   * runs it again.
   */
  verify?: pulumi.Input<pulumi.Input<string>[]>;
  /**
   * Command that lists what it is going to do, run when the new version is in place. Defaults to that of the migration. A change lists
   * again.
   */
  pending?: pulumi.Input<pulumi.Input<string>[]>;
  /**
   * Lets it go ahead only when this is the hash of that list: `config.get("approvedContract") ?? ""`. Needed where `migration.approval` is
   * given, because this list is another one. Defaults to none.
   */
  approval?: pulumi.Input<string>;
  /**
   * Runs it first against a copy of the database. What is not given is as in `migration.rehearsal`, but for `allowDestructive`: what drops
   * or empties something wants it here, for this one deployment. Defaults to the migration's.
   */
  rehearsal?: MigrationRehearsalArgs;
}

/** A migration beside a database and an application that are not of this package. */
export interface MigrationJobArgs extends MigrationRunArgs {
  /**
   * Command that migrates, as a list of words: `["sequelize-cli", "db:migrate"]`. It replaces the image's ENTRYPOINT and runs
   * once in a Job. Its exit code decides. A change runs it again.
   */
  command: pulumi.Input<pulumi.Input<string>[]>;
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
   * `connectionEnv` uses have to be there, and for `lock` and `backup` the uri or host, dbname, user and, without a client certificate, password. A change runs the
   * migration again.
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
   * Certificate that clients show to the server; the parts sslcert and sslkey are its files. The password may be missing then. Defaults to none. A change runs the
   * migration again.
   */
  connectionClientCertificate?: ClientCertificateArgs;
  /**
   * What those keys are made of that are forms of your own: `{ npgsql: "Host={host};Database={dbname};…" }`, as in `connectionFormats` of
   * the database. A rehearsal needs it to point the command at the copy. Defaults to none.
   */
  connectionFormats?: Record<string, string>;
  /**
   * Any text that changes when the database becomes another one. A change runs the migration again. Defaults to none.
   */
  dataId?: pulumi.Input<string>;
  /**
   * Which environment variable gets which key of the connection Secret: `{ DB_HOST: "host", DB_PASSWORD: "password" }`.
   * Defaults to DATABASE_URL and libpq's PGHOST, PGPORT, PGDATABASE, PGUSER and PGPASSWORD, with an authority or a client certificate also
   * PGSSLMODE, PGSSLROOTCERT, PGSSLCERT, PGSSLKEY and Node's NODE_EXTRA_CA_CERTS. A change runs the migration again.
   */
  connectionEnv?: Record<string, pulumi.Input<string>>;
  /**
   * Image with Postgres' programs, for the lock and the backup; for a backup of the server's major version or a newer one. Defaults to
   * "docker.io/library/postgres:17". A change runs the migration again.
   */
  clientImage?: pulumi.Input<string>;
  /**
   * User id to run it as. Defaults to `jobs.runAsUser`, or to that of Postgres in the image, by its name. A change runs the migration
   * again.
   */
  clientRunAsUser?: pulumi.Input<number>;
  /**
   * Namespace of the Job. Defaults to the provider's.
   */
  namespace?: pulumi.Input<string>;
  /**
   * When the image is pulled: Always, IfNotPresent or Never. Defaults to Kubernetes' rule: Always for the tag "latest", else
   * IfNotPresent. A change runs the migration again.
   */
  imagePullPolicy?: pulumi.Input<string>;
  /**
   * User id to run as. Defaults to the image's own user, which has to be numeric and not root. A change runs the migration again.
   */
  runAsUser?: pulumi.Input<number>;
  /**
   * Directories that the migration writes to, each an empty one of its own; the rest of the file system is read-only.
   * Defaults to ["/tmp"]. A change runs the migration again.
   */
  writablePaths?: string[];
  /**
   * Names of Secrets with logins for image registries (type kubernetes.io/dockerconfigjson), in the namespace. Defaults to those of
   * the ServiceAccount. A change runs the migration again: keep the name when the login changes.
   */
  imagePullSecrets?: pulumi.Input<pulumi.Input<string>[]>;
  /**
   * Registry, or a path in it, that has the images which this package chooses (Postgres, rclone), in place of docker.io:
   * "registry.example.org/mirror". Defaults to none. A change runs the migration again.
   */
  imageRegistry?: pulumi.Input<string>;
  /**
   * What quotas, meshes and other rules of the cluster ask of the pods. Of `jobs.runAsUser` and `clientRunAsUser` the latter counts.
   * Defaults to nothing.
   */
  jobs?: JobPodsArgs;
  /**
   * Labels that a node has to have. Defaults to any node. A change runs the migration again.
   */
  nodeSelector?: pulumi.Input<Record<string, pulumi.Input<string>>>;
  /**
   * Taints of nodes that the pods put up with. Defaults to none. A change runs the migration again.
   */
  tolerations?: AppTolerationArgs[];
  /**
   * ServiceAccount to run as; no token is mounted. It has to exist. Defaults to the namespace's default one. A change runs the
   * migration again.
   */
  serviceAccountName?: pulumi.Input<string>;
  /**
   * Value of the label app.kubernetes.io/part-of. Defaults to the component's name.
   */
  partOf?: string;
}
