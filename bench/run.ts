// What the component costs, as ratios: machines differ, and both sides of a ratio are measured in turns on the same one.
import { backupCost } from "./backupCost";
import { beside } from "./beside";
import { databaseReady } from "./databaseReady";
import { databaseRestart } from "./databaseRestart";
import { importCost } from "./importCost";
import { manyApplications } from "./manyApplications";
import { migrationCost } from "./migrationCost";
import { passwords } from "./passwords";
import { rehearsalCost } from "./rehearsalCost";
import { Cleanup } from "./support/cleanup";
import { Fact, markdownOfFacts, textOfFacts } from "./support/facts";
import { interruptible } from "./support/interruptible";
import { machine } from "./support/machine";
import { writeDocument } from "./support/performanceDocument";
import { Bars, picture } from "./support/picture";
import { goalsOf, markdownOf, markdownTable, Table, textOf } from "./support/report";
import { say } from "./support/say";
import { Versions, versionsOf } from "./support/versions";
import { unchangedUp } from "./unchangedUp";
import { rollout, rotation } from "./underLoad";

/** The fewest that the document is written from. */
const ROUNDS = 5;

/** Of the lives of an application; a round of them takes about five minutes. The shorter measurements have more, the longest fewer. */
const rounds = Number(process.env.BENCH_ROUNDS || ROUNDS);
const write = Boolean(process.env.BENCH_WRITE);
const only = process.env.BENCH_ONLY?.split(/[\s,]+/).filter(Boolean);

const cleanup = new Cleanup();

interface Measured {
  tables: Table[];
  pictures?: Bars[];
  facts?: Fact[];
}

const inTables = (table: Table): Measured => ({ tables: [table] });

/** By name: what BENCH_ONLY takes. */
const MEASUREMENTS: Record<string, (versions: () => Promise<Versions>) => Promise<Measured>> = {
  beside: async (versions) => beside(cleanup, rounds, await versions()),
  unchanged: async (versions) => inTables(await unchangedUp(cleanup, 3 * rounds, await versions())),
  many: async () => inTables(await manyApplications(cleanup, Math.ceil(rounds / 2))),
  migration: async (versions) => inTables(await migrationCost(cleanup, 2 * rounds, await versions())),
  import: async () => inTables(await importCost(4 * rounds)),
  passwords: async () => ({ tables: [], facts: await passwords(cleanup) }),
  restart: async () => inTables(await databaseRestart(cleanup, 10)),
  ready: async (versions) => inTables(await databaseReady(cleanup, rounds, (await versions()).first)),
  backup: async () => inTables(await backupCost(cleanup, Math.ceil(rounds / 2))),
  rehearsal: async () => inTables(await rehearsalCost(cleanup, Math.ceil(rounds / 2))),
  rotation: async () => inTables(await rotation(cleanup, Math.ceil(rounds / 2))),
  rollout: async () => inTables(await rollout(cleanup, Math.ceil(rounds / 2))),
};

async function measureAll(): Promise<void> {
  const names = namesToMeasure();
  const circumstances = await machine();
  circumstances.forEach(([what, which]) => say(`${what}: ${which}`));
  let versions: Promise<Versions> | undefined;
  const once = () => (versions ??= versionsOf(cleanup));
  const results: Measured[] = [];
  for (const name of names) results.push(await MEASUREMENTS[name](once));

  const tables = results.flatMap((result) => result.tables);
  const facts = results.flatMap((result) => result.facts ?? []);
  const bars = results.flatMap((result) => result.pictures ?? []);
  console.log(`\n${[...tables.map(textOf), textOfFacts(facts)].join("\n\n")}`);
  if (!write) return;
  const command = `BENCH_WRITE=1 ${process.env.BENCH_ROUNDS ? `BENCH_ROUNDS=${rounds} ` : ""}make bench`;
  const parts = {
    machine: markdownTable(["", ""], [...circumstances, ["command", `\`${command}\``], ["rounds", String(rounds)]]),
    goals: goalsOf(tables),
    tables: tables.map(markdownOf).join("\n\n"),
    passwords: markdownOfFacts(facts),
  };
  await writeDocument(parts, picture(bars));
}

/** Refuses what would put half of a measurement, or one that says little, into the document. */
function namesToMeasure(): string[] {
  const all = Object.keys(MEASUREMENTS);
  const unknown = only?.filter((name) => !all.includes(name)) ?? [];
  if (unknown.length) throw new Error(`BENCH_ONLY knows no ${unknown.join(", ")}; there are ${all.join(", ")}`);
  if (write && only) throw new Error("BENCH_WRITE writes what was measured in one run: leave BENCH_ONLY out");
  if (write && rounds < ROUNDS)
    throw new Error(`BENCH_WRITE writes what was measured in at least ${ROUNDS} rounds: not in ${rounds}`);
  return only ?? all;
}

const failed = (error: Error) => {
  say(error.message);
  process.exitCode = 1;
};

void interruptible(measureAll)
  .catch(failed)
  .then(() => cleanup.run())
  .catch(failed);
