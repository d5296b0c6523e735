import * as pulumi from "@pulumi/pulumi";
import * as apps from "@pulumi/kubernetes/apps/v1";
import * as core from "@pulumi/kubernetes/core/v1";
import { namespaceOf } from "./common/answers";
import { generateSecrets } from "./app/generatedSecrets";
import { appClaims } from "./app/claims";
import { Exposure } from "./app/exposure/expose";
import { urlOf } from "./app/exposure/url";
import { guardKeys } from "./app/keyGuard";
import { findKept, migratesWithKept, references, secretVariables, withGenerated } from "./app/keptSecrets";
import { loggingIn } from "./app/logins";
import { startCanary } from "./app/startCanary";
import { startServiceAccount } from "./app/serviceAccount";
import { startWorkers } from "./app/workers";
import { startWorkload } from "./app/startWorkload";
import { childOptions, holdsData } from "./common/childOptions";
import { onJobs } from "./common/hooks";
import { labels, selectorLabels } from "./common/labels";
import { onlyAfter } from "./common/order";
import { Refusals } from "./common/refusals";
import { componentName } from "./common/rules";
import { shaped } from "./common/shape";
import { Validation } from "./common/validation";
import { requireVersions } from "./common/versions";
import { PostgresDatabase } from "./database/postgresDatabase";
import { dataAnnotation } from "./database/setup";
import { migrateInPods } from "./migration/initContainers";
import { awaitFormerPods } from "./migration/awaitFormerPods";
import { connectingAfter } from "./migration/connecting";
import { appNames, jobsOfApp } from "./migration/jobsOfApp";
import { warnOfMutableTag } from "./migration/knownImages";
import { hasRun, MigrationJob } from "./migration/migrationJob";
import { watchApp } from "./monitoring/monitors";
import { databasePolicyOf, shieldApp } from "./network/appPolicies";
import { PostgresAppArgs } from "./postgresAppArgs";
import { resolveArgs } from "./resolveArgs";

/**
 * A Postgres-backed application on Kubernetes: database, secrets, migration, application, in this order. `pulumi up` succeeds only
 * when the schema is migrated and every pod runs the new image and is ready; if the migration fails, it fails, and the old version
 * keeps serving.
 */
export class PostgresApp extends pulumi.ComponentResource {
  /**
   * Address of the application, without a "/" at the end: under the first host of `ingress` or `httpRoute`, at the address of a Service of
   * type LoadBalancer, else inside the cluster.
   */
  public readonly url!: pulumi.Output<string>;
  /** Name of the application's Service and of its StatefulSet or Deployment. */
  public readonly serviceName!: pulumi.Output<string>;
  /** Namespace of everything. */
  public readonly namespace!: pulumi.Output<string>;
  /** Name of the application's Secret with host, port, dbname, user, password, uri, jdbc-uri, pgpass, sslmode; of an existing one, its own. */
  public readonly connectionSecretName!: pulumi.Output<string>;
  /**
   * What stays of the data after `pulumi destroy`: "persistentvolumeclaim/data-<name>-db-0 in namespace <namespace>", where the next component of
   * this name finds it. As an output of the stack it is shown when the component goes. Empty where `database.onDelete` is "delete" and where
   * the server is somebody else's.
   */
  public readonly keptData!: pulumi.Output<string>;
  /** Name of the migration Job that ran last; empty without one. */
  public readonly migrationJobName!: pulumi.Output<string>;
  /** Name under which `database.restoreFrom.backup` finds the backup from before the last migration; empty without `migration.backup`. */
  public readonly migrationBackupName!: pulumi.Output<string>;
  /** What `migration.pending` listed before the last migration; empty without it. */
  public readonly pendingMigrations!: pulumi.Output<string>;
  /** Time, locks and the schema's difference of the migration's last rehearsal; empty without `migration.rehearsal`. */
  public readonly rehearsalReport!: pulumi.Output<string>;
  /** Name of the Job of `migration.postDeploy` that ran last; empty without one. */
  public readonly postDeployJobName!: pulumi.Output<string>;

