import * as assert from "assert";
import { PostgresAppArgs, WorkloadKind } from "../../index";
import { inOrder } from "../support/inOrder";
import { Namespace, sleep } from "../support/kubectl";
import { Load } from "../support/load";
import { succeeded } from "../support/migrations";
import { notes, psql, secret } from "../support/notes";
import { TestStack } from "../support/stack";
import { turn } from "../support/turn";

const PER_SECOND = 100;
const PHASES = ["quiet", "upgrade", "afterwards"] as const;
/** What 1.1.0 can bear and 1.0.0 cannot: a thread without a value for the new column, which only 1.0.0 writes, is refused. */
const contract = `const { sequelize } = require("./db");
sequelize.query("ALTER TABLE threads ALTER COLUMN pinned DROP DEFAULT").then(() => sequelize.close());`;

/** As users upgrade with expand and contract: test/cluster/zeroFailures.test.ts has the StatefulSet, without a contract. */
describe(`a Deployment under ${PER_SECOND} requests a second, with a contract after the rollout`, function () {
  this.timeout(300_000);
  inOrder(this);
  let namespace: Namespace;
  let stack: TestStack;
  let load: Load;
  let login: Record<string, string>;
  const up = async (version: string, migration: Partial<PostgresAppArgs["migration"]> = {}) => {
    const args = {
      kind: WorkloadKind.Deployment,
      replicas: 2,
      migration: { command: ["sequelize-cli", "db:migrate"], timeoutSeconds: 120, ...migration },
    };
    return succeeded(await stack.up(notes(namespace, version, args)));
  };

  const network = turn("network", { shared: true });
  before(network.begin);
  before(async () => {
    namespace = await Namespace.create("contract");
    stack = await TestStack.create("contract");
    const { outputs } = await up("1.0.0");
    login = await secret(namespace, outputs.connectionSecret);
    load = await Load.start(namespace, "quiet", PER_SECOND);
    await sleep(5000);
  });
  after(async () => {
    await stack?.remove();
    await namespace?.delete();
  });
  after(network.end);

  it("is upgraded, and contracted when no pod of the previous version serves", async () => {
    await load.phase("upgrade");
    const { outputs } = await up("1.1.0", { postDeploy: { command: ["node", "-e", contract] } });
    await load.phase("afterwards");
    await sleep(5000);
    const { status } = await namespace.get(`job/${outputs.postDeployJob}`);
    assert.strictEqual(status.succeeded, 1);
    const left =
      "SELECT column_default IS NULL FROM information_schema.columns WHERE (table_name, column_name) = ('threads', 'pinned')";
    assert.strictEqual((await psql(namespace, login.user, login.password, left)).stdout.trim(), "t");
  });

  it("loses no request, and keeps every row that was acknowledged", async () => {
    const { failures, phases, acknowledged } = await load.stop();
    assert.deepStrictEqual(failures, {});
    for (const phase of PHASES) {
      const { sent, ok, answers, p99, max } = phases[phase];
      console.log(`      ${phase}: ${sent} requests, p99 ${p99} ms, slowest ${max} ms, ${JSON.stringify(answers)}`);
      assert.ok(sent > 3 * PER_SECOND, `${phase}: ${sent}`);
      assert.strictEqual(ok, sent, phase);
      assert.strictEqual((answers[200] ?? 0) + (answers[201] ?? 0), sent, `${phase}: ${JSON.stringify(answers)}`);
    }
    const sql = "SELECT count(*) FROM threads WHERE title LIKE 'load %'";
    assert.strictEqual((await psql(namespace, login.user, login.password, sql)).stdout.trim(), String(acknowledged));
  });
});
