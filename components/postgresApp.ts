import * as pulumi from "@pulumi/pulumi";
import * as apps from "@pulumi/kubernetes/apps/v1";
import * as core from "@pulumi/kubernetes/core/v1";
import { generateSecrets, markValues, secretVariables, withGenerated } from "./app/generatedSecrets";
import { appClaims } from "./app/claims";
import { Exposure } from "./app/exposure/expose";
import { urlOf } from "./app/exposure/url";
import { guardKeys } from "./app/keyGuard";
import { startCanary } from "./app/startCanary";
import { startServiceAccount } from "./app/serviceAccount";
import { startWorkers } from "./app/workers";
import { startWorkload } from "./app/startWorkload";
import { childOptions } from "./common/childOptions";
import { markSecretEnv } from "./common/environment";
import { labels, selectorLabels } from "./common/labels";
import { markPasswords } from "./database/external";
import { PostgresDatabase } from "./database/postgresDatabase";
import { dataAnnotation } from "./database/setup";
import { migrateInPods } from "./migration/initContainers";
import { jobsOfApp } from "./migration/jobsOfApp";
import { warnOfMutableTag } from "./migration/knownImages";
import { MigrationJob } from "./migration/migrationJob";
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
    const app = resolveArgs(name, args);
    super("pulumi-postgres-app:index:PostgresApp", name, withSecrets(args), opts);
    const policies: pulumi.Resource[] = [];
    const child = (more?: pulumi.CustomResourceOptions) => childOptions(this, opts, more, policies);
    const { namespace } = app;
    const metadata = { namespace, labels: labels(name, "app") };

    const { imagePullSecrets } = args;
    const networkPolicy = args.networkPolicy && databasePolicyOf(name, args.networkPolicy, args.monitoring !== undefined);
    const database = new PostgresDatabase(
      `${name}-db`,
      { ...args.database, namespace: args.namespace, imagePullSecrets, networkPolicy, partOf: name },
      child(),
    );
    if (app.networkPolicy) policies.push(...shieldApp(name, app, app.networkPolicy, database.location, child));
    const account = startServiceAccount(name, app.serviceAccount, namespace, child);

    const generated = generateSecrets(name, app.generatedSecrets, child());
    const ready = guardKeys(name, generated, { database, resolved: app.database, namespace }, child) ?? database.ready;

    const { strategy } = app.migration ?? {};
    const run = withGenerated(app.migration?.run, generated);
    const { before, after } = jobsOfApp(name, args, { ...app, run }, database);
    const migration = before && new MigrationJob(`${name}-migration`, before, child({ dependsOn: [ready, ...account] }));
    const init = strategy === "InitContainer" ? migrateInPods(name, run!, { ...app, database }, child) : undefined;
    const migrated = migration?.job ?? ready;
    if (init || strategy === "Startup") warnOfMutableTag(run?.image ?? app.image, this);

    const settings = app.env ? new core.ConfigMap(`${name}-env`, { metadata, data: app.env }, child()) : undefined;
    const secretEnv = secretVariables(app.secretEnv, generated);
    const secrets = secretEnv ? new core.Secret(`${name}-secret-env`, { metadata, stringData: secretEnv }, child()) : undefined;
    const selector = selectorLabels(name, "app");
    const exposure = new Exposure(name, app.exposure, metadata, selector, child, app.metricsPort);
    const seen = { seen: database.seen, namespace: exposure.service.metadata.namespace };
    if (app.monitoring) watchApp(name, app, app.monitoring, seen, child);
    const { claims, resources: volumes } = appClaims(name, app.volumes, { ...metadata, owner: database.owner }, child);
    const around = {
      connection: database.appConnection,
      claims,
      envFrom: [
        ...app.envFrom,
        ...(settings ? [{ configMapRef: { name: settings.metadata.name } }] : []),
        ...(secrets ? [{ secretRef: { name: secrets.metadata.name } }] : []),
      ],
    };
    const given = [...account, ...volumes, ...(settings ? [settings] : []), ...(secrets ? [secrets] : [])];
    const canary =
      app.canary && startCanary(name, app, app.canary, { ...around, database, dependsOn: [migrated, ...given] }, child);
    const inPods = strategy === "Startup" || init !== undefined;
    const annotations = inPods ? dataAnnotation(database.dataId) : undefined;
    const workload = startWorkload(name, app, { ...around, ...metadata, selector, annotations, init }, child, [
      canary ?? migrated,
      ...given,
      ...(init?.files ?? []),
    ]);
    // Pods that migrate have done so when they are ready.
    const workers = startWorkers(name, app, around, child, [...(inPods ? workload.complete : [canary ?? migrated]), ...given]);
    const contract =
      after && new MigrationJob(`${name}-post-deploy`, after, child({ dependsOn: [...workload.complete, ...workers] }));

    exposure.open(workload.object);

    parts.set(this, { database, migration, workload: workload.object, contract });

    this.registerOutputs({
      url: (this.url = urlOf(app.exposure, exposure.service)),
      serviceName: (this.serviceName = exposure.service.metadata.name),
      namespace: (this.namespace = exposure.service.metadata.namespace),
      connectionSecretName: (this.connectionSecretName = database.connectionSecretName),
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

const withSecrets = (args: PostgresAppArgs): PostgresAppArgs => ({
  ...markValues(markSecretEnv(args)),
  ...(args.migration ? { migration: markSecretEnv(args.migration) } : {}),
  ...(args.database ? { database: markPasswords(args.database) } : {}),
});
