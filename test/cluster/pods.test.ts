import * as assert from "assert";
import { PostgresApp, PostgresAppArgs } from "../../index";
import { inOrder } from "../support/inOrder";
import { Namespace, run, until } from "../support/kubectl";
import { failed, succeeded } from "../support/migrations";
import { image } from "../support/notes";
import { TestStack } from "../support/stack";

/** Ends when it is told to: as process 1 nothing does so by itself. */
const node = (script: string) => ["node", "-e", `process.on("SIGTERM", () => process.exit(0)); ${script}`];
const SERVER = node(`
  const asked = {};
  require("http").createServer((request, response) => {
    if (request.headers["x-asked-by"]) asked[request.url] = request.headers["x-asked-by"];
    response.statusCode = request.url === "/ready" ? Number(process.env.ANSWER) : 200;
    response.end(JSON.stringify({ asked, env: process.env }));
  }).listen(3000, () => console.log("listening, and answering " + process.env.ANSWER));
`);
const CRASHES = node('console.error("no such setting: GREETING"); process.exit(3)');

const database: PostgresAppArgs["database"] = { embedded: { version: 17, storage: "1Gi", tls: "off" } };

describe("the application's pods", function () {
  this.timeout(180_000);
  inOrder(this);
  let namespace: Namespace;
  let stack: TestStack;
  before(async () => {
    namespace = await Namespace.create("pods");
    stack = await TestStack.create("pods");
    const metadata = (name: string) => ({ name, namespace: namespace.name });
    await namespace.apply(
      { apiVersion: "v1", kind: "ConfigMap", metadata: metadata("shared"), data: { GREETING: "shared", PLACE: "shared" } },
      { apiVersion: "v1", kind: "Secret", metadata: metadata("store"), stringData: { BUCKET: "pictures", PLACE: "store" } },
    );
  });
  after(async () => {
    await stack?.remove();
    await namespace?.delete();
  });

  const app =
    (more: Partial<PostgresAppArgs> = {}) =>
    async () => {
      new PostgresApp("pods", {
        image: image("1.0.0"),
        namespace: namespace.name,
        command: SERVER,
        port: 3000,
        env: { ANSWER: "200", GREETING: "own" },
        envFrom: [{ configMap: "shared" }, { secret: "store" }, { secret: "store", prefix: "S3_" }],
        database,
        probes: {
          startup: { command: ["node", "-e", "process.exit(require('fs').existsSync('/files/made') ? 0 : 1)"], periodSeconds: 2 },
          readiness: { httpPath: "/ready", httpHeaders: { "X-Asked-By": "kubelet" }, periodSeconds: 1 },
        },
        volumes: [
          { mountPath: "/files", storage: "10Mi" },
          { mountPath: "/etc/shared/place", configMap: "shared", subPath: "PLACE" },
        ],
        sidecars: [
          {
            name: "helper",
            image: image("1.0.0"),
            command: node('require("http").createServer((_, r) => r.end(JSON.stringify(process.env))).listen(4000)'),
            startup: { port: 4000, httpPath: "/" },
            ports: { helper: 4000 },
          },
        ],
        initContainers: [
          {
            name: "prepare",
            image: image("1.0.0"),
            command: node(`fetch("http://localhost:4000").then((r) => r.json()).then((helper) => {
            const { DATABASE_URL, GREETING, ANSWER } = process.env;
            console.log(JSON.stringify({ ofHelper: helper.GREETING, DATABASE_URL: typeof DATABASE_URL, GREETING, ANSWER }));
            if (!require("fs").existsSync("/data/made")) require("fs").writeFileSync("/data/made", String(Date.now()));
          })`),
            appEnv: true,
            env: { GREETING: "of prepare" },
            mounts: { "/files": "/data" },
          },
        ],
        ...more,
      });
    };
  const inApp = async (script: string) => {
    const { stdout, stderr } = await namespace.exec("pods-0", ["node", "-e", script], { container: "app" });
    assert.strictEqual(stderr, "");
    return JSON.parse(stdout);
  };
  const state = () => inApp('fetch("http://localhost:3000/").then((r) => r.text()).then((text) => console.log(text))');
  const made = () => inApp('console.log(require("fs").readFileSync("/files/made", "utf8"))');
  const uids = async () =>
    (await namespace.items("pods", "-l", "app.kubernetes.io/component=app")).map(({ metadata }) => metadata.uid);
  let first: string;

  describe("at the first start", () => {
    before(async () => {
      succeeded(await stack.up(app()));
    });

    it("have a sidecar from before the init container on, which has the application's environment and volume", async () => {
      const { spec, status } = await namespace.get("pod/pods-0");
      assert.deepStrictEqual(
        spec.initContainers.map(({ name, restartPolicy }: any) => [name, restartPolicy]),
        [
          ["helper", "Always"],
          ["prepare", undefined],
        ],
      );
      const helper = status.initContainerStatuses.find(({ name }: any) => name === "helper");
      assert.ok(helper.state.running && helper.ready, JSON.stringify(helper));
      const said = JSON.parse(await namespace.kubectl(["logs", "pods-0", "--container", "prepare"]));
      assert.deepStrictEqual(said, { DATABASE_URL: "string", GREETING: "of prepare", ANSWER: "200" });
      first = String(await made());
    });

    it("have what existing objects hold, the later one before the earlier, and their own before all", async () => {
      const { env, asked } = await state();
      const { GREETING, PLACE, S3_BUCKET, BUCKET } = env;
      assert.deepStrictEqual(
        { GREETING, PLACE, S3_BUCKET, BUCKET },
        {
          ...{ GREETING: "own", PLACE: "store", S3_BUCKET: "pictures", BUCKET: "pictures" },
        },
      );
      assert.deepStrictEqual(asked, { "/ready": "kubelet" });
      assert.strictEqual(
        await inApp('console.log(JSON.stringify(require("fs").readFileSync("/etc/shared/place", "utf8")))'),
        "shared",
      );
    });
  });

  describe("that do not get ready", () => {
    const bounded = { rollout: { timeoutSeconds: 30 } };
    /** The commands that a failure names, run. */
    const commands = (output: string) =>
      [...output.matchAll(/^\s*kubectl (--namespace .*)$/gm)].map(([, line]) => line.split(" "));
    const shown = async (output: string) =>
      Promise.all(commands(output).map(async (words) => (await run("kubectl", words)).stdout));
    const fails = async (more: Partial<PostgresAppArgs>) => {
      const begun = Date.now();
      const output = failed(await stack.up(app({ ...bounded, ...more })));
      assert.ok(Date.now() - begun < 120_000, `${Date.now() - begun} ms`);
      assert.match(output, /not every pod was ready after 30 s \(rollout\.timeoutSeconds\):/);
      return output;
    };

    it("are named with the probe, and with the commands that show its answer and their last lines", async () => {
      const output = await fails({ env: { ANSWER: "503" } });
      assert.match(
        output,
        /pods-0: container app was started and is not ready: probes\.readiness \(GET \/ready on port 3000\) got no yes/,
      );
      const [events, logs] = await shown(output);
      assert.match(events, /Readiness probe failed: HTTP probe failed with statuscode: 503/);
      assert.match(logs, /^\[pod\/pods-0\/app\] listening, and answering 503$/m);
    });

    it("are replaced by the next `up`, and named with an image that cannot be pulled", async () => {
      const [stuck] = await uids();
      const output = await fails({ image: "docker.io/local/none:1.0.0" });
      assert.match(output, /pods-0: the image "docker\.io\/local\/none:1\.0\.0" cannot be pulled/);
      assert.ok(!(await uids()).includes(stuck), "the pod was not replaced");
      const [events] = await shown(output);
      assert.match(events, /docker\.io\/local\/none:1\.0\.0/);
    });

    it("are replaced by the next `up`, and named with the end of a container and its last words", async () => {
      const output = await fails({ command: CRASHES, probes: {} });
      assert.match(output, /no such setting: GREETING/);
      assert.match(output, /pods-0: container app ended with exit code 3: its last words are above/);
      // Between two restarts the log of the one before may be gone.
      await until("the log of a container that ended", 60, async () =>
        /^\[pod\/pods-0\/app\] no such setting: GREETING$/m.test((await shown(output))[1]),
      );
    });

    it("are replaced by one `up` with a correction", async () => {
      succeeded(await stack.up(app()));
      assert.strictEqual((await state()).env.ANSWER, "200");
    });
  });

  describe("with a volume", () => {
    it("find their files again after everything was destroyed", async () => {
      succeeded(await stack.destroy());
      assert.deepStrictEqual(await uids(), []);
      const { status, metadata } = await namespace.get("persistentvolumeclaim/pods-files");
      assert.strictEqual(status.phase, "Bound");
      succeeded(await stack.up(app({ database: { ...database, onDelete: "delete" } })));
      assert.strictEqual(String(await made()), first);
      const again = await namespace.get("persistentvolumeclaim/pods-files");
      assert.strictEqual(again.metadata.uid, metadata.uid);
      assert.deepStrictEqual(
        again.metadata.ownerReferences.map(({ kind, name }: any) => `${kind} ${name}`),
        ["StatefulSet pods-db"],
      );
    });

    it("are told what Kubernetes refuses, with the files as they are", async () => {
      const volumes = [{ mountPath: "/files", storage: "5Mi" }];
      const output = failed(await stack.up(app({ volumes, database: { ...database, onDelete: "delete" } })));
      assert.match(output, /the claim pods-files is there already, and its files were left as they are/);
      assert.strictEqual(String(await made()), first);
    });

    it("lose it with the database when that is what onDelete says", async () => {
      succeeded(await stack.destroy());
      assert.deepStrictEqual(await namespace.items("persistentvolumeclaims"), []);
    });
  });

  describe("of a Deployment", () => {
    // Each `up` has a new pod beside the former ones, which a volume for one node does not allow.
    const plain = { kind: "Deployment" as const, volumes: [], sidecars: [], initContainers: [], replicas: 2 };
    const probes = { readiness: { httpPath: "/ready", periodSeconds: 1 } };
    const rollout = { timeoutSeconds: 30 };
    const answers = async () =>
      Promise.all(
        (await namespace.items("pods", "-l", "app.kubernetes.io/component=app")).map(async ({ metadata, status }) => ({
          name: metadata.name,
          ready: status.containerStatuses?.every(({ ready }: any) => ready) ?? false,
        })),
      );

    it("that do not get ready are named, and those of the former version go on", async () => {
      succeeded(await stack.up(app({ ...plain, probes })));
      const former = (await answers()).map(({ name }) => name).sort();
      const output = failed(await stack.up(app({ ...plain, probes, rollout, command: CRASHES })));
      assert.match(output, /not every pod was ready after 30 s \(rollout\.timeoutSeconds\):/);
      assert.match(output, /pods-\w+-\w+: container app ended with exit code 3: its last words are above/);
      const ready = (await answers()).filter((pod) => pod.ready).map(({ name }) => name);
      assert.deepStrictEqual(ready.sort(), former);
    });

    it("are replaced by one `up` with a correction", async () => {
      succeeded(await stack.up(app({ ...plain, probes, env: { ANSWER: "200", GREETING: "corrected" } })));
      await until("the end of pods of other versions", 60, async () => (await answers()).length === 2);
      assert.ok((await answers()).every(({ ready }) => ready));
    });
  });
});
