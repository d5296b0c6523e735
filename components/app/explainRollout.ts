import * as pulumi from "@pulumi/pulumi";
import { onFailure } from "../common/hooks";
import { selectorLabels } from "../common/labels";
import { MigrationStrategy } from "../migration/migrationArgs";

/** Seconds for a rollout besides what its pods migrate: what the provider waits when nothing is said. */
const ROLLOUT = 600;

/**
 * Options of a StatefulSet whose pods migrate. The provider waits for as long as that may take, and what pods say before their
 * application runs it does not show: the failure is told with the command that does.
 */
export function migratingRollout(
  name: string,
  migration: { strategy: MigrationStrategy; timeoutSeconds: number } | undefined,
): pulumi.CustomResourceOptions {
  if (migration?.strategy !== "Startup" && migration?.strategy !== "InitContainer") return {};
  const timeout = `${migration.timeoutSeconds + ROLLOUT}s`;
  return { customTimeouts: { create: timeout, update: timeout }, hooks: explain(name, migration.strategy) };
}

function explain(name: string, strategy: "Startup" | "InitContainer") {
  const container = strategy === "Startup" ? "app" : "migrate";
  const pods = Object.entries(selectorLabels(name, "app")).map((pair) => pair.join("="));
  return onFailure(`${name}-rollout-failure`, ({ newInputs }) => {
    const { namespace } = (newInputs as { metadata?: { namespace?: string } })?.metadata ?? {};
    const kubectl = (command: string) => `kubectl ${namespace ? `--namespace ${namespace} ` : ""}${command}`;
    const lines = [
      "not every pod got ready, and with this strategy the pods migrate: what they say of it:",
      `  ${kubectl(`logs --selector ${pods.join(",")} --container ${container} --prefix --tail 40`)}`,
      ...(strategy === "Startup"
        ? [
            "while the next `pulumi up` rolls the corrected version out, delete the pod that is not ready: Kubernetes waits for it",
            `  ${kubectl(`delete pod ${name}-<number>`)}`,
          ]
        : []),
    ];
    pulumi.log.error(lines.join("\n"));
  });
}
