import * as pulumi from "@pulumi/pulumi";
import * as batch from "@pulumi/kubernetes/batch/v1";
import * as core from "@pulumi/kubernetes/core/v1";
import { answered } from "../common/answers";
import { checkWritablePaths } from "../common/security";
import { childOptions, jobOptions, rerunUnlessComplete } from "../common/childOptions";
import { identityOf, ownImage, resolveClusterRules, unasked, unaskedAtAll } from "../common/clusterRules";
import { refuseTwoValues } from "../common/environment";
import { together } from "../common/hooks";
import { labels, selectorLabels } from "../common/labels";
import { podPlacement, resolvePlacement } from "../common/placement";
import { Earlier, isComplete, madeFor, onlyAfter } from "../common/order";
import { componentName, imageReference, kubernetesName, namespaceName, wholeNumber } from "../common/rules";
import { shaped } from "../common/shape";
import { Validation } from "../common/validation";
import { Refusals } from "../common/refusals";
import { requireVersions } from "../common/versions";
import { checkConnectionEnv, hasParts, ownKeys } from "../database/connection";
import { checkClientCertificate, tlsPaths } from "../database/tlsFiles";
import { clientOf } from "../database/engine";
import { userOf } from "../database/image";
import { namesOf, notBegun } from "./argumentNames";
import { databaseOf } from "./connecting";
import { ExplainedJob, explainFailure } from "./explain";
import { tellOfGoingBack } from "./goBack";
import { migrationDeadline, migrationJob, MigrationSurroundings, startSeconds } from "./job";
import { warnOfMutableTag } from "./knownImages";
import { suffixOfPlan } from "./lonePlan";
import { MigrationJobArgs } from "./migrationArgs";
import { Plan, planOf } from "./plan";
import { isPlanned, planFiles, planId } from "./planPod";
import { resolveMigration } from "./resolveMigration";
import { restoreManifest } from "./restoreByHand";
import { startJob } from "./startJob";
import { rememberPlan, startPlan } from "./startPlan";
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
    requireVersions();
    const validation = new Validation(`MigrationJob "${name}"`);
    validation.check("name", name, componentName(48));
    // Said of this very object by who makes the Job for somebody else.
    const names = namesOf(args);
    const lone = suffixOfPlan(args);
    const databaseReady = databaseOf(args);
    args = shaped("MigrationJobArgs", args, validation);
    validation.check("namespace", args.namespace, namespaceName);
    validation.check("runAsUser", args.runAsUser, wholeNumber(1));
    validation.check("clientRunAsUser", args.clientRunAsUser, wholeNumber(1));
    const rules = resolveClusterRules(args, "", validation);
    const writablePaths = checkWritablePaths(args.writablePaths, "", validation);
    const tlsFiles = { caSecretName: args.connectionCaSecretName, clientCertificate: args.connectionClientCertificate };
    const tls = Object.values(tlsFiles).some((file) => file !== undefined);
    if (tlsFiles.clientCertificate) checkClientCertificate(tlsFiles.clientCertificate, "connectionClientCertificate", validation);
    const connection = {
      secretName: args.connectionSecretName,
      keys: args.connectionKeys ?? ownKeys({}),
      values: { ...args.connectionValues, ...tlsPaths(tlsFiles) },
      ...tlsFiles,
      formats: args.connectionFormats,
      optional: args.connectionKeys === undefined && tlsFiles.clientCertificate !== undefined ? ["password"] : [],
    };
    const parts = Object.keys({ ...connection.keys, ...connection.values });
    const connectionEnv = checkConnectionEnv(validation, "connectionEnv", args.connectionEnv, { parts, tls });
    const clientImage =
      validation.check("clientImage", args.clientImage, imageReference) ?? ownImage("docker.io/library/postgres:17", rules);
    const migration = resolveMigration(args, args.image, "", validation, rules);
    const { imagePullSecrets, nodeSelector, tolerations } = args;
    const pod = {
      ...podPlacement(resolvePlacement({ imagePullSecrets, nodeSelector, tolerations }, "", validation)),
      serviceAccountName: validation.check("serviceAccountName", args.serviceAccountName, kubernetesName),
    };
    if (!hasParts(connection) && !parts.includes("uri") && (migration.lock || migration.backup))
      validation.problem(
        "connectionKeys",
        "has neither the uri nor host, dbname, user and (without a client certificate) password, one of which the lock and the backup need: add them, or set lock to false",
      );
    refuseTwoValues(validation, {
      connectionEnv,
      env: args.env,
      secretEnv: args.secretEnv,
      existingSecretEnv: args.existingSecretEnv,
    });
    validation.throwIfAny();

    super("pulumi-postgres-app:index:MigrationJob", name, {}, opts);
    validation.onLate = Refusals.of(this, opts?.parent).take;
    const child = (more?: pulumi.CustomResourceOptions) => childOptions(this, opts, more);
    const metadata = { namespace: args.namespace, labels: labels(name, "migration", args.partOf) };
    // Its name is fixed and is not taken from the resource: new scripts or time-outs are no reason to migrate again.
    const scriptsName = lone === undefined ? `${name}-scripts` : `${name}-plan-${lone}`;
    const undo = migration.backup && { scripts: scriptsName, restores: migration.restoreOnFailure };
    const failure = (what: ExplainedJob) =>
      explainFailure(`${name}-${what}-failure`, what, names, what === "migration" ? undo : undefined);
    warnOfMutableTag(migration.image, this);
    tellOfGoingBack(migration, names, this);

    const secretEnv =
      migration.secretEnv && new core.Secret(`${name}-env`, { metadata, stringData: migration.secretEnv }, child());
    const around: MigrationSurroundings = {
      // Of the pods: those that nothing can change, because a change there would migrate again.
      labels: selectorLabels(name, "migration"),
      connection,
      connectionEnv,
      client: {
        ...clientOf(clientImage, pulumi.output(clientImage).apply(userOf), rules),
        ...(args.clientRunAsUser === undefined ? {} : { uid: args.clientRunAsUser }),
        imagePullSecrets,
      },
      pod,
      scripts: scriptsName,
      dataId: args.dataId,
      secretEnvSecret: secretEnv?.metadata.name,
      imagePullPolicy: args.imagePullPolicy,
      uid: args.runAsUser,
      writablePaths,
    };
    const restore =
      migration.backup &&
      restoreManifest(name, migration.backup, { ...around, labels: labels(name, "restore", args.partOf) }, names);
    const id = isPlanned(migration) ? planId(migration, around) : undefined;
    const texts = {
      ...supervisionFiles({ ...migration, tries: tries(migration), names }, restore),
      ...(id ? planFiles(migration, around, names, id) : {}),
    };
    // What was found out before a migration is written down beside these (rememberPlan), and must not outlive them where the provider is
    // told to change ConfigMaps in place (enableConfigMapMutable): it would be that of a migration which another one has come after.
    const asOneWithThePlan = id ? { replaceOnChanges: ["data"], deleteBeforeReplace: true } : {};
    const scripts = new core.ConfigMap(
      scriptsName,
      { metadata: { ...metadata, name: scriptsName }, data: texts },
      child(asOneWithThePlan),
    );
    const files = [scripts, ...(secretEnv ? [secretEnv] : [])];
    const start = new batch.Job(
      `${name}-start`,
      {
        metadata: { ...metadata, labels: labels(name, "migration-start", args.partOf), annotations: rerunUnlessComplete },
        spec: startJob(migration, {
          ...around,
          labels: selectorLabels(name, "migration-start"),
          // It connects to nothing, and may come before the Secret.
          ...(databaseReady.length > 0 ? { connection: { ...connection, optional: Object.keys(connection.keys) } } : {}),
        }),
      },
      child({
        ...jobOptions(startSeconds(migration.timeoutSeconds)),
        ignoreChanges: unaskedAtAll(rules),
        hooks: failure("start"),
        dependsOn: files,
      }),
    );
    const plan = id && {
      id,
      ...startPlan(name, migration, around, metadata.namespace, args.partOf, names, (more) =>
        child({ ...more, dependsOn: [start, ...files, ...databaseReady] }),
      ),
    };
    if (plan) plans.set(this, planOf(plan.pod));
    if (lone === undefined) {
      const targets = `**::${name}*`;
      const before: Earlier[] = [
        ...(plan ? [{ ...plan.found, targets }] : []), // first: the scripts are others with each plan
        { object: scripts, identity: texts, actual: scripts.data, words: SCRIPTS, targets },
      ];
      const spec = migrationJob(migration, around);
      const options = {
        ...jobOptions(migrationDeadline(migration)),
        ignoreChanges: unasked(rules),
        hooks: together(failure("migration"), onlyAfter(`${name}-in-order`, notBegun(names), before), plan?.hooks),
        dependsOn: [start, ...(plan ? [plan.pod] : []), ...files, ...databaseReady],
      };
      const identity = identityOf(spec.template);
      const annotations = { ...rerunUnlessComplete, ...madeFor(identity) };
      const job = new batch.Job(name, { metadata: { ...metadata, annotations }, spec }, child(options));
      const actual = job.spec.template;
      made.set(this, { job, ran: { object: job, identity, actual, isDone: isComplete, words: MIGRATION, targets } });
      if (plan) {
        const place = { name: scriptsName, namespace: args.namespace };
        rememberPlan(name, { pod: plan.pod, id: plan.id, scripts }, place, child({ dependsOn: job }));
      }
    }
    const said = (text: (plan: Plan) => string | undefined) =>
      plan ? planOf(plan.pod).apply((known) => text(known) ?? "") : pulumi.output("");

    const jobName = lone === undefined ? answered(this.job.metadata.name, name) : pulumi.output("");
    this.registerOutputs({
      jobName: (this.jobName = jobName),
      backupName: (this.backupName = migration.backup ? jobName : pulumi.output("")),
      pendingMigrations: (this.pendingMigrations = said(({ pending }) => pending?.list)),
      pendingHash: (this.pendingHash = said(({ pending }) => pending?.hash)),
      rehearsalReport: (this.rehearsalReport = said(
        ({ destructive, rehearsal }) => rehearsal && [destructive, rehearsal].filter(Boolean).join("\n"),
      )),
    });
  }

  /** The Job: what has to start after the migration depends on it. */
  public get job(): batch.Job {
    return made.get(this)!.job;
  }
}

/** The migration, for what may begin only when it has run. */
export const hasRun = (migration: MigrationJob): Earlier => made.get(migration)!.ran;

/** Beside the class, because every field of it, private ones too, would become an output in the schema. */
const made = new WeakMap<MigrationJob, { job: batch.Job; ran: Earlier }>();
const plans = new WeakMap<MigrationJob, pulumi.Output<Plan>>();

/** What was found out before, where something was to be. */
export const planOfJob = (job: MigrationJob): pulumi.Output<Plan> => plans.get(job)!;

const SCRIPTS = {
  missing: "its scripts and settings are not there",
  other: "its scripts and settings are not those that the program says",
};
const MIGRATION = {
  missing: "the migration has not run",
  other: "the migration that has run is not the one that the program says",
  unfinished: "the migration has not succeeded",
};

const tries = ({ backoffLimit }: { backoffLimit: pulumi.Input<number> }) =>
  pulumi.output(backoffLimit).apply((again) => again + 1);
