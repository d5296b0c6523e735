import * as pulumi from "@pulumi/pulumi";
import { types } from "@pulumi/kubernetes";
import { checkCommand } from "./common/commands";
import { checkWritablePaths } from "./common/security";
import { ResolvedGeneratedSecrets, resolveGeneratedSecrets } from "./app/generatedSecrets";
import { requestsForTargets, resolveAutoscaling } from "./app/autoscaling";
import { ResolvedCanary, resolveCanary } from "./app/canary";
import { ResolvedExposure, resolveExposure } from "./app/exposure/resolveExposure";
import { resolveProbes } from "./app/probes";
import { resolveServiceAccount } from "./app/serviceAccount";
import { resolveTopologySpread } from "./app/topologySpread";
import { ResolvedWorkers, resolveWorkers } from "./app/workers";
import { ResolvedApp, WorkloadKind } from "./app/workload";
import { resolveRolloutSeconds } from "./app/boundedRollout";
import { resolveContainers } from "./app/containers";
import { resolveEnvFrom } from "./common/envFrom";
import { resolveVolumes } from "./app/volumes";
import { resolveClusterRules } from "./common/clusterRules";
import { computed } from "./common/computed";
import { refuseTwoValues } from "./common/environment";
import { resolvePlacement } from "./common/placement";
import { checkResources } from "./common/resources";
import { environmentName, namespaceName, oneOf, port, pullPolicy, text, wholeNumber } from "./common/rules";
import { Validation } from "./common/validation";
import { checkConnectionEnv } from "./database/connection";
import { resolveDatabase, ResolvedDatabase } from "./database/resolveDatabase";
import { ResolvedStrategy, whoMigrates } from "./migration/strategy";
import { ResolvedMonitoring, resolveMonitoring } from "./monitoring/monitoringArgs";
import { ResolvedAppNetworkPolicy, resolveAppNetworkPolicy } from "./network/appPolicies";
import { PostgresAppArgs } from "./postgresAppArgs";

type Env = pulumi.Input<Record<string, pulumi.Input<string>>>;

export interface ResolvedArgs extends ResolvedApp {
  namespace?: pulumi.Input<string>;
  exposure: ResolvedExposure;
  env?: pulumi.Output<Record<string, string>>;
  secretEnv?: Env;
  generatedSecrets: ResolvedGeneratedSecrets;
  database: ResolvedDatabase;
  migration: ResolvedStrategy;
  canary?: ResolvedCanary;
  workers: ResolvedWorkers;
  networkPolicy?: ResolvedAppNetworkPolicy;
  monitoring?: ResolvedMonitoring;
  /** Sources of the user's for the environment. */
  envFrom: types.input.core.v1.EnvFromSource[];
}

