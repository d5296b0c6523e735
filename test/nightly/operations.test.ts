import * as assert from "assert";
import * as pulumi from "@pulumi/pulumi";
import * as k8s from "@pulumi/kubernetes";
import { PostgresAppArgs } from "../../index";
import { inOrder } from "../support/inOrder";
import { Namespace } from "../support/kubectl";
import { getJson, notes, postJson, psql, secret } from "../support/notes";
import { Outcome, TestStack } from "../support/stack";

/**
 * What is done with an application in its life, with everything that could keep Pulumi from doing it: the component is protected, and
 * the provider changes ConfigMaps and Secrets in place, where that is possible.
 */
describe("the operations of a life, protected and with a provider that updates in place", function () {
  this.timeout(300_000);
  inOrder(this);
  let namespace: Namespace;
  let stack: TestStack;
  const succeeded = (outcome: Outcome) => {
    assert.ok(outcome.ok, outcome.output);
    return outcome;
  };
  const base: Partial<PostgresAppArgs> = {
    env: { LOG_LEVEL: "info" },
    secretEnv: { SESSION_SECRET: "first" },
    generatedSecrets: { KEY: {}, COOKIE: { encryptsData: false } },
  };
  const program =
    (version: string, more: Partial<PostgresAppArgs>, opts: pulumi.ComponentResourceOptions = { protect: true }) =>
    async () => {
      const provider = new k8s.Provider("in-place", { enableSecretMutable: true, enableConfigMapMutable: true });
      return notes(namespace, version, { ...base, ...more }, { ...opts, provider })();
    };
  const up = async (version: string, more: Partial<PostgresAppArgs> = {}) => succeeded(await stack.up(program(version, more)));
  const inPod = async () => {
    const { stdout, stderr } = await namespace.exec("notes-0", ["sh", "-c", "tr '\\0' '\\n' < /proc/1/environ"]);
    assert.strictEqual(stderr, "");
    return Object.fromEntries(stdout.split("\n").map((line) => [line.split("=")[0], line.slice(line.indexOf("=") + 1)]));
  };
  const titles = async () => (await getJson(namespace, "/api/threads")).threads.map(({ title }: { title: string }) => title);
  let former: Record<string, string>;

  before(async () => {
    namespace = await Namespace.create("operations");
    stack = await TestStack.create("operations");
  });
  after(async () => {
    await stack?.remove();
    await namespace?.delete();
  });

  it("is installed", async () => {
    await up("1.0.0");
    await postJson(namespace, "/api/threads", { title: "Before", body: "A row to be found again" });
    former = await inPod();
    assert.strictEqual(former.SESSION_SECRET, "first");
  });

  it("takes another image, setting and secret, all of which reach the pods", async () => {
    const { changes } = await up("1.1.0", { env: { LOG_LEVEL: "debug" }, secretEnv: { SESSION_SECRET: "second" } });
    for (const change of [
      "replace kubernetes:core/v1:ConfigMap::notes-env",
      "replace kubernetes:core/v1:Secret::notes-secret-env",
    ])
      assert.ok(changes.includes(change), changes.join("\n"));
    const { LOG_LEVEL, SESSION_SECRET, KEY } = await inPod();
    assert.deepStrictEqual([LOG_LEVEL, SESSION_SECRET, KEY], ["debug", "second", former.KEY]);
    assert.strictEqual((await getJson(namespace, "/api/version")).version, "1.1.0");
  });

  const credentials = { rotation: 1, adminRotation: 1 };
  const database = { embedded: { version: 17, storage: "2Gi" }, credentials };
  const generatedSecrets = { KEY: { rotation: 1 }, COOKIE: { encryptsData: false, rotation: 1 } };

  it("rotates every password and key, and the former login no longer counts", async () => {
    await up("1.1.0", { database, generatedSecrets });
    const now = await inPod();
    assert.notStrictEqual(now.DATABASE_URL, former.DATABASE_URL);
    for (const variable of ["KEY", "COOKIE"]) assert.notStrictEqual(now[variable], former[variable]);
    assert.strictEqual(now.SESSION_SECRET, "first");
    const locked = { ...database, credentials: { ...credentials, lockFormerLogin: true } };
    const { outputs } = await up("1.1.0", { database: locked, generatedSecrets });
    const { user, password } = await secret(namespace, outputs.connectionSecret);
    assert.strictEqual((await psql(namespace, user, password, "SELECT 1")).stdout.trim(), "1");
    const { username, password: old } = new URL(former.DATABASE_URL);
    assert.notStrictEqual((await psql(namespace, username, old, "SELECT 1")).code, 0);
    assert.deepStrictEqual(await titles(), ["Before"]);
  });

  it("adds and removes a worker, policies and a setting of the database, and becomes a Deployment and back", async () => {
    const more: Partial<PostgresAppArgs> = {
      workers: { queue: { command: ["sleep", "600"] } },
      networkPolicy: {},
      kind: "Deployment",
    };
    await up("1.1.0", { database: { ...database, settings: { statement_timeout: "31s" } }, generatedSecrets, ...more });
    await up("1.1.0", { database, generatedSecrets });
    assert.deepStrictEqual(await titles(), ["Before"]);
  });

  it("refuses to remove the data, and lets it be removed once it is no longer protected", async () => {
    for (const removed of [await stack.preview(async () => undefined), await stack.up(async () => undefined)]) {
      assert.ok(!removed.ok);
      assert.match(removed.output, /PostgresApp\$\S+" cannot be deleted\s+because it is protected/);
    }
    assert.ok((await namespace.items("statefulsets")).some(({ metadata }) => metadata.name === "notes-db"));
    succeeded(await stack.up(program("1.1.0", { database, generatedSecrets }, {})));
    succeeded(await stack.destroy());
    assert.deepStrictEqual(await namespace.items("statefulsets"), []);
  });
});
