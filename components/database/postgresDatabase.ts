import * as pulumi from "@pulumi/pulumi";
import * as apps from "@pulumi/kubernetes/apps/v1";
import * as batch from "@pulumi/kubernetes/batch/v1";
import * as core from "@pulumi/kubernetes/core/v1";
import * as random from "@pulumi/random";
import { childOptions, jobOptions, rerunUnlessComplete } from "../common/childOptions";
import { labels, selectorLabels } from "../common/labels";
import { componentName, namespaceName, postgresName } from "../common/rules";
import { Validation } from "../common/validation";
import { connectionSecretData } from "./connection";
import {
  ADMIN_USER,
  embeddedStatefulSet,
  EmbeddedPostgresArgs,
  NEVER_REPLACE,
  POSTGRES_PORT,
  ResolvedEmbedded,
  resolveEmbedded,
  script,
  startFiles,
} from "./embedded";
import { setupJob, SETUP_TIMEOUT_SECONDS } from "./setup";

/** A Postgres server, and on it a database with a role that owns it. */
export interface PostgresDatabaseArgs {
  /**
   * Namespace of everything. Defaults to the provider's. A change moves nothing: it starts an empty database there.
   */
  namespace?: pulumi.Input<string>;
  /**
   * Name of the database. Defaults to the component's name with "_" for "-".
   * A change makes a new, empty database on the same server; the old one stays there.
   */
  databaseName?: pulumi.Input<string>;
  /**
   * Login role of the application. It owns its database and is nothing more. Defaults to the database's name.
   * A change makes another role and gives it the database; tables stay the former role's.
   */
  user?: pulumi.Input<string>;
  /**
   * Postgres in the cluster: a StatefulSet of one. The default.
   */
  embedded?: EmbeddedPostgresArgs;
  /**
   * Value of the label app.kubernetes.io/part-of of every object. Defaults to the component's name.
   */
  partOf?: string;
}

export interface ResolvedDatabase {
  namespace?: pulumi.Input<string>;
  databaseName: pulumi.Input<string>;
  user: pulumi.Input<string>;
  embedded: ResolvedEmbedded;
}

/** Fills in what is not given and checks all that is; `path` is where the arguments stand in the caller's. */
export function resolveDatabase(
  name: string,
  args: PostgresDatabaseArgs,
  path: string,
  validation: Validation,
): ResolvedDatabase {
  const databaseName = validation.check(`${path}databaseName`, args.databaseName, postgresName) ?? name.replace(/-/g, "_");
  // A role that is not named is called like the database, whose name may be one that Postgres keeps for roles of its own.
  const taken = (user: string) =>
    user === ADMIN_USER || user.startsWith("pg_")
      ? `"${user}" is a role of Postgres' own: give the application another one`
      : undefined;

  return {
    namespace: validation.check(`${path}namespace`, args.namespace, namespaceName),
    databaseName,
    user: validation.check(
      `${path}user`,
      args.user ?? databaseName,
      (user) => taken(user) ?? (args.user === undefined ? undefined : postgresName(user)),
    ),
    embedded: resolveEmbedded(args.embedded ?? {}, `${path}embedded`, validation),
  };
}

/** Frozen: any change here would generate new passwords in every stack. Letters and digits only, so no form of it needs quotes. */
const PASSWORD = { length: 32, special: false };

/**
 * Postgres with a database, a login role and a Secret with which to connect.
 * The Secret wins: whatever password old data remembers, after `pulumi up` the one in the Secret is valid.
 */
export class PostgresDatabase extends pulumi.ComponentResource {
  /** Host name of the server, inside the cluster. */
  public readonly host!: pulumi.Output<string>;
  /** Port of the server. */
  public readonly port!: pulumi.Output<number>;
  /** Name of the database. */
  public readonly databaseName!: pulumi.Output<string>;
  /** Login role of the application. */
  public readonly user!: pulumi.Output<string>;
  /** Name of the Secret with host, port, dbname, user, password, uri, jdbc-uri and pgpass. New content comes under a new name. */
  public readonly connectionSecretName!: pulumi.Output<string>;