  constructor(name: string, args: PostgresAppArgs, opts?: pulumi.ComponentResourceOptions) {
    requireVersions();
    const validation = new Validation(`PostgresApp "${name}"`);
    validation.check("name", name, componentName(36));
    args = shaped("PostgresAppArgs", args, validation);
    const app = resolveArgs(name, args, validation);
    super("pulumi-postgres-app:index:PostgresApp", name, {}, opts); // what it records of its arguments would all be printed with each change
    validation.onLate = Refusals.of(this, opts?.parent).take;
    const policies: pulumi.Resource[] = [];
    const child = (more?: pulumi.CustomResourceOptions) => childOptions(this, opts, more, policies);
    const { namespace } = app;
    const metadata = { namespace, labels: labels(name, "app") };

    const { imagePullSecrets, imageRegistry, jobs } = args;
    const networkPolicy = args.networkPolicy && databasePolicyOf(name, args.networkPolicy, args.monitoring !== undefined);
    const database = new PostgresDatabase(
      `${name}-db`,
      { ...args.database, namespace: args.namespace, imagePullSecrets, imageRegistry, jobs, networkPolicy, partOf: name },
      child(holdsData),
    );
    if (app.networkPolicy) policies.push(...shieldApp(name, app, app.networkPolicy, database.location, child));
    const account = startServiceAccount(name, app.serviceAccount, namespace, child);

    const made = generateSecrets(name, app.generatedSecrets, child());
    const kept = findKept(name, made, { namespace, owner: database.owner }, child);
    const generated = kept.secrets;
    const ready = guardKeys(name, kept, { database, resolved: app.database, namespace }, child) ?? database.ready;

    const { inPods } = app.migration;
    const run = withGenerated(app.migration.run, generated);
    const { before, after } = jobsOfApp(name, args, { ...app, run }, database);
    const isTriedEarly = database.ownsSecrets && !migratesWithKept(generated);
    const migration =
      before &&
      new MigrationJob(
        `${name}-migration`,
        isTriedEarly ? connectingAfter(before, [ready]) : before,
        child({ dependsOn: [...(isTriedEarly ? [] : [ready]), ...account] }),
      );
    const init = run && inPods ? migrateInPods(name, run, { ...app, database, names: appNames(app, args) }, child) : undefined;
    const migrated = migration?.job ?? ready;
    if (inPods) warnOfMutableTag(run?.image ?? app.image, this);

    const settings = app.env ? new core.ConfigMap(`${name}-env`, { metadata, data: app.env }, child()) : undefined;
    const secretEnv = secretVariables(app.secretEnv, generated);
    const secrets = secretEnv ? new core.Secret(`${name}-secret-env`, { metadata, stringData: secretEnv }, child()) : undefined;
    const selector = selectorLabels(name, "app");
    const exposure = new Exposure(name, app.exposure, metadata, selector, child, app.metricsPort);
    const seen = { seen: database.seen, namespace: namespaceOf(exposure.service) };
    if (app.monitoring) watchApp(name, app, app.monitoring, seen, child);
    const { claims, resources: volumes } = appClaims(name, app.volumes, { ...metadata, owner: database.owner }, child);
    const around = {
      connection: database.appConnection,
      keys: references(generated),
      claims,
      envFrom: [
        ...app.envFrom,
        ...(settings ? [{ configMapRef: { name: settings.metadata.name } }] : []),
        ...(secrets ? [{ secretRef: { name: secrets.metadata.name } }] : []),
      ],
    };
    const given = [...account, ...volumes, ...(settings ? [settings] : []), ...(secrets ? [secrets] : [])];
    const ran = migration ? [hasRun(migration)] : [];
    const canary =
      app.canary &&
      startCanary(name, app, app.canary, { ...around, database, dependsOn: [migrated, ...given], earlier: ran }, child);
    const earlier = canary ? [...ran, canary] : ran;
    const tried = canary?.object ?? migrated;
    const annotations = inPods ? dataAnnotation(database.dataId) : undefined;
    const workload = startWorkload(name, app, { ...around, ...metadata, selector, annotations, init }, child, {
      dependsOn: [tried, ...given, ...(init?.files ?? [])],
      earlier,
      isAwaited: inPods && Object.keys(app.workers).length > 0,
    });
    // Pods that migrate have done so when they are ready.
    const workers = startWorkers(name, app, around, child, {
      dependsOn: [...(inPods ? workload.complete : [tried]), ...given],
      earlier: inPods ? [workload] : earlier,
    });
    const formerGone = after && awaitFormerPods(name, app, { workloads: [workload, ...workers], client: database.client }, child);
    const contract =
      formerGone &&
      new MigrationJob(
        `${name}-post-deploy`,
        after,
        child({
          dependsOn: formerGone.object,
          transformations: [onJobs(onlyAfter(`${name}-post-deploy-in-turn`, "postDeploy did not begin", [formerGone]))],
        }),
      );

    exposure.open(workload.object);
    database.rolledOut(
      [...workload.complete, ...workers.map(({ object }) => object)],
      "database.",
      child(),
      [workload, ...workers].map(({ object }) => loggingIn(name, object, database.appConnection.secretName)),
    );

    parts.set(this, { database, migration, workload: workload.object, contract });

    this.registerOutputs({
      url: (this.url = urlOf(app.exposure, exposure.service)),
      serviceName: (this.serviceName = exposure.service.metadata.name),
      namespace: (this.namespace = namespaceOf(exposure.service)),
      connectionSecretName: (this.connectionSecretName = database.connectionSecretName),
      keptData: (this.keptData = database.keptData),
      migrationJobName: (this.migrationJobName = migration?.jobName ?? pulumi.output("")),
      migrationBackupName: (this.migrationBackupName = migration?.backupName ?? pulumi.output("")),
      pendingMigrations: (this.pendingMigrations = migration?.pendingMigrations ?? pulumi.output("")),
      rehearsalReport: (this.rehearsalReport = migration?.rehearsalReport ?? pulumi.output("")),
      postDeployJobName: (this.postDeployJobName = contract?.jobName ?? pulumi.output("")),
    });
  }

  /** The database, for what else needs it. */
  public get database(): PostgresDatabase {
    return parts.get(this)!.database;
  }

  /** The migration's Job and what belongs to it, if there is one. */
  public get migration(): MigrationJob | undefined {
    return parts.get(this)!.migration;
  }

  /** The migration for after the rollout, if there is one. */
  public get postDeploy(): MigrationJob | undefined {
    return parts.get(this)!.contract;
  }

  /** The application, of the kind that `kind` says: what has to start after it depends on this. */
  public get workload(): apps.StatefulSet | apps.Deployment {
    return parts.get(this)!.workload;
  }
}

/** Beside the class, because every field of it, private ones too, would become an output in the schema. */
const parts = new WeakMap<
  PostgresApp,
  { database: PostgresDatabase; migration?: MigrationJob; workload: apps.StatefulSet | apps.Deployment; contract?: MigrationJob }
>();
