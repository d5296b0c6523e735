import * as assert from "assert";
import { Namespace, run } from "../support/kubectl";
import { failed, MigratedDatabase, migrations, NOTES, TestStack } from "../support/migrations";
import { diagnostics } from "../support/stack";

/** All of them in one stack, which goes on where one fails: most of the time is waiting. */
describe("what is said of a migration that failed", function () {
  this.timeout(180_000);
  let namespace: Namespace;
  let database: MigratedDatabase;
  let stack: TestStack;
  let said: Record<string, string>;

  before(async () => {
    namespace = await Namespace.create("failures");
    database = await MigratedDatabase.start(namespace);
    stack = await TestStack.create("failures");
    const eat = "console.log('eating'); const all = []; for (;;) all.push(Buffer.alloc(1 << 20, 1));";
    const little = { requests: { memory: "64Mi" }, limits: { memory: "64Mi" } };
    const ends = { lock: false, timeoutSeconds: 40 };
    const program = migrations({
      code: database.command(["sh", "-c", "echo one; echo two >&2; echo three; exit 3"], { lock: false }),
      memory: database.command(["node", "-e", eat], { ...NOTES, lock: false, resources: little }),
      deadline: database.command(["sh", "-c", "echo working; sleep 600"], ends),
      // It has nothing but this program, which ends with 0 when it is told to end.
      bare: database.command(["/pause"], { ...ends, image: "docker.io/local/pause:1" }),
      login: database.psql("SELECT 1", { connectionValues: { user: "nobody" }, connectionKeys: database.keysWithout("user") }),
      // What could not even begin fails long before the time of the migration is over.
      image: database.psql("SELECT 1", { ...ends, image: "registry.invalid/none:1" }),
      room: database.psql("SELECT 1", { ...ends, resources: { requests: { cpu: "100" } } }),
      program: database.command(["no-such-program"], { lock: false, timeoutSeconds: 600 }),
      key: database.psql("SELECT 1", { ...ends, connectionKeys: { ...database.keysWithout("user"), user: "no-such-key" } }),
    });
    said = diagnostics(failed(await stack.up(program, { continueOnError: true })));
  });
  after(async () => {
    await stack?.remove();
    await database?.server.stop();
    await namespace?.delete();
  });

  /** Runs what was told to run. */
  const told = async (text: string, command: RegExp): Promise<string> => {
    const found = command.exec(text);
    assert.ok(found, text);
    const { code, stdout, stderr } = await run("sh", ["-c", found[1]]);
    assert.strictEqual(code, 0, `${found[1]}: ${stderr}`);
    return stdout;
  };
  const wholeLog = (text: string) => told(text, /the whole log: (kubectl logs .+)/);

  it("exit code: the last lines in their order, and one command for the whole log", async () => {
    assert.match(said.code, /error: the migration failed: "sh" failed with exit code 3, after \d+ s\n/);
    assert.match(said.code, /one\n +two\n +three\n +migrate: "sh" failed/);
    // The provider repeats a container's words where the pod was seen in two states: with guard still running, and after it.
    assert.strictEqual(new Set(said.code.match(/the whole log: .+/g)).size, 1, said.code);
    assert.match(await wholeLog(said.code), /^one\ntwo\nthree\nmigrate: /);
  });

  it("out of memory", async () => {
    // The kernel may kill the command alone, and the runtime may not say OOMKilled then.
    assert.match(
      said.memory,
      said.memory.includes("[OOMKilled]")
        ? /failed: it took more memory than it may \(out of memory, exit code 137\): raise .*limits\.memory/
        : /failed: "node" was killed \(exit code 137\): most likely it needs more memory than resources\.limits allow/,
    );
    assert.match(said.memory, /\[(OOMKilled|Error)\] eating/);
    assert.match(await wholeLog(said.memory), /eating/);
  });

  it("the time that is over, with the log kept", async () => {
    assert.match(said.deadline, /failed: it was ended after 40 s, timeoutSeconds: look for what it waited for, or allow it more/);
    assert.match(said.deadline, /\[Error\] working\n +migrate: it was ended/);
    assert.match(await wholeLog(said.deadline), /^working\nmigrate: /);
  });

  it("the same in an image without a shell, of a program that ends in order", () => {
    assert.match(said.bare, /failed: it was ended after 40 s, timeoutSeconds/);
  });

  it("a login that is refused, without waiting for another answer", () => {
    assert.match(said.login, /failed: no connection to the database: .*password authentication failed for user "nobody"/);
    assert.doesNotMatch(said.login, /not secret/);
  });

  it("an image that is not there", () => {
    assert.match(said["image-start"], /could not begin: the image "registry\.invalid\/none:1" cannot be pulled: correct .*image/);
    assert.doesNotMatch(said["image-start"], /the whole log/, "its pod is gone");
  });

  it("no node that has room", async () => {
    assert.match(said["room-start"], /could not begin: no node took its pod in time: lower .*resources\.requests, or add a node/);
    assert.match(await told(said["room-start"], /`(kubectl get events .+?)`/), /Insufficient cpu/);
  });

  it("a command that the image does not have", async () => {
    assert.match(said["program-start"], /could not begin: the image has no program "no-such-program" \(PATH is \S+\): correct/);
    assert.match(await wholeLog(said["program-start"]), /no-such-program/);
  });

  it("a key that the Secret does not have", () => {
    assert.match(
      said["key-start"],
      /could not begin: a container could not be made \(couldn't find key no-such-key in Secret \S+\)/,
    );
  });
});
