import * as assert from "assert";
import { readFile } from "fs/promises";
import { join } from "path";
import { replacePart } from "../../bench/support/performanceDocument";
import { picture } from "../../bench/support/picture";
import { goalsOf, markdownOf, table, textOf } from "../../bench/support/report";

/** What a run of an hour ends with: it has to be right the first time. */
describe("what the benchmark writes", () => {
  const tables = [
    table("Install", [
      { what: "ours", values: [9, 1, 2], unit: " s" },
      { what: "ours / theirs", values: [0.1, 0.4, 0.9], goal: 0.4 },
    ]),
    table("Upgrade", [{ what: "ours | theirs", values: [0.1, 1.16, 1.17], goal: 1.15 }]),
  ];

  it("says of every goal whether the median reaches it", () => {
    const [, , ...lines] = goalsOf(tables).split("\n");
    assert.deepStrictEqual(lines, [
      "| Install | ours / theirs | 0.40 | ≤ 0.40 | reached |",
      "| Upgrade | ours \\| theirs | 1.16 | ≤ 1.15 | missed |",
    ]);
    assert.match(textOf(tables[0]), /ours \/ theirs +0\.10 +0\.40 +0\.90 {3}goal ≤ 0\.40: reached$/m);
    assert.match(markdownOf(tables[0]), /^\| ours \| 1\.00 s \| 2\.00 s \| 9\.00 s \| {2}\|$/m);
  });

  it("replaces what stands between the marks of a part, and nothing else", () => {
    const document = "by hand\n\n<!-- measured: a -->\n\nold\n\n<!-- end: a -->\n\nby hand too\n";
    const written = replacePart(document, ["a", "new"]);
    assert.strictEqual(written, document.replace("old", "new"));
    assert.strictEqual(replacePart(written, ["a", "new"]), written);
    assert.throws(() => replacePart(document, ["b", "new"]), /"<!-- measured: b -->"/);
  });

  it("has a place in the document for every part", async () => {
    const document = await readFile(join(__dirname, "..", "..", "docs", "performance.md"), "utf8");
    for (const part of ["machine", "picture", "goals", "passwords", "tables"])
      assert.match(replacePart(document, [part, "what was measured"]), /\n\nwhat was measured\n\n/);
  });

  it("draws bars whose lengths are as the medians", () => {
    const svg = picture([
      { title: "First", bars: [{ what: "ours", values: [1, 2, 4] }] },
      { title: "Then", bars: [{ what: "<theirs>", values: [8, 8, 8] }] },
    ]);
    const [ours, theirs] = [...svg.matchAll(/<rect .* width="([\d.]+)"/g)].map(([, width]) => Number(width));
    assert.ok(Math.abs(theirs / ours - 4) < 0.01, `${ours}, ${theirs}`);
    assert.match(svg, />2\.0 s</);
    assert.match(svg, />&lt;theirs></);
  });
});
