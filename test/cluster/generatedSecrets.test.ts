import * as assert from "assert";
import * as pulumi from "@pulumi/pulumi";
import { GeneratedSecretArgs } from "../../index";
import { inOrder } from "../support/inOrder";
import { Namespace, run, until } from "../support/kubectl";
import { notes, secret } from "../support/notes";
import { changesNothing, Outcome, TestStack } from "../support/stack";

type Secrets = Record<string, GeneratedSecretArgs>;

const VARIABLES = ["SECRET_KEY_BASE", "API_KEY", "COOKIE_SECRET"];
const secrets = (more: Secrets = {}): Secrets => ({
  SECRET_KEY_BASE: { ...more.SECRET_KEY_BASE },
  API_KEY: { format: "hex", length: 32, ...more.API_KEY },
  COOKIE_SECRET: { encryptsData: false },
});

/** `make nightly`, which says how often, has ten. */
const LIVES = process.env.CYCLES ? 10 : 2;

/** The life of an application whose data can only be read with its secrets, each test going on from where the one before ended. */
describe("generated secrets", function () {
  this.timeout(300_000);
  inOrder(this);
  let namespace: Namespace;
  let stack: TestStack;
  const up = (version: string, more?: Secrets) => stack.up(notes(namespace, version, { generatedSecrets: secrets(more) }));
  const succeeded = (outcome: Outcome) => {
    assert.ok(outcome.ok, outcome.output);
    return outcome;
  };
  /** What the process of the application itself was started with. */
  const inPod = async () => {
    const { stdout, stderr } = await namespace.exec("notes-0", ["sh", "-c", "tr '\\0' '\\n' < /proc/1/environ"]);
    const lines = stdout.split("\n").map((line) => [line.split("=")[0], line.slice(line.indexOf("=") + 1)]);
    const values = Object.fromEntries(lines.filter(([name]) => VARIABLES.includes(name)));
    assert.strictEqual(Object.keys(values).length, 3, stderr);
    return values;
  };
  const podIds = async () =>
    (await namespace.items("pods", "-l", "app.kubernetes.io/component=app")).map((pod) => pod.metadata.uid);
  const kept = async () => {
    const label = "app.kubernetes.io/instance=notes,app.kubernetes.io/component=kept-secrets";
    const found = await namespace.items("secrets", "-l", label, "--sort-by=.metadata.creationTimestamp");
    return Promise.all(found.map(({ metadata }) => secret(namespace, metadata.name)));
  };
  let first: Record<string, string>;
  let rotated: Record<string, string>;

  before(async () => {
    namespace = await Namespace.create("secrets");
    stack = await TestStack.create("secrets");
  });
  after(async () => {
    await stack?.remove();
    await namespace?.delete();
  });

  it("are in the application's pods, and the keys among them are kept, when it is installed", async () => {
    succeeded(await up("1.0.0"));
    first = await inPod();
    assert.match(first.SECRET_KEY_BASE, /^[A-Za-z0-9]{64}$/);
    assert.match(first.API_KEY, /^[0-9a-f]{32}$/);
    assert.match(first.COOKIE_SECRET, /^[A-Za-z0-9]{64}$/);
    const { COOKIE_SECRET, ...keys } = first;
    assert.deepStrictEqual(await kept(), [keys]);
  });

  it("stay the same with the same program and with another image, whose migration does not see them", async () => {
    const jobs = async () => (await namespace.items("jobs", "-l", "app.kubernetes.io/component=keys")).map((j) => j.metadata.uid);
    const before = await jobs();
    const { changes } = await stack.preview(notes(namespace, "1.0.0", { generatedSecrets: secrets() }));
    assert.deepStrictEqual(
      changes.filter((change) => !change.startsWith("read ")),
      [],
    );
    succeeded(await up("1.1.0"));
    assert.deepStrictEqual(await inPod(), first);
    assert.deepStrictEqual(await jobs(), before, "another image is no reason to compare keys again");
    const [migration] = await namespace.items("jobs", "-l", "app.kubernetes.io/component=migration");
    assert.doesNotMatch(JSON.stringify(migration.spec), /SECRET_KEY_BASE|secret-env|kept-secrets/);
  });

  it("are nowhere in plain text, nor are their fingerprints", async () => {
    const [record] = (await namespace.items("secrets")).filter(({ metadata }) => /^notes-keys-/.test(metadata.name));
    const { keys } = await secret(namespace, record.metadata.name);
    const fingerprints = keys.match(/[0-9a-f]{64}/g)!;
    assert.strictEqual(fingerprints.length, 2);
    const places = {
      state: await stack.state(),
      preview: (
        await stack.preview(notes(namespace, "1.1.0", { generatedSecrets: secrets({ API_KEY: { value: "x", rotation: 1 } }) }))
      ).output,
      objects: JSON.stringify(await namespace.items("pods,jobs,statefulsets,configmaps")),
      logs: await namespace.kubectl(["logs", "-l", "app.kubernetes.io/component=keys", "--tail=-1"]),
    };
    assert.match(places.logs, /^SECRET_KEY_BASE is recorded as a key of this data$/m);
    for (const [place, text] of Object.entries(places))
      for (const value of [...Object.values(first), ...fingerprints])
        assert.ok(!text.includes(value) && !text.includes(Buffer.from(value).toString("base64")), place);
  });

  it("become others, and roll the pods, when their rotation is raised", async () => {
    const before = await podIds();
    succeeded(await up("1.1.0", { SECRET_KEY_BASE: { rotation: 1 } }));
    rotated = await inPod();
    assert.notStrictEqual(rotated.SECRET_KEY_BASE, first.SECRET_KEY_BASE);
    assert.deepStrictEqual({ ...rotated, SECRET_KEY_BASE: first.SECRET_KEY_BASE }, first);
    assert.notDeepStrictEqual(await podIds(), before);
    assert.deepStrictEqual(
      (await kept()).map(({ SECRET_KEY_BASE }) => SECRET_KEY_BASE),
      [first.SECRET_KEY_BASE, rotated.SECRET_KEY_BASE],
      "the former copy stays",
    );
  });

  describe("after destroy, on the volume that stayed", () => {
    const program = { SECRET_KEY_BASE: { rotation: 1 } };
    const copies = (count: number) =>
      until(`${count} copies`, 60, async () => {
        const all = await kept();
        return all.length === count && all;
      });
    const again = async (more: Secrets) => {
      succeeded(await stack.destroy());
      succeeded(await up("1.1.0", more));
      const { COOKIE_SECRET, ...keys } = await inPod();
      return keys;
    };

    it(`come back by themselves, ${LIVES} times in a row, and are never read into the state`, async () => {
      const { COOKIE_SECRET, ...keys } = rotated;
      for (let life = 1; life <= LIVES; life++) {
        assert.deepStrictEqual(await again(program), keys);
        const state = await stack.plainState();
        assert.ok(state.includes((await inPod()).COOKIE_SECRET), "what is generated is in it");
        for (const value of Object.values(keys))
          assert.ok(!state.includes(value) && !state.includes(Buffer.from(value).toString("base64")), `life ${life}`);
        // The two copies that there were, and an empty one that goes with this life.
        assert.deepStrictEqual(
          (await copies(3)).map((copy) => Object.keys(copy).length),
          [2, 2, 0],
        );
      }
      const logs = await namespace.kubectl(["logs", "-l", "app.kubernetes.io/component=keys", "--tail=-1"]);
      for (const variable of Object.keys(keys))
        assert.match(logs, new RegExp(`^${variable} is the one that the data was written with$`, "m"));
      for (const refresh of [false, true]) {
        const unchanged = await stack.preview(notes(namespace, "1.1.0", { generatedSecrets: secrets(program) }), { refresh });
        changesNothing(unchanged);
      }
    }).timeout(LIVES * 150_000);

    it("are rotated as ever, and the new one comes back beside the one that stayed", async () => {
      const before = await podIds();
      succeeded(await up("1.1.0", { SECRET_KEY_BASE: { rotation: 2 } }));
      const { COOKIE_SECRET, ...keys } = await inPod();
      assert.notDeepStrictEqual(await podIds(), before);
      assert.strictEqual(keys.API_KEY, rotated.API_KEY);
      assert.notStrictEqual(keys.SECRET_KEY_BASE, rotated.SECRET_KEY_BASE);
      rotated = { ...rotated, ...keys };
      assert.deepStrictEqual(await again({ SECRET_KEY_BASE: { rotation: 2 } }), keys);
    });
  });

  describe("after destroy, where nobody knows any more which Secrets have them", () => {
    let refused: Outcome;
    before(async () => {
      succeeded(await stack.destroy());
      await namespace.kubectl(["delete", "configmap", "notes-kept-secrets"]);
      refused = await up("1.1.0", { SECRET_KEY_BASE: { rotation: 2 } });
    });

    it("stop the deployment before migration and application", async () => {
      assert.strictEqual(refused.ok, false);
      assert.match(refused.output, /stopped before migration and application, which could not read what is stored/);
      const since = String.raw`\(since \d{4}-\d\d-\d\d\)`;
      const said = `The data was written with another value of API_KEY ${since}, SECRET_KEY_BASE ${since}\\.$`;
      assert.match(refused.output, new RegExp(said, "m"));
      const started = await namespace.items("statefulsets,jobs", "-l", "app.kubernetes.io/component in (app, migration)");
      assert.deepStrictEqual([started, await podIds()], [[], []]);
    });

    it("go on with the former value where it is supplied, with the new one where rotation is raised, as the message says", async () => {
      const name = String.raw`notes-kept-secrets-\w+`;
      const [, copy] =
        new RegExp(
          String.raw`^\s*(kubectl get secret -n ${namespace.name} ${name} -o go-template='.*SECRET_KEY_BASE.*') \| pulumi config set --secret secretKeyBase$`,
          "m",
        ).exec(refused.output) ?? assert.fail(refused.output);
      assert.match(
        refused.output,
        /generatedSecrets: { API_KEY: { value: .*}, SECRET_KEY_BASE: { value: config.getSecret\("secretKeyBase"\) } }$/m,
      );
      assert.match(refused.output, /generatedSecrets: { API_KEY: { rotation: 1 }, SECRET_KEY_BASE: { rotation: 3 } }$/m);
      const [, list] = /^\s*(kubectl get secret -n \S+ -l \S*kept-secrets)\s*$/m.exec(refused.output)!;
      assert.strictEqual((await run("sh", ["-c", `${list} -o name`])).stdout.trim().split("\n").length, 4);

      const { stdout: value, stderr } = await run("sh", ["-c", copy]);
      assert.strictEqual(value, rotated.SECRET_KEY_BASE, stderr);
      const program = { SECRET_KEY_BASE: { rotation: 2, value: pulumi.secret(value) }, API_KEY: { rotation: 1 } };
      succeeded(await up("1.1.0", program));
      const now = await inPod();
      assert.strictEqual(now.SECRET_KEY_BASE, rotated.SECRET_KEY_BASE);
      assert.ok(/^[0-9a-f]{32}$/.test(now.API_KEY) && now.API_KEY !== rotated.API_KEY);
      const logs = await namespace.kubectl(["logs", "-l", "app.kubernetes.io/component=keys", "--tail=-1"]);
      assert.match(logs, /^SECRET_KEY_BASE is the one that the data was written with$/m);
      assert.match(logs, /^API_KEY is another one than before, on purpose \(rotation\)$/m);
    });
  });
});
