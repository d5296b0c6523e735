import * as pulumi from "@pulumi/pulumi";
import { CANCELLED, inNamespace, onFailure } from "../common/hooks";

/** What is known of a rollout in which not every pod got ready. */
export interface FailedRollout {
  /** What the Pulumi provider says, with the words of Kubernetes about each pod and the ends of the logs of containers that ended. */
  errors: string[];
  /** The workload, as it was to be. */
  workload: Workload;
  /** How long it was waited. */
  seconds: number;
}

/** What of a StatefulSet or Deployment is looked at. */
export interface Workload {
  metadata?: { namespace?: string; annotations?: Record<string, string> };
  spec?: {
    selector?: { matchLabels?: Record<string, string> };
    template?: { spec?: { containers?: Container[]; initContainers?: Container[] } };
  };
}
interface Container {
  name?: string;
  image?: string;
  ports?: { name?: string; containerPort?: number }[];
  readinessProbe?: Probe;
}
interface Probe {
  httpGet?: { path?: string; port?: string | number };
  tcpSocket?: { port?: string | number };
  exec?: { command?: string[] };
}

/** What Kubernetes says of one pod. */
interface PodReport {
  pod: string;
  namespace?: string;
  words: string;
}

/** The provider writes "[Pod namespace/name]: …" for each pod that is not ready; without the namespace in the one named default. */
export function reports(errors: string[]): PodReport[] {
  const said = errors
    .flatMap((error) => error.split(/\n\s*\* (?=\[Pod )|(?=^\[Pod )/m))
    .flatMap((text) => {
      const found = /^\[Pod (?:([^/\]]+)\/)?([^\]]+)\]: ([^]*)/.exec(text);
      return found ? [{ namespace: found[1], pod: found[2], words: found[3].trim() }] : [];
    });
  return [...new Map(said.map((report) => [report.pod, report])).values()].sort((a, b) => (a.pod < b.pod ? -1 : 1));
}

/** What the exit code of a container that has to go on running means. */
function ending(container: string, reason: string, code: number): string {
  const ended = `container ${container}`;
  if (reason === "OOMKilled") return `${ended} took more memory than it may (out of memory): raise resources.limits.memory`;
  switch (code) {
    case 0:
      return `${ended} ended in order (exit code 0), by itself or because probes.startup or probes.liveness had it ended; it has to go on running: is that the command that starts the server, in the foreground?`;
    case 126:
      return `${ended}: its command cannot be executed (exit code 126): give it the right to in the image`;
    case 127:
      return `${ended}: its command is not in the image (exit code 127): correct the command, or the image`;
    case 128:
      return `${ended} could not be started: correct the command, or the image`;
    case 137:
      return `${ended} was killed (exit code 137): by probes.startup or probes.liveness, or for want of memory`;
    case 143:
      return `${ended} was ended by probes.startup or probes.liveness (exit code 143): they got no yes in time`;
    default:
      return `${ended} ended with exit code ${code}: its last words are above`;
  }
}

/** A container that ended, the reason and code with it; providers before 4.26 write "Container". The guard of a migration is not the one to ask: it ends because that did. */
const ENDED = /[Cc]ontainer "(?!guard")([^"]+)" (?:terminated at \S+ \((\w*): exit code (\d+)\)|completed with exit code (\d+))/;
/** A pod that is migrating, or will again. */
const GUARDED = /[Cc]ontainer "guard" |containers with (?:incomplete|unready) status: \[guard[ \]]/;

/** What Kubernetes says of a pod, and what that means. The first that is found counts. */
const meanings: [RegExp, (found: RegExpExecArray, workload: Workload, report: PodReport) => string][] = [
  [
    /\[(?:ErrImagePull|ImagePullBackOff|InvalidImageName|ErrImageNeverPull)\]/,
    (_, workload, { words }) => {
      const images = [...new Set(containersOf(workload).flatMap(({ image }) => (image ? [image] : [])))];
      const named = images.filter((image) => words.includes(image));
      const which = (named.length ? named : images).map((image) => `"${image}"`).join(" or ");
      return `the image ${which} cannot be pulled: correct it, or give the cluster access to the registry (imagePullSecrets)`;
    },
  ],
  [
    /\[(?:CreateContainerConfigError|CreateContainerError|RunContainerError)\] *(.*)/,
    ([, words]) =>
      `a container could not be made${words ? ` (${words})` : ""}: correct the name of the Secret, ConfigMap or key, or make it; an image whose user is root, or has no number, needs runAsUser`,
  ],
  [ENDED, ([, container, reason, terminated, completed]) => ending(container, reason ?? "", Number(terminated ?? completed))],
  [GUARDED, () => "the application has not been started: before it the migration has to come to its end, and it has not"],
  [/\[OOMKilled\]/, () => ending(APP, "OOMKilled", 137)],
  [/\[(?:Error|StartError|CrashLoopBackOff)\]/, () => "a container ended: its last words are above"],
  [
    /containers with incomplete status: \[([^\]]+)\]/,
    ([, list]) => `the application has not been started: before it ${list.split(" ")[0]} has to come to its end, or to be ready`,
  ],
  [
    /containers with unready status: \[([^\]]+)\]/,
    ([, list], workload) =>
      list.split(" ").includes(APP)
        ? `container ${APP} was started and is not ready: ${asked(workload)} got no yes. Or it is still being made, for an image that takes long or a volume that cannot be mounted: its events say`
        : `container ${list.split(" ")[0]} is not ready`,
  ],
];

