import * as assert from "assert";
import { readFileSync, writeFileSync } from "fs";
import { join } from "path";
import { Analyzer } from "@pulumi/pulumi/provider/experimental/analyzer";
import { getPulumiComponents } from "@pulumi/pulumi/provider/experimental/provider";
import { generateSchema } from "@pulumi/pulumi/provider/experimental/schema";
import * as entry from "../../index";

const root = join(__dirname, "..", "..");
const golden = join(__dirname, "schema.json");

/** What Pulumi makes of the sources for Python, Go, .NET, Java and YAML. The version of the package is left out. */
function schema() {
  const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const names = new Set(getPulumiComponents(entry).map(({ name }) => name));
  const analyzed = new Analyzer(root, manifest.name, manifest, names).analyze();
  const { components, typeDefinitions, dependencies } = analyzed;
  return generateSchema(manifest.name, "0.0.0", manifest.description, components, typeDefinitions, dependencies, undefined);
}

describe("the schema for other languages", function () {
  this.timeout(60_000);
  let actual: any;
  before(() => {
    actual = JSON.parse(JSON.stringify(schema()));
    if (process.env.UPDATE_SCHEMA) writeFileSync(golden, `${JSON.stringify(actual, null, 2)}\n`);
  });

  it("is the one in test/schema/schema.json (UPDATE_SCHEMA=1 writes it; a change is a change for every user)", () => {
    assert.deepStrictEqual(actual, JSON.parse(readFileSync(golden, "utf8")));
  });

  it("has the type tokens that are in every user's state", () => {
    assert.deepStrictEqual(Object.keys(actual.resources).sort(), [
      "pulumi-postgres-app:index:MigrationJob",
      "pulumi-postgres-app:index:PostgresApp",
      "pulumi-postgres-app:index:PostgresDatabase",
    ]);
  });

  it("describes every argument and output", () => {
    const bare: string[] = [];
    const visit = (where: string, properties: any) => {
      for (const [name, property] of Object.entries<any>(properties ?? {}))
        if (!property.description || /\[object Object\]/.test(property.description)) bare.push(`${where}.${name}`);
    };
    for (const [token, { inputProperties, properties }] of Object.entries<any>(actual.resources)) {
      visit(token, inputProperties);
      visit(token, properties);
    }
    for (const [token, { properties }] of Object.entries<any>(actual.types)) visit(token, properties);
    assert.deepStrictEqual(bare, []);
  });
});
