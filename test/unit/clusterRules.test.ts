import * as assert from "assert";
import * as pulumi from "@pulumi/pulumi";
import { heimdall, MigrationJob, PostgresApp, PostgresAppArgs, PostgresDatabase } from "../../index";
import { graph, Registered } from "../support/graph";
import { refusal } from "../support/refusal";

const image = "registry.example.org/notes:1.0.0";
const s3 = { bucket: "backups", secretName: "s3" };
/** Everything that has a Job. */
const everything: Partial<PostgresAppArgs> = {
  image,
  command: ["serve"],
  runAsUser: 2000,
  generatedSecrets: { SECRET_KEY_BASE: {} },
  database: { backups: { schedule: "30 2 * * *", destination: { s3 } }, restoreFrom: { claim: { claimName: "old" } } },
  migration: {
    command: ["migrate"],
    pending: ["list"],
    rehearsal: {},
    backup: { s3 },
    rollbackCommand: ["undo"],
    postDeploy: { command: ["contract"] },
  },
  rollout: { canary: {} },
};
const JOBS = [
  ...["canary", "db-backup", "db-check", "db-restore", "db-setup", "db-trial", "keys", "migration", "migration-plan"],
  ...["migration-start", "post-deploy", "post-deploy-plan", "post-deploy-start", "former-pods"],
];

interface PodTemplate {
  name: string;
  metadata: any;
  spec: any;
}
const containersOf = ({ spec }: PodTemplate): any[] => [...(spec.initContainers ?? []), ...spec.containers];

/** The pods of whatever ends, and of whatever goes on. */
function podsOf(resources: Map<string, Registered>, goingOn = false): PodTemplate[] {
  return [...resources].flatMap(([key, { inputs }]) => {
    const [kind, name] = key.replace("kubernetes:", "").split("::");
    const short = name.replace(/^notes-/, "");
    if (kind === "core/v1:Pod") return goingOn ? [] : [{ name: short, metadata: inputs.metadata, spec: inputs.spec }];
    const template = kind === "batch/v1:CronJob" ? inputs.spec.jobTemplate.spec.template : inputs.spec?.template;
    return template === undefined || kind.startsWith("batch/") === goingOn ? [] : [{ name: short, ...template }];
  });
}
async function pods(more: object = {}): Promise<PodTemplate[]> {
  const { resources } = await graph(() => new PostgresApp("notes", { ...everything, ...more } as never));
  const found = podsOf(resources);
  const [restore] = Object.values<any>(
    resources.get("kubernetes:core/v1:ConfigMap::notes-migration-scripts")!.inputs.data,
  ).filter((text) => typeof text === "string" && text.startsWith('{"apiVersion"'));
  return [...found, { name: "restore by hand", ...JSON.parse(restore).spec.template }];
}

