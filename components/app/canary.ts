import * as pulumi from "@pulumi/pulumi";
import { types } from "@pulumi/kubernetes";
import { podMetadata } from "../common/clusterRules";
import { checkCommand } from "../common/commands";
import { ownResources } from "../common/resources";
import { wholeNumber } from "../common/rules";
import { migrationScript } from "../common/scripts";
import { Validation } from "../common/validation";
import { startSeconds } from "../migration/job";
import type { ResolvedStrategy } from "../migration/strategy";
import {
  ClientImage,
  ownScript,
  ownShell,
  RUN,
  supervisedEnv,
  supervisionMounts,
  supervisionVolumes,
  toolsContainer,
} from "../migration/supervision";
import { extraContainers } from "./containers";
import { PORT_NAME } from "./probes";
import { appContainer, appPod, AppSurroundings, appVolumes, ResolvedApp } from "./workload";

/** One pod of the new version, without requests, before any pod of the running one is touched. */
export interface CanaryArgs {
  /**
   * Command that has to succeed once the pod is ready, in a container of the application's image beside it, with the same
   * environment; the application is at localhost and its port:
   * `["node", "-e", "fetch('http://localhost:8080/health').then((r) => process.exit(r.ok ? 0 : 1))"]`. Defaults to none: being ready is
   * enough.
   */
  command?: pulumi.Input<pulumi.Input<string>[]>;
  /**
   * Seconds that it may take to be ready and for `command` to succeed. Pulling the image and finding a node may take five minutes
   * besides, or as long as this if that is less. Defaults to 300. A change applies from the next run on.
   */
  timeoutSeconds?: number;
}

/** How a new version takes the place of the running one. */
export interface RolloutArgs {
  /**
   * Starts one pod of the new version after the migration and before the rollout: a Job whose pod is as those of the application, and to
   * which the Service sends nothing. If it ends, is not ready in time or does not pass `canary.command`, `pulumi up` fails with its last
   * lines, and the pods of the running version stay as they are. It runs whenever the pods would be replaced, and at the first install.
   * Needs `command`, since the canary starts the application under a script that ends it; the application is then not process 1.
   * `{}` asks for no more than that it gets ready. Defaults to none. A change alone does not roll the pods.
   */
  canary?: CanaryArgs;
  /**
   * Seconds that a pod has to be ready before the next one is replaced. It catches what dies soon after its start, and makes a rollout that
   * much longer for each pod. Defaults to 0. A change is made in place.
   */
  minReadySeconds?: pulumi.Input<number>;
  /**
   * Seconds after which a rollout has failed in which not every pod is ready: `pulumi up` then says which pod, why, and what shows more;
   * pods of the former version that were not replaced yet go on serving, and the next `pulumi up` with a correction goes on. With
   * `migration.strategy` "Startup" and "InitContainer" `migration.timeoutSeconds` is allowed besides. Less than an explicit
   * `probes.startup` allows a pod is refused. Defaults to 300, or a minute more than that allows, with a minute for each replica after
   * the first, and for each pod `minReadySeconds` and, of a StatefulSet, what `terminationGracePeriodSeconds` is above 30. A change alone
   * does not roll the pods.
   */
  timeoutSeconds?: number;
}

export interface ResolvedCanary {
  command?: pulumi.Input<pulumi.Input<string>[]>;
  timeoutSeconds: number;
}

/** What of the application decides whether it can have one. */
interface CanaryOf {
  command?: unknown;
  migration: Pick<ResolvedStrategy, "who" | "inPods">;
}

export function resolveCanary(args: CanaryArgs, app: CanaryOf, path: string, validation: Validation): ResolvedCanary {
  const { who, inPods } = app.migration;
  if (inPods) {
    const reason =
      who === "image"
        ? "the image migrates when it starts, so the canary would be what migrates, before it has shown anything"
        : "the pods migrate when they start, so the canary would find the schema of the running version";
    validation.problem(path, `${reason}: use migration.strategy "Job", or leave it out`);
  }
  if (app.command === undefined)
    validation.problem(
      "command",
      `is missing, and ${path} has to know how the application starts, to be able to end it: write the image's ENTRYPOINT and CMD, as \`docker inspect\` shows them, such as ["node", "server.js"]`,
    );
  return {
    command: checkCommand(validation, `${path}.command`, args.command),
    timeoutSeconds: validation.check(`${path}.timeoutSeconds`, args.timeoutSeconds, wholeNumber(1, 24 * 3600)) ?? 300,
  };
}

