import * as pulumi from "@pulumi/pulumi";
import * as batch from "@pulumi/kubernetes/batch/v1";
import * as core from "@pulumi/kubernetes/core/v1";
import { answered, namespaceOf } from "../common/answers";
import { Child, childOptions, jobOptions, rerunUnlessComplete } from "../common/childOptions";
import { unasked, unaskedAtAll } from "../common/clusterRules";
import { labels, Part, selectorLabels } from "../common/labels";
import { explainNoPod } from "../common/noPod";
import { Earlier } from "../common/order";
import { componentName } from "../common/rules";
import { shaped } from "../common/shape";
import { Validation } from "../common/validation";
import { Refusals } from "../common/refusals";
import { requireVersions } from "../common/versions";
import { DatabaseLocation, shieldDatabase } from "../network/databasePolicies";
import { backupCheckJob, backupCronJob, backupFiles, CHECK_SECONDS } from "./backup";
import { PostgresClient } from "./client";
import { cloudNativePgServer } from "./cloudNativePgServer";
import { Connection, connectionSecretData, libpqVariables, ownKeys } from "./connection";
import { tlsPaths, tlsVolumes } from "./tlsFiles";
import { currentLogin, generateLogins, Login, loginsSecret } from "./credentials";
import { PostgresDatabaseArgs } from "./databaseArgs";
import { embeddedServer } from "./embeddedServer";
import { DataOwner, Engine, Server, ServerSeen } from "./engine";
import { directly, externalServer } from "./external";
import { HeldNames } from "./heldNames";
import { keptData, tellOfNewDatabase } from "./kept";
import { remember, rememberEnd } from "./remembered";
import { RolledOutRotation } from "./rotation";
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
  /**
   * Name of the Secret whose ca.crt signs the server's certificate, for `connectionCaSecretName` of a MigrationJob and for a volume of pods of
   * your own: sslrootcert, and so the URI, says /etc/postgres-app/tls/ca.crt. Undefined where no authority is known.
   */
  public readonly caSecretName?: pulumi.Output<string>;
  /**
   * What stays of the data after `pulumi destroy`: "persistentvolumeclaim/data-<name>-0 in namespace <namespace>", where the next component of
   * this name finds it. Empty where `onDelete` is "delete" and where the server is somebody else's.
   */
  public readonly keptData!: pulumi.Output<string>;

  constructor(name: string, args: PostgresDatabaseArgs, opts?: pulumi.ComponentResourceOptions) {
    requireVersions();
    const validation = new Validation(`PostgresDatabase "${name}"`);
    validation.check("name", name, componentName(45));
    args = shaped("PostgresDatabaseArgs", args, validation);
    const resolved = resolveDatabase(name, args, "", validation);
    validation.throwIfAny();

    super("pulumi-postgres-app:index:PostgresDatabase", name, {}, opts);
    const refusals = Refusals.of(this, opts?.parent);
    validation.onLate = refusals.take;
    const child = (more?: pulumi.CustomResourceOptions) => childOptions(this, opts, more);
    const partLabels = (part: "database" | "setup" | "backup" | "restore") => labels(name, part, args.partOf);

    // It is made first, because it tells in which namespace everything is when none is named.
    const setupScripts = new core.ConfigMap(
      `${name}-setup`,
      { metadata: { namespace: resolved.namespace, labels: partLabels("setup") }, data: setupFiles(resolved.settings) },
      child(),
    );
    const { namespace, id, held, ...names } = whereItIs(name, resolved, namespaceOf(setupScripts), validation, child());
    const database: ResolvedDatabase = { ...resolved, ...names };
    const metadata = { namespace, labels: partLabels("database") };
    const { imagePullSecrets, rules } = database;
    const selector = selectorLabels(name, "database");
    const context = { namespace, imagePullSecrets, rules, labels: metadata.labels, selector, child };

    const logins = database.ownsLogins ? generateLogins(name, database.user, database.credentials, child()) : undefined;
    const engine = startEngine(name, database, context, logins, validation);
    const end = rememberEnd(name, "ends", database.engine, engine.onDelete, validation, child());
    const afterEnd = <T>(value: pulumi.Input<T>) => pulumi.all([value, end]).apply(([known]) => known) as pulumi.Output<T>;

    const location: DatabaseLocation = {
      pods: engine.seen.pods,
      replicated: engine.seen.cluster !== undefined,
      servers: [engine.server, engine.direct],
    };
    const policies = database.networkPolicy
      ? shieldDatabase(name, database.networkPolicy, location, { metadata, jobs: JOBS, stores: storesOf(database) }, child)
      : [];

    const connections = connect(name, database, engine, metadata, child, afterEnd);
    const passwords = logins && loginsSecret(`${name}-logins`, logins, metadata, child());
    const adopted = database.embedded?.existingClaim !== undefined;
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
          place: pulumi.interpolate`${namespace}/${name}`,
          id,
          loginsSecret: passwords?.metadata.name,
          imagePullSecrets,
          extensions: database.extensions,
          settings: database.settings !== undefined,
          adopted,
          // The owner of a database of its own may have been changed by hand: the setup sets that right.
          notNamed: database.embedded ? database.defaults.filter((one) => adopted || one === "databaseName") : [],
          connectTimeoutSeconds: database.connectTimeoutSeconds,
          files: afterEnd(setupScripts.metadata.name), // before the setup nothing connects
          labels: partLabels("setup"),
        }),
      },
      child({
        dependsOn: [...engine.ready, ...policies, setupScripts, ...connections.secrets, ...(passwords ? [passwords] : [])],
        ...jobOptions(setupDeadline(database.connectTimeoutSeconds)),
        hooks: explainNoPod(`${name}-setup-failure`, "the setup of the database"),
      }),
    );

    const client: PostgresClient = {
      ...engine.client,
      imagePullSecrets,
      env: libpqVariables(connections.migration),
      ...tlsVolumes(connections.migration),
    };
    const restored = restore(name, database, client, { namespace, labels: partLabels("restore") }, child, setup, engine);
    const ready = restored ?? setup;
    held?.from(ready, child());
    scheduleBackups(name, database, client, { namespace, labels: partLabels("backup") }, child, ready);

    parts.set(this, {
      ready,
      // Those of others may be missing, which the setup says at once, and CloudNativePG's operator makes the authority's with the server.
      ownsSecrets: !database.cloudNativePg && !engine.given && !engine.clientCertificate,
      appConnection: connections.app,
      migrationConnection: connections.migration,
      client,
      dataId: engine.dataId,
      location,
      seen: engine.seen,
      owner: engine.owner,
      rolledOut:
        logins &&
        ((after, path, options, pods) =>
          new RolledOutRotation(
            `${name}-rotation`,
            database.credentials.rotation,
            { back: engine.admin !== undefined, path, validation, after: refusals.registered(after), pods },
            options,
          )),
    });
    // An application says itself when it is rolled out.
    if (!isOfApp(opts?.parent)) this.rolledOut([ready], "", child(), []);
    this.registerOutputs({
      host: (this.host = afterEnd(engine.server.host)),
      port: (this.port = engine.server.port),
      databaseName: (this.databaseName = pulumi.output(database.databaseName)),
      user: (this.user = pulumi.output(database.user)),
      connectionSecretName: (this.connectionSecretName = pulumi.output(connections.app.secretName)),
      migrationSecretName: (this.migrationSecretName = pulumi.output(connections.migration.secretName)),
      caSecretName: (this.caSecretName = engine.caSecretName === undefined ? undefined : pulumi.output(engine.caSecretName)),
      keptData: (this.keptData = keptData(database, engine.seen, namespace)),
    });
  }

  /** The Job after which the login works and the data is there: what everything that connects has to depend on. */
  public get ready(): batch.Job {
    return parts.get(this)!.ready;
  }

  /** Whether all Secrets with which containers log in are the component's own, so that none of them can be missing in the end. */
  public get ownsSecrets(): boolean {
    return parts.get(this)!.ownsSecrets;
  }

  /** Says after what the pods run with the logins of today, which the next rotation may be compared with. */
  public rolledOut(after: pulumi.Resource[], path: string, opts: pulumi.CustomResourceOptions, pods: Earlier[]): void {
    parts.get(this)!.rolledOut?.(after, path, opts, pods);
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
    ownsSecrets: boolean;
    appConnection: Connection;
    migrationConnection: Connection;
    client: PostgresClient;
    dataId?: pulumi.Input<string>;
    location: DatabaseLocation;
    seen: ServerSeen;
    owner?: DataOwner;
    rolledOut?: (after: pulumi.Resource[], path: string, opts: pulumi.CustomResourceOptions, pods: Earlier[]) => void;
  }
