// What a Pod that is not ready has to say.
import type { Properties } from "../../rpc/values";
import { condition, items, qualifiedName, text, at } from "../objects";

const PULL_NOISE = "rpc error: code = Unknown desc = Error response from daemon: ";

function said(state: Properties): string {
  return `[${text(state, "reason")}] ${text(state, "message").replace(PULL_NOISE, "")}`;
}

/** Why a container does not run, and with which words it ended: its last lines, with `FallbackToLogsOnError`. */
function containerMessages(container: Properties): string[] {
  if (container.ready === true) return [];
  const messages: string[] = [];
  const waiting = at(container, "state", "waiting") as Properties | undefined;
  const ended = at(container, "state", "terminated") as Properties | undefined;
  const before = at(container, "lastState", "terminated") as Properties | undefined;
  const name = `container "${text(container, "name")}"`;
  if (waiting && waiting.reason !== "ContainerCreating" && waiting.reason !== "PodInitializing") messages.push(said(waiting));
  if (ended?.reason) messages.push(ended.message ? said(ended) : `${name} completed with exit code ${ended.exitCode}`);
  if (before) {
    messages.push(`${name} terminated at ${before.finishedAt} (${before.reason}: exit code ${before.exitCode})`);
    if (before.message) messages.push(text(before, "message"));
  }
  return messages;
}

/** One message about a Pod that is not ready, none about one that is or that has said nothing yet. */
export function podMessage(pod: Properties): string | undefined {
  const ready = condition(pod, "Ready");
  if (!ready || ready.status === "True" || at(pod, "status", "phase") === "Succeeded") return undefined;
  const initialized = condition(pod, "Initialized");
  const list = initialized && initialized.status !== "True" ? "initContainerStatuses" : "containerStatuses";
  const containers = items(pod, "status", list).flatMap(containerMessages);
  const general = ready.reason && ready.message ? String(ready.message) : unscheduled(pod);
  if (!general && containers.length === 0) return undefined;
  return `[Pod ${qualifiedName(pod)}]: ${general}${containers.join("\n")}`;
}

function unscheduled(pod: Properties): string {
  const scheduled = condition(pod, "PodScheduled");
  return scheduled && scheduled.status !== "True" ? text(scheduled, "message") : "";
}
