import * as pulumi from "@pulumi/pulumi";
import { command, environmentName, imageReference, oneOf, text, wholeNumber } from "../common/rules";
import { Rule, Validation } from "../common/validation";
import { migratesAtStart } from "./knownImages";
import { MigrationArgs, MigrationStrategy, PostDeployMigrationArgs } from "./migrationArgs";
import { ResolvedMigration, resolveMigration } from "./resolveMigration";

export interface ResolvedPostDeploy {
  command: pulumi.Input<pulumi.Input<string>[]>;
  env: pulumi.Output<Record<string, string>>;
  timeoutSeconds: number;
}

export interface ResolvedStrategy {
  strategy: MigrationStrategy;
  /** What is run, by a Job or by each pod; nothing where the image does it by itself or nobody. */
  run?: ResolvedMigration;
  postDeploy?: ResolvedPostDeploy;
  timeoutSeconds: number;
}

const DEFAULT_TIMEOUT = 600;

/** What applies to a strategy other than a Job, and why nothing else does. */
const restricted: Partial<Record<MigrationStrategy, { takes: (keyof MigrationArgs)[]; because: string; otherwise: string }>> = {
  Startup: {
    takes: ["timeoutSeconds"],
    because: "the image migrates by itself when it starts, and nothing else is run",
    otherwise: ', or use strategy "Job"',
  },
  InitContainer: {
    takes: ["command", "image", "env", "secretEnv", "timeoutSeconds", "backoffLimit", "resources", "lock", "verify"],
    because: "each pod migrates when it starts, and there is no one run that this would belong to",
    otherwise: ', or use strategy "Job"',
  },
  None: {
    takes: [],
    because: 'strategy "None" says that nothing migrates here',
    otherwise: ', or name the strategy that migrates: "Job", "Startup" or "InitContainer"',
  },
};

/** Who migrates, and how. */
export function resolveStrategy(
  args: MigrationArgs,
  image: pulumi.Input<string>,
  path: string,
  validation: Validation,
): ResolvedStrategy {
  const known = Object.values(MigrationStrategy);
  const strategy = validation.check(`${path}strategy`, args.strategy, oneOf(known)) ?? MigrationStrategy.Job;
  const { takes, because, otherwise } = restricted[strategy] ?? {};
  for (const [argument, value] of Object.entries(args)) {
    if (!takes || value === undefined || argument === "strategy" || takes.includes(argument as keyof MigrationArgs)) continue;
    validation.problem(
      `${path}${argument}`,
      `does not apply to strategy ${JSON.stringify(strategy)}: ${because}: leave it out${otherwise}`,
    );
  }
  if (strategy === "InitContainer" && args.lock === false)
    validation.problem(
      `${path}lock`,
      'is what keeps pods that start together from migrating together: leave it out, or use strategy "Job"',
    );
  if (strategy === "Startup" || strategy === "None") {
    validation.check(`${path}timeoutSeconds`, args.timeoutSeconds, wholeNumber(1, 7 * 24 * 3600));
    return { strategy, timeoutSeconds: args.timeoutSeconds ?? DEFAULT_TIMEOUT };
  }
  const taken = takes ? Object.fromEntries(takes.map((argument) => [argument, args[argument]])) : args;
  const run = resolveMigration(taken, image, path, validation);
  const postDeploy =
    args.postDeploy && strategy === "Job" ? resolvePostDeploy(args.postDeploy, run, `${path}postDeploy`, validation) : undefined;
  return { strategy, run, postDeploy, timeoutSeconds: run.timeoutSeconds };
}

function resolvePostDeploy(
  args: PostDeployMigrationArgs,
  run: ResolvedMigration,
  path: string,
  validation: Validation,
): ResolvedPostDeploy {
  return {
    command: validation.check(`${path}.command`, args.command, command) ?? run.command,
    env: validation.withoutSecrets(
      `${path}.env`,
      validation.map(`${path}.env`, args.env, environmentName, text),
      "put it into migration.secretEnv",
    ),
    timeoutSeconds:
      validation.check(`${path}.timeoutSeconds`, args.timeoutSeconds, wholeNumber(1, 7 * 24 * 3600)) ?? run.timeoutSeconds,
  };
}

/** What says who migrates. */
interface WhoMigrates {
  migration?: Pick<MigrationArgs, "strategy">;
  migratesAtStart?: boolean;
  command?: unknown;
}

/**
 * Exactly one place migrates: a migration of its own beside an image that migrates when it starts, with its own command, would be two
 * that race; and an image that is to migrate by itself has to be one that does. Returns the rule for the image.
 */
export function oneMigration(
  validation: Validation,
  { migration, migratesAtStart: declared, command: start }: WhoMigrates,
): Rule<string> {
  const strategy = migration && (migration.strategy ?? MigrationStrategy.Job);
  if (strategy === "Startup") return migratesItself(validation, declared, start !== undefined);
  const twice = strategy !== undefined && start === undefined && declared !== false;
  const second =
    strategy === "None"
      ? 'migration.strategy "None" says that nothing migrates here'
      : "migration.command would migrate a second time";
  const wayOut = (instead: string) => `when it starts, and ${second}: ${instead}, or use migration.strategy "Startup"`;
  if (twice && declared)
    validation.problem("migratesAtStart", `the image migrates ${wayOut("set command to one that only starts the application")}`);
  return (image) => {
    const known = twice ? migratesAtStart(image) : undefined;
    return imageReference(image) ?? (known && `${JSON.stringify(image)} migrates ${wayOut(known)}`);
  };
}

function migratesItself(validation: Validation, declared: boolean | undefined, ownStart: boolean): Rule<string> {
  const job = 'use migration.strategy "Job" with the command that migrates';
  if (declared === false)
    validation.problem(
      "migratesAtStart",
      `is false, and migration.strategy "Startup" leaves it to the image: nobody would migrate: ${job}`,
    );
  return (image) => {
    const wrong = imageReference(image);
    if (wrong || declared !== undefined) return wrong;
    const known = migratesAtStart(image) !== undefined;
    if (known && !ownStart) return undefined;
    return known
      ? `${JSON.stringify(image)} migrates in the start command that command replaces, so nobody would: leave command out, or set migratesAtStart to true if the new one migrates too, or ${job}`
      : `nothing says that ${JSON.stringify(image)} migrates when it starts, to which migration.strategy "Startup" leaves it: set migratesAtStart to true if it does, or ${job}`;
  };
}
