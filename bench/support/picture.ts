import { summarize } from "./samples";

/** Bars that are compared with each other. */
export interface Bars {
  title: string;
  /** The first is the one that the picture is about. Seconds. */
  bars: { what: string; values: number[] }[];
}

const WIDTH = 860;
const MARGIN = 16;
/** Where bars begin, and where the longest may end: to its right stands its number. */
const [LEFT, RIGHT] = [320, WIDTH - 70];
const [LINE, BAR, TITLE, GAP] = [26, 16, 34, 10];

/** Colours that can be read on a light and on a dark page. */
const STYLE = `
  text { font: 13px sans-serif; fill: #1f2328 }
  .title { font-weight: bold }
  .ours { fill: #2f6fdb }
  .other { fill: #9aa4b2 }
  .spread { stroke: #1f2328; stroke-width: 1.5 }
  @media (prefers-color-scheme: dark) { text { fill: #e6edf3 } .spread { stroke: #e6edf3 } }`;

/** As SVG: a bar of the median for each, with a line from the least to the most, all on one scale. */
export function picture(groups: Bars[]): string {
  const most = Math.max(...groups.flatMap(({ bars }) => bars.flatMap(({ values }) => values)));
  const x = (seconds: number) => round(LEFT + (seconds / most) * (RIGHT - LEFT));
  let y = MARGIN;
  const shapes = groups.flatMap(({ title, bars }) => {
    const titleLine = text(MARGIN, y + LINE / 2, title, "title");
    y += TITLE;
    const lines = bars.flatMap(({ what, values }, index) => {
      const { min, median, max } = summarize(values);
      const middle = y + LINE / 2;
      y += LINE;
      return [
        text(LEFT - GAP, middle, what, "", "end"),
        `<rect class="${index === 0 ? "ours" : "other"}" x="${LEFT}" y="${middle - BAR / 2}" width="${round(x(median) - LEFT)}" height="${BAR}" rx="2"/>`,
        `<line class="spread" x1="${x(min)}" x2="${x(max)}" y1="${middle}" y2="${middle}"/>`,
        text(x(max) + GAP, middle, `${median.toFixed(1)} s`),
      ];
    });
    y += GAP;
    return [titleLine, ...lines];
  });
  const height = y + MARGIN - GAP;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img">`,
    `<title>${escaped(groups.map(({ title }) => title).join("; "))}</title>`,
    `<style>${STYLE}\n</style>`,
    ...shapes,
    "</svg>",
    "",
  ].join("\n");
}

const round = (value: number) => Math.round(value * 10) / 10;

const text = (x: number, y: number, content: string, kind = "", anchor = "start") =>
  `<text${kind && ` class="${kind}"`} x="${x}" y="${y}" text-anchor="${anchor}" dominant-baseline="central">${escaped(content)}</text>`;

const escaped = (content: string) => content.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
