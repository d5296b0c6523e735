import * as pulumi from "@pulumi/pulumi";
import { types } from "@pulumi/kubernetes";
import { checkCommand } from "../common/commands";
import { byName } from "../common/environment";
import { path, port, text, wholeNumber } from "../common/rules";
import { Rule, Validation } from "../common/validation";

/** One question to the application, and what its answers mean. */
export interface AppProbeArgs {
  /**
   * Path that is asked over HTTP; any status from 200 to 399 is a yes. Not together with `command`. Defaults to none: then an accepted
   * TCP connection is a yes.
   */
  httpPath?: pulumi.Input<string>;
  /**
   * Headers of the request for `httpPath`: `{ Host: "notes.example.org" }` for an application that answers to its own name only,
   * `{ "X-Forwarded-Proto": "https" }` for one that redirects everything else. Secret values are refused: everybody who may read pods
   * can read them. Defaults to Kubernetes' own.
   */
  httpHeaders?: pulumi.Input<Record<string, pulumi.Input<string>>>;
  /**
   * Port that is asked, by its number, where that is another one than the application's `port`. Not together with `command`.
   */
  port?: pulumi.Input<number>;
  /**
   * Command that is run in the application's container; exit code 0 is a yes. Each run starts a process, which counts among the
   * container's CPU and memory. Not together with `httpPath`.
   */
  command?: pulumi.Input<pulumi.Input<string>[]>;
  /**
   * Seconds between two questions. Defaults to 10, for the startup probe to 1.
   */
  periodSeconds?: pulumi.Input<number>;
  /**
   * Seconds to wait for an answer. Defaults to 5.
   */
  timeoutSeconds?: pulumi.Input<number>;
  /**
   * How many noes in a row count. Defaults to 3, for the startup probe to 300; with `migration.strategy` "Startup", to as many as
   * `migration.timeoutSeconds` and five minutes take, and less than the former is refused.
   */
  failureThreshold?: pulumi.Input<number>;
}

/** How Kubernetes tells whether a pod of the application has started, lives and can serve. A change rolls the pods. */
export interface AppProbesArgs {
  /**
   * Asked until the first yes; the other two begin after it. Enough noes restart the container. Defaults to what `readiness` asks,
   * every second for five minutes.
   */
  startup?: AppProbeArgs;
  /**
   * Enough noes restart the container: ask for something that does not need the database. Defaults to none.
   */
  liveness?: AppProbeArgs;
  /**
   * Enough noes take the pod out of the Service until the next yes. `pulumi up` ends only when all pods say yes.
   * Defaults to an accepted TCP connection on the port.
   */
  readiness?: AppProbeArgs;
}

export interface ResolvedProbes {
  startupProbe: types.input.core.v1.Probe;
  livenessProbe?: types.input.core.v1.Probe;
  readinessProbe: types.input.core.v1.Probe;
}

/** Name of the container's port. */
export const PORT_NAME = "http";

/** What is asked, by one of Kubernetes' three ways. */
type Question = Pick<types.input.core.v1.Probe, "httpGet" | "tcpSocket" | "exec">;

/** `ownPort` is asked where no other is named. */
export function resolveQuestion(
  asked: AppProbeArgs,
  at: string,
  validation: Validation,
  ownPort: string | pulumi.Input<number> = PORT_NAME,
): Question {
  const given = (name: "httpPath" | "httpHeaders" | "port") => asked[name] !== undefined;
  const instead = { httpPath: "keep one of the two", httpHeaders: "leave it out", port: "leave it out" };
  for (const name of ["httpPath", "httpHeaders", "port"] as const)
    if (asked.command !== undefined && given(name))
      validation.problem(`${at}.${name}`, `does not apply to a probe with command: ${instead[name]}`);
  if (given("httpHeaders") && !given("httpPath") && asked.command === undefined)
    validation.problem(`${at}.httpHeaders`, `belongs to a request over HTTP: name its path with ${at}.httpPath`);
  const number = validation.check(`${at}.port`, asked.port, port) ?? ownPort;
  if (asked.command !== undefined) return { exec: { command: checkCommand(validation, `${at}.command`, asked.command) } };
  if (!given("httpPath")) return { tcpSocket: { port: number } };
  const headers = validation.map(`${at}.httpHeaders`, asked.httpHeaders, headerName, text);
  const readable = validation.withoutSecrets(`${at}.httpHeaders`, headers, "let the application answer its probes without it");
  return {
    httpGet: {
      path: validation.check(`${at}.httpPath`, asked.httpPath, path),
      port: number,
      ...(headers === undefined
        ? {}
        : { httpHeaders: readable.apply((known) => byName(known).map(([name, value]) => ({ name, value }))) }),
    },
  };
}