>();

const isOfApp = (parent: pulumi.Resource | undefined) =>
  (parent as { __pulumiType?: string } | undefined)?.__pulumiType === "pulumi-postgres-app:index:PostgresApp";

/** The parts that are Jobs, which connect to the server. */
const JOBS: Part[] = ["setup", "restore", "backup"];

/** Object stores that those Jobs use: what CloudNativePG restores itself, its servers do. */
const storesOf = ({ backups, restoreFrom }: ResolvedDatabase) => [
  backups?.destination,
  restoreFrom?.archive ? undefined : restoreFrom?.source,
];

type Metadata = { namespace: pulumi.Output<string>; labels: Record<string, string> };

/** Where the data is, once it is sure that it is still looked for there. */
function whereItIs(
  name: string,
  database: ResolvedDatabase,
  namespace: pulumi.Output<string>,
  validation: Validation,
  opts: pulumi.CustomResourceOptions,
): {
  namespace: pulumi.Output<string>;
  databaseName: pulumi.Output<string>;
  user: pulumi.Output<string>;
  /** Of the memory. */
  id: pulumi.Output<string>;
  held?: HeldNames;
} {
  const { embedded, cloudNativePg, ownsLogins, databaseName, user } = database;
  const places = {
    // A server that is only used is where the arguments say, and nothing of it can be lost sight of unnoticed.
    ...(ownsLogins ? { namespace, databaseName, user } : {}),
    // CloudNativePG's operator makes them with the server, before there is a setup.
    ...(ownsLogins && !cloudNativePg ? { component: name } : {}),
    ...(embedded
      ? {
          claim: embedded.existingClaim ?? "",
          version: embedded.version.apply((major) => (major === undefined ? "" : String(major))),
        }
      : {}),
    ...(cloudNativePg ? { restored: database.restoreFrom?.archive ? "yes" : "no" } : {}),
    ...(embedded || cloudNativePg ? { storageClassName: (embedded ?? cloudNativePg)!.storageClassName } : {}),
  };
  const { engine, onDelete, defaults } = database;
  const { places: known, id } = remember(
    name,
    { engine, onDelete, places },
    defaults,
    validation,
    opts,
    tellOfNewDatabase(name, database),
  );
  const settled = (key: string, otherwise: pulumi.Input<string>) =>
    pulumi.all([known, otherwise]).apply(([places, given]) => places[key] ?? given);
  const names = { databaseName: settled("databaseName", databaseName), user: settled("user", user) };
  const held = places.component === undefined ? undefined : new HeldNames(`${name}-${engine}-names`, names, validation, opts);
  const agreed = <T>(value: pulumi.Output<T>) =>
    (held ? pulumi.all([value, held.agreed]).apply(([it]) => it) : value) as pulumi.Output<T>;
  return {
    namespace: agreed(pulumi.all([known, namespace]).apply(([, where]) => where)),
    databaseName: agreed(names.databaseName),
    user: agreed(names.user),
    id,
    held,
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
  /** Makes a value wait until the server has taken its settings. */
  afterEnd: (host: pulumi.Output<string>) => pulumi.Output<string>,
): { app: Connection; migration: Connection; secrets: core.Secret[] } {
  const { given, logins, caSecretName, clientCertificate, directNames: names = {} } = engine;
  const { connectionFormats: formats } = database;
  if (given) return { app: given, migration: engine.pooled ? directly(given, engine) : given, secrets: [] };

  // With a client certificate there may be no password.
  type LoginOrCertificate = Pick<Login, "user"> & { password: pulumi.Output<string | undefined> };
  const login: LoginOrCertificate = logins
    ? currentLogin(logins)
    : { user: pulumi.output(database.user), password: pulumi.output(database.external!.password) };
  const content = (server: Server, { user, password }: LoginOrCertificate, databaseName = database.databaseName) =>
    pulumi.secret(
      pulumi
        .all([server.host, server.port, databaseName, user, password, engine.sslmode])
        .apply(([host, port, dbname, user, password, sslmode]) =>
          connectionSecretData({ host, port, dbname, user, password, sslmode, ...tlsPaths(engine) }, formats),
        ),
    );
  const app = new core.Secret(`${name}-connection`, { metadata, stringData: content(engine.server, login) }, child());
  // Its name is fixed and is not taken from the resource: new content is no reason to migrate again, and the migration, of which it
  // would be a part, would be replaced with it. So the running version has the new content too, at its next backup or restart: not before
  // the server's own change has gone well.
  const migrationName = `${name}-migration-connection`;
  const migration = new core.Secret(
    migrationName,
    {
      metadata: { ...metadata, name: migrationName },
      stringData: content(
        { ...engine.direct, host: afterEnd(engine.direct.host) },
        logins?.migrator ?? { ...login, ...(names.user === undefined ? {} : { user: pulumi.output(names.user) }) },
        names.dbname,
      ),
    },
    child(),
  );
  const there = {
    ca: caSecretName !== undefined,
    clientCertificate: clientCertificate !== undefined,
    password: logins !== undefined || database.external?.password !== undefined,
  };
  const own = { keys: ownKeys(there, formats), values: {}, caSecretName, clientCertificate, formats };
  return {
    app: { ...own, secretName: answered(app.metadata.name, `${name}-connection`) },
    migration: { ...own, secretName: migrationName },
    secrets: [app, migration],
  };
}

/** Fills a new database from a backup, if that is asked for. */
function restore(
  name: string,
  { restoreFrom, versionArgument }: ResolvedDatabase,
  client: PostgresClient,
  metadata: Metadata,
  child: Child,
  setup: batch.Job,
  engine: Engine,
): batch.Job | undefined {
  if (!restoreFrom || restoreFrom.archive) return undefined;
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
    child({
      dependsOn: [setup, files],
      ...jobOptions(restoreFrom.timeoutSeconds),
      // It would find its work done, but not run at all where the claim that it was restored from is gone.
      ignoreChanges: engine.dataId === undefined ? unaskedAtAll(client.rules) : unasked(client.rules),
      hooks: explainNoPod(`${name}-restore-failure`, "the restore"),
    }),
  );
}

/** Backups on a schedule, and a Job that finds out at once whether there could be one. CloudNativePG makes its own. */
function scheduleBackups(
  name: string,
  { backups, cloudNativePg, versionArgument }: ResolvedDatabase,
  client: PostgresClient,
  metadata: Metadata,
  child: Child,
  after: pulumi.Resource,
): void {
  if (!backups) return;
  const files = new core.ConfigMap(`${name}-backup`, { metadata, data: backupFiles() }, child());
  const around = { client, scripts: files.metadata.name, labels: metadata.labels, versionArgument };
  new batch.Job(
    `${name}-check`,
    {
      metadata: { ...metadata, annotations: rerunUnlessComplete },
      spec: backupCheckJob(backups, around, cloudNativePg === undefined),
    },
    child({
      dependsOn: [after, files],
      ...jobOptions(CHECK_SECONDS),
      hooks: explainNoPod(`${name}-check-failure`, "the check whether there could be a backup"),
    }),
  );
  if (cloudNativePg) return;
  new batch.CronJob(
    `${name}-backup`,
    { metadata: { ...metadata, name: `${name}-backup` }, spec: backupCronJob(backups, around) },
    child({ dependsOn: [after, files], retainOnDelete: false }),
  );
}