  constructor(name: string, args: PostgresDatabaseArgs, opts?: pulumi.ComponentResourceOptions) {
    const validation = new Validation(`PostgresDatabase "${name}"`);
    validation.check("name", name, componentName(48));
    const database = resolveDatabase(name, args, "", validation);
    validation.throwIfAny();

    super("pulumi-postgres-app:index:PostgresDatabase", name, args, opts);
    const child = (more?: pulumi.CustomResourceOptions) => childOptions(this, opts, more);
    const metadata = { namespace: database.namespace, labels: labels(name, "database", args.partOf) };
    const setupLabels = labels(name, "setup", args.partOf);

    const adminPassword = new random.RandomPassword(`${name}-admin-password`, PASSWORD, child());
    const password = new random.RandomPassword(`${name}-password`, PASSWORD, child());

    const admin = new core.Secret(
      `${name}-admin`,
      { metadata, stringData: { username: ADMIN_USER, password: adminPassword.result } },
      child(),
    );
    const scripts = new core.ConfigMap(`${name}-start`, { metadata, data: startFiles() }, child());
    const service = new core.Service(
      name,
      {
        metadata: { ...metadata, name },
        spec: {
          clusterIP: "None",
          selector: selectorLabels(name, "database"),
          ports: [{ name: "postgres", port: POSTGRES_PORT, targetPort: "postgres" }],
        },
      },
      child(),
    );
    const server = new apps.StatefulSet(
      name,
      {
        metadata: { ...metadata, name },
        spec: embeddedStatefulSet(database.embedded, {
          name,
          selector: selectorLabels(name, "database"),
          labels: metadata.labels,
          scripts: scripts.metadata.name,
          adminSecret: admin.metadata.name,
        }),
      },
      child({ dependsOn: [service, scripts, admin], ignoreChanges: NEVER_REPLACE }),
    );

    const host = pulumi.interpolate`${service.metadata.name}.${service.metadata.namespace}.svc`;
    const connection = new core.Secret(
      `${name}-connection`,
      {
        metadata,
        stringData: pulumi.secret(
          pulumi
            .all([host, database.databaseName, database.user, password.result])
            .apply(([host, dbname, user, password]) =>
              connectionSecretData({ host, port: POSTGRES_PORT, dbname, user, password }),
            ),
        ),
      },
      child(),
    );
    const setupScripts = new core.ConfigMap(
      `${name}-setup`,
      { metadata: { ...metadata, labels: setupLabels }, data: { "setup.sh": script("setup.sh") } },
      child(),
    );
    const setup = new batch.Job(
      `${name}-setup`,
      {
        metadata: { namespace: database.namespace, labels: setupLabels, annotations: rerunUnlessComplete },
        spec: setupJob({
          image: database.embedded.image,
          uid: database.embedded.runAsUser,
          scripts: setupScripts.metadata.name,
          connectionSecret: connection.metadata.name,
          adminSecret: admin.metadata.name,
          labels: setupLabels,
        }),
      },
      child({ dependsOn: [server, connection, setupScripts], ...jobOptions(SETUP_TIMEOUT_SECONDS) }),
    );
    setupJobs.set(this, setup);

    this.registerOutputs({
      host: (this.host = host),
      port: (this.port = pulumi.output(POSTGRES_PORT)),
      databaseName: (this.databaseName = pulumi.output(database.databaseName)),
      user: (this.user = pulumi.output(database.user)),
      connectionSecretName: (this.connectionSecretName = connection.metadata.name),
    });
  }

  /** The Job after which the login works: what everything that connects has to depend on. */
  public get setup(): batch.Job {
    return setupJobs.get(this)!;
  }
}

/** Beside the class, because every field of it, private ones too, would become an output in the schema. */
const setupJobs = new WeakMap<PostgresDatabase, batch.Job>();
