import * as pulumi from "@pulumi/pulumi";
import { types } from "@pulumi/kubernetes";
import { path, wholeNumber } from "../common/rules";
import { Rule, Validation } from "../common/validation";

/** One question to the application, and what its answers mean. */
export interface AppProbeArgs {
  /**
   * Path that is asked over HTTP on the application's port; any status from 200 to 399 is a yes. Defaults to none: then an
   * accepted TCP connection is.
   */
  httpPath?: pulumi.Input<string>;
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

/** `migrationSeconds` is what the application may take for migrating before it starts, if it does so itself. */
export function resolveProbes(
  args: AppProbesArgs | undefined,
  at: string,
  validation: Validation,
  migrationSeconds = 0,
): ResolvedProbes {
  const probe = (
    name: keyof AppProbesArgs,
    given: AppProbeArgs,
    question: AppProbeArgs,
    periodSeconds: number,
    failureThreshold: number,
    enough: Rule<number> = wholeNumber(1),
  ) => ({
    ...(question.httpPath === undefined
      ? { tcpSocket: { port: PORT_NAME } }
      : { httpGet: { path: validation.check(`${at}.${name}.httpPath`, question.httpPath, path), port: PORT_NAME } }),
    periodSeconds: validation.check(`${at}.${name}.periodSeconds`, given.periodSeconds, wholeNumber(1)) ?? periodSeconds,
    timeoutSeconds: validation.check(`${at}.${name}.timeoutSeconds`, given.timeoutSeconds, wholeNumber(1)) ?? 5,
    failureThreshold: validation.check(`${at}.${name}.failureThreshold`, given.failureThreshold, enough) ?? failureThreshold,
  });
  const readiness = args?.readiness ?? {};
  const startup = args?.startup ?? {};
  const every = typeof startup.periodSeconds === "number" ? startup.periodSeconds : 1;
  const noes = migrationSeconds === 0 ? 300 : Math.ceil((migrationSeconds + 300) / every);
  const enough: Rule<number> = (times) =>
    wholeNumber(1)(times) ??
    (times * every < migrationSeconds
      ? `${times} noes, one every ${every} s, would end a pod that still migrates: allow the ${migrationSeconds} s of migration.timeoutSeconds, or leave it out`
      : undefined);
  return {
    startupProbe: probe("startup", startup, startup.httpPath === undefined ? readiness : startup, 1, noes, enough),
    ...(args?.liveness ? { livenessProbe: probe("liveness", args.liveness, args.liveness, 10, 3) } : {}),
    readinessProbe: probe("readiness", readiness, readiness, 10, 3),
  };
}

/** Name of the container's port. */
export const PORT_NAME = "http";
/** Name of the container's port for metrics, where that is another one. */
export const METRICS_PORT_NAME = "metrics";

/** Ports of a Service of the application's. */
export const servicePorts = (port: pulumi.Input<number>, metricsPort?: pulumi.Input<number>) => [
  { name: PORT_NAME, port, targetPort: PORT_NAME },
  ...(metricsPort === undefined ? [] : [{ name: METRICS_PORT_NAME, port: metricsPort, targetPort: METRICS_PORT_NAME }]),
];
