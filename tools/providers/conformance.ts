// Judges a run of the conformance harness: which differences from the official plugins are known, and which are new.
// usage: conformance.js FOLDER JOBS [SCENARIO...]; conformance.sh sets the rest up.
import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import * as path from "node:path";
import { createInterface } from "node:readline";

interface Agreement {
  /** Fields that are not compared, with the reason. */
  readonly ignore: Record<string, string>;
  /** How the names of the stand-ins' scenarios begin. The Kubernetes plugin is an official one: it differs where its version does. */
  readonly standIns: string[];
  /** Places that differ, or may differ, with the reason; written as the harness writes them, with `*` for any number. */
  readonly known: Record<string, string>;
}

const agreement = JSON.parse(readFileSync(path.join(__dirname, "../providers/conformance.json"), "utf8")) as Agreement;

function chosen(folder: string, wishes: string[]): string[] {
  if (wishes.length) return wishes;
  const all = readdirSync(path.join(folder, "recordings")).map((file) => path.basename(file, ".json"));
  const ours = all.filter((name) => agreement.standIns.some((prefix) => name.startsWith(prefix)));
  if (!ours.length) throw new Error(`no scenario in ${folder} begins with ${agreement.standIns.join(" or ")}`);
  return ours;
}

function knownReason(place: string): string | undefined {
  const found = Object.keys(agreement.known).find((pattern) => {
    const expression = pattern.split("*").map((literal) => literal.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
    return new RegExp(`^${expression.join("\\d+")}$`).test(place);
  });
  return found && agreement.known[found];
}

/** A difference is a line of the harness with the scenario and the place; what was recorded and what is now follow it. */
const DIFFERENCE = /^ {2}([^ :]+): (steps\.\S.*)$/;

async function main([folder, jobs, ...wishes]: string[]): Promise<void> {
  const args = ["--check", path.join(folder, "recordings"), "--jobs", jobs, "--ignore", Object.keys(agreement.ignore).join()];
  const harness = spawn(process.execPath, [path.join(folder, "run.js"), ...args, ...chosen(folder, wishes)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const failed: string[] = [];
  const places: string[] = [];
  for await (const line of createInterface({ input: harness.stdout })) {
    console.log(line);
    const [, scenario, place] = DIFFERENCE.exec(line) ?? [];
    if (place) places.push(`${scenario}: ${place}`);
    const [, name] = /^FAIL (\S+)/.exec(line) ?? [];
    if (name) failed.push(name);
  }
  const fresh = places.filter((place) => !knownReason(place));
  for (const place of places.filter(knownReason)) console.log(`known difference: ${place}: ${knownReason(place)}`);
  const unexplained = failed.filter((name) => !places.some((place) => place.startsWith(`${name}: `)));
  if (fresh.length) console.log(`${fresh.length} new differences`);
  if (unexplained.length) console.log(`not compared, because the harness broke off: ${unexplained.join(", ")}`);
  if (fresh.length || unexplained.length) process.exitCode = 1;
  else console.log("the stand-ins agree with the recordings, but for what conformance.json lists");
}

main(process.argv.slice(2)).catch((error: Error) => {
  console.error(`error: ${error.message}`);
  process.exitCode = 1;
});
