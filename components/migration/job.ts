import * as pulumi from "@pulumi/pulumi";
import { types } from "@pulumi/kubernetes";
import { checkResources, ContainerResourcesArgs } from "../common/resources";
import { command, environmentName, imageReference, text, wholeNumber } from "../common/rules";
import { restrictedContainer, restrictedPod, writable } from "../common/security";
import { Validation } from "../common/validation";
import { caVolume, Connection, connectionVariables } from "../database/connection";
import { dataAnnotation } from "../database/setup";
import { plainVariables } from "../common/environment";
import { MigrationArgs } from "./migrationArgs";

export interface ResolvedMigration {
  image: pulumi.Input<string>;
  command: pulumi.Input<pulumi.Input<string>[]>;
  env: pulumi.Output<Record<string, string>>;
  secretEnv?: pulumi.Input<Record<string, pulumi.Input<string>>>;
  timeoutSeconds: number;
  backoffLimit: pulumi.Input<number>;
  rerun?: pulumi.Input<string>;
  resources: ContainerResourcesArgs;
}

/** `image` is what the migration runs in when it names none itself. */
export function resolveMigration(
  args: MigrationArgs,
  image: pulumi.Input<string>,
  path: string,
  validation: Validation,
): ResolvedMigration {
  const wayOut = 'give the words of the command that migrates, such as ["sequelize-cli", "db:migrate"]';
  validation.check(`${path}timeoutSeconds`, args.timeoutSeconds, wholeNumber(1, 7 * 24 * 3600));
  return {
    image: validation.check(`${path}image`, args.image, imageReference) ?? image,
    command: validation.required(`${path}command`, args.command, command, wayOut),
    env: validation.withoutSecrets(
      `${path}env`,
      validation.map(`${path}env`, args.env, environmentName, text),
      `put it into ${path}secretEnv`,
    ),
    secretEnv: validation.map(`${path}secretEnv`, args.secretEnv, environmentName, text),
    timeoutSeconds: args.timeoutSeconds ?? 600,
    backoffLimit: validation.check(`${path}backoffLimit`, args.backoffLimit, wholeNumber(0, 100)) ?? 0,
    rerun: args.rerun,
    resources: checkResources(validation, `${path}resources`, args.resources, { cpu: "100m", memory: "128Mi" }),
  };
}

/**
 * The Job that migrates. Its pod template is its identity: a change there is a new Job, nothing else is. So only what a
 * migration depends on may stand in it: no labels that change, none of the application's settings.
 */
export function migrationJob(
  migration: ResolvedMigration,
  around: {
    labels: Record<string, string>;
    connection: Connection;
    /** Changes when the database becomes another one. */
    dataId?: pulumi.Input<string>;
    connectionEnv: Record<string, pulumi.Input<string>>;
    secretEnvSecret?: pulumi.Input<string>;
    imagePullPolicy?: pulumi.Input<string>;
    uid?: pulumi.Input<number>;
    writablePaths: string[];
  },
): types.input.batch.v1.JobSpec {
  const scratch = writable(around.writablePaths);
  const ca = caVolume(around.connection);
  const annotations = {
    ...dataAnnotation(around.dataId),
    ...(migration.rerun === undefined ? {} : { "pulumi-postgres-app/rerun": migration.rerun }),
  };
  return {
    backoffLimit: migration.backoffLimit,
    activeDeadlineSeconds: migration.timeoutSeconds,
    template: {
      metadata: {
        labels: around.labels,
        ...(Object.keys(annotations).length ? { annotations } : {}),
      },
      spec: {
        restartPolicy: "Never", // a new pod for each try: the failed one keeps its log
        automountServiceAccountToken: false,
        enableServiceLinks: false,
        securityContext: restrictedPod(around.uid),
        containers: [
          {
            name: "migration",
            image: migration.image,
            imagePullPolicy: around.imagePullPolicy,
            command: migration.command,
            env: migration.env.apply((env) => [
              ...connectionVariables(around.connection, around.connectionEnv),
              ...plainVariables(env),
            ]),
            envFrom: around.secretEnvSecret === undefined ? undefined : [{ secretRef: { name: around.secretEnvSecret } }],
            resources: migration.resources,
            securityContext: restrictedContainer(),
            terminationMessagePolicy: "FallbackToLogsOnError", // the last lines of the log become the error of `pulumi up`
            volumeMounts: [...ca.volumeMounts, ...scratch.volumeMounts],
          },
        ],
        volumes: [...ca.volumes, ...scratch.volumes],
      },
    },
  };
}
