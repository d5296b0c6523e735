import * as assert from "assert";
import * as pulumi from "@pulumi/pulumi";
import { MigrationArgs, PostgresApp, PostgresAppArgs } from "../../index";
import { inOrder } from "../support/inOrder";
import { Namespace, run, until } from "../support/kubectl";
import { failed, MigratedDatabase, succeeded } from "../support/migrations";
import { image } from "../support/notes";
import { TestStack } from "../support/stack";

const MIGRATE = ["sequelize-cli", "db:migrate"];
/** What the application's own image would do that migrates when it starts. */
const itself: Partial<PostgresAppArgs> = {
  command: ["sh", "-c", "sequelize-cli db:migrate && exec node server.js"],
  migratesAtStart: true,
};
/** How long `pulumi up` waits for a rollout that fails. */
const SHORT = "30s";

/** The strategies other than a Job, each with a database and an application of its own; the Job has its story in story.test.ts. */
describe("a strategy", function () {
  this.timeout(150_000);
  inOrder(this);
  let namespace: Namespace;
  let database: MigratedDatabase;
  let stack: TestStack;

  before(async () => {
    namespace = await Namespace.create("strategies");
    database = await MigratedDatabase.start(namespace);
    await Promise.all(["pods", "itself"].map((name) => database.make(name)));
    stack = await TestStack.create("strategies");
  });
  after(async () => {
    await stack?.remove();
    await database?.server.stop();
    await namespace?.delete();
  });

  const app =
    (name: string, version: string, migration: MigrationArgs, more: Partial<PostgresAppArgs> = {}, wait?: string) =>
    async () => {
      const { host, port, ca } = database.server;
      const transforms: pulumi.ResourceTransform[] = wait
        ? [
            ({ type, props, opts }) =>
              type === "kubernetes:apps/v1:StatefulSet"
                ? { props, opts: { ...opts, customTimeouts: { create: wait, update: wait } } }
                : undefined,
          ]
        : [];
      const databaseName = name === "none" ? "itself" : name;
      new PostgresApp(
        name,
        {
          image: image(version),
          port: 3000,
          namespace: namespace.name,
          database: { databaseName, user: "app", external: { host, port, password: "not secret", tls: { ca } } },
          migration: { timeoutSeconds: migration.strategy === "None" ? undefined : 60, ...migration },
          probes: { liveness: { httpPath: "/health" }, readiness: { httpPath: "/ready" } },
          ...more,
        },
        { transforms },
      );
    };
  const pods = async (name: string) =>
    (await namespace.items("pods", "-l", `app.kubernetes.io/instance=${name},app.kubernetes.io/component=app`)).sort((a, b) =>
      a.metadata.name < b.metadata.name ? -1 : 1,
    );
  const condition = (pod: any, type: string) =>
    Date.parse(pod.status.conditions.find((c: any) => c.type === type && c.status === "True").lastTransitionTime);
  /** How many migrations each pod says that it has applied. */
  const applied = async (name: string, container: string) =>
    Promise.all(
      (await pods(name)).map(async ({ metadata }) => {
        const log = await namespace.kubectl(["logs", metadata.name, "--container", container]);
        return log.match(/: migrated/g)?.length ?? 0;
      }),
    );
  const known = async (name: string) => Number(await database.rows('SELECT count(*) FROM "SequelizeMeta"', name));
  const versions = async (name: string) => (await pods(name)).map((pod) => pod.spec.containers[0].image);
  const serving = async (name: string) =>
    JSON.parse(
      await namespace.kubectl([
        "get",
        "--raw",
        `/api/v1/namespaces/${namespace.name}/services/http:${name}:80/proxy/api/version`,
      ]),
    ).version;

  describe("InitContainer", () => {
    const inPods: MigrationArgs = { strategy: "InitContainer", command: MIGRATE };

    it("applies each migration once with three pods that start together", async () => {
      succeeded(await stack.up(app("pods", "1.0.0", inPods, { replicas: 3 })));
      const created = (await pods("pods")).map((pod) => Date.parse(pod.metadata.creationTimestamp));
      assert.ok(Math.max(...created) - Math.min(...created) <= 2000, "they were created together");
      const counts = (await applied("pods", "migrate")).sort();
      assert.deepStrictEqual(counts, [0, 0, 11]);
      assert.strictEqual(await known("pods"), 11);
      assert.deepStrictEqual(await namespace.items("jobs", "-l", "app.kubernetes.io/component=migration"), []);
    });

    it("fails with the command that shows why, and the pods that were not replaced serve on", async () => {
      const output = failed(await stack.up(app("pods", "1.1.0-broken", inPods, { replicas: 2 }, SHORT)));
      const [, command] = /^\s*kubectl (.*--container migrate.*)$/m.exec(output) ?? assert.fail(output);
      await until("the end of a try in the log", 60, async () => {
        const { stdout } = await run("kubectl", command.split(" "));
        return /^\[pod\/pods-1\/migrate\] ERROR: column "\w+" does not exist/m.test(stdout);
      });
      assert.deepStrictEqual(await versions("pods"), [image("1.0.0"), image("1.1.0-broken")]);
      assert.strictEqual(await serving("pods"), "1.0.0");
      assert.strictEqual(await known("pods"), 11);
    });

    it("goes on with the corrected version, applied once", async () => {
      succeeded(await stack.up(app("pods", "1.1.0", inPods, { replicas: 2 })));
      assert.deepStrictEqual(await versions("pods"), [image("1.1.0"), image("1.1.0")]);
      assert.deepStrictEqual(await applied("pods", "migrate"), [0, 1]);
      assert.strictEqual(await known("pods"), 12);
    });

    it("migrates nothing in a release that is gone back to", async () => {
      succeeded(await stack.up(app("pods", "1.0.0", { ...inPods, goBackTo: image("1.0.0") }, { replicas: 2 })));
      const log = await namespace.kubectl(["logs", "pods-1", "--container", "migrate"]);
      assert.match(log, /^migrate: not run: it is the release that migration\.goBackTo names/);
      assert.strictEqual(await serving("pods"), "1.0.0");
      assert.strictEqual(await known("pods"), 12);
    });

    it("ends a pod as quickly as without it, also after the guard was started again", async () => {
      await namespace.exec("pods-1", ["sh", "-c", "kill 1"], { container: "guard" });
      await until("the guard's second start", 30, async () => {
        const { initContainerStatuses } = (await namespace.get("pod/pods-1")).status;
        return initContainerStatuses.some((c: any) => c.name === "guard" && c.restartCount > 0 && c.state.running);
      });
      const begun = Date.now();
      await namespace.kubectl(["delete", "pod", "pods-1"], { seconds: 40 });
      assert.ok(Date.now() - begun < 20_000, `${Date.now() - begun} ms`);
    });
  });

  describe("Startup", () => {
    const program = (version: string, wait?: string) =>
      app("itself", version, { strategy: "Startup" }, { replicas: 2, ...itself }, wait);

    it("starts the second pod when the first is ready, which has applied every migration once", async () => {
      succeeded(await stack.up(program("1.0.0")));
      const [first, second] = await pods("itself");
      assert.ok(condition(first, "Ready") <= Date.parse(second.metadata.creationTimestamp), "in this order");
      assert.deepStrictEqual(await applied("itself", "app"), [11, 0]);
      assert.strictEqual(await known("itself"), 11);
      assert.deepStrictEqual(await namespace.items("jobs", "-l", "app.kubernetes.io/component=migration"), []);
    });

    it("is stuck on one pod of a version whose migration fails, and says so", async () => {
      const output = failed(await stack.up(program("1.1.0-broken", SHORT)));
      assert.match(output, /itself-1: container app ended with exit code \d+: its last words are above/);
      const versions = (await pods("itself")).map(({ spec }) => spec.containers[0].image);
      assert.deepStrictEqual(versions, [image("1.0.0"), image("1.1.0-broken")]);
    });

    it("replaces it by the corrected version, one pod after the other, the first of which has applied what is new", async () => {
      succeeded(await stack.up(program("1.1.0")));
      const [second, first] = await pods("itself"); // from the last to the first
      assert.ok(condition(first, "Ready") <= Date.parse(second.metadata.creationTimestamp), "in this order");
      assert.deepStrictEqual(await applied("itself", "app"), [0, 1]);
      assert.strictEqual(await known("itself"), 12);
    });
  });

  describe("None", () => {
    it("installs and upgrades an application whose schema somebody else migrates", async () => {
      const none: MigrationArgs = { strategy: "None" };
      succeeded(await stack.up(app("none", "1.0.0", none)));
      assert.strictEqual(await serving("none"), "1.0.0");
      succeeded(await stack.up(app("none", "1.1.0", none)));
      assert.strictEqual(await serving("none"), "1.1.0");
      const [{ spec }] = await pods("none");
      assert.strictEqual(spec.initContainers, undefined);
      assert.deepStrictEqual(await namespace.items("jobs", "-l", "app.kubernetes.io/component=migration"), []);
    });
  });
});
