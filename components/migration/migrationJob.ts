import * as pulumi from "@pulumi/pulumi";
import * as batch from "@pulumi/kubernetes/batch/v1";
import * as core from "@pulumi/kubernetes/core/v1";
import { checkWritablePaths } from "../common/security";
import { childOptions, jobOptions, rerunUnlessComplete } from "../common/childOptions";
import { markSecretEnv, refuseTwoValues } from "../common/environment";
import { labels, selectorLabels } from "../common/labels";
import { podPlacement, resolvePlacement } from "../common/placement";
import { componentName, imageReference, kubernetesName, namespaceName, wholeNumber } from "../common/rules";
import { Validation } from "../common/validation";
import { checkConnectionEnv, CA_FILE, ownKeys } from "../database/connection";
import { userOf } from "../database/image";
import { ExplainedJob, explainFailure } from "./explain";
import { migrationDeadline, migrationJob, MigrationSurroundings, startSeconds } from "./job";
import { warnOfMutableTag } from "./knownImages";
import { MigrationJobArgs } from "./migrationArgs";
import { Plan, planOf } from "./plan";
import { isPlanned, planFiles } from "./planPod";
import { resolveMigration } from "./resolveMigration";
import { restoreManifest } from "./restoreByHand";
import { startJob } from "./startJob";
import { startPlan } from "./startPlan";
import { supervisionFiles } from "./supervision";

/**
 * A Job that migrates, and that Pulumi waits for. It runs when its image, command, environment or database change, when `rerun`
 * changes, and when its last run did not succeed. What depends on it starts only after it has succeeded. The old Job and its
 * logs stay until the new one has succeeded.
 */
export class MigrationJob extends pulumi.ComponentResource {
  /** Name of the Job that ran last, for `kubectl logs job/<name>`. */
  public readonly jobName!: pulumi.Output<string>;
  /** Name under which `restoreFrom.backup` finds the backup from before the last run; empty without `backup`. */
  public readonly backupName!: pulumi.Output<string>;
  /** What `pending` listed before the last run, as far as it fits into a pod's message; empty without `pending`. */
  public readonly pendingMigrations!: pulumi.Output<string>;
  /** Hash of that list, for `approval`. */
  public readonly pendingHash!: pulumi.Output<string>;
  /** Time, locks and the schema's difference of the last rehearsal; empty without `rehearsal`. */
  public readonly rehearsalReport!: pulumi.Output<string>;

