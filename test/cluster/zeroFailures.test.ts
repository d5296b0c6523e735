import * as assert from "assert";
import { spawn } from "child_process";
import { createInterface } from "readline";
import * as pulumi from "@pulumi/pulumi";
import { PostgresAppArgs } from "../../index";
import { selectorLabels } from "../../components/common/labels";
import { inOrder } from "../support/inOrder";
import { Namespace, run, sleep, until } from "../support/kubectl";
import { Load, LoadSummary } from "../support/load";
import { getJson, notes, psql, secret } from "../support/notes";
import { secondNode } from "../support/secondNode";
import { TestStack } from "../support/stack";
import { turn } from "../support/turn";

const PER_SECOND = 100;
const PHASES = ["quiet", "upgrade", "setting", "scale-out", "drain"] as const;

/** Spreads the application over both nodes; where they have the same number of pods, the second node gets the next one. */
const onBothNodes: pulumi.ResourceTransform = ({ type, name, props, opts }) => {
  if (type !== "kubernetes:apps/v1:StatefulSet" || name !== "notes") return undefined;
  const constraint = {
    maxSkew: 1,
    topologyKey: "kubernetes.io/hostname",
    whenUnsatisfiable: "DoNotSchedule",
    nodeTaintsPolicy: "Honor", // a node that is being drained is no place to be even with
    labelSelector: { matchLabels: selectorLabels("notes", "app") },
  };
  const preference = { matchExpressions: [{ key: "kubernetes.io/hostname", operator: "In", values: [secondNode.name] }] };
  Object.assign(props.spec.template.spec, {
    tolerations: [secondNode.toleration],
    topologySpreadConstraints: [constraint],
    affinity: { nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 100, preference }] } },
  });
  return { props, opts };
};

