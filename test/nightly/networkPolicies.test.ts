import * as assert from "assert";
import { PostgresAppArgs } from "../../index";
import { restrictedContainer, restrictedPod } from "../../components/common/security";
import { inOrder } from "../support/inOrder";
import { Namespace, until } from "../support/kubectl";
import { succeeded } from "../support/migrations";
import { image, notes } from "../support/notes";
import { enforcePolicies } from "../support/policyAgent";
import { TestStack } from "../support/stack";
import { turn } from "../support/turn";

const claim = { claimName: "backups" };
const app: Partial<PostgresAppArgs> = {
  command: ["node", "server.js"],
  rollout: { canary: {} },
  generatedSecrets: { SESSION_SECRET: {} },
  database: {
    embedded: { version: 17, storage: "1Gi" },
    backups: { schedule: "0 0 1 1 *", destination: { claim } },
  },
};

/** Tells, on its standard output, whether it can connect to the host and the port that are its arguments. */
const CONNECT = `const [host, port] = process.argv.slice(1);
const socket = require("net").connect({ host, port, timeout: 3000 });
const end = (said) => (console.log(said), socket.destroy());
socket.on("connect", () => end("connected")).on("timeout", () => end("no answer")).on("error", ({ code }) => end(code));`;
/** The same with what Postgres' image has. */
const CONNECT_BY_SHELL = `timeout 3 bash -c 'exec 3<>/dev/tcp/"$0"/"$1"' "$0" "$1" 2>&1 && echo connected`;
const LISTEN = `require("net").createServer((socket) => socket.end()).listen(8080)`;

/** A pod that is none of the application's, and on port 8080 somebody to connect to. */
const other = (namespace: Namespace, name: string) => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, namespace: namespace.name, labels: { app: name } },
  spec: {
    terminationGracePeriodSeconds: 1,
    automountServiceAccountToken: false,
    securityContext: restrictedPod(1000),
    containers: [
      { name: "node", image: image("1.0.0"), command: ["node", "-e", LISTEN], securityContext: restrictedContainer() },
    ],
  },
});