  constructor(name: string, args: MigrationJobArgs, opts?: pulumi.ComponentResourceOptions) {
    const validation = new Validation(`MigrationJob "${name}"`);
    validation.check("name", name, componentName(48));
    validation.check("namespace", args.namespace, namespaceName);
    validation.check("runAsUser", args.runAsUser, wholeNumber(1));
    validation.check("clientRunAsUser", args.clientRunAsUser, wholeNumber(1));
    const writablePaths = checkWritablePaths(args.writablePaths, "", validation);
    const tls = args.connectionCaSecretName !== undefined;
    const connection = {
      secretName: args.connectionSecretName,
      keys: args.connectionKeys ?? ownKeys(false),
      values: { ...args.connectionValues, ...(tls ? { sslrootcert: CA_FILE } : {}) },
      caSecretName: args.connectionCaSecretName,
    };
    const parts = Object.keys({ ...connection.keys, ...connection.values });
    const connectionEnv = checkConnectionEnv(validation, "connectionEnv", args.connectionEnv, { parts, tls });
    const clientImage = validation.check("clientImage", args.clientImage, imageReference) ?? "docker.io/library/postgres:17";
    const migration = resolveMigration(args, args.image, "", validation);
    const { imagePullSecrets, nodeSelector, tolerations } = args;
    const pod = {
      ...podPlacement(resolvePlacement({ imagePullSecrets, nodeSelector, tolerations }, "", validation)),
      serviceAccountName: validation.check("serviceAccountName", args.serviceAccountName, kubernetesName),
    };
    const whole = ["host", "dbname", "user", "password"].every((part) => parts.includes(part)) || parts.includes("uri");
    if (!whole && (migration.lock || migration.backup))
      validation.problem(
        "connectionKeys",
        "has neither the uri nor host, dbname, user and password, one of which the lock and the backup need: add them, or set lock to false",
      );
    refuseTwoValues(validation, { connectionEnv, env: args.env, secretEnv: args.secretEnv });
    validation.throwIfAny();

    super("pulumi-postgres-app:index:MigrationJob", name, markSecretEnv(args), opts);
    const child = (more?: pulumi.CustomResourceOptions) => childOptions(this, opts, more);
    const metadata = { namespace: args.namespace, labels: labels(name, "migration", args.partOf) };
    const failure = (what: ExplainedJob) => explainFailure(`${name}-${what}-failure`, what, "migration.");
    warnOfMutableTag(migration.image, this);

    const secretEnv =
      migration.secretEnv && new core.Secret(`${name}-env`, { metadata, stringData: migration.secretEnv }, child());
    // Its name is fixed and is not taken from the resource: new scripts or time-outs are no reason to migrate again.
    const scriptsName = `${name}-scripts`;
    const around: MigrationSurroundings = {
      // Of the pods: those that nothing can change, because a change there would migrate again.
      labels: selectorLabels(name, "migration"),
      connection,
      connectionEnv,
      client: { image: clientImage, uid: args.clientRunAsUser ?? pulumi.output(clientImage).apply(userOf), imagePullSecrets },
      pod,
      scripts: scriptsName,
      dataId: args.dataId,
      secretEnvSecret: secretEnv?.metadata.name,
      imagePullPolicy: args.imagePullPolicy,
      uid: args.runAsUser,
      writablePaths,
    };
    const restore =
      migration.backup && restoreManifest(name, migration.backup, { ...around, labels: labels(name, "restore", args.partOf) });
    const texts = {
      ...supervisionFiles({ ...migration, tries: tries(migration) }, restore),
      ...(isPlanned(migration) ? planFiles(migration) : {}),
    };
    const scripts = new core.ConfigMap(scriptsName, { metadata: { ...metadata, name: scriptsName }, data: texts }, child());
    const files = [scripts, ...(secretEnv ? [secretEnv] : [])];
    const start = new batch.Job(
      `${name}-start`,
      {
        metadata: { ...metadata, labels: labels(name, "migration-start", args.partOf), annotations: rerunUnlessComplete },
        spec: startJob(migration, { ...around, labels: selectorLabels(name, "migration-start") }),
      },
      child({ ...jobOptions(startSeconds(migration.timeoutSeconds)), hooks: failure("start"), dependsOn: files }),
    );
    const plan = isPlanned(migration)
      ? startPlan(name, migration, around, metadata.namespace, args.partOf, (more) =>
          child({ ...more, dependsOn: [start, ...files] }),
        )
      : undefined;
    const job = new batch.Job(
      name,
      { metadata: { ...metadata, annotations: rerunUnlessComplete }, spec: migrationJob(migration, around) },
      child({
        ...jobOptions(migrationDeadline(migration)),
        hooks: { ...failure("migration"), ...plan?.hooks },
        dependsOn: [start, ...(plan ? [plan.pod] : []), ...files],
      }),
    );
    jobs.set(this, job);
    const said = (text: (plan: Plan) => string | undefined) =>
      plan ? planOf(plan.pod).apply((known) => text(known) ?? "") : pulumi.output("");

    this.registerOutputs({
      jobName: (this.jobName = job.metadata.name),
      backupName: (this.backupName = migration.backup ? job.metadata.name : pulumi.output("")),
      pendingMigrations: (this.pendingMigrations = said(({ pending }) => pending?.list)),
      pendingHash: (this.pendingHash = said(({ pending }) => pending?.hash)),
      rehearsalReport: (this.rehearsalReport = said(
        ({ destructive, rehearsal }) => rehearsal && [destructive, rehearsal].filter(Boolean).join("\n"),
      )),
    });
  }

  /** The Job: what has to start after the migration depends on it. */
  public get job(): batch.Job {
    return jobs.get(this)!;
  }
}

/** Beside the class, because every field of it, private ones too, would become an output in the schema. */
const jobs = new WeakMap<MigrationJob, batch.Job>();

const tries = ({ backoffLimit }: { backoffLimit: pulumi.Input<number> }) =>
  pulumi.output(backoffLimit).apply((again) => again + 1);
