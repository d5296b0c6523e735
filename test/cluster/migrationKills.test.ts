import * as assert from "assert";
import { MigrationJobArgs } from "../../index";
import { Namespace, sleep, until } from "../support/kubectl";
import { failed, MigratedDatabase, migrations, succeeded, TestStack } from "../support/migrations";
import { once, Points, TOOL_POINTS } from "../support/migrationTool";
import { diagnostics } from "../support/stack";

/** The start Job, the pod before its containers, the wait for the lock, and where the tool can be met. */
const POINTS = ["start", "tools", "lock", ...TOOL_POINTS];

/** Each kill meets ten migrations at once, each at another point of its run. */
describe("a migration, when something is killed", function () {
  this.timeout(300_000);
  let namespace: Namespace;
  let database: MigratedDatabase;
  let points: Points;
  let stack: TestStack;
  let typed: TestStack;

  before(async () => {
    namespace = await Namespace.create("kills");
    database = await MigratedDatabase.start(namespace);
    points = new Points(database, POINTS);
    await points.make();
    stack = await TestStack.create("kills");
    typed = await TestStack.createOfFiles("typed");
  });
  after(async () => {
    await Promise.all([stack?.remove(), typed?.remove()]);
    await database?.server.stop();
    await namespace?.delete();
  });

  const HOLD = "SELECT pg_advisory_lock(1885823344, 1); SELECT pg_sleep(120)";
  /** The lock of the database of the point "lock" is held until this is called. */
  const holdLock = () => {
    const holding = database.server.sql(`SET application_name = 'by-hand'; ${HOLD}`, points.name("lock")).catch(() => undefined);
    return async () => {
      await database.server
        .sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'by-hand'")
        .catch(() => undefined);
      await holding;
    };
  };
  const waitsForLock = async () =>
    Number(
      await database.rows(
        `SELECT count(*) FROM pg_stat_activity WHERE datname = '${points.name("lock")}' AND application_name LIKE 'at%'`,
      ),
    ) > 0;

  const podOf = (pods: any[], point: string, component: string) =>
    pods.find(
      ({ metadata: { labels, deletionTimestamp } }) =>
        !deletionTimestamp &&
        labels?.["app.kubernetes.io/instance"] === points.name(point) &&
        labels?.["app.kubernetes.io/component"] === component,
    );

  it("the pod: at ten points, by force, gracefully or by an eviction", async () => {
    const program = migrations(points.args(30));
    const release = holdLock();
    let running = true;
    const first = stack.up(program, { continueOnError: true }).finally(() => (running = false));
    const left = new Set(POINTS);
    const kill = async (point: string, pod: any) => {
      left.delete(point);
      const name = pod.metadata.name;
      const how = POINTS.indexOf(point) % 2;
      const evict = { apiVersion: "policy/v1", kind: "Eviction", metadata: { name, namespace: namespace.name } };
      if (point === "open")
        await namespace.kubectl(["create", "--raw", `/api/v1/namespaces/${namespace.name}/pods/${name}/eviction`, "-f", "-"], {
          input: JSON.stringify(evict),
        });
      else await namespace.kubectl(["delete", "pod", name, "--wait=false", ...(how ? [] : ["--force", "--grace-period=0"])]);
    };
    while (running && left.size) {
      const pods = await namespace.items("pods");
      const reached = await points.reached();
      const waiting = left.has("lock") && (await waitsForLock());
      for (const point of left) {
        const pod = podOf(pods, point, point === "start" ? "migration-start" : "migration");
        const isThere = ["start", "tools"].includes(point) || (point === "lock" ? waiting : reached.includes(points.name(point)));
        if (pod && isThere) await kill(point, pod);
        if (point === "lock" && !left.has("lock")) await release();
      }
      await sleep(200);
    }
    const said = diagnostics(failed(await first));
    assert.deepStrictEqual([...left], []);
    // Another pod was made in the place of the one that was evicted, as when a node is emptied.
    assert.ok(!(points.name("open") in said), said[points.name("open")]);
    assert.match(said[points.name("begin")], /failed: it was (stopped|killed) from outside: its pod was deleted or evicted/);
    assert.match(
      await database.rows("SELECT * FROM terminated", "marks"),
      new RegExp(points.name("after")),
      "a tool gets SIGTERM",
    );
    succeeded(await stack.up(program));
    assert.deepStrictEqual(await points.applied(), once(POINTS));
  });

  it("the database: at ten points, and each comes to its end in the same run", async () => {
    await points.reset();
    const release = holdLock();
    const going = stack.up(migrations(points.args(60, { backoffLimit: 4, rerun: "again" })), { continueOnError: true });
    const tools = TOOL_POINTS.map(points.name);
    await until("the tools at their points", 90, async () => {
      const reached = await points.reached();
      return tools.every((name) => reached.includes(name)) && (await waitsForLock());
    });
    await database.server.crash(2);
    await release();
    succeeded(await going);
    assert.deepStrictEqual(await points.applied(), once(POINTS));
  });

  const FEW = ["begin", "open", "insert", "after", "verify"];
  const text = (args: Record<string, MigrationJobArgs>) =>
    Object.entries(args)
      .map(([name, each]) => `exports["${name}"] = new MigrationJob("typed-${name}", ${JSON.stringify(each)}).jobName;`)
      .join("\n");

  it("the engine: at five points of five migrations, twice, and what it left goes on while the next waits", async () => {
    await points.reset();
    const program = text(points.args(90, { timeoutSeconds: 120 }, FEW));
    const starting = async () =>
      (await namespace.items("pods", "-l", "app.kubernetes.io/component=migration-start")).filter(
        ({ metadata, status }) =>
          metadata.labels["app.kubernetes.io/instance"].startsWith("typed-") && status.phase !== "Succeeded",
      );
    const killed = async (what: string, seen: () => Promise<boolean>) => {
      const { signal, ended } = await typed.upInProcess(program);
      await until(what, 90, seen);
      signal("SIGKILL");
      await ended;
      await typed.cancel(); // the state is locked until then: Pulumi asks for it
    };
    await killed("pods that find out if it can begin", async () => (await starting()).length >= 2);
    await killed("tools at their points", async () => (await points.reached()).length >= 3);

    const left = await points.reached();
    const healed = typed.up(program);
    const guards =
      "SELECT count(DISTINCT left(application_name, 40)) FROM pg_stat_activity WHERE application_name ~ '^typed-\\S+ ?\\S*$'";
    await until("runs that wait for those that were left", 90, async () => {
      const each = left.map((name) =>
        database.rows(`${guards} AND datname = '${name}' AND application_name NOT LIKE '% migrating'`),
      );
      return (await Promise.all(each)).every((count) => Number(count) >= 2);
    });
    await points.release();
    const { outputs } = succeeded(await healed);
    assert.deepStrictEqual(await points.applied(FEW), once(FEW));
    for (const name of left) {
      const log = (container: string) => namespace.kubectl(["logs", `job/${outputs[name]}`, "-c", container]);
      assert.match(await log("guard"), /waiting for another migration of this database: pid \d+, application 'typed-/);
      assert.match(await log("migrate"), /nothing to do/);
    }
    // Nothing is done again, and what Pulumi was at when it was killed is forgotten when it is told to look.
    await typed.clearPending();
    const { changes, output } = succeeded(await typed.up(program));
    assert.deepStrictEqual(changes, []);
    assert.doesNotMatch(output, /pending operations/);
  });

  it("Ctrl-C: Pulumi lets go of it, and the next run waits for its end", async () => {
    await points.reset();
    const program = text(points.args(90, { rerun: "2" }, ["insert"]));
    const { signal, ended } = await typed.upInProcess(program);
    await until("the tool at its point", 90, async () => (await points.reached()).length > 0);
    signal("SIGINT");
    const { ok, output } = await ended;
    assert.ok(!ok, output);
    const said = diagnostics(output)[`typed-${points.name("insert")}`];
    assert.match(said, /the deployment was cancelled: it goes on in the cluster; the next `pulumi up` waits for its end/);
    await points.release();
    succeeded(await typed.up(program));
    assert.deepStrictEqual(await points.applied(["insert"]), once(["insert"]));
  });
});