describe(`the application under ${PER_SECOND} requests a second`, function () {
  this.timeout(240_000);
  inOrder(this);
  let namespace: Namespace;
  let stack: TestStack;
  let load: Load;
  let begun: number;
  let login: Record<string, string>;
  let summary: LoadSummary;

  const up = async (version: string, more: Partial<PostgresAppArgs> = {}) => {
    const outcome = await stack.up(notes(namespace, version, { replicas: 2, ...more }, { transforms: [onBothNodes] }));
    assert.ok(outcome.ok, outcome.output);
    return outcome;
  };
  const during = async (phase: (typeof PHASES)[number], what: () => Promise<unknown>) => {
    await load.phase(phase);
    await what();
    await sleep(3000); // what is cut off by the last of it
    await load.phase("between");
  };
  const pods = () => namespace.items("pods", "-l", "app.kubernetes.io/component=app");
  const ids = async () => (await pods()).map(({ metadata }) => metadata.uid);
  const places = async () => (await pods()).map(({ spec }) => spec.nodeName).sort();

  const network = turn("network", { shared: true });
  before(network.begin);
  before(async () => {
    await secondNode.up();
    namespace = await Namespace.create("zero");
    stack = await TestStack.create("zero");
    const { outputs } = await up("1.0.0");
    login = await secret(namespace, outputs.connectionSecret);
    begun = Date.now();
    load = await Load.start(namespace, "between", PER_SECOND);
    await sleep(2000);
  });
  after(async () => {
    await stack?.remove();
    await namespace?.delete();
    await secondNode.down();
  });
  after(network.end);

  it("is on two nodes", async () => {
    await during("quiet", () => sleep(7000));
    assert.deepStrictEqual(await places(), ["node1", "node2"]);
  });

  it("is upgraded, with a migration", async () => {
    const before = await ids();
    await during("upgrade", () => up("1.1.0"));
    const { version, migrations } = await getJson(namespace, "/api/version");
    assert.deepStrictEqual([version, migrations.length], ["1.1.0", 12]);
    assert.ok(
      (await ids()).every((id) => !before.includes(id)),
      "every pod is another",
    );
  });

  it("gets another setting", async () => {
    const before = await ids();
    await during("setting", () => up("1.1.0", { env: { GREETING: "hello" } }));
    assert.ok(
      (await ids()).every((id) => !before.includes(id)),
      "every pod is another",
    );
  });

  it("is scaled out, which rolls no pod", async () => {
    const before = await ids();
    await during("scale-out", () => up("1.1.0", { env: { GREETING: "hello" }, replicas: 3 }));
    const now = await ids();
    assert.deepStrictEqual([now.length, before.every((id) => now.includes(id))], [3, true]);
  });

  it("leaves a node that is drained, one pod at a time", async () => {
    await until("the disruption budget", 20, async () => {
      const { status } = await namespace.get("poddisruptionbudget/notes");
      return status?.disruptionsAllowed === 1 && status.expectedPods === 3;
    });
    assert.deepStrictEqual(await places(), ["node1", "node2", "node2"]);

    let drained = "";
    const watch = watchReady(namespace);
    await during("drain", async () => {
      await until("the watch", 20, async () => watch.ready() === 3);
      const args = ["drain", secondNode.name, "--delete-emptydir-data", "--timeout=120s"];
      const { code, stdout, stderr } = await run("kubectl", args, { seconds: 130 });
      drained = stdout + stderr;
      assert.strictEqual(code, 0, drained);
      await until("all pods, ready again", 60, async () => watch.ready() === 3);
    });
    const numbers = watch.stop();
    assert.match(drained, /evicting pod .*notes-\d/);
    // Both were to go at once: one had to wait for the other.
    assert.match(drained, /would violate the pod's disruption budget/);
    assert.strictEqual(Math.min(...numbers.slice(numbers.indexOf(3))), 2, `ready pods, one change after the other: ${numbers}`);
    assert.deepStrictEqual(await places(), ["node1", "node1", "node1"]);
  });

  it("loses no request in all of this", async () => {
    const seconds = (Date.now() - begun) / 1000;
    summary = await load.stop();
    for (const phase of PHASES) {
      const { sent, failed, p50, p99, max, answers } = summary.phases[phase];
      const found = `${failed} failed, p50 ${p50} ms, p99 ${p99} ms, slowest ${max} ms, ${JSON.stringify(answers)}`;
      console.log(`      ${phase}: ${sent} requests, ${found}`);
    }
    assert.deepStrictEqual(summary.failures, {});
    for (const [phase, { sent, ok, failed, answers }] of Object.entries(summary.phases)) {
      assert.deepStrictEqual([failed, ok], [0, sent], phase);
      assert.deepStrictEqual((answers[200] ?? 0) + (answers[201] ?? 0), sent, `${phase}: ${JSON.stringify(answers)}`);
    }
    for (const phase of PHASES) assert.ok(summary.phases[phase].sent > 3 * PER_SECOND, JSON.stringify(summary.phases[phase]));
    assert.ok(summary.sent > 0.9 * PER_SECOND * (seconds - 5), `${summary.sent} requests in ${seconds} s`);
  });

  it("keeps every row that was acknowledged, and no other", async () => {
    const sql = "SELECT count(*), count(DISTINCT title) FROM threads WHERE title LIKE 'load %'";
    const { stdout } = await psql(namespace, login.user, login.password, sql);
    assert.strictEqual(stdout.trim(), `${summary.acknowledged}|${summary.acknowledged}`);
  });
});

/** Counts the application's pods that are ready and not to go, after every change of any of them. */
function watchReady(namespace: Namespace) {
  const ready = new Map<string, boolean>();
  const numbers: number[] = [];
  const now = () => [...ready.values()].filter(Boolean).length;
  const each = '{.metadata.uid} {.status.conditions[?(@.type=="Ready")].status}{.metadata.deletionTimestamp}{"\\n"}';
  const which = ["--namespace", namespace.name, "--selector", "app.kubernetes.io/component=app"];
  const child = spawn("kubectl", ["get", "pods", ...which, "--watch", "-o", `jsonpath=${each}`]);
  createInterface(child.stdout).on("line", (line) => {
    const [uid, state] = line.split(" ");
    ready.set(uid, state === "True");
    numbers.push(now());
  });
  return {
    ready: now,
    stop: () => {
      child.kill();
      return numbers;
    },
  };
}
