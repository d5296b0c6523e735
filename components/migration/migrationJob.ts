import * as pulumi from "@pulumi/pulumi";
import * as batch from "@pulumi/kubernetes/batch/v1";
import * as core from "@pulumi/kubernetes/core/v1";
import { childOptions, jobOptions, rerunUnlessComplete } from "../common/childOptions";
import { markSecretEnv, refuseTwoValues } from "../common/environment";
import { labels } from "../common/labels";
import { componentName, namespaceName, path, wholeNumber } from "../common/rules";
import { Validation } from "../common/validation";
import { checkConnectionEnv, CA_FILE, ownKeys } from "../database/connection";
import { migrationJob, resolveMigration } from "./job";
import { MigrationJobArgs } from "./migrationArgs";

/**
 * A Job that migrates, and that Pulumi waits for. It runs when its image, command, environment or database change, when `rerun`
 * changes, and when its last run did not succeed. What depends on it starts only after it has succeeded. The old Job and its
 * logs stay until the new one has succeeded.
 */
export class MigrationJob extends pulumi.ComponentResource {
  /** Name of the Job that ran last, for `kubectl logs job/<name>`. */
  public readonly jobName!: pulumi.Output<string>;

  constructor(name: string, args: MigrationJobArgs, opts?: pulumi.ComponentResourceOptions) {
    const validation = new Validation(`MigrationJob "${name}"`);
    validation.check("name", name, componentName(54));
    validation.check("namespace", args.namespace, namespaceName);
    validation.check("runAsUser", args.runAsUser, wholeNumber(1));
    for (const [index, directory] of (args.writablePaths ?? []).entries())
      validation.check(`writablePaths[${index}]`, directory, path);
    const tls = args.connectionCaSecretName !== undefined;
    const connection = {
      secretName: args.connectionSecretName,
      keys: args.connectionKeys ?? ownKeys(false),
      values: { ...args.connectionValues, ...(tls ? { sslrootcert: CA_FILE } : {}) },
      caSecretName: args.connectionCaSecretName,
    };
    const connectionEnv = checkConnectionEnv(validation, "connectionEnv", args.connectionEnv, {
      parts: Object.keys({ ...connection.keys, ...connection.values }),
      tls,
    });
    const migration = resolveMigration(args, args.image, "", validation);
    refuseTwoValues(validation, { connectionEnv, env: args.env, secretEnv: args.secretEnv });
    validation.throwIfAny();

    super("pulumi-postgres-app:index:MigrationJob", name, markSecretEnv(args), opts);
    const metadata = { namespace: args.namespace, labels: labels(name, "migration", args.partOf) };

    const secretEnv =
      migration.secretEnv &&
      new core.Secret(`${name}-env`, { metadata, stringData: migration.secretEnv }, childOptions(this, opts));
    const job = new batch.Job(
      name,
      {
        metadata: { ...metadata, annotations: rerunUnlessComplete },
        spec: migrationJob(migration, {
          labels: metadata.labels,
          connection,
          dataId: args.dataId,
          connectionEnv,
          secretEnvSecret: secretEnv?.metadata.name,
          imagePullPolicy: args.imagePullPolicy,
          uid: args.runAsUser,
          writablePaths: args.writablePaths ?? ["/tmp"],
        }),
      },
      childOptions(this, opts, { ...jobOptions(migration.timeoutSeconds), ...(secretEnv ? { dependsOn: secretEnv } : {}) }),
    );
    jobs.set(this, job);

    this.registerOutputs({ jobName: (this.jobName = job.metadata.name) });
  }

  /** The Job: what has to start after the migration depends on it. */
  public get job(): batch.Job {
    return jobs.get(this)!;
  }
}

/** Beside the class, because every field of it, private ones too, would become an output in the schema. */
const jobs = new WeakMap<MigrationJob, batch.Job>();
