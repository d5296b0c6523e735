import * as assert from "assert";
import * as pulumi from "@pulumi/pulumi";
import { PostgresApp, PostgresAppArgs } from "../../index";
import { isComplete, isMadeFor, isRolledOut, madeFor, outOfOrder, refusal } from "../../components/common/order";
import { graph } from "../support/graph";

const MADE_FOR = "pulumi-postgres-app/made-for";
const JOB = "kubernetes:batch/v1:Job";

describe("what others come after", () => {
  const there = { exists: true, isWanted: true, isDone: true };

  it("is in order when it is there, for what the program says, and has come to its end", () => {
    assert.strictEqual(outOfOrder(there, false), undefined);
    assert.strictEqual(outOfOrder({ ...there, isDone: undefined }, false), undefined); // nobody waits for it
    assert.strictEqual(outOfOrder({ ...there, exists: false }, false), "missing");
    assert.strictEqual(outOfOrder({ ...there, isWanted: false }, false), "other");
    assert.strictEqual(outOfOrder({ ...there, isWanted: undefined }, false), "other"); // of something that is not there
    assert.strictEqual(outOfOrder({ ...there, isDone: false }, false), "unfinished");
  });

  it("is taken for what will be in a preview, where no more is known", () => {
    assert.strictEqual(outOfOrder({ ...there, isWanted: false }, true), "other");
    for (const fine of [{ exists: false }, { isDone: false }, { isWanted: undefined }])
      assert.strictEqual(outOfOrder({ ...there, ...fine }, true), undefined);
  });

  const template = { metadata: { labels: {} }, spec: { env: [{ name: "A", value: "1" }], command: ["migrate"], uid: undefined } };
  const defaulted = (image = "notes:1", env = [{ name: "A", value: "1" }]) => ({
    metadata: {},
    spec: { image, env, command: ["migrate"], dnsPolicy: "ClusterFirst" },
  });
  const wanted = { ...template, spec: { ...template.spec, image: "notes:1" } };

  it("is what the annotation says, whatever has been made of the object", async () => {
    const annotation = { [MADE_FOR]: await (madeFor(wanted)[MADE_FOR] as any).promise() };
    assert.strictEqual(isMadeFor(annotation, wanted, defaulted("mirror/notes:1")), true);
    assert.strictEqual(isMadeFor(annotation, wanted, undefined), true);
    assert.strictEqual(isMadeFor(annotation, { ...wanted, more: 1 }, undefined), undefined);
    assert.strictEqual(isMadeFor(annotation, undefined, defaulted()), undefined);
  });

  it("is told by the object where the annotation does not say so: made by an earlier version, or kept from changing", () => {
    for (const annotations of [{}, { [MADE_FOR]: "0123456789ab" }] as Record<string, string>[]) {
      assert.strictEqual(isMadeFor(annotations, wanted, defaulted()), true);
      assert.strictEqual(isMadeFor(annotations, wanted, defaulted("notes:2")), false);
      assert.strictEqual(isMadeFor(annotations, wanted, defaulted("notes:1", [])), false);
      assert.strictEqual(
        isMadeFor(annotations, wanted, defaulted("notes:1", [...defaulted().spec.env, { name: "B", value: "2" }])),
        false,
      );
      assert.strictEqual(isMadeFor(annotations, wanted, {}), false);
    }
  });

  it("is refused with both ways out", () =>
    assert.strictEqual(
      refusal(
        "nothing was rolled out",
        { words: { missing: "the migration has not run", other: "" }, targets: "**::a*" },
        "missing",
      ),
      "nothing was rolled out: the migration has not run, and --target or --exclude leaves it out of this operation. Run `pulumi up` without them, or have it taken in too: --target '**::a*'",
    ));

  it("is told by its content, whatever the order of the keys", async () => {
    const of = (identity: pulumi.Input<unknown>) => (madeFor(identity)[MADE_FOR] as any).promise();
    assert.strictEqual(await pulumi.isSecret(madeFor({ host: pulumi.secret("h") })[MADE_FOR]), false);
    const one = await of({ a: 1, b: [{ c: pulumi.output("x"), d: undefined }] });
    assert.match(one, /^[0-9a-f]{12}$/);
    assert.strictEqual(await of(pulumi.output({ b: [{ c: "x" }], a: 1 })), one);
    for (const other of [{ a: 1 }, { a: 1, b: [{ c: "y" }] }, { a: 1, b: { 0: { c: "x" } } }, [1, 2]])
      assert.notStrictEqual(await of(other), one);
    assert.notStrictEqual(await of(["a", "b"]), await of(["b", "a"]));
  });

  it("is complete by the condition of a Job", () => {
    const condition = (type: string, status = "True") => ({ startTime: "then", conditions: [{ type, status }] });
    assert.strictEqual(isComplete(condition("Complete")), true);
    for (const not of [condition("Complete", "False"), condition("Failed"), { active: 1 } as object])
      assert.strictEqual(isComplete(not), false);
    for (const unwatched of [undefined, {}]) assert.strictEqual(isComplete(unwatched), undefined);
  });

  it("is rolled out when no pod of a former version is left", () => {
    assert.strictEqual(isRolledOut(undefined), undefined);
    assert.strictEqual(isRolledOut({ currentRevision: "b", updateRevision: "b", replicas: 3, updatedReplicas: 2 }), true); // scaled
    assert.strictEqual(isRolledOut({ currentRevision: "a", updateRevision: "b", replicas: 3, updatedReplicas: 3 }), false);
    assert.strictEqual(isRolledOut({ replicas: 2, updatedReplicas: 2 }), true);
    assert.strictEqual(isRolledOut({ replicas: 2, updatedReplicas: 1 }), false);
    assert.strictEqual(isRolledOut({}), true); // of no pods
  });
});