/** Fills in every default and checks everything that is given; throws one error with all that is wrong. */
export function resolveArgs(name: string, args: PostgresAppArgs, validation: Validation): ResolvedArgs {
  const check: Validation["check"] = (propertyPath, value, rule) => validation.check(propertyPath, value, rule);
  const rules = resolveClusterRules(args, "", validation);
  const { image, migration } = whoMigrates(args, validation, rules);
  const env = validation.map("env", args.env, environmentName, text);
  // The parts check their arguments themselves too; here it is done so that all that is wrong is said at once.
  const database = resolveDatabase(`${name}-db`, { ...args.database, partOf: name }, "database.", validation, rules);
  const connectionEnv = checkConnectionEnv(validation, "connectionEnv", args.connectionEnv, database.offer);
  const startsAlone = migration.who === "image";
  if (startsAlone && args.database?.credentials?.separateMigrator)
    validation.problem(
      "database.credentials.separateMigrator",
      'leaves the application a login that cannot change the schema, and the image migrates with it when it starts: leave it out, or use migration.strategy "Job" and a command that only starts the application',
    );
  if (args.replicas !== undefined && args.autoscaling)
    validation.problem(
      "replicas",
      "is what autoscaling decides: leave one of the two out; autoscaling.minReplicas is the fewest",
    );
  const autoscaling = args.autoscaling && resolveAutoscaling(args.autoscaling, "autoscaling", validation);
  const resources = checkResources(validation, "resources", args.resources, { cpu: "100m", memory: "128Mi" });
  const preStopSeconds = check("preStopSeconds", args.preStopSeconds, wholeNumber(0, 3600)) ?? 5;
  const monitoring = args.monitoring && resolveMonitoring(args.monitoring, args.port ?? 8080, "monitoring", validation);
  const writablePaths = checkWritablePaths(args.writablePaths, "", validation);
  const volumes = resolveVolumes(args.volumes, { ...args, writablePaths }, "volumes", validation);
  const rolloutSeconds = resolveRolloutSeconds(args, migration, validation);
  const terminationGracePeriodSeconds = resolveGracePeriod(args.terminationGracePeriodSeconds, preStopSeconds, validation);
  const kind = check("kind", args.kind, oneOf(Object.values(WorkloadKind))) ?? WorkloadKind.StatefulSet;
  // A Deployment starts the next pod before the former one has stopped.
  const stopping = kind === "StatefulSet" ? terminationGracePeriodSeconds : undefined;
  const resolved: ResolvedArgs = {
    kind,
    image,
    imagePullPolicy: check("imagePullPolicy", args.imagePullPolicy, pullPolicy),
    command: checkCommand(validation, "command", args.command),
    args: checkCommand(validation, "args", args.args),
    port: check("port", args.port, port) ?? 8080,
    exposure: resolveExposure(name, args, validation),
    replicas: check("replicas", args.replicas, wholeNumber(0)) ?? 1,
    env: env && validation.withoutSecrets("env", env, "put it into secretEnv"),
    secretEnv: validation.map("secretEnv", args.secretEnv, environmentName, text),
    generatedSecrets: resolveGeneratedSecrets(args.generatedSecrets, "generatedSecrets", validation),
    connectionEnv,
    probes: resolveProbes(args.probes, "probes", validation, startsAlone ? migration.timeoutSeconds : 0),
    startsAlone,
    resources: requestsForTargets(resources, autoscaling, validation),
    autoscaling,
    topologySpread: resolveTopologySpread(args.topologySpread, "topologySpread", validation),
    placement: resolvePlacement(args, "", validation),
    serviceAccount: resolveServiceAccount(name, args.serviceAccount, "serviceAccount", validation),
    preStopSeconds,
    terminationGracePeriodSeconds,
    minReadySeconds: check("rollout.minReadySeconds", args.rollout?.minReadySeconds, wholeNumber(0)),
    workers: resolveWorkers(args.workers, "workers", validation, rolloutSeconds),
    uid: check("runAsUser", args.runAsUser, wholeNumber(1)),
    writablePaths,
    volumes,
    containers: resolveContainers(args, { volumes, writablePaths }, validation),
    envFrom: resolveEnvFrom(args.envFrom, "envFrom", validation),
    rolloutSeconds: rolloutSeconds({ replicas: autoscaling?.maxReplicas ?? args.replicas, stopping }),
    namespace: check("namespace", args.namespace, namespaceName),
    database,
    migration,
    canary: args.rollout?.canary && resolveCanary(args.rollout.canary, { ...args, migration }, "rollout.canary", validation),
    networkPolicy: args.networkPolicy && resolveAppNetworkPolicy(args.networkPolicy, args, "networkPolicy", validation),
    monitoring,
    metricsPort: monitoring?.port,
    marksTemplate: migration.postDeploy !== undefined,
  };
  const { secretEnv, generatedSecrets } = args;
  refuseTwoValues(validation, { connectionEnv, env: args.env, secretEnv, generatedSecrets });
  const { env: plain, secretEnv: secret, postDeploy } = args.migration ?? {};
  const seen = Object.fromEntries(Object.entries(generatedSecrets ?? {}).filter(([, one]) => one?.migration));
  refuseTwoValues(validation, { connectionEnv, "migration.env": plain, "migration.secretEnv": secret, generatedSecrets: seen });
  refuseTwoValues(validation, { connectionEnv, "migration.postDeploy.env": postDeploy?.env });
  refuseTwoValues(validation, {
    "migration.secretEnv": secret,
    generatedSecrets: seen,
    "migration.postDeploy.env": postDeploy?.env,
  });

  for (const [worker, { env: own }] of Object.entries(args.workers ?? {}))
    refuseTwoValues(validation, { connectionEnv, [`workers.${worker}.env`]: own });

  validation.throwIfAny();
  return resolved;
}

/** The time for stopping begins with the pause before the signal. */
const resolveGracePeriod = (given: pulumi.Input<number> | undefined, preStop: pulumi.Input<number>, validation: Validation) => {
  const at = "terminationGracePeriodSeconds";
  const seconds = validation.check(at, given, wholeNumber(1)) ?? computed([preStop], (pause) => pause + 25);
  return validation.checkBeside(at, seconds, preStop, (all, pause) =>
    all <= pause
      ? `is ${all}, and ${pause} of them pass before the pod is told to end (preStopSeconds): make it longer`
      : undefined,
  );
};