/** Files of the canary's ConfigMap. Its name is fixed: new scripts and a new limit are no reason for another canary. */
export function canaryFiles({ timeoutSeconds }: ResolvedCanary): Record<string, string> {
  const scripts = ["tools.sh", "canary.sh"].map((file) => [file, migrationScript(file)]);
  return { ...Object.fromEntries(scripts), settings: `TIMEOUT_SECONDS=${timeoutSeconds}\n` };
}

/** canary.sh bounds everything but the pod's start; it ends the application within ten seconds. */
export const canaryDeadline = ({ timeoutSeconds }: ResolvedCanary) => startSeconds(timeoutSeconds) + timeoutSeconds + 60;

/**
 * The Job with the canary. Whether the application is ready is Kubernetes' question, which needs no program in the image: the
 * application's container has the startup probe, and the one that checks has what readiness asks as its own startup probe; each has a
 * readiness probe, which is asked only after the startup probe's yes, and notes that down where canary.sh looks.
 */
export function canaryJob(
  app: ResolvedApp,
  canary: ResolvedCanary,
  around: AppSurroundings & { labels: Record<string, string>; client: ClientImage; scripts: string },
): types.input.batch.v1.JobSpec {
  const workload = appContainer(app, around);
  const run = (mode: string, ...words: (pulumi.Input<pulumi.Input<string>[]> | undefined)[]) =>
    pulumi
      .all(words.map((list) => pulumi.output(list ?? []) as pulumi.Output<string[]>))
      .apply((lists) => [...ownShell, ...ownScript("canary.sh").slice(1), mode, ...lists.flat()]);
  const env = pulumi.output(workload.env).apply((variables) => [...(variables ?? []), ...supervisedEnv]);
  const volumeMounts = [...supervisionMounts, ...(workload.volumeMounts as types.input.core.v1.VolumeMount[])];
  const noted = (what: string): types.input.core.v1.Probe => ({
    exec: { command: [...ownShell, "-c", `: >${RUN}/${what}`] },
    periodSeconds: 1,
    timeoutSeconds: 10,
  });
  const asked = question(app);
  return {
    backoffLimit: 0,
    podFailurePolicy: { rules: [{ action: "Ignore", onPodConditions: [{ type: "DisruptionTarget", status: "True" }] }] },
    activeDeadlineSeconds: canaryDeadline(canary),
    template: {
      metadata: podMetadata(
        { labels: around.labels, annotations: { "kubectl.kubernetes.io/default-container": "app" } },
        around.client.rules,
      ),
      spec: {
        ...appPod(app, around),
        restartPolicy: "Never", // the failed pod keeps its log
        initContainers: [toolsContainer(around.client), ...extraContainers(app, around)],
        // The application comes last, so that its words are the last of the failure.
        containers: [
          {
            ...workload,
            name: "check",
            command: run("check", canary.command),
            args: undefined,
            env,
            ports: undefined,
            startupProbe: asked.exec ? undefined : { ...asked, periodSeconds: 1, failureThreshold: 7 * 24 * 3600 },
            livenessProbe: undefined,
            readinessProbe: asked.exec ? undefined : noted("answers"),
            resources: ownResources({ cpu: "10m", memory: "32Mi" }, around.client.rules.limits),
            volumeMounts,
          },
          {
            ...workload,
            command: run("app", app.command, app.args),
            args: undefined,
            env,
            readinessProbe: asked.exec ? answered(asked) : noted("started"),
            volumeMounts,
          },
        ],
        volumes: [...supervisionVolumes(around.scripts), ...appVolumes(app, around, true)],
      },
    },
  };
}

/** What readiness asks, by the port's number: its name is the other container's. */
function question({ probes: { readinessProbe }, port }: ResolvedApp): types.input.core.v1.Probe {
  const { httpGet, tcpSocket, exec, timeoutSeconds } = readinessProbe;
  const number = <T extends { port: unknown }>(asked: T): T => ({ ...asked, port: asked.port === PORT_NAME ? port : asked.port });
  return {
    timeoutSeconds,
    ...(httpGet ? { httpGet: number(httpGet as types.input.core.v1.HTTPGetAction) } : {}),
    ...(tcpSocket ? { tcpSocket: number(tcpSocket as types.input.core.v1.TCPSocketAction) } : {}),
    ...(exec ? { exec } : {}),
  };
}

/** A command asks in the application's own container, whose files and processes the other one does not have: it notes both down. */
function answered({ exec, timeoutSeconds }: types.input.core.v1.Probe): types.input.core.v1.Probe {
  const words = pulumi.output(exec).apply((action) => action?.command ?? []);
  const script = `: >${RUN}/started && "$@" && : >${RUN}/answers`;
  return {
    exec: { command: words.apply((command) => [...ownShell, "-c", script, "sh", ...command]) },
    periodSeconds: 1,
    timeoutSeconds,
  };
}
