import * as assert from "assert";
import { Namespace } from "../support/kubectl";
import { failed, MigratedDatabase, onlyMigration, succeeded, TestStack } from "../support/migrations";

describe("a migration", function () {
  this.timeout(180_000);
  let namespace: Namespace;
  let database: MigratedDatabase;
  let stack: TestStack;

  before(async () => {
    namespace = await Namespace.create("migration");
    database = await MigratedDatabase.start(namespace);
    stack = await TestStack.create("migration");
  });
  after(async () => {
    await stack?.remove();
    await database?.server.stop();
    await namespace?.delete();
  });

  it("runs once, and not again while nothing changes", async () => {
    const program = onlyMigration(database.psql("CREATE TABLE one (n int)"));
    succeeded(await stack.up(program));
    assert.deepStrictEqual(succeeded(await stack.up(program)).changes, []);
  });

  it("shows its last words when it fails", async () => {
    const program = onlyMigration(database.psql("CREATE TABLE one (n int)", { rerun: "2" }));
    const output = failed(await stack.up(program));
    assert.match(output, /ERROR: {2}relation "one" already exists/);
    assert.match(output, /"psql" failed with exit code 1/);
    assert.match(output, /kubectl logs --namespace \S+ m-\S+ --container migrate/);
  });
});
