import * as assert from "assert";
import { inOrder } from "../support/inOrder";
import { Outcome, TestStack } from "../support/stack";

/** What the engine remembers of a database's names, and what it stops before anything is changed. */
describe("another name of the database or its owner", function () {
  this.timeout(120_000);
  inOrder(this);
  let stack: TestStack;
  const refusal =
    /PostgresDatabase "notes": 1 argument has to change:\s+user: the data belongs to "shop"; with "other" the application would not find it. Set it back/;

  const MODULES = `
    const { HeldNames } = require(packageFolder + "/bin/components/database/heldNames");
    const { remember } = require(packageFolder + "/bin/components/database/remembered");
    const { Validation } = require(packageFolder + "/bin/components/common/validation");
    const random = require("@pulumi/random");
    const validation = new Validation('PostgresDatabase "notes"');`;

  /** What makes the names is another resource here: one that can be made, or one that cannot. `user` is JavaScript. */
  const program = (user: string, { fails = false, attempt = "" } = {}) => `${MODULES}
    const names = { databaseName: pulumi.output("notes"), user: pulumi.output(${user}) };
    const held = new HeldNames("notes-embedded-names", names, validation, {});
    const owner = pulumi.all([names.user, held.agreed]).apply(([owner]) => owner);
    held.from(new random.RandomPassword("setup", { length: ${fails ? 0 : 8}, keepers: { owner, attempt: "${attempt}" } }), {});`;
  const [shop, other] = ['"shop"', '"other"'];

  const succeeds = async (outcome: Promise<Outcome>) => {
    const { ok, output } = await outcome;
    assert.ok(ok, output);
  };
  const fails = async (outcome: Promise<Outcome>, reason: RegExp, times = 1) => {
    const { ok, output, errors } = await outcome;
    assert.strictEqual(ok, false, output);
    assert.strictEqual(errors.filter((error) => reason.test(error)).length, times, errors.join("\n---\n"));
    return output;
  };

  before(async () => (stack = await TestStack.createOfFiles("names")));
  after(() => stack?.remove());

  it("is good while no setup has succeeded", async () => {
    for (const continueOnError of [false, true]) {
      const output = await fails(stack.up(program('"notes"', { fails: true }), { continueOnError }), /length/);
      assert.doesNotMatch(output, /the setup has failed/);
    }
    await succeeds(stack.preview(program(other)));
    await fails(stack.up(program(other, { fails: true })), /length/);
    await succeeds(stack.up(program(shop)));
  });

  it("is refused after that, in the preview and in `up`, and nothing is changed", async () => {
    const resources = async () => JSON.parse(await stack.plainState()).deployment.resources;
    const before = await resources();
    await fails(stack.preview(program(other)), refusal);
    await fails(stack.preview(program(`pulumi.secret(${other})`)), refusal);
    await fails(stack.up(program(other)), refusal);
    assert.deepStrictEqual(await resources(), before);
    const { changes, output } = await stack.preview(program(shop));
    assert.deepStrictEqual(changes, [], output);
  });

  it("is refused after a setup that failed meanwhile", async () => {
    for (const continueOnError of [false, true]) {
      await fails(stack.up(program(shop, { fails: true, attempt: "again" }), { continueOnError }), /length/);
      await fails(stack.preview(program(other)), refusal);
    }
  });

  it("is refused with --continue-on-error, and nothing that hangs on it is changed", async () => {
    const outcome = await stack.up(program(other, { attempt: "again" }), { continueOnError: true });
    assert.strictEqual(outcome.ok, false);
    assert.match(outcome.output, refusal);
    assert.deepStrictEqual(
      outcome.changes.filter((change) => change.includes("random:")),
      [],
      outcome.output,
    );
    await succeeds(stack.up(program(shop)));
    await fails(stack.preview(program(other)), refusal);
  });

  it("is refused where names are secrets, which are none in the state either", async () => {
    await succeeds(stack.up(program(`pulumi.secret(${shop})`)));
    const { resources } = JSON.parse(await stack.state()).checkpoint.latest;
    const held = resources.filter(({ type }: { type: string }) => type.endsWith(":HeldNames"));
    assert.deepStrictEqual([held.length, JSON.stringify(held).includes("shop")], [1, false]);
    await fails(stack.preview(program(`pulumi.secret(${other})`)), refusal);
    await fails(stack.up(program(other)), refusal);
  });

  it("is refused under the memory of a former version, which stays as it is", async () => {
    const memory = (places: object) => `${MODULES}
      const places = ${JSON.stringify({ databaseName: "notes", user: "shop", claim: "", ...places })};
      remember("former", { engine: "embedded", onDelete: "retain", places }, [], validation, {});`;
    await succeeds(stack.up(memory({})));
    const { changes, output } = await stack.preview(memory({ component: "former" }));
    assert.deepStrictEqual(changes, [], output);
    await fails(stack.preview(memory({ component: "former", user: "other" })), refusal);
  });
});
