import * as pulumi from "@pulumi/pulumi";
import * as batch from "@pulumi/kubernetes/batch/v1";
import * as core from "@pulumi/kubernetes/core/v1";
import { Child, jobOptions, rerunUnlessComplete } from "../common/childOptions";
import { labels, Part } from "../common/labels";
import { explainNoPod } from "../common/noPod";
import { keysFiles, keysJob, keysRecord } from "../database/keysJob";
import { PostgresDatabase } from "../database/postgresDatabase";
import { ResolvedDatabase } from "../database/resolveDatabase";
import { setupDeadline } from "../database/setup";
import { formerKeys, isKept, KeptSecrets, only, secretVariables } from "./keptSecrets";

/**
 * Keeps data and the secrets that belong to it together: a copy of their values outlives the component if the data does, and where the
 * data can only be read with them, a Job stops a deployment that would start the application with others. Returns the Job, after which
 * migration and application may start; none where no such secret is.
 */
export function guardKeys(
  name: string,
  { secrets, writeDown }: KeptSecrets,
  { database, resolved, namespace }: { database: PostgresDatabase; resolved: ResolvedDatabase; namespace?: pulumi.Input<string> },
  child: Child,
): batch.Job | undefined {
  const all = only(secrets, isKept);
  const keys = only(secrets, ({ encryptsData }) => encryptsData);
  if (Object.keys(all).length === 0) return undefined;
  const metadata = (part: Part) => ({ namespace, labels: labels(name, part) });
  const { connectTimeoutSeconds, onDelete, restoreFrom } = resolved;

  const files = new core.ConfigMap(`${name}-keys`, { metadata: metadata("keys"), data: keysFiles() }, child());
  // With nothing in it, because all that counts is in others, it goes with the component.
  const empty = formerKeys(all)?.apply((others) => others.length === Object.keys(all).length);
  const { name: owner, uid } = files.metadata;
  const kept = new core.Secret(
    `${name}-kept-secrets`,
    {
      metadata: {
        ...metadata("kept-secrets"),
        ...(empty
          ? { ownerReferences: empty.apply((none) => (none ? [{ apiVersion: "v1", kind: "ConfigMap", name: owner, uid }] : [])) }
          : {}),
      },
      stringData: secretVariables(undefined, all),
    },
    child(onDelete === "retain" ? { retainOnDelete: true } : {}),
  );
  if (Object.keys(keys).length === 0) {
    writeDown(kept, kept);
    return undefined;
  }
  const record = new core.Secret(`${name}-keys`, { metadata: metadata("keys"), stringData: { keys: keysRecord(keys) } }, child());
  const agreed = new batch.Job(
    `${name}-keys`,
    {
      metadata: { ...metadata("keys"), annotations: rerunUnlessComplete },
      spec: keysJob({
        application: name,
        client: database.client,
        connectTimeoutSeconds,
        keysSecret: record.metadata.name,
        keptSecret: kept.metadata.name,
        former: formerKeys(keys),
        scripts: files.metadata.name,
        labels: labels(name, "keys"),
        dataId: database.dataId,
        restoredBy: restoreFrom && database.ready.metadata.name,
      }),
    },
    child({
      dependsOn: [database.ready, kept, record, files],
      ...jobOptions(setupDeadline(connectTimeoutSeconds)),
      hooks: explainNoPod(`${name}-keys-failure`, "the comparison of the application's keys"),
    }),
  );
  writeDown(kept, agreed);
  return agreed;
}
