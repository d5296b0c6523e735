// What the component costs, as ratios: machines differ, and both sides of a ratio are measured in turns on the same one.
import { loadavg } from "os";
import { Namespace } from "../test/support/kubectl";
import { backupCost } from "./backupCost";
import { databaseReady } from "./databaseReady";
import { databaseRestart } from "./databaseRestart";
import { firstUp } from "./firstUp";
import { migrationCost } from "./migrationCost";
import { rehearsalCost } from "./rehearsalCost";
import { Cleanup } from "./support/cleanup";
import { interruptible } from "./support/interruptible";
import { Project } from "./support/project";
import { rawProgram } from "./support/rawProgram";
import { say } from "./support/say";
import { Exported, resourcesOf } from "./support/state";
import { unchangedUp } from "./unchangedUp";
import { rollout, rotation } from "./underLoad";

/** Of the first up; a round of it takes about a minute. The shorter measurements have more. */
const rounds = Number(process.env.BENCH_ROUNDS || 4);

const cleanup = new Cleanup();

async function newNamespace(): Promise<Namespace> {
  const namespace = await Namespace.create("bench");
  cleanup.add(() => namespace.delete());
  return namespace;
}

function removedAtEnd(project: Project): Project {
  cleanup.add(() => project.remove());
  return project;
}

async function measureAll(): Promise<void> {
  say(`load average of the last minute: ${loadavg()[0].toFixed(1)}; numbers are best below 1`);
  say("a stack that says which objects there are, not measured");
  const namespace = await newNamespace();
  const component = removedAtEnd(await Project.ofFile("component.js", namespace.name));
  await component.up();
  const state = (await component.export()) as Exported;
  const resourcesIn = (other: string) => resourcesOf(state, namespace.name, other);

  const results = [await firstUp(cleanup, rounds, resourcesIn)];

  say("the same resources without the component, not measured");
  const other = await newNamespace();
  const raw = removedAtEnd(await Project.create(rawProgram(resourcesIn(other.name))));
  await raw.up();
  results.push(await unchangedUp(3 * rounds, component, raw));
  const own = resourcesIn(namespace.name);
  results.push(await migrationCost(namespace, 2 * rounds, own, ["sequelize-cli", "db:migrate"]));
  await cleanup.run();

  results.push(await databaseRestart(cleanup, 10));
  results.push(await databaseReady(cleanup, rounds, resourcesIn));
  results.push(await backupCost(cleanup, rounds));
  results.push(await rehearsalCost(cleanup, Math.ceil(rounds / 2)));
  results.push(await rotation(cleanup, Math.ceil(rounds / 2)));
  results.push(await rollout(cleanup, Math.ceil(rounds / 2)));
  console.log(`\n${results.join("\n\n")}`);
}

const failed = (error: Error) => {
  say(error.message);
  process.exitCode = 1;
};

void interruptible(measureAll)
  .catch(failed)
  .then(() => cleanup.run())
  .catch(failed);
