import * as pulumi from "@pulumi/pulumi";
import { ClusterRules } from "../common/clusterRules";
import { checkCommand } from "../common/commands";
import { environmentName, imageReference, oneOf, text, wholeNumber } from "../common/rules";
import { isDeferred, Rule, Validation } from "../common/validation";
import { migratesAtStart } from "./knownImages";
import { MigrationArgs, MigrationStrategy, PostDeployMigrationArgs } from "./migrationArgs";
import {
  GateArgs,
  refuseContradictions,
  resolveGates,
  ResolvedMigration,
  ResolvedMigrationBackup,
  resolveMigration,
} from "./resolveMigration";

export interface ResolvedPostDeploy {
  /** Those of its own and what it has of the migration's, as they were given. */
  gates: GateArgs;
  /** Where it is another one than the migration's. */
  ownBackup?: ResolvedMigrationBackup;
  command: pulumi.Input<pulumi.Input<string>[]>;
  env: pulumi.Output<Record<string, string>>;
  timeoutSeconds: number;
}

interface Migrator {
  who: "nobody" | "image" | "we";
  /** Whether pods do it when they start: then a pod needs the time for it, and what needs the schema waits for pods. */
  inPods: boolean;
}

/** Who migrates, for everything that depends on it. */
export interface ResolvedStrategy extends Migrator {
  /** What we run, in a Job or in each pod. */
  run?: ResolvedMigration;
  postDeploy?: ResolvedPostDeploy;
  timeoutSeconds: number;
}

const DEFAULT_TIMEOUT = 600;

const migrators: Record<MigrationStrategy, Migrator> = {
  Job: { who: "we", inPods: false },
  Startup: { who: "image", inPods: true },
  InitContainer: { who: "we", inPods: true },
  None: { who: "nobody", inPods: false },
};

/** What applies to a strategy other than a Job, and why nothing else does. */
const restricted: Partial<Record<MigrationStrategy, { takes: (keyof MigrationArgs)[]; because: string; otherwise: string }>> = {
  Startup: {
    takes: ["timeoutSeconds"],
    because: "the image migrates by itself when it starts, and nothing else is run",
    otherwise: ', or use strategy "Job"',
  },
  InitContainer: {
    takes: [
      "command",
      "image",
      "env",
      "secretEnv",
      "existingSecretEnv",
      "envFrom",
      "files",
      "timeoutSeconds",
      "backoffLimit",
      "resources",
      "lock",
      "verify",
      "goBackTo",
    ],
    because: "each pod migrates when it starts, and there is no one run that this would belong to",
    otherwise: ', or use strategy "Job"',
  },
  None: {
    takes: [],
    because: 'strategy "None" says that nothing migrates here',
    otherwise: ', or name the strategy that migrates: "Job", "Startup" or "InitContainer"',
  },
};

/** What says who migrates. */
interface Application {
  image: pulumi.Input<string>;
  command?: unknown;
  migratesAtStart?: boolean;
  migration?: MigrationArgs;
  kind?: string;
}

/** Who migrates an application, and its image, which has to be one that fits. The one place where this is decided. */
export function whoMigrates(
  app: Application,
  validation: Validation,
  rules: ClusterRules,
): { image: pulumi.Input<string>; migration: ResolvedStrategy } {
  const image = validation.required(
    "image",
    app.image,
    app.migration ? oneMigration(validation, app, app.migration) : knownInTime(app),
    'name the image of the application, such as "registry.example.org/notes:1.0.0"',
  );
  // An image that migrates by itself does so whether a strategy says it or not.
  const itself = startMigrates(typeof app.image === "string" ? app.image : "", app);
  const given = app.migration ?? { strategy: itself ? "Startup" : "None" };
  const migration = resolveStrategy(given, image, "migration.", validation, rules);
  if (migration.who === "image" && app.kind === "Deployment")
    validation.problem(
      "kind",
      'is "Deployment", whose pods start together, and each would migrate, as the image does when it starts: leave it out, or use migration.strategy "Job" and a command that only starts the application',
    );
  return { image, migration };
}

/** Whether an image migrates when it is started as it is here. What is said of it counts before what is known of it. */
const startMigrates = (image: string, { migratesAtStart: declared, command: start }: Application): boolean =>
  declared ?? (start === undefined && migratesAtStart(image) !== undefined);

