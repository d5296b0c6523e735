import * as pulumi from "@pulumi/pulumi";
import * as batch from "@pulumi/kubernetes/batch/v1";
import * as core from "@pulumi/kubernetes/core/v1";
import { Child, jobOptions, rerunUnlessComplete } from "../common/childOptions";
import { labels, Part } from "../common/labels";
import { keysFiles, keysJob, keysRecord } from "../database/keysJob";
import { PostgresDatabase } from "../database/postgresDatabase";
import { ResolvedDatabase } from "../database/resolveDatabase";
import { setupDeadline } from "../database/setup";
import { GeneratedSecret } from "./generatedSecrets";

/**
 * Keeps data and the secrets that it can only be read with together: a copy of their values outlives the component if the data does,
 * and a Job stops a deployment that would start the application with others. Returns the Job, after which migration and application
 * may start; none where no such secret is.
 */
export function guardKeys(
  name: string,
  secrets: Record<string, GeneratedSecret>,
  { database, resolved, namespace }: { database: PostgresDatabase; resolved: ResolvedDatabase; namespace?: pulumi.Input<string> },
  child: Child,
): batch.Job | undefined {
  const keys = Object.fromEntries(Object.entries(secrets).filter(([, { encryptsData }]) => encryptsData));
  if (Object.keys(keys).length === 0) return undefined;
  const metadata = (part: Part) => ({ namespace, labels: labels(name, part) });
  const { connectTimeoutSeconds, onDelete, restoreFrom } = resolved;

  const kept = new core.Secret(
    `${name}-kept-secrets`,
    {
      metadata: metadata("kept-secrets"),
      stringData: Object.fromEntries(Object.entries(keys).map(([variable, { value }]) => [variable, value])),
    },
    child(onDelete === "retain" ? { retainOnDelete: true } : {}),
  );
  const record = new core.Secret(`${name}-keys`, { metadata: metadata("keys"), stringData: { keys: keysRecord(keys) } }, child());
  const files = new core.ConfigMap(`${name}-keys`, { metadata: metadata("keys"), data: keysFiles() }, child());
  return new batch.Job(
    `${name}-keys`,
    {
      metadata: { ...metadata("keys"), annotations: rerunUnlessComplete },
      spec: keysJob({
        application: name,
        client: database.client,
        connectTimeoutSeconds,
        keysSecret: record.metadata.name,
        keptSecret: kept.metadata.name,
        scripts: files.metadata.name,
        labels: labels(name, "keys"),
        dataId: database.dataId,
        restoredBy: restoreFrom && database.ready.metadata.name,
      }),
    },
    child({ dependsOn: [database.ready, kept, record, files], ...jobOptions(setupDeadline(connectTimeoutSeconds)) }),
  );
}
