import * as pulumi from "@pulumi/pulumi";
import * as batch from "@pulumi/kubernetes/batch/v1";
import * as core from "@pulumi/kubernetes/core/v1";
import { Child, childOptions, jobOptions, rerunUnlessComplete } from "../common/childOptions";
import { labels, Part, selectorLabels } from "../common/labels";
import { componentName } from "../common/rules";
import { Validation } from "../common/validation";
import { DatabaseLocation, shieldDatabase } from "../network/databasePolicies";
import { backupCronJob, backupFiles } from "./backup";
import { PostgresClient } from "./client";
import { cloudNativePgServer } from "./cloudNativePgServer";
import { CA_FILE, caVolume, Connection, connectionSecretData, libpqVariables, ownKeys } from "./connection";
import { currentLogin, generateLogins, Login, loginsSecret } from "./credentials";
import { PostgresDatabaseArgs } from "./databaseArgs";
import { embeddedServer } from "./embeddedServer";
import { DataOwner, Engine, Server, ServerSeen } from "./engine";
import { directly, externalServer, markPasswords } from "./external";
import { remember } from "./remembered";
import { resolveDatabase, ResolvedDatabase } from "./resolveDatabase";
import { restoreFiles, restoreJob } from "./restore";
import { dataAnnotation, setupDeadline, setupFiles, setupJob } from "./setup";

/**
 * A database with the roles that its application needs, and Secrets with which to connect: in a Postgres of its own, in one that
 * CloudNativePG runs, or in one that is somewhere else.
 * The Secret wins: whatever password old data remembers, after `pulumi up` the one in the Secret is valid.
 */
export class PostgresDatabase extends pulumi.ComponentResource {
  /** Host name that the application connects to; empty where only an existing Secret knows it. */
  public readonly host!: pulumi.Output<string>;
  /** Port that the application connects to. */
  public readonly port!: pulumi.Output<number>;
  /** Name of the database; a guess where only an existing Secret knows it. */
  public readonly databaseName!: pulumi.Output<string>;
  /** Role that owns the database. */
  public readonly user!: pulumi.Output<string>;
  /** Name of the application's Secret with host, port, dbname, user, password, uri, jdbc-uri, pgpass, sslmode. New content comes under a new name. */
  public readonly connectionSecretName!: pulumi.Output<string>;
  /** Name of the Secret, with the same keys, for what changes the schema: it acts as the owner, past a pooler. */
  public readonly migrationSecretName!: pulumi.Output<string>;

  constructor(name: string, args: PostgresDatabaseArgs, opts?: pulumi.ComponentResourceOptions) {
    const validation = new Validation(`PostgresDatabase "${name}"`);
    validation.check("name", name, componentName(45));
    const resolved = resolveDatabase(name, args, "", validation);
    validation.throwIfAny();

    super("pulumi-postgres-app:index:PostgresDatabase", name, markPasswords(args), opts);
    const child = (more?: pulumi.CustomResourceOptions) => childOptions(this, opts, more);
    const partLabels = (part: "database" | "setup" | "backup" | "restore") => labels(name, part, args.partOf);

    // It is made first, because it tells in which namespace everything is when none is named.
    const setupScripts = new core.ConfigMap(
      `${name}-setup`,
      { metadata: { namespace: resolved.namespace, labels: partLabels("setup") }, data: setupFiles(resolved.settings) },
      child(),
    );
    const { namespace, ...names } = whereItIs(name, resolved, setupScripts.metadata.namespace, validation, child());
    const database: ResolvedDatabase = { ...resolved, ...names };
    const metadata = { namespace, labels: partLabels("database") };
    const { imagePullSecrets } = database;
    const context = { namespace, imagePullSecrets, labels: metadata.labels, selector: selectorLabels(name, "database"), child };

    const logins = database.ownsLogins ? generateLogins(name, database.user, database.credentials, child()) : undefined;
    const engine = startEngine(name, database, context, logins, validation);

    const location: DatabaseLocation = {
      pods: engine.seen.pods,
      replicated: engine.seen.cluster !== undefined,
      servers: [engine.server, engine.direct],
    };
    const policies = database.networkPolicy
      ? shieldDatabase(name, database.networkPolicy, location, { metadata, jobs: JOBS, stores: storesOf(database) }, child)
      : [];

    const connections = connect(name, database, engine, metadata, child);
    const passwords = logins && loginsSecret(`${name}-logins`, logins, metadata, child());
    const setup = new batch.Job(
      `${name}-setup`,
      {
        metadata: { namespace, labels: partLabels("setup"), annotations: rerunUnlessComplete },
        spec: setupJob({
          engine,
          connection: connections.app,
          databaseName: database.databaseName,
          owner: database.user,
          credentials: database.credentials,
          loginsSecret: passwords?.metadata.name,
          imagePullSecrets,
          extensions: database.extensions,
          settings: database.settings !== undefined,
          connectTimeoutSeconds: database.connectTimeoutSeconds,
          files: setupScripts.metadata.name,
          labels: partLabels("setup"),
        }),
      },
      child({
        dependsOn: [...engine.ready, ...policies, setupScripts, ...connections.secrets, ...(passwords ? [passwords] : [])],
        ...jobOptions(setupDeadline(database.connectTimeoutSeconds)),
      }),
    );

    const client: PostgresClient = {
      ...engine.client,
      imagePullSecrets,
      env: libpqVariables(connections.migration),
      ...caVolume(connections.migration),
    };
    const restored = restore(name, database, client, { namespace, labels: partLabels("restore") }, child, setup, engine);
    scheduleBackups(name, database, client, { namespace, labels: partLabels("backup") }, child, restored ?? setup);

    parts.set(this, {
      ready: restored ?? setup,
      appConnection: connections.app,
      migrationConnection: connections.migration,
      client,
      dataId: engine.dataId,
      location,
      seen: engine.seen,
      owner: engine.owner,
    });
    this.registerOutputs({
      host: (this.host = engine.server.host),
      port: (this.port = engine.server.port),
      databaseName: (this.databaseName = pulumi.output(database.databaseName)),
      user: (this.user = pulumi.output(database.user)),
      connectionSecretName: (this.connectionSecretName = pulumi.output(connections.app.secretName)),
      migrationSecretName: (this.migrationSecretName = pulumi.output(connections.migration.secretName)),
    });
  }