describe("the pods of Jobs", function () {
  this.timeout(60_000);

  it("are all that there are", async () => {
    assert.deepStrictEqual((await pods()).map(({ name }) => name).sort(), [...JOBS, "restore by hand"].sort());
  });

  it("are evicted by no autoscaler, unless that is said, and have the labels and annotations that are given", async () => {
    const annotations = { "sidecar.istio.io/inject": "false", "karpenter.sh/do-not-disrupt": pulumi.output("false") };
    for (const { name, metadata } of await pods({ jobs: { labels: { "example.org/team": "shop" }, annotations } })) {
      const { "karpenter.sh/do-not-disrupt": disrupt, "sidecar.istio.io/inject": inject } = metadata.annotations;
      assert.deepStrictEqual([disrupt, inject, metadata.labels["example.org/team"]], ["false", "false", "shop"], name);
      assert.ok(metadata.labels["app.kubernetes.io/component"], name);
    }
    for (const { name, metadata } of await pods()) {
      assert.strictEqual(metadata.annotations["karpenter.sh/do-not-disrupt"], "true", name);
      assert.strictEqual(metadata.annotations["cluster-autoscaler.kubernetes.io/safe-to-evict"], "false", name);
    }
  });

  it("are no other ones for a default that is new: restore, migrations, canary and what is found out before", async () => {
    const ignored = async (jobs?: object, more?: object) => {
      const { resources } = await graph(() => new PostgresApp("notes", { ...everything, ...more, jobs } as PostgresAppArgs));
      return (key: string) => resources.get(`kubernetes:${key}`)!.options.ignoreChanges;
    };
    const names = ["karpenter.sh/do-not-disrupt", "cluster-autoscaler.kubernetes.io/safe-to-evict"];
    const each = (at: string) => names.map((name) => `${at}.annotations["${name}"]`);
    const unasked = await ignored();
    for (const name of ["db-restore", "migration", "post-deploy", "canary"])
      assert.deepStrictEqual(unasked(`batch/v1:Job::notes-${name}`), each("spec.template.metadata"));
    assert.deepStrictEqual(unasked("core/v1:Pod::notes-migration-plan"), each("metadata"));
    assert.deepStrictEqual(unasked("batch/v1:Job::notes-migration-start"), ["spec.template.metadata.annotations"]);
    const external = { host: "db.example.org", admin: { user: "master", password: "not to be seen" } };
    const elsewhere = await ignored(undefined, { database: { external, restoreFrom: everything.database!.restoreFrom } });
    assert.deepStrictEqual(elsewhere("batch/v1:Job::notes-db-restore"), ["spec.template.metadata.annotations"]);
    const asked = await ignored({ annotations: { [names[0]]: "false" } });
    assert.deepStrictEqual(asked("batch/v1:Job::notes-migration"), each("spec.template.metadata").slice(1));
    assert.deepStrictEqual(asked("batch/v1:Job::notes-migration-start"), []);
  });

  it("have limits where every container needs them, and request no more", async () => {
    const limits = { cpu: "50m", memory: "100Mi" };
    const database = { ...everything.database, embedded: { resources: { limits: { cpu: "2", memory: "1Gi" } } } };
    const resources = { limits: { cpu: "1", memory: "1Gi" } };
    for (const pod of await pods({ jobs: { limits }, resources, database }))
      for (const container of containersOf(pod)) {
        const where = `${pod.name}: ${container.name}`;
        const server = pod.name === "db-trial" || (pod.name === "canary" && container.name === "app");
        if (server) assert.ok(container.resources.limits.memory === "1Gi", where);
        else assert.deepStrictEqual(container.resources.limits, limits, where);
        if (!server) assert.ok(parseInt(container.resources.requests.memory, 10) <= 100, where);
        if (!server) assert.ok(parseInt(container.resources.requests.cpu, 10) <= 50, where);
      }
  });

  it("have limits by resource, of their own first, and never below what was asked for", async () => {
    const limits = { cpu: "1", memory: "512Mi" };
    const migration = (resources: object) =>
      pods({ jobs: { limits }, migration: { ...everything.migration, resources } }).then(
        (all) => containersOf(all.find(({ name }) => name === "migration")!).find(({ name }) => name === "migrate").resources,
      );
    assert.deepStrictEqual(await migration({ limits: { memory: "1Gi" } }), {
      requests: { cpu: "100m", memory: "128Mi" },
      limits: { cpu: "1", memory: "1Gi" },
    });
    assert.deepStrictEqual(await migration({ requests: { memory: "2Gi" } }), {
      requests: { memory: "2Gi" },
      limits: { cpu: "1", memory: "2Gi" },
    });
  });

  it("have the server's limits where they try its settings, and what it has none of from the others", async () => {
    const embedded = { resources: { limits: { memory: "1Gi" } } };
    const { resources } = await graph(
      () => new PostgresDatabase("notes-db", { embedded, jobs: { limits: { cpu: "1", memory: "64Mi" } } }),
    );
    const [trial] = resources.get("kubernetes:batch/v1:Job::notes-db-trial")!.inputs.spec.template.spec.containers;
    assert.deepStrictEqual(trial.resources, { requests: { cpu: "10m", memory: "16Mi" }, limits: { cpu: "1", memory: "1Gi" } });
  });

  it("have no limits of their own accord", async () => {
    for (const pod of await pods())
      for (const { name, resources } of containersOf(pod)) assert.strictEqual(resources?.limits, undefined, name);
  });

  it("run as the user that is given, whatever engine the database has", async () => {
    const external = { host: "db.example.org", admin: { user: "master", password: "not to be seen" } };
    for (const database of [{ external }, { cloudNativePg: {} }]) {
      const { backup: _, ...others } = everything.migration!;
      const migration = { ...others, rehearsal: { image: "docker.io/pgvector/pgvector:pg17" } };
      const { resources } = await graph(
        () =>
          new PostgresApp("notes", { ...everything, migration, database, jobs: { runAsUser: 1000650000 } } as PostgresAppArgs),
      );
      const users = JSON.stringify(podsOf(resources)).matchAll(/"(?:runAsUser|runAsGroup|fsGroup)":(\d+)/g);
      assert.deepStrictEqual([...new Set([...users].map(([, id]) => id))].sort(), ["1000650000", "2000"]);
    }
  });

  it("have the server's user where that is the component's, and the given one beside it", async () => {
    const setup = async (jobs: object) => {
      const { resources } = await graph(() => new PostgresDatabase("notes-db", { embedded: { runAsUser: 70 }, ...jobs }));
      const user = (key: string) => resources.get(`kubernetes:${key}`)!.inputs.spec.template.spec.securityContext.runAsUser;
      return [user("batch/v1:Job::notes-db-setup"), user("apps/v1:StatefulSet::notes-db")];
    };
    assert.deepStrictEqual(await setup({}), [70, 70]);
    assert.deepStrictEqual(await setup({ jobs: { runAsUser: 5000 } }), [5000, 70]);
  });

  it("hold for what this package puts into the application's pods", async () => {
    const migration = { strategy: "InitContainer", command: ["migrate"] };
    const jobs = { limits: { cpu: "1", memory: "64Mi" } };
    const { resources } = await graph(() => new PostgresApp("notes", { image, migration, jobs } as PostgresAppArgs));
    const app = podsOf(resources, true).find(({ name }) => name === "notes")!;
    for (const name of ["tools", "guard", "migrate"])
      assert.deepStrictEqual(containersOf(app).find((container) => container.name === name).resources.limits, jobs.limits, name);
    assert.strictEqual(app.metadata.labels.team, undefined);
  });

  it("are refused names and values that Kubernetes would refuse, and those that are ours", async () => {
    const message = await refusal({
      image,
      imageRegistry: "https://registry.example.org/",
      jobs: {
        limits: { cpu: "much" },
        runAsUser: 0,
        labels: { "app.kubernetes.io/component": "x", "a b": "x", team: "a b" },
        annotations: { "pulumi-postgres-app/rerun": "1", note: "anything goes: even this", number: 1 },
      },
    });
    assert.match(message, /^ {2}imageRegistry: "https:\/\/registry.example.org\/" is not a registry: write it without scheme/m);
    assert.match(message, /^ {2}jobs.limits: "cpu" "much" is not a quantity/m);
    assert.match(message, /^ {2}jobs.runAsUser: 0 is out of range/m);
    assert.match(message, /^ {2}jobs.labels\["app.kubernetes.io\/component"\]: is set by the component/m);
    assert.match(message, /^ {2}jobs.labels\["a b"\]: is not the name of a label or annotation/m);
    assert.match(message, /^ {2}jobs.labels\["team"\]: "a b" is not a label's value/m);
    assert.match(message, /^ {2}jobs.annotations\["pulumi-postgres-app\/rerun"\]: is set by the component/m);
    assert.match(message, /^ {2}jobs.annotations.number: is a number: write a string/m);
    assert.strictEqual(message.split("\n").length, 9);
    assert.match(
      await refusal({ image, jobs: { labels: pulumi.output({}) } }),
      /^ {2}jobs.labels: is an output, and what is made depends on it: write a map/m,
    );
  });
});

describe("imageRegistry", function () {
  this.timeout(60_000);
  const images = async (make: () => unknown) =>
    [...JSON.stringify([...(await graph(make)).resources.values()]).matchAll(/"image(?:Name)?":"([^"]+)"/g)].map(
      ([, each]) => each,
    );
  const imageRegistry = "mirror.example.org:5000/all";

  it("has every image that is not given, with every engine", async () => {
    for (const engine of [{}, { cloudNativePg: {} }, { external: { host: "db", admin: { user: "m", password: "p" } } }]) {
      const restoreFrom = { s3, backup: "newest" };
      const database = { ...engine, restoreFrom, backups: { ...everything.database!.backups!, destination: { s3 } } };
      const found = await images(() => new PostgresApp("notes", { ...everything, database, imageRegistry } as PostgresAppArgs));
      assert.deepStrictEqual(
        [...new Set(found)].filter((each) => !each.startsWith(`${imageRegistry}/`)),
        [image],
      );
      assert.ok(found.includes(`${imageRegistry}/rclone/rclone:1`));
    }
    const alone = { image, command: ["migrate"], connectionSecretName: "s", imageRegistry };
    assert.ok((await images(() => new MigrationJob("m", alone))).includes(`${imageRegistry}/library/postgres:17`));
  });

  it("leaves those that are given as they are", async () => {
    const database = { embedded: { image: "docker.io/pgvector/pgvector:pg17" } };
    const found = await images(() => new PostgresApp("notes", { image, database, imageRegistry }));
    assert.deepStrictEqual([...new Set(found)].sort(), ["docker.io/pgvector/pgvector:pg17", image]);
  });

  it("of a preset has the product's too", () => {
    const args = heimdall({ imageRegistry });
    assert.match(args.image as string, /^mirror\.example\.org:5000\/all\/mitre\/heimdall2:/);
    assert.strictEqual(args.imageRegistry, imageRegistry);
    assert.strictEqual(heimdall({ imageRegistry, image: "own:1" }).image, "own:1");
    assert.ok(!("imageRegistry" in heimdall({})));
  });
});
