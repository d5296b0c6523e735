import { markdownTable } from "./report";

/** What came of something that was tried. */
export interface Answer {
  works: boolean;
  happened: string;
}

/** Something that a chart of the usual shape and the component were both asked for. */
export interface Fact {
  what: string;
  chart: Answer;
  component: Answer;
}

const inWords = ({ works, happened }: Answer) => `${works ? "yes" : "no"}: ${happened}`;

export const textOfFacts = (facts: Fact[]) =>
  facts
    .map(({ what, chart, component }) => [what, `  chart: ${inWords(chart)}`, `  PostgresApp: ${inWords(component)}`].join("\n"))
    .join("\n");

export const markdownOfFacts = (facts: Fact[]) =>
  markdownTable(
    ["", "the chart", "PostgresApp"],
    facts.map(({ what, chart, component }) => [what, inWords(chart), inWords(component)]),
  );
