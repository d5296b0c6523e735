import * as pulumi from "@pulumi/pulumi";
import { types } from "@pulumi/kubernetes";
import * as apps from "@pulumi/kubernetes/apps/v1";
import { Child, overrules } from "../common/childOptions";
import { checkCommand } from "../common/commands";
import { byName, plainVariables } from "../common/environment";
import { together } from "../common/hooks";
import { labels, selectorLabels } from "../common/labels";
import { Earlier, onlyAfter } from "../common/order";
import { checkResources, ContainerResourcesArgs } from "../common/resources";
import { componentName, environmentName, text, wholeNumber } from "../common/rules";
import { Validation } from "../common/validation";
import { boundedLater, boundedRollout, resolveRolloutSeconds } from "./boundedRollout";
import { marked } from "./templateMark";
import { appContainer, appPod, AppSurroundings, appVolumes, ResolvedApp, surging } from "./workload";

/**
 * A further process of the application's image, to which nothing sends requests: a queue's workers, a scheduler. It has what the
 * application has: settings, secrets, connection, user, writable paths.
 */
export interface WorkerArgs {
  /**
   * Command that starts it, in place of the image's ENTRYPOINT: `["bundle", "exec", "sidekiq"]`. This or `args` is needed.
   * A change rolls its pods.
   */
  command?: pulumi.Input<pulumi.Input<string>[]>;
  /**
   * Arguments of the command, in place of the image's CMD. A change rolls its pods.
   */
  args?: pulumi.Input<pulumi.Input<string>[]>;
  /**
   * Number of pods. Defaults to 1. While a version takes the place of another there is one more. A change rolls nothing.
   */
  replicas?: pulumi.Input<number>;
  /**
   * Plain settings of its own, as environment variables; they win over those of the application. Defaults to none. A change rolls
   * its pods.
   */
  env?: pulumi.Input<Record<string, pulumi.Input<string>>>;
  /**
   * CPU and memory of a pod. Defaults to requests of 100m CPU and 128Mi of memory and no limits. A change rolls its pods.
   */
  resources?: ContainerResourcesArgs;
  /**
   * Seconds that it has to go on running before it counts as started: nothing asks it whether it is ready, and one that ends at once
   * has to fail `pulumi up`. Defaults to 5. A change is made in place.
   */
  minReadySeconds?: pulumi.Input<number>;
  /**
   * Seconds between the signal to end and being killed, for the job at hand. Defaults to 30. A change rolls its pods.
   */
  terminationGracePeriodSeconds?: pulumi.Input<number>;
}

export interface ResolvedWorker {
  command?: pulumi.Input<pulumi.Input<string>[]>;
  args?: pulumi.Input<pulumi.Input<string>[]>;
  replicas: pulumi.Input<number>;
  env: pulumi.Output<Record<string, string>>;
  resources: ContainerResourcesArgs;
  minReadySeconds: pulumi.Input<number>;
  terminationGracePeriodSeconds: pulumi.Input<number>;
  /** How long all of its pods together may take to run. */
  rolloutSeconds: pulumi.Input<number>;
}

export type ResolvedWorkers = Record<string, ResolvedWorker>;

export function resolveWorkers(
  given: Record<string, WorkerArgs> | undefined,
  path: string,
  validation: Validation,
  rolloutSeconds: ReturnType<typeof resolveRolloutSeconds>,
): ResolvedWorkers {
  return Object.fromEntries(
    byName(given ?? {}).map(([worker, args]) => [
      worker,
      { ...resolveWorker(worker, args, `${path}.${worker}`, validation), rolloutSeconds: rolloutSeconds(args) },
    ]),
  );
}

function resolveWorker(
  worker: string,
  args: WorkerArgs,
  path: string,
  validation: Validation,
): Omit<ResolvedWorker, "rolloutSeconds"> {
  validation.check(path, worker, componentName(20));
  if (args.command === undefined && args.args === undefined)
    validation.problem(
      `${path}.command`,
      'is missing: write the words of the command that starts it, such as ["bundle", "exec", "sidekiq"]',
    );
  const count = (property: "replicas" | "minReadySeconds" | "terminationGracePeriodSeconds", otherwise: number) =>
    validation.check(`${path}.${property}`, args[property], wholeNumber(0)) ?? otherwise;
  return {
    command: checkCommand(validation, `${path}.command`, args.command),
    args: checkCommand(validation, `${path}.args`, args.args),
    replicas: count("replicas", 1),
    env: validation.withoutSecrets(
      `${path}.env`,
      validation.map(`${path}.env`, args.env, environmentName, text),
      "put it into the application's secretEnv",
    ),
    resources: checkResources(validation, `${path}.resources`, args.resources, { cpu: "100m", memory: "128Mi" }),
    minReadySeconds: count("minReadySeconds", 5),
    terminationGracePeriodSeconds: count("terminationGracePeriodSeconds", 30),
  };
}

/** The Deployment of a worker: the application's container without what is asked of it from outside. */
export function workerDeployment(
  app: ResolvedApp,
  worker: ResolvedWorker,
  around: AppSurroundings & { selector: Record<string, string>; labels: Record<string, string> },
): types.input.apps.v1.DeploymentSpec {
  const { ports, startupProbe, livenessProbe, readinessProbe, ...container } = appContainer(app, around);
  const template = {
    metadata: { labels: around.labels },
    spec: {
      ...appPod(app, around),
      terminationGracePeriodSeconds: worker.terminationGracePeriodSeconds,
      containers: [
        {
          ...container,
          name: "worker",
          command: worker.command,
          args: worker.args,
          env: pulumi
            .all([container.env, worker.env])
            .apply(([connection, own]) => [...((connection ?? []) as types.input.core.v1.EnvVar[]), ...plainVariables(own)]),
          resources: worker.resources,
        },
      ],
      volumes: appVolumes(app, around),
    },
  };
  return {
    ...surging(worker),
    replicas: worker.replicas,
    minReadySeconds: worker.minReadySeconds,
    selector: { matchLabels: around.selector },
    template: app.marksTemplate ? marked(template) : template,
  };
}

/** One of them, as it is and as the program has it. */
export interface StartedWorker {
  object: apps.Deployment;
  identity: pulumi.Input<types.input.core.v1.PodTemplateSpec>;
}

/** Starts them, each on its own, after what is there earlier; returns them for what has to wait for all of them. */
export function startWorkers(
  name: string,
  app: ResolvedApp & { namespace?: pulumi.Input<string>; workers: ResolvedWorkers },
  around: AppSurroundings,
  child: Child,
  { dependsOn, earlier }: { dependsOn: pulumi.Resource[]; earlier: Earlier[] },
): StartedWorker[] {
  return Object.entries(app.workers).map(([worker, resolved]) => {
    const which = { "pulumi-postgres-app/worker": worker };
    const selector = { ...selectorLabels(name, "worker"), ...which };
    const all = { ...labels(name, "worker"), ...which };
    const own = `${name}-${worker}`;
    const annotations = { ...overrules, ...boundedLater(resolved.rolloutSeconds) };
    const metadata = { name: own, namespace: app.namespace, labels: all, annotations };
    const spec = workerDeployment(app, resolved, { ...around, selector, labels: all });
    const bounded = boundedRollout(own, resolved.rolloutSeconds);
    const hooks = together(bounded.hooks, onlyAfter(`${own}-in-order`, "nothing was rolled out", earlier));
    return {
      object: new apps.Deployment(own, { metadata, spec }, child({ dependsOn, ...bounded, hooks })),
      identity: spec.template,
    };
  });
}