/** An image by itself decides which resources there are, so that it has to be known while they are made. */
const knownInTime =
  (app: Application): Rule<string> =>
  (image) =>
    imageReference(image) ??
    (isDeferred(app.image) && app.migratesAtStart === undefined && startMigrates(image, app)
      ? `${JSON.stringify(image)} migrates when it starts, which is known too late to start its pods one by one: set migratesAtStart to true`
      : undefined);

function resolveStrategy(
  args: MigrationArgs,
  image: pulumi.Input<string>,
  path: string,
  validation: Validation,
  rules: ClusterRules,
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
    return { ...migrators[strategy], timeoutSeconds: args.timeoutSeconds ?? DEFAULT_TIMEOUT };
  }
  const taken = takes ? Object.fromEntries(takes.map((argument) => [argument, args[argument]])) : args;
  // What a misspelt strategy would take is not known.
  const unspelt = known.includes(args.strategy ?? strategy) ? taken : { command: ["?"], ...taken };
  const run = resolveMigration(unspelt, image, path, validation, rules);
  const postDeploy =
    args.postDeploy && strategy === "Job"
      ? resolvePostDeploy(args.postDeploy, args, run, `${path}postDeploy`, validation, rules)
      : undefined;
  return { ...migrators[strategy], run, postDeploy, timeoutSeconds: run.timeoutSeconds };
}

/**
 * The gates of what runs after the rollout, which is the half that destroys. What allows something holds for what it was said of: an
 * approval for its list, allowDestructive for its run; and what the migration has to be afterwards is no measure for it.
 */
export function gatesAfter(
  { backup, restoreOnFailure, verify, pending, approval, rehearsal }: PostDeployMigrationArgs,
  migration: MigrationArgs,
): GateArgs {
  const asBefore = migration.rehearsal && { ...migration.rehearsal, allowDestructive: undefined };
  return {
    backup: backup ?? migration.backup,
    restoreOnFailure,
    verify,
    pending: pending ?? migration.pending,
    approval,
    rehearsal: rehearsal || asBefore ? { ...asBefore, ...rehearsal } : undefined,
  };
}

function resolvePostDeploy(
  args: PostDeployMigrationArgs,
  migration: MigrationArgs,
  run: ResolvedMigration,
  path: string,
  validation: Validation,
  rules: ClusterRules,
): ResolvedPostDeploy {
  const gates = gatesAfter(args, migration);
  // What it has of the migration's is checked there.
  const own = resolveGates(args, run.timeoutSeconds, `${path}.`, validation, rules);
  refuseContradictions(gates, `${path}.`, validation);
  if (migration.approval !== undefined && args.approval === undefined)
    validation.missing(
      `${path}.approval`,
      'migration.approval is that of another list, from before the rollout: set it too, such as to config.get("approvedContract") ?? ""',
    );
  return {
    gates,
    ownBackup: own.backup,
    command: checkCommand(validation, `${path}.command`, args.command, "migration.secretEnv") ?? run.command,
    env: validation.withoutSecrets(
      `${path}.env`,
      validation.map(`${path}.env`, args.env, environmentName, text),
      "put it into migration.secretEnv",
    ),
    timeoutSeconds:
      validation.check(`${path}.timeoutSeconds`, args.timeoutSeconds, wholeNumber(1, 7 * 24 * 3600)) ?? run.timeoutSeconds,
  };
}

/**
 * Exactly one place migrates: a migration of its own beside an image that migrates when it starts, with its own command, would be two
 * that race; and an image that is to migrate by itself has to be one that does. Returns the rule for the image.
 */
function oneMigration(
  validation: Validation,
  { migratesAtStart: declared, command: start }: Application,
  { strategy: given }: MigrationArgs,
): Rule<string> {
  const strategy = given ?? MigrationStrategy.Job;
  if (strategy === "Startup") return migratesItself(validation, declared, start !== undefined);
  const twice = start === undefined && declared !== false;
  const second =
    strategy === "None"
      ? 'migration.strategy "None" says that nothing migrates here'
      : "migration.command would migrate a second time";
  const wayOut = (instead: string) => `when it starts, and ${second}: ${instead}, or use migration.strategy "Startup"`;
  if (twice && declared)
    validation.problem("migratesAtStart", `the image migrates ${wayOut("set command to one that only starts the application")}`);
  return (image) => {
    const wrong = imageReference(image);
    const known = wrong === undefined && twice ? migratesAtStart(image) : undefined;
    return wrong ?? (known && `${JSON.stringify(image)} migrates ${wayOut(known)}`);
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
