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

/** The result of one measurement. */
export interface Table {
  title: string;
  rows: Row[];
  notes: string[];
}

export const table = (title: string, rows: Row[], notes: string[] = []): Table => ({ title, rows, notes });

const LEAST_WIDTH = 10;

/** The result as a text, for a terminal. */
export function textOf({ title, rows, notes }: Table): string {
  const cells = rows.map(summaryOf);
  const first = Math.max(...rows.map(({ what }) => what.length)) + 2;
  const width = Math.max(LEAST_WIDTH, ...cells.flat().map(({ length }) => length + 2));
  const line = (what: string, columns: string[]) =>
    [what.padEnd(first), ...columns.map((column) => column.padStart(width))].join("");
  const lines = rows.map((row, index) => {
    const found = verdict(row);
    return `${line(row.what, cells[index])}${found ? `   goal ≤ ${found.goal}: ${found.word}` : ""}`;
  });
  return [title, line("", ["min", "median", "max"]), ...lines, ...notes]
    .map((text, index) => (index === 0 ? text : `  ${text}`))
    .join("\n");
}

/** The result as a section of a Markdown document. */
export function markdownOf({ title, rows, notes }: Table): string {
  const lines = rows.map((row) => {
    const found = verdict(row);
    return [row.what, ...summaryOf(row), found ? `≤ ${found.goal}, ${found.word}` : ""];
  });
  return [`### ${title}`, markdownTable(["", "least", "median", "most", "goal"], lines), notes.join("\n")]
    .filter(Boolean)
    .join("\n\n");
}

/** Every row that has a goal, and whether that is reached. */
export function goalsOf(tables: Table[]): string {
  const lines = tables.flatMap(({ title, rows }) =>
    rows.flatMap((row) => {
      const found = verdict(row);
      return found ? [[title, row.what, summaryOf(row)[1], `≤ ${found.goal}`, found.word]] : [];
    }),
  );
  return markdownTable(["measured", "row", "median", "goal", ""], lines);
}

export function markdownTable(head: string[], lines: string[][]): string {
  const row = (cells: string[]) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [row(head), row(head.map(() => "---")), ...lines.map(row)].join("\n");
}

const withUnit = (value: number, { unit = "", digits = 2 }: Row) => `${value.toFixed(digits)}${unit}`;

function summaryOf(row: Row): [string, string, string] {
  const { min, median, max } = summarize(row.values);
  return [withUnit(min, row), withUnit(median, row), withUnit(max, row)];
}

function verdict(row: Row): { goal: string; word: "reached" | "missed" } | undefined {
  if (row.goal === undefined) return undefined;
  return { goal: withUnit(row.goal, row), word: summarize(row.values).median <= row.goal ? "reached" : "missed" };
}

export const percent = (share: number) => `${Math.round(share * 100)} %`;
