import * as assert from "assert";
import { explanation } from "../../components/migration/explain";
import { leftBehind } from "../support/leftBehind";

describe("what a tool's killed run left behind", () => {
  // liquibase: StandardLockService.java; knex, Prisma and golang-migrate say theirs in test/cluster/migrationTools.test.ts.
  const LOCKS: [string, string][] = [
    [
      "liquibase.exception.LockException: Could not acquire change log lock.  Currently locked by m-1 (10.0.0.2) since 1/31/26, 2:30 AM",
      "liquibase release-locks",
    ],
    ["Can't take lock to run migrations: Migration table is already locked", "knex migrate:unlock"],
  ];
  // Flyway: DbMigrate.java, MigrationInfoImpl.java
  const NOTES: [string, string][] = [
    [
      "Error: P3009\n\nmigrate found failed migrations in the target database, new migrations will not be applied.",
      "prisma migrate resolve --rolled-back <migration>",
    ],
    ["error: Dirty database version 3. Fix and force version.", "migrate … force <version>"],
    [
      "Detected failed migration to version 2 (tags).\nPlease remove any half-completed changes then run repair to fix the schema history.",
      "flyway repair",
    ],
    ['ERROR: Schema "public" contains a failed migration to version 2 !', "flyway repair"],
  ];

  for (const [said, command] of LOCKS)
    it(`is released by ${command}, where the lock of this package proves that nobody is at it`, () => {
      assert.match(
        leftBehind(`before\n${said}\nafter`),
        /no other run is at it, because this one had the lock of the database: release/,
      );
      assert.match(leftBehind(said, false), /make sure that nobody else is migrating, and release/);
      for (const locked of [true, false]) assert.ok(leftBehind(said, locked).endsWith(command));
    });
  for (const [said, command] of NOTES)
    it(`is cleared by ${command}, after a look at the schema`, () => {
      assert.match(leftBehind(said), /find out what of that migration is in the database, and/);
      assert.ok(leftBehind(said).includes(command), leftBehind(said));
    });

  it("is no other failure", () => assert.strictEqual(leftBehind('ERROR:  column "wrong" does not exist'), ""));

  it("is in the failure's text", () => {
    const [[said]] = LOCKS;
    const words = `"liquibase" failed with exit code 1, after 301 s: ${leftBehind(said)}`;
    const errors = [`[Error] ${said}\nmigrate: ${words}\nmigrate: the whole log: kubectl logs m-1\n`];
    assert.ok(
      explanation({
        errors,
        what: "migration",
        images: [],
        names: { prefix: "migration.", shared: "migration.", client: "clientImage" },
      }).includes(`the migration failed: ${words}`),
    );
  });
});
