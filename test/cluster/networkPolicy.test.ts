import * as assert from "assert";
import { PostgresAppArgs } from "../../index";
import { restrictedContainer, restrictedPod } from "../../components/common/security";
import { Connections } from "../support/connections";
import { installDefinitions, prometheusOperator } from "../support/definitions";
import { kubectl, Namespace, until } from "../support/kubectl";
import { getJson, image, notes, postJson } from "../support/notes";
import { NetworkPolicies } from "../support/networkPolicy";
import { changesNothing, Outcome, TestStack } from "../support/stack";
import { turn } from "../support/turn";

const succeeded = (outcome: Outcome) => {
  assert.ok(outcome.ok, outcome.output);
  return outcome;
};

const claim = { claimName: "backups" };
const everything: Partial<PostgresAppArgs> = {
  command: ["node", "server.js"],
  networkPolicy: {},
  monitoring: { path: "/health", labels: { release: "prometheus" } },
  rollout: { canary: {} },
  generatedSecrets: { SESSION_SECRET: {} },
  database: {
    embedded: { version: 17, storage: "1Gi", parameters: { log_connections: "on" } },
    backups: { schedule: "0 0 1 1 *", destination: { claim } },
  },
  migration: {
    command: ["sequelize-cli", "db:migrate"],
    timeoutSeconds: 120,
    backup: { claim },
    pending: ["sequelize-cli", "db:migrate:status"],
    postDeploy: {},
  },
};

/** A pod that is none of the application's. */
const stranger = (namespace: Namespace, name: string, labels: Record<string, string> = {}) => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, namespace: namespace.name, labels },
  spec: {
    terminationGracePeriodSeconds: 1,
    automountServiceAccountToken: false,
    securityContext: restrictedPod(1000),
    containers: [{ name: "sleep", image: image("1.0.0"), command: ["sleep", "3600"], securityContext: restrictedContainer() }],
  },
});

/**
 * The local cluster's network plugin enforces no policies: what is admitted is held against the connections that the pods really make. With
 * one that enforces them the same test, and every other, shows by itself that nothing is kept from what it needs.
 */
