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

/** Seconds that something took, or several numbers by their names. */
type Measured = number | Record<string, number>;

/** Runs the measurements in turns, A B C A B C. */
export async function alternate<Measurements extends Record<string, () => Promise<Measured>>>(
  rounds: number,
  measurements: Measurements,
): Promise<{ [Name in keyof Measurements]: Awaited<ReturnType<Measurements[Name]>>[] }> {
  const values: Record<string, Measured[]> = Object.fromEntries(Object.keys(measurements).map((name) => [name, []]));
  for (let round = 1; round <= rounds; round++) {
    for (const [name, measure] of Object.entries(measurements)) {
      const measured = await measure();
      values[name].push(measured);
      say(`round ${round} of ${rounds}: ${name} ${inWords(measured)}`);
    }
  }
  return values as { [Name in keyof Measurements]: Awaited<ReturnType<Measurements[Name]>>[] };
}

function inWords(measured: Measured): string {
  if (typeof measured === "number") return `${measured.toFixed(2)} s`;
  return Object.entries(measured)
    .map(([part, value]) => `${part} ${value.toFixed(2)}`)
    .join(", ");
}

/** Seconds that something takes. */
export async function timed(what: () => Promise<unknown>): Promise<number> {
  const begin = performance.now();
  await what();
  return (performance.now() - begin) / 1000;
}
