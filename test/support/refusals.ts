import * as assert from "assert";
import { TestStack } from "./stack";

const image = "registry.example.org/notes:1.0.0";
const secret = '{ TOKEN: pulumi.secret("not to be seen") }';

/** Programs whose arguments are wrong, and all that the stack has to say of it. */
const cases: [what: string, program: string, expected: string[]][] = [
  [
    "wrong before anything is registered",
    `new PostgresApp("refused", { image: "${image}", port: 0, replicas: -1 })`,
    [
      'PostgresApp "refused": 2 arguments have to change:',
      "port: 0 is not a port: write a whole number from 1 to 65535",
      "replicas: -1 is out of range: write a whole number of at least 0",
    ],
  ],
  [
    "an output that is wrong",
    `new PostgresApp("refused", { image: pulumi.output(Promise.resolve("Not An Image")), migration: { command: ["migrate"] } })`,
    [
      'PostgresApp "refused": 1 argument has to change:',
      'image: "Not An Image" is not an image reference: write registry/repository:tag, best with @sha256:<64 hex digits>',
    ],
  ],
  [
    "an output that a component inside looks at too",
    `new PostgresApp("refused", { image: "${image}", database: { embedded: { storage: pulumi.output("10GB") } } })`,
    [
      'PostgresApp "refused": 1 argument has to change:',
      'database.embedded.storage: "10GB" is not a quantity: write for example "500m" for CPU, "512Mi" or "10Gi" for bytes ("GB" and "gi" are not units)',
    ],
  ],
  [
    "a secret among the application's settings",
    `new PostgresApp("refused", { image: "${image}", env: ${secret} })`,
    [
      'PostgresApp "refused": 1 argument has to change:',
      "env: holds a secret value, which would be readable in the cluster: put it into secretEnv",
    ],
  ],
  [
    "a secret among the migration's settings",
    `new PostgresApp("refused", { image: "${image}", migration: { command: ["migrate"], env: ${secret} } })`,
    [
      'PostgresApp "refused": 1 argument has to change:',
      "migration.env: holds a secret value, which would be readable in the cluster: put it into migration.secretEnv",
    ],
  ],
  [
    "a CLI that is too old",
    `require(packageFolder + "/bin/components/common/versions").CLI_FLOOR = "99.0.0"; new PostgresApp("refused", { image: "${image}", migration: { command: ["migrate"] } })`,
    [
      `pulumi-postgres-app needs Pulumi's CLI 99.0.0 or newer (pulumi.com/docs/install): Pulumi CLI version … does not satisfy the version range ">=99.0.0"`,
    ],
  ],
  [
    "an option of a migration tool",
    `sequelize({ program: ["yarn", "sequelize"], version: "6.6.5" })`,
    ["sequelize-cli: program and version are two answers: leave one out"],
  ],
  [
    "a product that needs another database",
    "ghost()",
    ["ghost: Ghost supports only MySQL 8 in production, not Postgres, so PostgresApp is not for it"],
  ],
];

/** Each is said once: its message, without a stack trace and without the resources that it leads to. `most`: for an SDK beside ours. */
export async function refusalsAreSaidOnce(stack: TestStack, most = cases.length): Promise<void> {
  for (const [what, program, expected] of cases.slice(0, most)) {
    const { ok, output, errors } = await stack.preview(program);
    assert.strictEqual(ok, false, what);
    const said = errors.map((error) => error.replace(/(CLI version) [\d.]+/, "$1 …"));
    assert.deepStrictEqual(said, [expected.join("\n  ")], `${what}:\n${output}`);
    assert.doesNotMatch(output, /error serializing|unhandled exception|not to be seen/, what);
  }
}

/** Part of a program whose memory is of another day: `forgotten` is refused where many resources wait for it. */
const remembering = (databaseName: string) => `
  const { remember } = require(packageFolder + "/bin/components/database/remembered");
  const { Validation } = require(packageFolder + "/bin/components/common/validation");
  const random = require("@pulumi/random");
  const places = { databaseName: "${databaseName}" };
  const known = remember("notes", { engine: "embedded", onDelete: "retain", places }, [], new Validation('PostgresDatabase "notes"'), {});
  for (let number = 0; number < 12; number++)
    new random.RandomUuid("waits-" + number, { keepers: { deep: known.databaseName, whole: pulumi.jsonStringify(known) } });`;

export async function aRememberedPlaceIsSaidOnce(stack: TestStack): Promise<void> {
  const before = await stack.up(remembering("notes"));
  assert.ok(before.ok, before.output);
  const { ok, output, errors } = await stack.preview(remembering("other"));
  assert.strictEqual(ok, false);
  assert.strictEqual(errors.length, 1, output);
  assert.match(
    errors[0],
    /^PostgresDatabase "notes": 1 argument has to change:\n {2}databaseName: the data belongs to "notes"; with "other" the application would not find it/,
  );
}
