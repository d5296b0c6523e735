import * as assert from "assert";
import { ahead } from "../support/ahead";

describe("a database that a newer release has migrated", () => {
  // Flyway: DbValidate.java; the others say theirs in test/cluster/migrationTools.test.ts.
  const WORDS = [
    "Error: The migration directory is corrupt, the following files are missing: 20260101000002_body.js",
    "FAILED: Can't locate revision identified by '0002'",
    "error: no migration found for version 2: read down for version 2 goose: file does not exist",
    "Detected applied migration not resolved locally: 2.",
  ];
  for (const said of WORDS)
    it(`is known by "${said.slice(0, 40)}…", and the way back is said`, () => {
      assert.match(ahead(`before\n${said}\nafter`), /^a release that .* set migration\.goBackTo to its image$/);
    });

  it("is no other failure", () => assert.strictEqual(ahead('ERROR:  column "wrong" does not exist'), ""));
});
