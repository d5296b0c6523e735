import * as assert from "assert";
import { readFileSync, writeFileSync } from "fs";
import { join } from "path";
import { propertiesOf } from "../../components/common/shapeTypes";
import { shapes } from "../../components/common/shapes";
// eslint-disable-next-line @typescript-eslint/no-require-imports -- a tool in JavaScript
const { target, text } = require("../../tools/shapes");

/** What arguments are held against when a program runs. */
describe("the table of arguments' types", function () {
  this.timeout(60_000);
  it("is what the sources say (`node tools/shapes.js` writes it, as UPDATE_SCHEMA=1 does)", () => {
    const made = text();
    if (process.env.UPDATE_SCHEMA) writeFileSync(target, made);
    assert.strictEqual(readFileSync(target, "utf8"), made);
  });

  it("has the arguments that the schema for other languages has, and no others", () => {
    const { resources, types } = JSON.parse(readFileSync(join(__dirname, "schema.json"), "utf8"));
    const named = ([token, { properties, required }]: [string, any]) =>
      [token.split(":").pop()!, properties, required ?? []] as const;
    const components = Object.entries<any>(resources).map(([token, { inputProperties, requiredInputs }]) =>
      named([`${token}Args`, { properties: inputProperties, required: requiredInputs }]),
    );
    for (const [name, properties, required] of [...components, ...Object.entries<any>(types).map(named)]) {
      if (!properties) continue; // one of several texts
      assert.ok(name in shapes, name);
      const table = propertiesOf(name);
      assert.deepStrictEqual([...table.keys()].sort(), Object.keys(properties).sort(), name);
      const needed = [...table].filter(([, property]) => property.required).map(([property]) => property);
      assert.deepStrictEqual(needed.sort(), [...required].sort(), name);
      for (const [property, { plain, type }] of Object.entries<any>(properties)) {
        const inTable = table.get(property)!.type;
        assert.strictEqual(/^Input<.*>$/.test(inTable), !plain, `${name}.${property} is ${inTable}`);
        if (type === "array") assert.match(inTable, /\[\]>?$/, `${name}.${property}`);
        if (type === "object") assert.match(inTable, /Record</, `${name}.${property}`);
      }
    }
  });
});
