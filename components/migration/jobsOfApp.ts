import { PostgresDatabase } from "../database/postgresDatabase";
import { PostgresAppArgs } from "../postgresAppArgs";
import { ResolvedArgs } from "../resolveArgs";
import { MigrationJobArgs } from "./migrationArgs";
import { ResolvedMigration } from "./resolveMigration";

/** Arguments of the Job that migrates an application's database before the rollout, and of the one after it. */
export function jobsOfApp(
  name: string,
  { migration }: PostgresAppArgs,
  app: ResolvedArgs & { run?: ResolvedMigration },
  database: PostgresDatabase,
): { before?: MigrationJobArgs; after?: MigrationJobArgs } {
  const { run } = app;
  const { strategy, postDeploy } = app.migration ?? {};
  if (!migration || !run || strategy !== "Job") return {};
  const { strategy: _, postDeploy: __, ...given } = migration;
  const { secretName, keys, values, caSecretName } = database.migrationConnection;
  const around = {
    image: run.image,
    namespace: app.namespace,
    connectionSecretName: secretName,
    connectionKeys: keys,
    connectionValues: values,
    connectionCaSecretName: caSecretName,
    dataId: database.dataId,
    connectionEnv: app.connectionEnv,
    clientImage: database.client.image,
    clientRunAsUser: database.client.uid,
    imagePullPolicy: app.imagePullPolicy,
    runAsUser: app.uid,
    writablePaths: app.writablePaths,
    // The same image: what it can be pulled with and where it can run hold for it too, and so does an identity that it was given.
    imagePullSecrets: app.placement.imagePullSecrets,
    nodeSelector: app.placement.nodeSelector,
    tolerations: app.placement.tolerations,
    serviceAccountName: app.serviceAccount.isIdentity ? app.serviceAccount.name : undefined,
    partOf: name,
  };
  const { backoffLimit, rerun, resources, lock } = given;
  const { secretEnv } = run; // with the generated secrets that the migration sees
  return {
    before: { ...given, command: run.command, secretEnv, ...around },
    after: postDeploy && { secretEnv, backoffLimit, rerun, resources, lock, ...postDeploy, ...around },
  };
}
