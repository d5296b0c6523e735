import * as assert from "assert";
import { AppDatabaseArgs, PostgresApp } from "../../index";
import { graph } from "../support/graph";
import { known } from "../support/known";

const image = "registry.example.org/notes:1.0.0";
const server = { host: "db.example.org", password: "secret" };

describe("what stays of the data", () => {
  const cases: [what: string, database: AppDatabaseArgs, kept: string][] = [
    ["is the claim", {}, "persistentvolumeclaim/data-notes-db-0 in namespace shop"],
    ["is nothing where it is deleted", { onDelete: "delete" }, ""],
    ["is an existing claim", { embedded: { existingClaim: "left" } }, "persistentvolumeclaim/left in namespace shop"],
    [
      "is CloudNativePG's volumes",
      { cloudNativePg: {} },
      "the volumes of clusters.postgresql.cnpg.io/notes-db in namespace shop",
    ],
    ["is nothing of the component's on another server", { databaseName: "notes", user: "notes", external: server }, ""],
  ];
  for (const [what, database, kept] of cases)
    it(what, async () => {
      const { result } = await graph(() => new PostgresApp("notes", { image, namespace: "shop", database }));
      assert.strictEqual(await known(result.keptData), kept);
    });
});
