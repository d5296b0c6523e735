import { PostgresDatabase } from "../database/postgresDatabase";
import { PostgresAppArgs } from "../postgresAppArgs";
import { ResolvedArgs } from "../resolveArgs";
import { ArgumentNames, POST_DEPLOY, standingAt } from "./argumentNames";
import { MigrationJobArgs } from "./migrationArgs";
import { ResolvedMigration } from "./resolveMigration";

/** Where the arguments of an application's migration stand. */
export const appNames = ({ database }: ResolvedArgs, args: PostgresAppArgs): ArgumentNames => ({
  prefix: "migration.",
  shared: "migration.",
  backup: "migration.backup",
  client: args.database?.external?.clientImage === undefined ? database.versionArgument : "database.external.clientImage",
});

/** Arguments of the Job that migrates an application's database before the rollout, and of the one after it. */
export function jobsOfApp(
  name: string,
  args: PostgresAppArgs,
  app: ResolvedArgs & { run?: ResolvedMigration },
  database: PostgresDatabase,
): { before?: MigrationJobArgs; after?: MigrationJobArgs } {
  const { run } = app;
  const { migration, jobs, imageRegistry } = args;
  const { inPods, postDeploy } = app.migration;
  if (!migration || !run || inPods) return {};
  const { strategy: _, postDeploy: __, ...given } = migration;
  const { secretName, keys, values, caSecretName, clientCertificate, formats } = database.migrationConnection;
  const around = {
    image: run.image,
    namespace: app.namespace,
    connectionSecretName: secretName,
    connectionKeys: keys,
    connectionValues: values,
    connectionCaSecretName: caSecretName,
    connectionClientCertificate: clientCertificate,
    connectionFormats: formats,
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
    jobs,
    imageRegistry,
    serviceAccountName: app.serviceAccount.isIdentity ? app.serviceAccount.name : undefined,
    partOf: name,
  };
  const { envFrom, files, backoffLimit, rerun, resources, lock, goBackTo } = given;
  const { secretEnv, existingSecretEnv } = run; // with the generated secrets that the migration sees
  const names = appNames(app, args);
  const { gates, ownBackup, ...own } = postDeploy ?? {};
  return {
    before: standingAt({ ...given, command: run.command, secretEnv, existingSecretEnv, ...around }, names),
    after:
      postDeploy &&
      standingAt(
        {
          ...{
            command: run.command,
            secretEnv,
            existingSecretEnv,
            envFrom,
            files,
            backoffLimit,
            rerun,
            resources,
            lock,
            goBackTo,
          },
          ...gates,
          ...own,
          ...around,
        },
        { ...names, prefix: POST_DEPLOY, backup: ownBackup ? "migration.postDeploy.backup" : names.backup },
      ),
  };
}
