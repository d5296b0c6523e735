import { summarize } from "./samples";

/** One line of a measurement: its least, median and greatest value. */
export interface Row {
  what: string;
  values: number[];
  unit?: string;
  digits?: number;
  /** What the median should not exceed. */
  goal?: number;
}

const WIDTH = 10;

/** The result of one measurement, for people. */
export function table(title: string, rows: Row[], notes: string[] = []): string {
  const first = Math.max(...rows.map(({ what }) => what.length)) + 2;
  const header = ["".padEnd(first), ...["min", "median", "max"].map((name) => name.padStart(WIDTH))].join("");
  const lines = rows.map(({ what, values, unit = "", digits = 2, goal }) => {
    const { min, median, max } = summarize(values);
    const columns = [min, median, max].map((value) => `${value.toFixed(digits)}${unit}`.padStart(WIDTH)).join("");
    const verdict =
      goal === undefined ? "" : `   goal ≤ ${goal.toFixed(digits)}${unit}: ${median <= goal ? "reached" : "missed"}`;
    return `${what.padEnd(first)}${columns}${verdict}`;
  });
  return [title, header, ...lines, ...notes].map((line, index) => (index === 0 ? line : `  ${line}`)).join("\n");
}

export const percent = (share: number) => `${Math.round(share * 100)} %`;