const APP = "app";
const containersOf = ({ spec }: Workload): Container[] => {
  const { containers = [], initContainers = [] } = spec?.template?.spec ?? {};
  return [...initContainers, ...containers];
};

/** What readiness asks, in words. */
export function asked(workload: Workload): string {
  const container = containersOf(workload).find(({ name }) => name === APP) ?? containersOf(workload).at(-1);
  const { httpGet, tcpSocket, exec } = container?.readinessProbe ?? {};
  if (!container) return "probes.readiness";
  const number = (port: string | number | undefined) =>
    container?.ports?.find(({ name }) => name === port)?.containerPort ?? port ?? "its port";
  if (httpGet) return `probes.readiness (GET ${httpGet.path} on port ${number(httpGet.port)})`;
  if (exec) return `probes.readiness (${JSON.stringify(exec.command)})`;
  return `probes.readiness (a connection to port ${number(tcpSocket?.port)})`;
}

const meaningOf = (report: PodReport, workload: Workload): string => {
  for (const [pattern, meaning] of meanings) {
    const found = pattern.exec(report.words);
    if (found) return meaning(found, workload, report);
  }
  return report.words.split("\n")[0];
};

/** In words, with the commands that show what the provider does not see: what probes were answered, and what a running container says. */
export function explanation({ errors, workload, seconds }: FailedRollout): string {
  const pods = reports(errors);
  const namespace = workload.metadata?.namespace ?? pods.find((pod) => pod.namespace)?.namespace;
  const look = (command: string) => `  kubectl${inNamespace(namespace)} ${command}`;
  const selector = Object.entries(workload.spec?.selector?.matchLabels ?? {}).map((pair) => pair.join("="));
  const title = `not every pod was ready after ${seconds} s (rollout.timeoutSeconds)`;
  if (pods.length === 0)
    return [
      `${title}, and of none it is known why: mostly no node has taken it yet, for want of CPU, memory or a volume, or the cluster let none be made ("FailedCreate"): set what it asks for, for a quota resources.limits. What Kubernetes says:`,
      look(`describe pods --selector ${selector.join(",")}`),
      look("get events --field-selector type=Warning"),
    ].join("\n");
  const [{ pod, words }] = pods;
  const [, ended, terminated] = ENDED.exec(words) ?? [];
  const container =
    ended ??
    (GUARDED.test(words) ? "migrate" : /containers with (?:incomplete|unready) status: \[(\S+?)[\] ]/.exec(words)?.[1]) ??
    APP;
  const began = !/\[(?:ErrImage|ImagePull|InvalidImage|CreateContainer)/.test(words);
  const logs = `logs ${pod} --container ${container} --prefix --tail 40`;
  // Of an init container that has ended twice the kubelet keeps the last log alone, and for the one before shows none.
  const again =
    terminated !== undefined && !workload.spec?.template?.spec?.initContainers?.some(({ name }) => name === container);
  return [
    `${title}:`,
    ...pods.map((report) => `  ${report.pod}: ${meaningOf(report, workload)}`),
    "what it was asked and answered, and what it said:",
    look(`get events --field-selector involvedObject.name=${pod},type=Warning`),
    ...(began ? [look(again ? `${logs} --previous` : logs)] : []),
    "the next `pulumi up` with a correction replaces such pods first",
  ].join("\n");
}

/** How many seconds the provider waits where Pulumi's options do not say so. */
export const WAIT = "pulumi.com/timeoutSeconds";

/** Tells why a rollout did not come to its end in that time; where the program did not know it, the workload says how long it was. */
export const explainRollout = (hook: string, seconds: pulumi.Input<number>) =>
  onFailure(hook, ({ errors, newInputs, failedOperation }) => {
    if (failedOperation === "delete") return undefined;
    if (errors.some((error) => CANCELLED.test(error)))
      return "the deployment was cancelled: the rollout goes on in the cluster; the next `pulumi up` waits for its end";
    if (!errors.some((error) => error.includes("timed out waiting to be Ready"))) return undefined;
    const workload = newInputs as Workload;
    const waited = typeof seconds === "number" ? seconds : Number(workload.metadata?.annotations?.[WAIT]);
    return explanation({ errors, workload, seconds: waited });
  });
