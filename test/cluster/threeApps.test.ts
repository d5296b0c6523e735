import * as assert from "assert";
import { PostgresApp } from "../../index";
import { inOrder } from "../support/inOrder";
import { Namespace, until } from "../support/kubectl";
import { image } from "../support/notes";
import { Outcome, TestStack } from "../support/stack";

/** Each begins as the one before it does: whatever is found by the beginning of a name finds too much. */
const NAMES = ["shop", "shop-admin", "shop-admin-eu"] as const;
type Name = (typeof NAMES)[number];
const SLOW = "shop-admin";

const PART_OF = "app.kubernetes.io/part-of";
const KINDS = "pods,statefulsets,deployments,jobs,services,configmaps,secrets,serviceaccounts,poddisruptionbudgets";

/** Ends only when it is told to. */
const WAITS = ["sh", "-c", "sequelize-cli db:migrate && until [ -e /tmp/go ]; do sleep 1; done"];

describe("three applications in one stack", function () {
  this.timeout(500_000);
  inOrder(this);
  let namespace: Namespace;
  let stack: TestStack;

  const program = (versions: Partial<Record<Name, string>>) => {
    return async () => {
      for (const [name, version] of Object.entries(versions))
        new PostgresApp(name, {
          image: image(version),
          port: 3000,
          namespace: namespace.name,
          database: { embedded: { version: 17, storage: "1Gi" } },
          migration: { command: name === SLOW ? WAITS : ["sequelize-cli", "db:migrate"], timeoutSeconds: 300 },
          probes: { readiness: { httpPath: "/ready" } },
        });
    };
  };
  const ofApp = (name: Name, part: string) => ["-l", `${PART_OF}=${name},app.kubernetes.io/component=${part}`];
  const ready = async () =>
    (await namespace.items("pods", "-l", "app.kubernetes.io/component=app"))
      .filter(({ status }) => status.containerStatuses?.every((container: any) => container.ready))
      .map(({ metadata }) => metadata.name)
      .sort();
  /** What there is of some applications, and which version of what is asked for. */
  const objects = async (...names: Name[]) =>
    (await namespace.items(KINDS, "-l", `${PART_OF} in (${names.join(",")})`))
      .map(({ kind, metadata }) => `${kind} ${metadata.name} ${metadata.uid} ${metadata.generation}`)
      .sort();
  const release = async () => {
    const [job] = await namespace.items("jobs", ...ofApp(SLOW, "migration"));
    const pod = await until("the slow migration", 60, async () => {
      const pods = await namespace.items(
        "pods",
        "-l",
        `job-name=${job.metadata.name}`,
        "--field-selector",
        "status.phase=Running",
      );
      return pods.find(({ metadata }) => !metadata.deletionTimestamp);
    });
    const { code, stderr } = await namespace.exec(pod.metadata.name, ["touch", "/tmp/go"], { container: "migrate" });
    assert.strictEqual(code, 0, stderr);
  };

  before(async () => {
    namespace = await Namespace.create("three");
    stack = await TestStack.create("three");
  });
  after(async () => {
    await stack?.remove();
    await namespace?.delete();
  });

  it("are there without waiting for one whose migration takes long", async () => {
    const up = stack.up(program({ shop: "1.0.0", "shop-admin": "1.0.0", "shop-admin-eu": "1.0.0" }));
    // Of an up that fails early, what it says is what there is to know.
    const failed = up.then((outcome) => assert.ok(outcome.ok, outcome.output));
    const others = until("the two others", 300, async () => {
      const names = await ready();
      return names.length === 2 && names;
    });
    await Promise.race([failed, others]);
    assert.deepStrictEqual(await others, ["shop-0", "shop-admin-eu-0"]);
    assert.deepStrictEqual(await namespace.items("pods", ...ofApp(SLOW, "app")), [], "its application waits for its migration");
    await release();
    await failed;
    assert.deepStrictEqual(await ready(), ["shop-0", "shop-admin-0", "shop-admin-eu-0"]);
  });

  it("select their own pods only, and each pod is somebody's", async () => {
    const selecting = await namespace.items("services,statefulsets,deployments");
    const chosen = new Set<string>();
    for (const { kind, metadata, spec } of selecting) {
      const selector: Record<string, string> = spec.selector.matchLabels ?? spec.selector;
      const pairs = Object.entries(selector).map((pair) => pair.join("="));
      const pods = await namespace.items("pods", "-l", pairs.join(","));
      assert.ok(pods.length > 0, `${kind} ${metadata.name} selects a pod`);
      for (const pod of pods) {
        chosen.add(pod.metadata.name);
        assert.strictEqual(
          pod.metadata.labels[PART_OF],
          metadata.labels[PART_OF],
          `${kind} ${metadata.name}: ${pod.metadata.name}`,
        );
      }
    }
    const expected = NAMES.flatMap((name) => [`${name}-0`, `${name}-db-0`]);
    assert.deepStrictEqual([...chosen].sort(), expected.sort());
  });

  it("are upgraded one by one", async () => {
    const before = await objects("shop-admin", "shop-admin-eu");
    const outcome = await stack.up(program({ shop: "1.1.0", "shop-admin": "1.0.0", "shop-admin-eu": "1.0.0" }));
    assert.ok(outcome.ok, outcome.output);
    assertConcerns(outcome, "shop");
    assert.ok(before.length > 20, `${before.length} objects`);
    assert.deepStrictEqual(await objects("shop-admin", "shop-admin-eu"), before);
    const [pod] = await namespace.items("pods", ...ofApp("shop", "app"));
    assert.strictEqual(pod.spec.containers[0].image, image("1.1.0"));
  });

  it("are removed one by one, but for the volume", async () => {
    const before = await objects("shop", "shop-admin-eu");
    const outcome = await stack.up(program({ shop: "1.1.0", "shop-admin-eu": "1.0.0" }));
    assert.ok(outcome.ok, outcome.output);
    assertConcerns(outcome, "shop-admin");
    assert.deepStrictEqual(await objects("shop", "shop-admin-eu"), before);
    const left = await until("the end of its pods", 60, async () => {
      const names = (await objects(SLOW)).map((line) => line.split(" ").slice(0, 2).join(" "));
      return names.every((name) => !name.startsWith("Pod ")) && names;
    });
    assert.deepStrictEqual(left, []);
    const claims = (await namespace.items("pvc")).map(({ metadata }) => metadata.name);
    assert.deepStrictEqual(claims, ["data-shop-admin-db-0", "data-shop-admin-eu-db-0", "data-shop-db-0"]);
  });
});

/** What an operation did concerns one application alone. */
function assertConcerns({ changes }: Outcome, name: Name): void {
  const others = NAMES.filter((other) => other !== name);
  const belongs = (resource: string) =>
    NAMES.filter((each) => resource === each || resource.startsWith(`${each}-`)).sort((a, b) => b.length - a.length)[0];
  const strangers = changes.filter((change) => others.includes(belongs(change.split("::").pop()!)));
  assert.deepStrictEqual(strangers, []);
  assert.ok(changes.length > 0, "something changed");
}
