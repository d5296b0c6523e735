import * as pulumi from "@pulumi/pulumi";
import { types } from "@pulumi/kubernetes";
import * as core from "@pulumi/kubernetes/core/v1";
import { beforeCreation, inNamespace, Named, onFailure } from "../common/hooks";
import { meaningOf } from "./explain";
import { REPORT } from "./planPod";

/** What was found out before the migration, from the message of the pod's container (plan-report.sh). */
export interface Plan {
  /** Why there can be no migration, whatever is allowed. */
  refusal: string;
  /** Of which data the migration would destroy something. */
  destructive: string;
  pending?: { list: string; hash: string; exitCode: string };
  rehearsal?: string;
}

export function parsePlan(message: string): Plan {
  const plan: Plan = { refusal: "", destructive: "" };
  for (const block of message.split(/^#/m).slice(1)) {
    const [head, ...lines] = block.split("\n");
    const [name, ...words] = head.split(" ");
    const text = lines
      .map((line) => line.slice(1))
      .join("\n")
      .trimEnd();
    if (name === "refusal" || name === "destructive" || name === "rehearsal") plan[name] = text;
    if (name === "pending") plan.pending = { list: text, hash: words[0].replace("-", ""), exitCode: words[1] };
  }
  return plan;
}

const indent = (text: string) => text.replace(/^/gm, "  ");

/** What is shown before the migration runs. */
export function describePlan({ pending, rehearsal }: Plan): string {
  const code = pending && pending.exitCode !== "0" ? `, exit code ${pending.exitCode}` : "";
  return [
    ...(pending?.hash ? [`pending migrations (${pending.hash}${code}):`, indent(pending.list || "(no output)")] : []),
    ...(rehearsal ? ["rehearsal of the migration on a copy of the database:", indent(rehearsal)] : []),
  ].join("\n");
}

export interface Allowed {
  approval?: string;
  allowDestructive?: boolean;
}

/** Why the migration must not run, each reason with the way out; nothing if it may. `again` is the command that asks again. */
export function refusalOf(plan: Plan, { approval, allowDestructive }: Allowed, path: string, again: string): string | undefined {
  const reasons: string[] = [];
  if (plan.refusal)
    reasons.push(
      `${plan.refusal}\nto find it out again without a change of the migration, when what was in the way is gone: ${again}`,
    );
  if (plan.destructive && !allowDestructive)
    reasons.push(
      `the migration destroys data, as its rehearsal on a copy of the database shows:\n${indent(plan.destructive)}\nset ${path}rehearsal.allowDestructive to true if that is meant`,
    );
  const { pending } = plan;
  if (approval !== undefined && pending?.hash && approval !== pending.hash)
    reasons.push(
      `${approval ? `approved is another list (${approval})` : "not approved"}; pending:\n${indent(pending.list || "(no output)")}\n` +
        `set ${path}approval to "${pending.hash}" to approve this list, where it is configuration as with: pulumi config set approvedMigrations ${pending.hash}`,
    );
  return reasons.length ? `nothing was migrated: ${reasons.join("\n")}` : undefined;
}

/** The message of the pod, as the provider has seen it last; empty where there is none, as in mocks. */
export function planOf(pod: core.Pod): pulumi.Output<Plan> {
  return pulumi.output(pod.status as pulumi.Input<types.output.core.v1.PodStatus | undefined>).apply((status) => {
    const report = status?.containerStatuses?.find(({ name }) => name === REPORT);
    return parsePlan(report?.state?.terminated?.message ?? "");
  });
}

const settled = <T>(value: pulumi.Input<T>) =>
  new Promise<pulumi.Unwrap<T>>((resolve) => void pulumi.output(value).apply((known) => resolve(known)));

/** Runs before the migration's Job is created, and only then: shows the plan, and stops the migration that it does not allow. */
export const planGate = (
  name: string,
  pod: core.Pod,
  allowed: { approval?: pulumi.Input<string>; allowDestructive?: pulumi.Input<boolean> },
  path: string,
) =>
  beforeCreation(name, async () => {
    const plan = await settled(planOf(pod));
    const urn = await settled(pod.urn);
    if (!plan.refusal && !plan.pending && plan.rehearsal === undefined)
      throw new Error(`nothing was migrated: what the pod of ${urn} has to say cannot be read: pulumi up --replace '${urn}'`);
    const refusal = refusalOf(plan, await settled(allowed), path, `pulumi up --replace '${urn}'`);
    const shown = describePlan(refusal ? { ...plan, pending: undefined } : plan);
    if (shown) await pulumi.log.info(shown, pod);
    if (refusal) throw new Error(refusal);
  });

interface PodInputs extends Named {
  spec?: Record<"containers" | "initContainers", { image?: string }[] | undefined>;
}

/** Says why the pod did not come to its end, which is not for what runs in it. */
export const explainPod = (name: string, path: string) =>
  onFailure(name, ({ errors, newInputs }) => {
    const { metadata, spec } = (newInputs ?? {}) as PodInputs;
    const containers = [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])];
    const images = [...new Set(containers.flatMap(({ image }) => image ?? []))];
    const reason = meaningOf({ errors, what: "start", images, path, ...metadata }) ?? "its pod did not come to its end";
    const { name: pod, namespace } = metadata ?? {};
    const where = pod ? `; its log: kubectl logs${inNamespace(namespace)} ${pod} --all-containers --prefix` : "";
    return `nothing was migrated, because what was to be found out before is not known: ${reason}${where}`;
  });