describe("the annotation of what others come after", () => {
  const image = "registry.example.org/notes:1.0.0";
  const migration = { command: ["migrate"], pending: ["list"], rehearsal: {} };
  const annotations = async (args: Partial<PostgresAppArgs>) => {
    const { resources } = await graph(() => new PostgresApp("notes", { image, ...args }));
    return (key: string): string | undefined => resources.get(key)!.inputs.metadata.annotations?.[MADE_FOR];
  };
  const EARLIER = ["notes-migration", "notes-canary"].map((name) => `${JOB}::${name}`);
  const FOUND_OUT = "kubernetes:core/v1:Pod::notes-migration-plan";
  const PODS = ["kubernetes:apps/v1:StatefulSet::notes", "kubernetes:apps/v1:Deployment::notes-queue"];
  const all: Partial<PostgresAppArgs> = {
    migration,
    command: ["serve"],
    rollout: { canary: {} },
    workers: { queue: { command: ["work"] } },
  };

  it("is no secret, and changes with the version and not with settings, time limits and numbers", async () => {
    const first = await annotations(all);
    const same = await annotations({ ...all, replicas: 3, rollout: { canary: { timeoutSeconds: 9 }, timeoutSeconds: 99 } });
    const settings = await annotations({ ...all, env: { A: "1" }, migration: { ...migration, timeoutSeconds: 9 } });
    const version = await annotations({ ...all, image: "registry.example.org/notes:1.1.0" });
    for (const key of [...EARLIER, FOUND_OUT]) {
      assert.match(first(key)!, /^[0-9a-f]{12}$/, key);
      assert.strictEqual(same(key), first(key), key);
    }
    assert.strictEqual(settings(EARLIER[0]), first(EARLIER[0]));
    // A Job of an earlier version of this package is there without these.
    const evicted = await annotations({ ...all, jobs: { annotations: { "karpenter.sh/do-not-disrupt": "false" } } });
    for (const key of EARLIER) assert.strictEqual(evicted(key), first(key), key);
    for (const key of [...EARLIER, FOUND_OUT]) assert.notStrictEqual(version(key), first(key), key);
  });

  it("has the application where workers come after its migration, and nowhere else", async () => {
    const of = async (args: Partial<PostgresAppArgs>) => {
      const found = await annotations({ ...all, rollout: undefined, ...args });
      return PODS.map((key) => found(key) !== undefined);
    };
    assert.deepStrictEqual(await of({}), [false, false]);
    assert.deepStrictEqual(await of({ migration: { ...migration, postDeploy: {} } }), [false, false]);
    assert.deepStrictEqual(await of({ migration: undefined, migratesAtStart: true }), [true, false]);
  });
});
