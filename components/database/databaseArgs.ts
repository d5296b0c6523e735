import * as pulumi from "@pulumi/pulumi";
import { JobPodsArgs } from "../common/clusterRules";
import { DatabaseBackupsArgs } from "./backup";
import { CloudNativePgArgs } from "./cloudNativePg";
import { EmbeddedPostgresArgs } from "./embedded";
import { DatabaseNetworkPolicyArgs } from "../network/databasePolicies";
import { ExternalPostgresArgs } from "./external";
import { DatabaseRestoreArgs } from "./restore";

/** What becomes of the data when the component is destroyed. */
export const OnDelete = {
  /** The data stays, and the next component of the same name finds it again. */
  Retain: "retain",
  /** The data goes with the component. */
  Delete: "delete",
} as const;
export type OnDelete = (typeof OnDelete)[keyof typeof OnDelete];

/** Who logs in to the database, and with which passwords. */
export interface DatabaseCredentialsArgs {
  /**
   * Raise this number by one to give the application a new login with a new password. Two logins alternate and both act as the role that
   * owns the database, so that pods with the former one go on working until they are replaced: no request fails, neither the
   * database nor the migration runs again. The former login is locked out by the rotation after. A number that
   * would change the password of running pods is refused at preview: more than one above the rotation that was rolled out last, or
   * below it (one below is good, except with CloudNativePG). Defaults to 0.
   */
  rotation?: pulumi.Input<number>;
  /**
   * Locks the former login out at once, for a password that has leaked. Pods that still have it lose the database until they are
   * replaced: raise `rotation` first, and set this in a second step, or accept a moment of errors. Defaults to false.
   */
  lockFormerLogin?: pulumi.Input<boolean>;
  /**
   * Raise this number to give the administrator of the embedded database a new password. It restarts the database, nothing else.
   * Defaults to 0.
   */
  adminRotation?: pulumi.Input<number>;
  /**
   * Gives migrations a login of their own, which acts as the owner of the database (DDL), and leaves the application one that
   * reads and writes rows of whatever tables migrations make (DML), now and later. The application's pods never see the
   * migration's Secret. Not for applications that create tables while they run. Defaults to false: one login for both.
   */
  separateMigrator?: boolean;
}

/** The application's database. Exactly one engine: embedded (the default), cloudNativePg or external. */
export interface AppDatabaseArgs {
  /**
   * Name of the database. Defaults to the application's name with "_" for "-"; an external server without `admin` needs it, and so does
   * an existing claim that has other databases. A change is refused once the setup has succeeded (with CloudNativePG at once): it would be
   * another, empty database.
   */
  databaseName?: pulumi.Input<string>;
  /**
   * Role that owns the database. The application logs in as `<user>_a` or `<user>_b` and acts as this role; with an external
   * server without `admin` it logs in as this very role. Defaults to the database's name; on an existing claim that has the database
   * it has to be its owner. A change is refused once the setup has succeeded (with CloudNativePG at once): tables would stay the former role's.
   */
  user?: pulumi.Input<string>;
  /**
   * Postgres in the cluster: a StatefulSet of one. The default.
   */
  embedded?: EmbeddedPostgresArgs;
  /**
   * Replicated Postgres in the cluster, run by the CloudNativePG operator, which has to be installed.
   */
  cloudNativePg?: CloudNativePgArgs;
  /**
   * Postgres somewhere else: a managed service, or any server with a host name.
   */
  external?: ExternalPostgresArgs;
  /**
   * Logins and their rotation. Not for an external server without `admin`, whose passwords are not ours.
   */
  credentials?: DatabaseCredentialsArgs;
  /**
   * Extensions that the database has to have: `["pgcrypto", "vector"]`. They are made by the administrator; an external server
   * without `admin` is only asked whether it has them. One that is taken out of the list stays. The image or server has to bring them.
   * Defaults to none.
   */
  extensions?: pulumi.Input<pulumi.Input<string>[]>;
  /**
   * Settings of the database (ALTER DATABASE … SET), for sessions that begin after the change: `{ statement_timeout: "30s" }`.
   * They are all that the database has: one that is taken out is reset, `{}` resets every one. Every role of the server can read
   * them: a secret value is refused. Not for an external server without `admin`. Defaults to leaving the database's settings as they are.
   */
  settings?: pulumi.Input<Record<string, pulumi.Input<string>>>;
  /**
   * What `pulumi destroy` does with the data: "retain" leaves the volume, and the next component of the same name finds it again;
   * "delete" deletes it. With CloudNativePG "retain" leaves the pods too, which nobody looks after until then. Not for an external
   * server, whose data is never touched. Defaults to "retain".
   */
  onDelete?: OnDelete;
  /**
   * Backups on a schedule. Defaults to none.
   */
  backups?: DatabaseBackupsArgs;
  /**
   * Backup that fills the database when it is new. A database that holds anything is refused. Defaults to none.
   */
  restoreFrom?: DatabaseRestoreArgs;
  /**
   * Further keys of the connection Secret, each a template over its parts, for programs that take neither a URI nor single parts:
   * `{ npgsql: "Host={host};Port={port};Database={dbname};Username={user};Password={password}" }`. Parts are host, port, dbname, user,
   * password, sslmode and, where there are such files, sslrootcert, sslcert and sslkey; `{password:uri}` is percent-encoded. `connectionEnv` gives such a key
   * to the application and the migration like any other. Not with `external.secret`. A change rolls the pods that get it. Defaults to none.
   */
  connectionFormats?: Record<string, string>;
  /**
   * Seconds that the setup Job waits for a server that does not answer yet, or ends connections. Defaults to 60. Its deadline is four minutes longer,
   * for pulling the image and for its work, and Pulumi waits a minute longer than that.
   */
  connectTimeoutSeconds?: number;
}

/** A Postgres server, and on it a database with a role that owns it. */
export interface PostgresDatabaseArgs extends AppDatabaseArgs {
  /**
   * Namespace of everything. It has to exist. Defaults to the provider's. A change is refused: it would be another, empty database.
   */
  namespace?: pulumi.Input<string>;
  /**
   * Names of Secrets with logins for image registries (type kubernetes.io/dockerconfigjson), in the namespace, for every pod:
   * server, setup, backups, restores. Defaults to those of the namespace's default ServiceAccount. A change restarts the embedded
   * server: keep the name when the login changes.
   */
  imagePullSecrets?: pulumi.Input<pulumi.Input<string>[]>;
  /**
   * Registry, or a path in it, that has the images which this package chooses (Postgres, CloudNativePG's Postgres, rclone), in place of
   * docker.io and ghcr.io: "registry.example.org/mirror". Images that are given are taken as they are. Defaults to none. A change
   * restarts the embedded server.
   */
  imageRegistry?: pulumi.Input<string>;
  /**
   * What quotas, meshes and other rules of the cluster ask of the pods of Jobs: setup, backups, restores. Defaults to nothing.
   */
  jobs?: JobPodsArgs;
  /**
   * Name of the application that the database is for: the label app.kubernetes.io/part-of of every object, and the default name of
   * the database. Defaults to the component's name.
   */
  partOf?: string;
  /**
   * Who may reach the server, as NetworkPolicies; the Jobs may reach it, DNS and the backups' store alone then. Defaults to none: what the
   * namespace's own policies allow. A change is made in place.
   */
  networkPolicy?: DatabaseNetworkPolicyArgs;
}
