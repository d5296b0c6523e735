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

const LEAST_WIDTH = 10;

/** The result of one measurement, for people. */
export function table(title: string, rows: Row[], notes: string[] = []): string {
  const cells = rows.map(({ values, unit = "", digits = 2 }) => {
    const { min, median, max } = summarize(values);
    return [min, median, max].map((value) => `${value.toFixed(digits)}${unit}`);
  });
  const first = Math.max(...rows.map(({ what }) => what.length)) + 2;
  const width = Math.max(LEAST_WIDTH, ...cells.flat().map(({ length }) => length + 2));
  const line = (what: string, columns: string[]) =>
    [what.padEnd(first), ...columns.map((column) => column.padStart(width))].join("");
  const lines = rows.map((row, index) => `${line(row.what, cells[index])}${verdict(row)}`);
  return [title, line("", ["min", "median", "max"]), ...lines, ...notes]
    .map((text, index) => (index === 0 ? text : `  ${text}`))
    .join("\n");
}

function verdict({ values, unit = "", digits = 2, goal }: Row): string {
  if (goal === undefined) return "";
  return `   goal ≤ ${goal.toFixed(digits)}${unit}: ${summarize(values).median <= goal ? "reached" : "missed"}`;
}

export const percent = (share: number) => `${Math.round(share * 100)} %`;
