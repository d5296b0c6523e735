import * as assert from "assert";
import * as pulumi from "@pulumi/pulumi";
import { PostgresApp, PostgresAppArgs } from "../../index";
import { aRememberedPlaceIsSaidOnce, refusalsAreSaidOnce } from "../support/refusals";
import { Outcome, TestStack } from "../support/stack";

/** What a person sees whose arguments are wrong, from the real engine. */
describe("arguments that are refused", function () {
  this.timeout(300_000);
  let stack: TestStack;
  const image = "registry.example.org/notes:1.0.0";
  const preview = (args: () => Partial<PostgresAppArgs>) =>
    stack.preview(async () => void new PostgresApp("notes", { image, ...args() } as PostgresAppArgs));
  const refused = (outcome: Outcome, reason: RegExp) => {
    assert.strictEqual(outcome.ok, false, outcome.output);
    assert.match(outcome.output, reason);
  };

  before(async () => (stack = await TestStack.create("arguments")));
  after(() => stack?.remove());

  it("are all in one error, and nothing is planned", async () => {
    const outcome = await preview(() => ({ port: 0, replicas: -1, database: { embedded: { storage: "10GB" } } }));
    refused(
      outcome,
      /PostgresApp "notes": 3 arguments have to change:\s+database.embedded.storage: "10GB" is not a quantity.*\s+port: 0 is not a port.*\s+replicas: -1 is out of range/,
    );
    assert.doesNotMatch(outcome.output, /InputPropertiesError|\n\s+at /);
    assert.deepStrictEqual(outcome.changes, ["create pulumi:pulumi:Stack::arguments-test"]);
  });

  it("are found where they are outputs, too", async () => {
    refused(
      await preview(() => ({ image: pulumi.output(Promise.resolve("Not An Image")) })),
      /PostgresApp "notes": 1 argument has to change:\s+image: "Not An Image" is not an image reference/,
    );
  });

  // The SDK sends messages one after the other: one of a resource that comes late must not be in front of what a hook tells before it.
  it("or only warned of, in a first preview, hold up nothing", async function () {
    this.timeout(60_000);
    const moving = "registry.example.org/notes:latest";
    const { ok, output } = await preview(() => ({
      image: moving,
      migration: { command: ["migrate"], goBackTo: image },
    }));
    assert.ok(ok, output);
    assert.match(output, /"registry\.example\.org\/notes:latest": the tag "latest" is usually pushed again/);
    assert.match(output, /goBackTo is "\S+:1\.0\.0" and the image "\S+:latest": it means nothing/);
  });

  it("are said once each, with their message alone", async () => {
    const ofFiles = await TestStack.createOfFiles("refusals");
    try {
      await refusalsAreSaidOnce(ofFiles);
      await aRememberedPlaceIsSaidOnce(ofFiles);
    } finally {
      await ofFiles.remove();
    }
  });
});