describe("network policies and monitoring", function () {
  this.timeout(300_000);
  let namespace: Namespace;
  let elsewhere: Namespace;
  let stack: TestStack;
  let removeDefinitions: () => Promise<void>;
  let connections: Connections;
  let pods: any[];
  let policies: NetworkPolicies;

  const read = async () =>
    new NetworkPolicies(
      await namespace.items("networkpolicies"),
      JSON.parse(await kubectl(["get", "namespaces", "-o", "json"])).items,
    );
  const podOf = (component: string, instance?: string) => {
    const found = pods.find(({ metadata: { labels = {} } }) => {
      const mine = labels["app.kubernetes.io/component"] === component;
      return mine && (instance === undefined || labels["app.kubernetes.io/instance"] === instance);
    });
    assert.ok(found, `a pod of ${component} was there`);
    return { pod: found };
  };
  const named = (name: string, where = namespace) => {
    const found = pods.find(({ metadata }) => metadata.name === name && metadata.namespace === where.name);
    assert.ok(found, name);
    return { pod: found };
  };
  const database = () => podOf("database");
  const clients = () => [
    ...["app", "canary", "keys"].map((part) => podOf(part, "notes")),
    ...["setup", "backup"].map((part) => podOf(part, "notes-db")),
    ...["migration", "migration-start", "migration-plan"].map((part) => podOf(part, "notes-migration")),
    podOf("migration", "notes-post-deploy"),
  ];
  const jobs = () => clients().slice(3);
  /** A node is always let in where its own pods are: this is one of another node. */
  const outside = { ip: "198.51.100.7" };

  const kinds = turn("kinds");
  before(kinds.begin);
  before(async () => {
    removeDefinitions = await installDefinitions(await prometheusOperator());
    namespace = await Namespace.create("policy");
    elsewhere = await Namespace.create("elsewhere");
    stack = await TestStack.create("policy");
    await namespace.apply({
      apiVersion: "v1",
      kind: "PersistentVolumeClaim",
      metadata: { name: "backups", namespace: namespace.name },
      spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
    });
    connections = new Connections(namespace);
    await namespace.apply(
      stranger(namespace, "stranger"),
      stranger(namespace, "other-app", { "app.kubernetes.io/instance": "other", "app.kubernetes.io/component": "app" }),
      stranger(elsewhere, "ingress", { "app.kubernetes.io/name": "ingress-nginx" }),
    );
    succeeded(await stack.up(notes(namespace, "1.0.0", everything)));
    await getJson(namespace, "/api/threads");
    await postJson(namespace, "/api/threads", {
      title: "By way of the Service",
      body: "From a pod of the application to its Service",
    });
    await namespace.kubectl(["create", "job", "--from=cronjob/notes-db-backup", "notes-db-backup-by-hand"]);
    await until("the backup", 60, async () => (await namespace.get("job/notes-db-backup-by-hand")).status.succeeded);
    await until("the other pod", 30, async () => (await elsewhere.get("pod/ingress")).status.podIP);
    await connections.addLogged("notes-db-0");
    for (const pod of ["notes-0", "notes-db-0"]) await connections.addOf(pod);
    pods = [...(await connections.stop()), ...(await elsewhere.items("pods"))];
    policies = await read();
  });
  after(async () => {
    await connections?.stop();
    await stack?.remove();
    await namespace?.delete();
    await elsewhere?.delete();
    await removeDefinitions?.();
  });
  after(kinds.end);

  it("let every connection through that the pods really make", async () => {
    const made = await connections.attempts();
    const own = made.filter(({ attempt: { from, to } }) => "pod" in from || "pod" in to);
    const refused = own.flatMap(({ flow, attempt }) => {
      const against = policies.refusal(attempt);
      return against ? [`${JSON.stringify(flow)}: ${against}`] : [];
    });
    assert.deepStrictEqual(refused, []);
    // And they were seen: the clients of the database each by its pod, and a request that came to the application.
    const to = (pod: any) => own.filter(({ attempt }) => "pod" in attempt.to && attempt.to.pod.metadata.uid === pod.metadata.uid);
    const seen = to(database().pod).map(({ attempt: { from } }) => ("pod" in from ? from.pod.metadata.name : from.ip));
    const connecting = [
      ...["app", "keys"].map((part) => podOf(part, "notes")),
      podOf("setup"),
      podOf("backup"),
      podOf("migration"),
    ];
    for (const { pod } of connecting)
      assert.ok(seen.includes(pod.metadata.name), `${pod.metadata.name} is not among ${seen.join()}`);
    assert.ok(
      to(podOf("app", "notes").pod).some(({ attempt }) => attempt.port === 3000),
      "a request",
    );
  });

  it("would refuse what is really made if a rule were missing", async () => {
    const made = await connections.attempts();
    const broken = policies.edited((policy) => {
      for (const rule of policy.metadata.name === "notes-db" ? policy.spec.ingress : [])
        rule.from = rule.from.filter((peer: any) => peer.podSelector?.matchLabels?.["app.kubernetes.io/component"] !== "app");
      return policy;
    });
    const refused = made.filter(({ attempt }) => broken.refusal(attempt) === "Ingress of notes-db");
    const from = new Set(
      refused.map(({ attempt }) => ("pod" in attempt.from ? attempt.from.pod.metadata.name : attempt.from.ip)),
    );
    assert.deepStrictEqual([...from], ["notes-0"]);
    const withoutJobs = policies.edited((policy) =>
      policy.metadata.name === "notes-jobs" ? { ...policy, spec: { ...policy.spec, egress: [] } } : policy,
    );
    assert.strictEqual(withoutJobs.refusal({ from: podOf("migration"), to: database(), port: 5432 }), "Egress of notes-jobs");
  });

  it("let each part reach the database and DNS, and the Jobs nothing else", () => {
    for (const client of clients()) {
      const what = client.pod.metadata.name;
      assert.strictEqual(policies.refusal({ from: client, to: database(), port: 5432 }), undefined, what);
      for (const protocol of ["UDP", "TCP"] as const)
        assert.strictEqual(policies.refusal({ from: client, to: outside, port: 53, protocol }), undefined, what);
      assert.ok(!policies.allowed({ from: client, to: database(), port: 5433 }), what);
    }
    for (const job of jobs()) {
      assert.ok(!policies.allowed({ from: job, to: outside, port: 443 }), job.pod.metadata.name);
      assert.ok(!policies.allowed({ from: job, to: named("stranger"), port: 5432 }), job.pod.metadata.name);
      assert.ok(!policies.allowed({ from: named("stranger"), to: job, port: 80 }), job.pod.metadata.name);
    }
    assert.ok(policies.allowed({ from: podOf("app", "notes"), to: outside, port: 443 }), "the application may call out");
  });

  it("keep everybody else from the database, and the database from everybody", () => {
    for (const other of [named("stranger"), named("other-app"), named("ingress", elsewhere), outside])
      assert.strictEqual(policies.refusal({ from: other, to: database(), port: 5432 }), "Ingress of notes-db");
    for (const to of [outside, named("stranger"), podOf("app", "notes")])
      assert.ok(!policies.allowed({ from: database(), to, port: 443 }));
  });

  it("let everybody reach the application, on its port alone", () => {
    for (const from of [named("ingress", elsewhere), named("stranger"), outside]) {
      assert.ok(policies.allowed({ from, to: podOf("app", "notes"), port: 3000 }));
      assert.ok(!policies.allowed({ from, to: podOf("app", "notes"), port: 3001 }));
    }
    assert.ok(
      !policies.allowed({ from: named("ingress", elsewhere), to: podOf("canary"), port: 3000 }),
      "the canary gets no requests",
    );
  });

  it("are there before the Jobs that need them", async () => {
    const made = async (what: string) => Date.parse((await namespace.get(what)).metadata.creationTimestamp);
    const setup = Date.parse(podOf("setup").pod.metadata.creationTimestamp);
    const migration = Date.parse(podOf("migration-start").pod.metadata.creationTimestamp);
    for (const name of ["notes-db", "notes-db-jobs"]) assert.ok((await made(`networkpolicy/${name}`)) <= setup, name);
    for (const name of ["notes", "notes-jobs", "notes-workers"])
      assert.ok((await made(`networkpolicy/${name}`)) <= migration, name);
  });

  it("are admitted as monitors and rules by the Prometheus Operator's definitions, whole", async () => {
    const monitor = await namespace.get("servicemonitor/notes");
    assert.strictEqual(monitor.metadata.labels.release, "prometheus");
    const [{ port, path, interval }] = monitor.spec.endpoints;
    assert.deepStrictEqual({ port, path, interval }, { port: "http", path: "/health", interval: "30s" });
    // Found as Prometheus would: the Service by its labels, its port by name, each pod once.
    const services = await namespace.items("services", "-l", `app.kubernetes.io/instance=notes,app.kubernetes.io/component=app`);
    const [{ regex }] = monitor.spec.endpoints[0].relabelings;
    const kept = services.filter(({ metadata }) => new RegExp(`^(${regex})$`).test(metadata.name));
    assert.deepStrictEqual(
      kept.map(({ metadata }) => metadata.name),
      ["notes"],
    );
    assert.ok(kept[0].spec.ports.some(({ name }: any) => name === port));
    const [group] = (await namespace.get("prometheusrule/notes-alerts")).spec.groups;
    assert.deepStrictEqual(
      group.rules.map(({ alert }: any) => alert),
      [
        ...[
          "PostgresAppMigrationFailed",
          "PostgresAppMigrationOverdue",
          "PostgresAppMigrationFailed",
          "PostgresAppMigrationOverdue",
        ],
        ...["PostgresAppBackupFailed", "PostgresAppBackupOverdue", "PostgresAppDatabaseDown"],
        ...["PostgresAppDiskFillingUp", "PostgresAppDiskNearlyFull", "PostgresAppUnavailable", "PostgresAppRolloutStuck"],
      ],
    );
    // The names in the expressions are those of the objects that are there.
    const matches = (pattern: string, name: string) => new RegExp(`^(${pattern})$`).test(name);
    const patterns = (label: string) =>
      group.rules.flatMap(({ expr }: any) =>
        [...expr.matchAll(new RegExp(`${label}=~?"([^"]+)"`, "g"))].map(([, pattern]) => pattern),
      );
    const owner = ({ pod }: any) => pod.metadata.ownerReferences[0].name;
    for (const job of [podOf("migration", "notes-migration"), podOf("migration-start"), podOf("migration", "notes-post-deploy")])
      assert.ok(
        patterns("job_name").some((pattern: string) => matches(pattern, owner(job))),
        owner(job),
      );
    assert.ok(!patterns("job_name").some((pattern: string) => matches(pattern, owner(podOf("setup")))));
    const there = async (what: string, label: string) => {
      const names = (await namespace.items(what)).map(({ metadata }) => metadata.name);
      for (const pattern of patterns(label))
        assert.ok(
          names.some((name) => matches(pattern, name)),
          `${label} ${pattern}`,
        );
    };
    await there("persistentvolumeclaims", "persistentvolumeclaim");
    await there("statefulsets", "statefulset");
    await there("cronjobs", "cronjob");
    for (const pattern of patterns("namespace")) assert.strictEqual(pattern, namespace.name);
  });

  it("are not touched by an up without a change, and changed in place by one", async () => {
    changesNothing(await stack.up(notes(namespace, "1.0.0", everything)));
    const narrow = {
      ...everything,
      networkPolicy: {
        clients: [{ namespace: elsewhere.name }],
        monitoring: [{ namespace: "monitoring" }],
        egress: [{ ports: [443] }],
        databaseClients: [{ podLabels: { "app.kubernetes.io/instance": "other" } }],
      },
    };
    const { changes } = succeeded(await stack.up(notes(namespace, "1.0.0", narrow)));
    assert.deepStrictEqual(changes.filter((change) => /kubernetes:/.test(change)).sort(), [
      ...["notes", "notes-db", "notes-workers"].map((name) => `update kubernetes:networking.k8s.io/v1:NetworkPolicy::${name}`),
    ]);
    const now = await read();
    assert.ok(now.allowed({ from: named("ingress", elsewhere), to: podOf("app", "notes"), port: 3000 }));
    assert.ok(!now.allowed({ from: named("stranger"), to: podOf("app", "notes"), port: 3000 }));
    assert.ok(now.allowed({ from: named("other-app"), to: database(), port: 5432 }));
    assert.ok(
      now.allowed({ from: podOf("app", "notes"), to: outside, port: 443 }) &&
        !now.allowed({ from: podOf("app", "notes"), to: outside, port: 25 }),
    );
    for (const { attempt } of await connections.attempts())
      if ("pod" in attempt.from && attempt.port === 5432) assert.strictEqual(now.refusal(attempt), undefined);
  });
});
