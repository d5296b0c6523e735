import { readFile, writeFile } from "fs/promises";
import { join } from "path";
import { format, resolveConfig } from "prettier";

const docs = join(__dirname, "..", "..", "docs");
const DOCUMENT = join(docs, "performance.md");
const PICTURE = "performance.svg";

/** What is written of a run, by the names that its marks in the document have. */
export interface Parts {
  machine: string;
  goals: string;
  passwords: string;
  tables: string;
}

/** Writes what was measured into the document, whose other words are people's, and the picture beside it. */
export async function writeDocument(parts: Parts, picture: string): Promise<void> {
  const all = { ...parts, picture: `![Medians in seconds, with the least and the most](${PICTURE})` };
  const document = Object.entries(all).reduce(replacePart, await readFile(DOCUMENT, "utf8"));
  await writeFile(join(docs, PICTURE), picture);
  await writeFile(DOCUMENT, await format(document, { ...(await resolveConfig(DOCUMENT)), parser: "markdown" }));
}

/** The document with another content between the two marks of a part. */
export function replacePart(document: string, [name, content]: [string, string]): string {
  const [begin, end] = [`<!-- measured: ${name} -->`, `<!-- end: ${name} -->`];
  const [from, to] = [document.indexOf(begin), document.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`docs/performance.md has no "${begin}" before "${end}"`);
  return `${document.slice(0, from)}${begin}\n\n${content}\n\n${document.slice(to)}`;
}
