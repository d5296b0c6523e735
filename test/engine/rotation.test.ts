import * as pulumi from "@pulumi/pulumi";
import * as assert from "assert";
import * as random from "@pulumi/random";
import { Validation } from "../../components/common/validation";
import { RolledOutRotation } from "../../components/database/rotation";
import { inOrder } from "../support/inOrder";
import { Outcome, TestStack } from "../support/stack";

/** What the engine remembers of a rotation, and what it stops before anything is changed. */
describe("a rotation out of turn", function () {
  this.timeout(120_000);
  inOrder(this);
  let stack: TestStack;

  /** What is rolled out is an other resource here: one that can be made, or one that cannot. */
  const program = (rotation: number, { back = true, fails = false } = {}) => {
    return async () => {
      const rollout = new random.RandomPassword(`rollout-of-${rotation}`, { length: fails ? 0 : 8 });
      const validation = new Validation('PostgresApp "notes"');
      new RolledOutRotation(
        "notes-db-rotation",
        rotation,
        { back, path: "database.", validation, after: pulumi.output([rollout]), pods: [] },
        {},
      );
    };
  };
  const succeeds = async (outcome: Promise<Outcome>) => assert.ok((await outcome).ok, (await outcome).output);
  const refuses = async (rotation: number, reason: RegExp, more = {}) => {
    const { ok, output } = await stack.preview(program(rotation, more));
    assert.strictEqual(ok, false, output);
    assert.match(output, reason);
  };

  before(async () => (stack = await TestStack.create("rotation")));
  after(() => stack?.remove());

  it("is refused at preview, with the number to write", async () => {
    await succeeds(stack.up(program(0)));
    await refuses(
      2,
      /PostgresApp "notes": 1 argument has to change:\s+database\.credentials\.rotation: is 2, and pods run with the login of rotation 0, .* Write 1/,
    );
    await succeeds(stack.preview(program(1)));
  });

  it("is the next one after a rollout that failed, and neither the same again nor back", async () => {
    const { ok, output } = await stack.up(program(1, { fails: true }));
    assert.strictEqual(ok, false, output);
    await refuses(2, /with the login of rotation 0, the last that was rolled out/);
    for (const rotation of [0, 1]) await succeeds(stack.preview(program(rotation)));
    await succeeds(stack.up(program(1)));
    await succeeds(stack.preview(program(2)));
  });

  it("is going back, where an operator sets the passwords, and not where the setup does", async () => {
    await succeeds(stack.preview(program(0)));
    await refuses(0, /is 0, and pods run with the login of rotation 1: going back .* For another password write 2/, {
      back: false,
    });
  });
});
