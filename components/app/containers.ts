import * as pulumi from "@pulumi/pulumi";
import { types } from "@pulumi/kubernetes";
import { checkCommand } from "../common/commands";
import { byName, plainVariables } from "../common/environment";
import { checkResources, ContainerResourcesArgs } from "../common/resources";
import { environmentName, imageReference, label, path, port, pullPolicy, text, wholeNumber } from "../common/rules";
import { checkWritablePaths, restrictedContainer, writable } from "../common/security";
import { Rule, Validation } from "../common/validation";
import { tlsVolumes } from "../database/tlsFiles";
import { EnvFromArgs, resolveEnvFrom } from "../common/envFrom";
import { AppProbeArgs, resolveStartup } from "./probes";
import { appVariables } from "./variables";
import { ResolvedVolume, volumeMounts } from "./volumes";
import type { AppSurroundings, ResolvedApp } from "./workload";

/**
 * One more container in each pod of the application: a sidecar, which starts before the application and stops after it, or an init
 * container, which comes to its end before the application starts. It satisfies the restricted Pod Security Standard as the
 * application does. The migration Job has none of them. A change rolls the pods.
 */
export interface AppContainerArgs {
  /**
   * Name of the container, in `kubectl logs --container`.
   */
  name: string;
  /**
   * Image of the container. It has to run as a numeric user that is not root, or with `runAsUser`.
   */
  image: pulumi.Input<string>;
  /**
   * When the image is pulled: Always, IfNotPresent or Never. Defaults to Kubernetes' rule: Always for the tag "latest", else
   * IfNotPresent.
   */
  imagePullPolicy?: pulumi.Input<string>;
  /**
   * Command of the container, in place of the image's ENTRYPOINT. Defaults to the image's own.
   */
  command?: pulumi.Input<pulumi.Input<string>[]>;
  /**
   * Arguments of the command, in place of the image's CMD. Defaults to the image's own.
   */
  args?: pulumi.Input<pulumi.Input<string>[]>;
  /**
   * Environment variables with plain values; a secret value is refused: use `envFrom`. They win over those of `envFrom` and `appEnv`.
   * Defaults to none.
   */
  env?: pulumi.Input<Record<string, pulumi.Input<string>>>;
  /**
   * Existing ConfigMaps and Secrets whose entries are environment variables. They win over those of `appEnv`. Defaults to none.
   */
  envFrom?: EnvFromArgs[];
  /**
   * Whether it has the application's environment too: settings, secrets, generated secrets and the connection. Defaults to false.
   */
  appEnv?: boolean;
  /**
   * Ports that it listens on, by name, for monitors and Services that find them so: `{ metrics: 9187 }`. Defaults to none.
   */
  ports?: Record<string, pulumi.Input<number>>;
  /**
   * Asked of a sidecar until the first yes; whatever starts after it, the application too, waits for that: for a proxy that the
   * application connects through. `port` is needed unless `command` is given. Defaults to not waiting.
   */
  startup?: AppProbeArgs;
  /**
   * CPU and memory of the container. Defaults to requests of 10m CPU and 32Mi of memory and no limits.
   */
  resources?: ContainerResourcesArgs;
  /**
   * User id of the container. Defaults to the application's `runAsUser`; without that to the image's own user.
   */
  runAsUser?: pulumi.Input<number>;
  /**
   * Directories that it writes to, each an empty one of its own; the rest of the file system is read-only. Defaults to ["/tmp"].
   */
  writablePaths?: string[];
  /**
   * What of the application it sees: a path among the application's `volumes` and `writablePaths`, and where that is here:
   * `{ "/app/uploads": "/files" }`. Defaults to none.
   */
  mounts?: Record<string, pulumi.Input<string>>;
}

export interface ResolvedContainer {
  name: string;
  sidecar: boolean;
  image: pulumi.Input<string>;
  imagePullPolicy?: pulumi.Input<string>;
  command?: pulumi.Input<pulumi.Input<string>[]>;
  args?: pulumi.Input<pulumi.Input<string>[]>;
  env: pulumi.Output<Record<string, string>>;
  envFrom: types.input.core.v1.EnvFromSource[];
  appEnv: boolean;
  ports: [string, pulumi.Input<number>][];
  startupProbe?: types.input.core.v1.Probe;
  resources: ContainerResourcesArgs;
  uid?: pulumi.Input<number>;
  writablePaths: string[];
  mounts: [string, pulumi.Input<string>][];
}

/** Names of containers in the pods that run the application, the canary's and those that migrate among them. */
const OURS = ["app", "check", "guard", "migrate", "tools"];

/** Both lists, sidecars first: so they start, each when the one before has begun (sidecar) or ended (init container). */
export function resolveContainers(
  args: { sidecars?: AppContainerArgs[]; initContainers?: AppContainerArgs[] },
  app: { volumes: Pick<ResolvedVolume, "mountPath">[]; writablePaths: string[] },
  validation: Validation,
): ResolvedContainer[] {
  const seen = new Set(OURS);
  const shared = [...app.volumes.map(({ mountPath }) => mountPath), ...app.writablePaths];
  return (["sidecars", "initContainers"] as const).flatMap((list) => {
    const resolved = validation.list(list, args[list], (given, at) => {
      validation.required(`${at}.name`, given.name, notTaken(seen), 'name the container, such as "proxy"');
      seen.add(given.name);
      return resolveContainer(given, at, list === "sidecars", shared, validation);
    });
    return resolved ?? [];
  });
}

