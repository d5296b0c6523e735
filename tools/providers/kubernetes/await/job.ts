import { at, condition, count, qualifiedName } from "../objects";
import { labelSelector, type Rule, waiting } from "./rule";

/** The reasons for which a Job counts as failed at once; with any other the wait goes on to its end, as with the official plugin. */
const FINAL = new Set(["BackoffLimitExceeded", "DeadlineExceeded"]);

export const job: Rule = {
  remembersPods: true,
  pods: (object) => labelSelector(at(object, "spec", "selector", "matchLabels")),
  judge({ object }) {
    const name = `Job "${qualifiedName(object)}"`;
    const failed = condition(object, "Failed");
    if (failed?.status === "True" && FINAL.has(String(failed.reason))) {
      return { ready: false, failure: `[${failed.reason}] ${failed.message}` };
    }
    if (!at(object, "status", "startTime")) return waiting(`Waiting for ${name} to start`);
    const numbers = ["active", "succeeded", "failed"].map((state) => count(object, "status", state));
    const status = `Waiting for ${name} to succeed (Active: ${numbers[0]} | Succeeded: ${numbers[1]} | Failed: ${numbers[2]})`;
    return condition(object, "Complete")?.status === "True" ? { ready: true, status } : waiting(status);
  },
};