  /** The Job after which the login works and the data is there: what everything that connects has to depend on. */
  public get ready(): batch.Job {
    return parts.get(this)!.ready;
  }

  /** How the application's containers log in. */
  public get appConnection(): Connection {
    return parts.get(this)!.appConnection;
  }

  /** How containers log in that change the schema. */
  public get migrationConnection(): Connection {
    return parts.get(this)!.migrationConnection;
  }

  /** How containers of ours log in, with Postgres' programs, to do what the migration may. */
  public get client(): PostgresClient {
    return parts.get(this)!.client;
  }

  /** Where the server is, as network policies see it. */
  public get location(): DatabaseLocation {
    return parts.get(this)!.location;
  }

  /** How the server is seen from the outside. */
  public get seen(): ServerSeen {
    return parts.get(this)!.seen;
  }

  /** Changes when the data becomes other data. */
  public get dataId(): pulumi.Input<string> | undefined {
    return parts.get(this)!.dataId;
  }

  /** With what Kubernetes deletes the data, if `onDelete` is "delete": what is to go with the data belongs to it too. */
  public get owner(): DataOwner | undefined {
    return parts.get(this)!.owner;
  }
}

/** Beside the class, because every field of it, private ones too, would become an output in the schema. */
const parts = new WeakMap<
  PostgresDatabase,
  {
    ready: batch.Job;
    appConnection: Connection;
    migrationConnection: Connection;
    client: PostgresClient;
    dataId?: pulumi.Input<string>;
    location: DatabaseLocation;
    seen: ServerSeen;
    owner?: DataOwner;
  }
>();

/** The parts that are Jobs, which connect to the server. */
const JOBS: Part[] = ["setup", "restore", "backup"];

/** Object stores that those Jobs use: with CloudNativePG it is the server itself that does. */
const storesOf = ({ cloudNativePg, backups, restoreFrom }: ResolvedDatabase) =>
  cloudNativePg ? [] : [backups?.destination, restoreFrom?.source];

type Metadata = { namespace: pulumi.Output<string>; labels: Record<string, string> };

/** Where the data is, once it is sure that it is still looked for there. */
function whereItIs(
  name: string,
  database: ResolvedDatabase,
  namespace: pulumi.Output<string>,
  validation: Validation,
  opts: pulumi.CustomResourceOptions,
): { namespace: pulumi.Output<string>; databaseName: pulumi.Output<string>; user: pulumi.Output<string> } {
  const { embedded, cloudNativePg, ownsLogins, databaseName, user } = database;
  const places = {
    // A server that is only used is where the arguments say, and nothing of it can be lost sight of unnoticed.
    ...(ownsLogins ? { namespace, databaseName, user } : {}),
    ...(embedded
      ? {
          claim: embedded.existingClaim === undefined ? "" : `${embedded.existingClaim}/${embedded.subPath}`,
          version: embedded.version.apply((major) => (major === undefined ? "" : String(major))),
        }
      : {}),
    ...(cloudNativePg ? { restored: database.restoreFrom ? "yes" : "no" } : {}),
    ...(embedded || cloudNativePg ? { storageClassName: (embedded ?? cloudNativePg)!.storageClassName } : {}),
  };
  const { engine, onDelete, defaults } = database;
  const known = remember(name, { engine, onDelete, places }, defaults, validation, opts);
  const settled = (key: string, otherwise: pulumi.Input<string>) =>
    pulumi.all([known, otherwise]).apply(([places, given]) => places[key] ?? given);
  return {
    namespace: pulumi.all([known, namespace]).apply(([, where]) => where),
    databaseName: settled("databaseName", databaseName),
    user: settled("user", user),
  };
}

