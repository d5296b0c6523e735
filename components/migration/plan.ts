import * as pulumi from "@pulumi/pulumi";
import { types } from "@pulumi/kubernetes";
import * as core from "@pulumi/kubernetes/core/v1";
import { beforeCreation, inNamespace, known, Named, onFailure, wasRefused } from "../common/hooks";
import { sent } from "../common/tell";
import { ArgumentNames, notBegun, POST_DEPLOY } from "./argumentNames";
import { meaningOf } from "./explain";
import { REPORT } from "./planPod";

/** What was found out before the migration, from the message of the pod's container (plan-report.sh). */
export interface Plan {
  /** With which image, where that is known. */
  image?: string;
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

/** Whether the pod has said anything: it does so whatever it finds. */
export const isKnown = ({ refusal, pending, rehearsal }: Plan): boolean =>
  refusal !== "" || pending !== undefined || rehearsal !== undefined;

const indent = (text: string) => text.replace(/^/gm, "  ");

/** What is shown before the migration runs. */
export function describePlan({ image, pending, rehearsal }: Plan, what = "the migration"): string {
  const code = pending && pending.exitCode !== "0" ? `, exit code ${pending.exitCode}` : "";
  return [
    ...(image && (pending?.hash || rehearsal) ? [`what ${what} of ${image} will do:`] : []),
    ...(pending?.hash ? [`pending migrations (${pending.hash}${code}):`, indent(pending.list || "(no output)")] : []),
    ...(rehearsal ? ["rehearsal of the migration on a copy of the database:", indent(rehearsal)] : []),
  ].join("\n");
}

export interface Allowed {
  approval?: string;
  allowDestructive?: boolean;
}

/** The list, where another one was approved, or none. */
const unapproved = ({ pending }: Plan, approval?: string) =>
  approval !== undefined && pending?.hash && approval !== pending.hash ? pending : undefined;

/** What was found out, but for a list that the refusal has. */
export const describeBeside = (plan: Plan, { approval }: Allowed, what?: string): string =>
  describePlan(unapproved(plan, approval) ? { ...plan, pending: undefined } : plan, what);

/** Why the migration must not run, each reason with the way out; nothing if it may. `again` is the command that asks again. */
export function refusalOf(plan: Plan, { approval, allowDestructive }: Allowed, path: string, again: string): string | undefined {
  const reasons: string[] = [];
  if (plan.refusal)
    reasons.push(
      `${plan.refusal}\nto find it out again without a change of the migration, when what was in the way is gone: ${again}`,
    );
  // Not what is as good as true: "false" from a configuration is a text.
  if (plan.destructive && allowDestructive !== true)
    reasons.push(
      `the migration destroys data, as its rehearsal on a copy of the database shows:\n${indent(plan.destructive)}\nset ${path}rehearsal.allowDestructive to true if that is meant`,
    );
  const pending = unapproved(plan, approval);
  const key = path === POST_DEPLOY ? "approvedContract" : "approvedMigrations";
  if (pending)
    reasons.push(
      `${approval ? `approved is another list (${approval})` : "not approved"}; pending${plan.image ? ` with ${plan.image}` : ""}:\n${indent(pending.list || "(no output)")}\n` +
        `set ${path}approval to "${pending.hash}" to approve this list, where it is configuration as with: pulumi config set ${key} ${pending.hash}`,
    );
  return reasons.length ? `${notBegun({ prefix: path })}: ${reasons.join("\n")}` : undefined;
}

/** The message of the pod, as the provider has seen it last; empty where there is none, as in mocks. */
export const messageOf = (pod: core.Pod): pulumi.Output<string> =>
  pulumi.output(pod.status as pulumi.Input<types.output.core.v1.PodStatus | undefined>).apply((status) => {
    const report = status?.containerStatuses?.find(({ name }) => name === REPORT);
    return report?.state?.terminated?.message ?? "";
  });

export const planOf = (pod: core.Pod): pulumi.Output<Plan> => messageOf(pod).apply(parsePlan);

/** What the pod ran to find it out. */
const imageOf = (pod: core.Pod) =>
  pod.spec.initContainers.apply((all) => all.find(({ name }) => name === "pending" || name === "rehearse")?.image);

/** Runs before the migration's Job is created, and only then: shows the plan, and stops the migration that it does not allow. */
export const planGate = (
  name: string,
  pod: core.Pod,
  allowed: { approval?: pulumi.Input<string>; allowDestructive?: pulumi.Input<boolean>; goBack: pulumi.Input<boolean> },
  { prefix }: ArgumentNames,
) =>
  beforeCreation(name, async () => {
    const spared = notBegun({ prefix });
    const [found, image, urn, given, back] = await Promise.all([
      known(planOf(pod)),
      known(imageOf(pod)),
      known(pod.urn),
      known({ approval: allowed.approval, allowDestructive: allowed.allowDestructive }),
      known(allowed.goBack),
    ]);
    if (back) return; // nothing will be run that it could be of
    // An approval that nobody can read is none.
    if (!given) throw new Error(`${spared}: ${prefix}approval is an output of what --target or --exclude leaves out`);
    if (!found || !isKnown(found))
      throw new Error(`${spared}: what the pod of ${urn} has to say cannot be read: pulumi up --replace '${urn}'`);
    const plan = { ...found, image };
    const refusal = refusalOf(plan, given, prefix, `pulumi up --replace '${urn}'`);
    const shown = describeBeside(plan, given, prefix === POST_DEPLOY ? "postDeploy" : undefined);
    if (shown) await sent(pulumi.log.info(shown, pod));
    if (refusal) throw new Error(refusal);
  });

interface PodInputs extends Named {
  spec?: Record<"containers" | "initContainers", { image?: string }[] | undefined>;
}

/** Says why the pod did not come to its end, which is not for what runs in it. */
export const explainPod = (name: string, names: ArgumentNames) =>
  onFailure(name, ({ errors, newInputs }) => {
    if (wasRefused({ errors })) return undefined;
    const { metadata, spec } = (newInputs ?? {}) as PodInputs;
    const containers = [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])];
    const images = [...new Set(containers.flatMap(({ image }) => image ?? []))];
    const reason = meaningOf({ errors, what: "start", images, names, ...metadata }) ?? "its pod did not come to its end";
    const { name: pod, namespace } = metadata ?? {};
    const where = pod ? `; its log: kubectl logs${inNamespace(namespace)} ${pod} --all-containers --prefix` : "";
    return `${notBegun(names)}, because what was to be found out before is not known: ${reason}${where}`;
  });
