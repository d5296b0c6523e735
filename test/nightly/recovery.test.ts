import * as assert from "assert";
import { readFileSync } from "fs";
import { join } from "path";
import * as pulumi from "@pulumi/pulumi";
import { PostgresAppArgs } from "../../index";
import { inOrder } from "../support/inOrder";
import { Namespace, run } from "../support/kubectl";
import { getJson, notes, postJson } from "../support/notes";
import { changesNothing, Outcome, TestStack } from "../support/stack";

const page = readFileSync(join(__dirname, "..", "..", "docs", "recovery.md"), "utf8");

/** The lines of the page's shell blocks that begin with `begin`. */
const commands = (begin: string) =>
  [...page.matchAll(/^```sh\n([^]*?)^```$/gm)].flatMap(([, block]) => block.split("\n")).filter((line) => line.startsWith(begin));

/** What docs/recovery.md says, done to the letter. */
describe("an application whose state or objects are lost", function () {
  this.timeout(300_000);
  inOrder(this);
  let namespace: Namespace;
  const stacks: TestStack[] = [];
  const stack = () => stacks.at(-1)!;
  const succeeded = (outcome: Outcome) => {
    assert.ok(outcome.ok, outcome.output);
    return outcome;
  };
  const program = (version: string, more: Partial<PostgresAppArgs> = {}, opts?: pulumi.ComponentResourceOptions) =>
    notes(namespace, version, { generatedSecrets: { KEY: {} }, ...more }, opts);
  const titles = async () => (await getJson(namespace, "/api/threads")).threads.map(({ title }: { title: string }) => title);
  const key = async () => (await namespace.exec("notes-0", ["printenv", "KEY"])).stdout.trim();
  const shell = async (line: string) => {
    const { code, stdout, stderr } = await run("sh", ["-c", line.replaceAll(/\bshop\b/g, namespace.name)], { seconds: 120 });
    assert.strictEqual(code, 0, stderr);
    return stdout;
  };
  let first: string;

  before(async () => {
    namespace = await Namespace.create("recovery");
    stacks.push(await TestStack.create("recovery"));
  });
  after(async () => {
    await Promise.all(stacks.map((one) => one.remove()));
    await namespace?.delete();
  });

  it("is upgraded and rotated with retainOnDelete, and goes on running when the stack is destroyed", async () => {
    succeeded(await stack().up(program("1.0.0", {}, { retainOnDelete: true })));
    await postJson(namespace, "/api/threads", { title: "Before", body: "A row to be found again" });
    first = await key();
    const database = { embedded: { version: 17, storage: "1Gi" }, credentials: { rotation: 1 } };
    succeeded(await stack().up(program("1.1.0", { database }, { retainOnDelete: true })));
    succeeded(await stack().destroy());
    assert.deepStrictEqual(await titles(), ["Before"]);
    assert.strictEqual(await key(), first);
  });

  it("is taken up by a new stack after the command of the page, with its rows and its key", async () => {
    stacks.push(await TestStack.create("recovery-again"));
    const { ok } = await stack().up(program("1.1.0"));
    assert.ok(!ok, "it does not take what another state holds");
    const [clear] = commands("kubectl --namespace shop delete ");
    const deleted = await shell(clear);
    assert.match(deleted, /^statefulset\.apps "notes-db" deleted/m);
    succeeded(await stack().up(program("1.1.0"), { refresh: true }));
    assert.deepStrictEqual(await titles(), ["Before"]);
    assert.strictEqual(await key(), first);
    const [list] = commands("kubectl --namespace shop get configmaps,secrets ");
    const listed = (await shell(`${list} --output name`)).trim().split("\n");
    assert.ok(listed.includes("configmap/notes-kept-secrets"), listed.join());
    changesNothing(await stack().preview(program("1.1.0"), { refresh: true }));
  });

  it("is there again after its namespace was deleted, with an empty database", async () => {
    await namespace.delete();
    const [create] = commands("kubectl create namespace");
    await shell(create);
    assert.deepStrictEqual(commands("pulumi up --refresh").length, 2);
    succeeded(await stack().up(program("1.1.0"), { refresh: true }));
    assert.deepStrictEqual(await titles(), []);
    // The former one was in the namespace alone.
    assert.match(await key(), /^\w{64}$/);
    assert.notStrictEqual(await key(), first);
    changesNothing(await stack().preview(program("1.1.0")));
  });
});