const headerName: Rule<string> = (name) =>
  /^[-A-Za-z0-9]+$/.test(name) ? undefined : 'is not a header\'s name: use letters, digits and "-"';

/** When and how often is asked, with the defaults that are given. */
const resolveTimes = (
  asked: AppProbeArgs,
  at: string,
  validation: Validation,
  periodSeconds: number,
  failureThreshold: number,
  enough: Rule<number> = wholeNumber(1),
) => ({
  periodSeconds: validation.check(`${at}.periodSeconds`, asked.periodSeconds, wholeNumber(1)) ?? periodSeconds,
  timeoutSeconds: validation.check(`${at}.timeoutSeconds`, asked.timeoutSeconds, wholeNumber(1)) ?? 5,
  failureThreshold: validation.check(`${at}.failureThreshold`, asked.failureThreshold, enough) ?? failureThreshold,
});

/** What is asked until the first yes, every second for five minutes. */
export const resolveStartup = (
  asked: AppProbeArgs,
  at: string,
  validation: Validation,
  ownPort?: pulumi.Input<number>,
): types.input.core.v1.Probe => ({
  ...resolveQuestion(asked, at, validation, ownPort),
  ...resolveTimes(asked, at, validation, 1, 300),
});

/** Whether a probe has a question of its own, and not only other times. */
const asks = ({ httpPath, httpHeaders, port, command }: AppProbeArgs) =>
  [httpPath, httpHeaders, port, command].some((value) => value !== undefined);

/** `migrationSeconds` is what the application may take for migrating before it starts, if it does so itself. */
export function resolveProbes(
  args: AppProbesArgs | undefined,
  at: string,
  validation: Validation,
  migrationSeconds = 0,
): ResolvedProbes {
  const { liveness } = args ?? {};
  const readiness = args?.readiness ?? {};
  const startup = args?.startup ?? {};
  const every = typeof startup.periodSeconds === "number" ? startup.periodSeconds : 1;
  const noes = migrationSeconds === 0 ? 300 : Math.ceil((migrationSeconds + 300) / every);
  const enough: Rule<number> = (times) =>
    wholeNumber(1)(times) ??
    (times * every < migrationSeconds
      ? `${times} noes, one every ${every} s, would end a pod that still migrates: allow the ${migrationSeconds} s of migration.timeoutSeconds, or leave it out`
      : undefined);
  const question = resolveQuestion(readiness, `${at}.readiness`, validation);
  const first = asks(startup) ? resolveQuestion(startup, `${at}.startup`, validation) : question;
  const alive = (asked: AppProbeArgs) => {
    const times = resolveTimes(asked, `${at}.liveness`, validation, 10, 3);
    return { ...resolveQuestion(asked, `${at}.liveness`, validation), ...times };
  };
  return {
    startupProbe: { ...first, ...resolveTimes(startup, `${at}.startup`, validation, 1, noes, enough) },
    ...(liveness ? { livenessProbe: alive(liveness) } : {}),
    readinessProbe: { ...question, ...resolveTimes(readiness, `${at}.readiness`, validation, 10, 3) },
  };
}

/** Name of the container's port for metrics, where that is another one. */
export const METRICS_PORT_NAME = "metrics";

/** Ports of a Service of the application's. */
export const servicePorts = (port: pulumi.Input<number>, metricsPort?: pulumi.Input<number>) => [
  { name: PORT_NAME, port, targetPort: PORT_NAME },
  ...(metricsPort === undefined ? [] : [{ name: METRICS_PORT_NAME, port: metricsPort, targetPort: METRICS_PORT_NAME }]),
];

/** Seconds that a pod may take until its first yes, where the arguments say how often it is asked; else 0. */
export function startupSeconds({ startup }: AppProbesArgs = {}): number {
  const { periodSeconds = 1, failureThreshold } = startup ?? {};
  return typeof periodSeconds === "number" && typeof failureThreshold === "number" ? periodSeconds * failureThreshold : 0;
}
