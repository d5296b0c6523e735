import { say } from "./say";

export interface Summary {
  min: number;
  median: number;
  max: number;
}

export function summarize(values: number[]): Summary {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const median = (sorted[Math.ceil(middle - 1)] + sorted[Math.floor(middle)]) / 2;
  return { min: sorted[0], median, max: sorted[sorted.length - 1] };
}

/** Each round's two values in one number: what slows the machine for a minute slows both of a round. */
export const pairs = (a: number[], b: number[], combine: (a: number, b: number) => number) =>
  a.map((value, round) => combine(value, b[round]));

export const ratio = (a: number, b: number) => a / b;
export const difference = (a: number, b: number) => a - b;

/** Runs the measurements in turns, A B A B. */
export async function alternate<Name extends string>(
  rounds: number,
  measurements: Record<Name, () => Promise<number>>,
): Promise<Record<Name, number[]>> {
  const names = Object.keys(measurements) as Name[];
  const values = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<Name, number[]>;
  for (let round = 1; round <= rounds; round++) {
    for (const name of names) {
      const seconds = await measurements[name]();
      values[name].push(seconds);
      say(`round ${round} of ${rounds}: ${name} ${seconds.toFixed(2)} s`);
    }
  }
  return values;
}

/** Seconds that something takes. */
export async function timed(what: () => Promise<unknown>): Promise<number> {
  const begin = performance.now();
  await what();
  return (performance.now() - begin) / 1000;
}