function startEngine(
  name: string,
  database: ResolvedDatabase,
  context: Parameters<typeof embeddedServer>[2],
  logins: ReturnType<typeof generateLogins> | undefined,
  validation: Validation,
): Engine {
  const { embedded, cloudNativePg, external } = database;
  if (embedded) {
    const { adminRotation } = database.credentials;
    return embeddedServer(name, embedded, context, {
      logins: logins!,
      adminRotation,
      onDelete: database.onDelete,
      validation,
    });
  }
  if (cloudNativePg) return cloudNativePgServer(name, database, cloudNativePg, context, logins!);
  return externalServer(name, external!, context, { ...database, logins });
}

/** The Secrets with which the application and the migration log in; with somebody else's, that one. */
function connect(
  name: string,
  database: ResolvedDatabase,
  engine: Engine,
  metadata: Metadata,
  child: Child,
): { app: Connection; migration: Connection; secrets: core.Secret[] } {
  const { given, logins, caSecretName } = engine;
  if (given) return { app: given, migration: engine.pooled ? directly(given, engine.direct) : given, secrets: [] };

  const login: Login = logins
    ? currentLogin(logins)
    : { user: pulumi.output(database.user), password: pulumi.output(database.external!.password!) };
  const content = (server: Server, { user, password }: Login) =>
    pulumi.secret(
      pulumi
        .all([server.host, server.port, database.databaseName, user, password, engine.sslmode])
        .apply(([host, port, dbname, user, password, sslmode]) =>
          connectionSecretData({ host, port, dbname, user, password, sslmode, sslrootcert: caSecretName && CA_FILE }),
        ),
    );
  const app = new core.Secret(`${name}-connection`, { metadata, stringData: content(engine.server, login) }, child());
  // Its name is fixed and is not taken from the resource: new content is no reason to migrate again, and the migration, of which it
  // would be a part, would be replaced with it.
  const migrationName = `${name}-migration-connection`;
  const migration = new core.Secret(
    migrationName,
    { metadata: { ...metadata, name: migrationName }, stringData: content(engine.direct, logins?.migrator ?? login) },
    child(),
  );
  const own = { keys: ownKeys(caSecretName !== undefined), values: {}, caSecretName };
  return {
    app: { ...own, secretName: app.metadata.name },
    migration: { ...own, secretName: migrationName },
    secrets: [app, migration],
  };
}

/** Fills a new database from a backup, if that is asked for. */
function restore(
  name: string,
  { restoreFrom, cloudNativePg, versionArgument }: ResolvedDatabase,
  client: PostgresClient,
  metadata: Metadata,
  child: Child,
  setup: batch.Job,
  engine: Engine,
): batch.Job | undefined {
  if (!restoreFrom || cloudNativePg) return undefined;
  const files = new core.ConfigMap(`${name}-restore`, { metadata, data: restoreFiles() }, child());
  return new batch.Job(
    `${name}-restore`,
    {
      metadata: { ...metadata, annotations: rerunUnlessComplete },
      spec: restoreJob(restoreFrom, {
        client,
        scripts: files.metadata.name,
        labels: metadata.labels,
        versionArgument,
        annotations: dataAnnotation(engine.dataId),
      }),
    },
    child({ dependsOn: [setup, files], ...jobOptions(restoreFrom.timeoutSeconds) }),
  );
}

function scheduleBackups(
  name: string,
  { backups, cloudNativePg, versionArgument }: ResolvedDatabase,
  client: PostgresClient,
  metadata: Metadata,
  child: Child,
  after: pulumi.Resource,
): void {
  if (!backups || cloudNativePg) return;
  const files = new core.ConfigMap(`${name}-backup`, { metadata, data: backupFiles() }, child());
  new batch.CronJob(
    `${name}-backup`,
    {
      metadata: { ...metadata, name: `${name}-backup` },
      spec: backupCronJob(backups, { client, scripts: files.metadata.name, labels: metadata.labels, versionArgument }),
    },
    child({ dependsOn: [after, files], protect: false, retainOnDelete: false }),
  );
}
