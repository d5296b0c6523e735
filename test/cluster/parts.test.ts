import * as assert from "assert";
import { MigrationJob, PostgresDatabase } from "../../index";
import { Namespace } from "../support/kubectl";
import { succeeded } from "../support/migrations";
import { image, psql, secret } from "../support/notes";
import { changesNothing, TestStack } from "../support/stack";

describe("a database and a migration without an application", function () {
  this.timeout(180_000);
  let namespace: Namespace;
  let stack: TestStack;
  before(async () => {
    namespace = await Namespace.create("parts");
    stack = await TestStack.create("parts");
  });
  after(async () => {
    await stack?.remove();
    await namespace?.delete();
  });

  it("are put together by what the first one tells: the server's certificate is verified", async () => {
    const program = async () => {
      const database = new PostgresDatabase("notes-db", {
        namespace: namespace.name,
        databaseName: "notes",
        embedded: { version: 17, storage: "1Gi" },
      });
      new MigrationJob(
        "notes",
        {
          image: image("1.0.0"),
          command: ["sequelize-cli", "db:migrate"],
          namespace: namespace.name,
          connectionSecretName: database.migrationSecretName,
          connectionCaSecretName: database.caSecretName,
          timeoutSeconds: 60,
        },
        { dependsOn: database },
      );
      return { connection: database.connectionSecretName };
    };
    const { outputs } = succeeded(await stack.up(program));
    const { user, password, uri } = await secret(namespace, outputs.connection);
    assert.match(uri, /sslmode=verify-full/);
    assert.strictEqual((await psql(namespace, user, password, 'SELECT count(*) FROM \\"SequelizeMeta\\"')).stdout.trim(), "11");
    changesNothing(await stack.up(program));
  });
});