const notTaken =
  (taken: Set<string>): Rule<string> =>
  (name) => {
    const own = OURS.includes(name) ? "one of this package's own" : "another container";
    return taken.has(name) ? `${JSON.stringify(name)} is the name of ${own}: choose another` : label(63)(name);
  };

function resolveContainer(
  given: AppContainerArgs,
  at: string,
  sidecar: boolean,
  shared: string[],
  validation: Validation,
): ResolvedContainer {
  const check: Validation["check"] = (property, value, rule) => validation.check(`${at}.${property}`, value, rule);
  const { startup } = given;
  if (startup && !sidecar)
    validation.problem(`${at}.startup`, "is for sidecars: what comes after an init container waits for its end. Leave it out");
  if (startup && startup.port === undefined && startup.command === undefined)
    validation.missing(`${at}.startup.port`, "write the port that is asked, or command");
  for (const name of Object.keys(given.ports ?? {})) {
    const wrong = name === "http" ? "is the application's own: choose another" : portName(name);
    if (wrong) validation.problem(`${at}.ports["${name}"]`, wrong);
  }
  for (const from of Object.keys(given.mounts ?? {}))
    if (!shared.includes(from))
      validation.problem(
        `${at}.mounts["${from}"]`,
        `is none of the application's volumes and writablePaths: write one of ${shared.map((known) => JSON.stringify(known)).join(", ")}`,
      );
  const env = validation.map(`${at}.env`, given.env, environmentName, text);
  return {
    name: given.name,
    sidecar,
    image: validation.required(`${at}.image`, given.image, imageReference, "name the image of the container"),
    imagePullPolicy: check("imagePullPolicy", given.imagePullPolicy, pullPolicy),
    command: checkCommand(validation, `${at}.command`, given.command, SECRETS),
    args: checkCommand(validation, `${at}.args`, given.args, SECRETS),
    env: validation.withoutSecrets(`${at}.env`, env, `put it into ${SECRETS}`),
    envFrom: resolveEnvFrom(given.envFrom, `${at}.envFrom`, validation),
    appEnv: given.appEnv ?? false,
    ports: byName(given.ports ?? {}).map(([name, number]) => [name, check(`ports.${name}`, number, port)]),
    ...(startup && sidecar ? { startupProbe: resolveStartup(startup, `${at}.startup`, validation) } : {}),
    resources: checkResources(validation, `${at}.resources`, given.resources, { cpu: "10m", memory: "32Mi" }),
    uid: check("runAsUser", given.runAsUser, wholeNumber(1)),
    writablePaths: checkWritablePaths(given.writablePaths, `${at}.`, validation),
    mounts: byName(given.mounts ?? {}).map(([from, to]) => [from, check(`mounts["${from}"]`, to, path)]),
  };
}

/** Where secret values belong. */
const SECRETS = "a Secret, and name that in envFrom";

/** Kubernetes' rule for names of ports. */
const portName: Rule<string> = (name) =>
  /^(?=.*[a-z])[a-z0-9]+(-[a-z0-9]+)*$/.test(name) && name.length <= 15
    ? undefined
    : 'is not a port\'s name: use at most 15 lower-case letters, digits and "-", with a letter';

/** Its own empty directories. */
const scratch = ({ name, writablePaths }: ResolvedContainer) => writable(writablePaths, `${name}-writable`);

/**
 * The containers, all of them init containers of Kubernetes: a sidecar is one that is restarted always. So it is there before the
 * application and until after its end, and does not keep a Job such as the canary's from ending.
 */
export const extraContainers = (app: ResolvedApp, around: AppSurroundings): types.input.core.v1.Container[] =>
  app.containers.map((container) => ({
    name: container.name,
    ...(container.sidecar ? { restartPolicy: "Always" } : {}),
    image: container.image,
    imagePullPolicy: container.imagePullPolicy,
    command: container.command,
    args: container.args,
    env: environment(container, app, around),
    envFrom: [...(container.appEnv ? around.envFrom : []), ...container.envFrom],
    ports: container.ports.map(([name, containerPort]) => ({ name, containerPort })),
    ...(container.startupProbe ? { startupProbe: container.startupProbe } : {}),
    resources: container.resources,
    securityContext: {
      ...restrictedContainer(),
      ...(container.uid === undefined ? {} : { runAsUser: container.uid, runAsGroup: container.uid }),
    },
    terminationMessagePolicy: "FallbackToLogsOnError",
    volumeMounts: [
      ...(container.appEnv ? tlsVolumes(around.connection).volumeMounts : []),
      ...scratch(container).volumeMounts,
      ...container.mounts.flatMap(([from, mountPath]) => appMounts(app, from).map((mount) => ({ ...mount, mountPath }))),
    ],
  }));

/** Its own variables come last, and those of the application that they replace not at all: a name may stand there once. */
function environment(
  { env, appEnv }: ResolvedContainer,
  app: ResolvedApp,
  around: AppSurroundings,
): pulumi.Input<pulumi.Input<types.input.core.v1.EnvVar>[]> {
  if (!appEnv) return env.apply(plainVariables);
  return appVariables(around, app.connectionEnv, env);
}

/** What is mounted in the application at a path. */
const appMounts = ({ volumes, writablePaths }: ResolvedApp, at: string): types.input.core.v1.VolumeMount[] =>
  [...volumeMounts(volumes), ...writable(writablePaths).volumeMounts].filter(({ mountPath }) => mountPath === at);

export const extraVolumes = ({ containers }: ResolvedApp): types.input.core.v1.Volume[] =>
  containers.flatMap((container) => scratch(container).volumes);
