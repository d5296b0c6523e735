import { randomBytes } from "crypto";
import { mkdtemp, rm } from "fs/promises";
import { tmpdir } from "os";
import { join } from "path";
import * as pulumi from "@pulumi/pulumi";
import { goingBack } from "./goBack";
import { onlyPlanned } from "./lonePlan";
import { MigrationJobArgs } from "./migrationArgs";
import { MigrationJob, planOfJob } from "./migrationJob";
import { Allowed, describeBeside, isKnown, Plan, refusalOf } from "./plan";

/** What a migration is going to do, found out without running it; JSON as it is. */
export interface MigrationPlanReport {
  /** Whether a `pulumi up` with the same arguments would let the migration go ahead. */
  allowed: boolean;
  /** Why it would not, with the way out; empty if it would. */
  refusal: string;
  /** What of the data would be lost, a line each; empty without `rehearsal`. */
  destructive: string;
  /** What `pending` listed, and the hash for `approval`. */
  pending?: { list: string; hash: string; exitCode: number };
  /** Time, locks and the schema's difference of the rehearsal. */
  rehearsal?: string;
  /** All of it, to be read. */
  text: string;
}

export function reportOf(plan: Plan, allowed: Allowed): MigrationPlanReport {
  const { destructive, pending, rehearsal } = plan;
  if (!isKnown(plan)) throw new Error("what the pod has to say cannot be read: run this again");
  const refusal = refusalOf(plan, allowed, "", "run this again") ?? "";
  return {
    allowed: refusal === "",
    refusal,
    destructive,
    ...(pending?.hash ? { pending: { ...pending, exitCode: Number(pending.exitCode) } } : {}),
    ...(rehearsal === undefined ? {} : { rehearsal }),
    text: [describeBeside(plan, allowed), refusal].filter(Boolean).join("\n"),
  };
}

export const reportOfGoingBack = (image: string): MigrationPlanReport => ({
  allowed: true,
  refusal: "",
  destructive: "",
  text: goingBack(image),
});

/**
 * Finds out what a migration is going to do, and does not run it: for a job of continuous integration, before a change is merged. The
 * arguments are those of a MigrationJob with `pending`, `rehearsal` or both; `name` is the migration's (of an application "notes":
 * "notes-migration"), so that its network policies let the pod through. It runs in the cluster of the current context of KUBECONFIG, takes
 * Pulumi's CLI, touches no stack of yours and takes away what it has made. Killed it leaves that behind: a Pod, which ends by itself, a Job and a ConfigMap,
 * with the label `app.kubernetes.io/instance` of that name. What keeps it from finding out is an error; what speaks against the
 * migration is in the report.
 */
export async function planMigration(name: string, args: MigrationJobArgs): Promise<MigrationPlanReport> {
  if (args.pending === undefined && args.rehearsal === undefined)
    throw new Error(`planMigration "${name}": there is nothing to find out: give pending, rehearsal or both`);
  const { LocalWorkspace } = pulumi.automation;
  const folder = await mkdtemp(join(tmpdir(), "migration-plan-"));
  const program = async () => {
    const job = new MigrationJob(name, onlyPlanned(args, randomBytes(3).toString("hex")));
    const { image, goBackTo, approval, rehearsal } = args;
    const allowed = { approval, allowDestructive: rehearsal?.allowDestructive };
    const report = pulumi
      .all([planOfJob(job), allowed, image, goBackTo])
      .apply(([plan, what, which, to]) => (which === to ? reportOfGoingBack(which) : reportOf(plan, what)));
    return { report };
  };
  try {
    const stack = await LocalWorkspace.createStack(
      { stackName: "plan", projectName: "migration-plan", program },
      {
        workDir: folder,
        secretsProvider: "passphrase",
        envVars: { PULUMI_BACKEND_URL: `file://${folder}`, PULUMI_CONFIG_PASSPHRASE: randomBytes(16).toString("hex") },
      },
    );
    const remove = () => stack.destroy({ color: "never" });
    const { outputs } = await stack.up({ color: "never" }).catch(async (reason: Error) => {
      await remove().catch(({ message }: Error) => (reason.message += `\n${message}`));
      throw reason;
    });
    await remove();
    return outputs.report.value as MigrationPlanReport;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
