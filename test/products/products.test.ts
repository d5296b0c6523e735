import * as assert from "assert";
import { PostgresApp } from "../../index";
import { inOrder } from "../support/inOrder";
import { Namespace, until } from "../support/kubectl";
import { succeeded } from "../support/migrations";
import { RunningProduct, TELLING } from "../support/product";
import { products } from "../support/products";
import { TestStack } from "../support/stack";

/** Those to run, of which the images have to be there: tools/images/build.sh and load.sh by name. */
const wanted = (process.env.PRODUCTS ?? "").split(" ").filter(Boolean);
const known = products.map(({ name }) => name);
for (const name of wanted) assert.ok(known.includes(name), `PRODUCTS: ${name} is none of ${known.join(", ")}`);

/** Nothing gives an Ingress of the cluster under test an address. */
const NO_CONTROLLER = { waitSeconds: 0 };

for (const { name, preset, versions, tables, ready, idle, use } of products.filter((each) => wanted.includes(each.name))) {
  describe(`${name}, run for real`, function () {
    this.timeout(600_000);
    inOrder(this);
    const host = `${name}.example.org`;
    let namespace: Namespace;
    let stack: TestStack;
    let product: RunningProduct;
    let readBack: () => Promise<void>;
    let jobName: string;

    /** As a user would write it, with a volume that fits here and a server that tells what is done to the schema. */
    const program = (version?: string) => async () => {
      const database = { embedded: { storage: "1Gi", parameters: TELLING } };
      const app = new PostgresApp(name, {
        ...preset({ host, version, database, ingress: NO_CONTROLLER }),
        namespace: namespace.name,
      });
      return { job: app.migrationJobName };
    };
    const newest = versions[versions.length - 1];
    const images = async () => (await product.getPod()).spec.containers.map(({ image }: { image: string }) => image);

    const migrationPod = async (job: string) => {
      const [pod, ...more] = await namespace.items("pods", "-l", `job-name=${job}`);
      assert.deepStrictEqual(more, []);
      return pod;
    };

    /** The Job is done and had one pod, its pod changed the schema, and only then the application started, which changed nothing. */
    const migratedOnceBefore = async (job: string) => {
      const { status } = await namespace.get(`job/${job}`);
      assert.deepStrictEqual([status.succeeded, status.failed ?? 0], [1, 0]);
      assert.ok(status.conditions.some(({ type, status: is }: any) => type === "Complete" && is === "True"));
      const pod = await migrationPod(job);
      const app = await product.getPod();
      const { startedAt } = app.status.containerStatuses[0].state.running;
      assert.ok(
        status.completionTime <= startedAt,
        `the Job ended at ${status.completionTime}, the application began at ${startedAt}`,
      );
      assert.notDeepStrictEqual(await product.schemaChanges(pod.status.podIP), [], "the migration changed nothing");
      const itself = (await product.schemaChanges(app.status.podIP)).filter((statement) => !idle?.test(statement));
      assert.deepStrictEqual(itself, [], "the application itself changed the schema");
    };

    before(async () => {
      namespace = await Namespace.create(name);
      stack = await TestStack.create("products");
      product = new RunningProduct(namespace, name, host);
    });
    after(async () => {
      product?.close();
      await stack?.remove();
      await namespace?.delete();
    });

    it(`comes up in a restricted namespace, version ${versions[0]}`, async () => {
      const { outputs } = succeeded(await stack.up(program(versions[0])));
      jobName = outputs.job;
      assert.ok((await images()).every((image: string) => image.endsWith(`:${versions[0]}`)));
    });

    it("has its schema from the migration's Job alone, before it started", async () => {
      const there = await product.sql("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'");
      assert.deepStrictEqual(
        tables.filter((table) => !there.split("\n").includes(table)),
        [],
        there,
      );
      await migratedOnceBefore(jobName);
    });

    it("says that it can serve, and serves", async () => {
      assert.strictEqual((await product.ask(ready.path)).status, ready.status);
      readBack = await use(product);
      await readBack();
    });

    it("speaks to the database by TLS alone, as its migration does", async () => {
      for (const pod of [await migrationPod(jobName), await product.getPod()]) {
        const logins = await product.logins(pod.status.podIP);
        assert.ok(logins.length > 0, "nobody logged in");
        assert.deepStrictEqual(
          logins.filter((login) => !login.includes("SSL enabled")),
          [],
        );
      }
    });

    it("is not root, and writes where it may only", async () => {
      const { stdout } = await product.exec("id -u; touch /written 2>&1");
      assert.match(stdout, /^[1-9]\d*\n.*Read-only file system/);
    });

    it("has everything still when its pod was replaced", async () => {
      await product.restart();
      await readBack();
      await migratedOnceBefore(jobName);
    });

    it("lives on without its database", async () => {
      const { spec, metadata } = await product.getPod();
      const { path } = spec.containers[0].livenessProbe.httpGet;
      const restarts = async () => (await product.getPod()).status.containerStatuses[0].restartCount;
      const before = await restarts();
      await namespace.kubectl(["scale", `statefulset/${name}-db`, "--replicas=0"]);
      await namespace.kubectl(["wait", "--for=delete", `pod/${name}-db-0`, "--timeout=60s"], { seconds: 70 });
      assert.ok((await product.ask(path)).status < 400, "no yes while the database was away");
      await namespace.kubectl(["scale", `statefulset/${name}-db`, "--replicas=1"]);
      await namespace.kubectl(["rollout", "status", `statefulset/${name}-db`, "--timeout=120s"], { seconds: 130 });
      await until("the product to be ready again", 120, async () => {
        const { status } = await product.getPod();
        return status.conditions.some(({ type, status: is }: any) => type === "Ready" && is === "True");
      });
      await readBack();
      assert.deepStrictEqual([(await product.getPod()).metadata.uid, await restarts()], [metadata.uid, before]);
    });

    it("changes nothing by the same program", async () => {
      const { changes } = succeeded(await stack.up(program(versions[0])));
      assert.deepStrictEqual(changes, []);
    });

    if (versions.length > 1) {
      it(`is upgraded to ${newest}, which is the preset's own`, async () => {
        const former = jobName;
        product.close();
        ({ job: jobName } = succeeded(await stack.up(program())).outputs);
        assert.notStrictEqual(jobName, former);
        assert.ok((await images()).every((image: string) => image.endsWith(`:${newest}`)));
        await migratedOnceBefore(jobName);
        await readBack();
      });
    }
  });
}