/** In place of what test/cluster/networkPolicy.test.ts computes: policies that are enforced, by kube-router's firewall. */
describe("enforced network policies", function () {
  this.timeout(300_000);
  inOrder(this);
  let namespace: Namespace;
  let elsewhere: Namespace;
  let stack: TestStack;
  let end: (() => Promise<void>) | undefined;
  let elsewhereAddress: string;

  const shielded = (): Partial<PostgresAppArgs> => ({
    ...app,
    networkPolicy: {
      clients: [{ namespace: elsewhere.name, podLabels: { app: "ingress" } }],
      databaseClients: [{ podLabels: { app: "pgadmin" } }],
      egress: [],
    },
  });
  const migration = (...command: string[]) => ({
    command,
    timeoutSeconds: 120,
    backup: { claim },
    pending: ["sequelize-cli", "db:migrate:status"],
  });
  const upgrade = () => {
    const tried = [
      [elsewhereAddress, 8080],
      ["notes-db", 5432],
    ].map(([host, port]) => `node -e '${CONNECT}' ${host} ${port}`);
    return { ...migration("sh", "-c", [...tried, "exec sequelize-cli db:migrate"].join("; ")), postDeploy: {} };
  };

  /** What a pod can connect to of what there is. By address: the database's pod reaches no name server either. */
  const reaches = async (where: Namespace, pod: string) => {
    const address = async (name: string) => (await namespace.get(`pod/${name}`)).status.podIP as string;
    const targets: Record<string, [host: string, port: number]> = {
      database: [await address("notes-db-0"), 5432],
      application: [await address("notes-0"), 3000],
      elsewhere: [elsewhereAddress, 8080],
    };
    const reached: string[] = [];
    for (const [target, [host, port]] of Object.entries(targets)) {
      const command = pod === "notes-db-0" ? ["bash", "-c", CONNECT_BY_SHELL] : ["node", "-e", CONNECT];
      const { stdout, stderr } = await where.exec(pod, [...command, host, String(port)]);
      const said = stdout.trim();
      if (said === "connected") reached.push(target);
      else assert.match(said, /^(no answer|ECONNREFUSED|.*Connection refused|)$/s, `${pod} to ${target}: ${said} ${stderr}`);
    }
    return reached;
  };
  const everybody = async () => {
    const ends: [string, Namespace][] = [
      ...["stranger", "pgadmin", "notes-0", "notes-db-0"].map((pod): [string, Namespace] => [pod, namespace]),
      ...["ingress", "elsewhere"].map((pod): [string, Namespace] => [pod, elsewhere]),
    ];
    return Object.fromEntries(await Promise.all(ends.map(async ([pod, where]) => [pod, await reaches(where, pod)])));
  };
  const SHIELDED = {
    stranger: ["elsewhere"],
    pgadmin: ["database", "elsewhere"],
    ingress: ["application", "elsewhere"],
    elsewhere: ["elsewhere"],
    "notes-0": ["database", "application"],
    "notes-db-0": ["database"],
  };
  /** A request by way of whom the policies let in; the API server is on the node, which is always let in. */
  const ask = async (path: string, init: object = {}) => {
    const script = `fetch("http://notes.${namespace.name}${path}", ${JSON.stringify(init)}).then(async (r) => console.log(await r.text()))`;
    const { stdout, stderr } = await elsewhere.exec("ingress", ["node", "-e", script]);
    assert.strictEqual(stderr, "");
    return JSON.parse(stdout);
  };

  // A firewall refuses a new pod until it knows it, and everybody's connections go through it.
  const network = turn("network");
  before(network.begin);
  before(async () => {
    end = await enforcePolicies();
    namespace = await Namespace.create("enforced");
    elsewhere = await Namespace.create("elsewhere");
    stack = await TestStack.create("enforced");
    await namespace.apply({
      apiVersion: "v1",
      kind: "PersistentVolumeClaim",
      metadata: { name: "backups", namespace: namespace.name },
      spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
    });
    await namespace.apply(
      ...["stranger", "pgadmin"].map((name) => other(namespace, name)),
      ...["ingress", "elsewhere"].map((name) => other(elsewhere, name)),
    );
    elsewhereAddress = await until(
      "the pod elsewhere",
      60,
      async () => (await elsewhere.get("pod/elsewhere")).status.podIP as string,
    );
  });
  after(async () => {
    await stack?.remove();
    await namespace?.delete();
    await elsewhere?.delete();
    await end?.();
  });
  after(network.end);

  it("let the setup, the keys, the migration, the canary, the application and a backup do their work", async () => {
    const first = { ...shielded(), migration: migration("sequelize-cli", "db:migrate") };
    succeeded(await stack.up(notes(namespace, "1.0.0", first)));
    await namespace.kubectl(["create", "job", "--from=cronjob/notes-db-backup", "by-hand"]);
    await until("the backup", 60, async () => (await namespace.get("job/by-hand")).status.succeeded);
  });

  it("let the application serve those who may call it, from its database", async () => {
    const headers = { "content-type": "application/json" };
    const body = JSON.stringify({ title: "Through the firewall", body: "From a pod that is named" });
    const { id } = await ask("/api/threads", { method: "POST", headers, body });
    assert.ok((await ask("/api/threads")).threads.some((thread: any) => thread.id === id));
  });

  it("let each in whom they name and nobody else, and out where they say", async () => {
    assert.deepStrictEqual(await everybody(), SHIELDED);
  });

  it("let an upgrade be made, whose migration reaches nothing but the database", async () => {
    const { outputs } = succeeded(await stack.up(notes(namespace, "1.1.0", { ...shielded(), migration: upgrade() })));
    const log = await namespace.kubectl(["logs", `job/${outputs.migrationJob}`, "--all-containers"]);
    assert.match(log, /^(ECONNREFUSED|no answer)\n+connected$/m);
    assert.strictEqual((await ask("/api/version")).version, "1.1.0");
    assert.deepStrictEqual(await everybody(), SHIELDED);
  });

  it("are what kept them: without them everybody reaches all", async () => {
    succeeded(await stack.up(notes(namespace, "1.1.0", { ...app, migration: upgrade() })));
    const all = ["database", "application", "elsewhere"];
    const expected = Object.fromEntries(Object.keys(SHIELDED).map((pod) => [pod, all]));
    await until("the firewall", 20, async () => JSON.stringify(await reaches(elsewhere, "elsewhere")) === JSON.stringify(all));
    assert.deepStrictEqual(await everybody(), expected);
  });
});
