import * as assert from "assert";
import * as pulumi from "@pulumi/pulumi";
import { PostgresApp, PostgresAppArgs } from "../../index";
import { resolveVolumes } from "../../components/app/volumes";
import { Validation } from "../../components/common/validation";
import { graph } from "../support/graph";
import { refusal } from "../support/refusal";

const image = "registry.example.org/notes:1.0.0";
const STATEFUL_SET = "kubernetes:apps/v1:StatefulSet::notes";
const CANARY = "kubernetes:batch/v1:Job::notes-canary";
const CLAIM = "kubernetes:core/v1:PersistentVolumeClaimPatch::notes-uploads";
const start = ["node", "server.js"];

const registered = async (args: Partial<PostgresAppArgs>) => {
  const { resources } = await graph(() => new PostgresApp("notes", { image, ...args }));
  const { spec } = resources.get(STATEFUL_SET)!.inputs.spec.template;
  return { resources, spec, app: spec.containers[0], canary: resources.get(CANARY)?.inputs.spec.template.spec };
};

describe("probes", () => {
  const probes = async (given: PostgresAppArgs["probes"], more: Partial<PostgresAppArgs> = {}) =>
    (await registered({ probes: given, ...more })).app;

  it("ask over HTTP with headers, on a port, by a connection or a command", async () => {
    const { startupProbe, readinessProbe, livenessProbe } = await probes({
      startup: { port: 9090 },
      readiness: { httpPath: "/ready", httpHeaders: { "X-Forwarded-Proto": "https", Host: "a.example.org" } },
      liveness: { command: ["alive", "--quick"], timeoutSeconds: 2 },
    });
    assert.deepStrictEqual(startupProbe.tcpSocket, { port: 9090 });
    const httpHeaders = [
      { name: "Host", value: "a.example.org" },
      { name: "X-Forwarded-Proto", value: "https" },
    ];
    assert.deepStrictEqual(readinessProbe.httpGet, { path: "/ready", port: "http", httpHeaders });
    assert.deepStrictEqual(livenessProbe.exec, { command: ["alive", "--quick"] });
  });

  it("ask at the start what readiness asks, also with other times", async () => {
    const { startupProbe, readinessProbe } = await probes({
      startup: { periodSeconds: 3 },
      readiness: { command: ["ready"] },
    });
    assert.deepStrictEqual(startupProbe.exec, readinessProbe.exec);
    assert.deepStrictEqual([startupProbe.periodSeconds, readinessProbe.periodSeconds], [3, 10]);
  });

  it("are refused when they ask twice or not at all what they say", async () => {
    const message = await refusal({
      image,
      probes: {
        readiness: { httpPath: "/ready", command: ["ready"], port: 1 },
        liveness: { httpHeaders: { Host: "x" } },
        startup: { port: 70000, httpPath: "x", httpHeaders: { "a b": "x" } },
      },
    });
    assert.match(message, /^ {2}probes.readiness.httpPath: does not apply to a probe with command: keep one of the two$/m);
    assert.match(message, /^ {2}probes.readiness.port: does not apply/m);
    assert.match(
      message,
      /^ {2}probes.liveness.httpHeaders: belongs to a request over HTTP: name its path with probes.liveness.httpPath$/m,
    );
    assert.match(message, /^ {2}probes.startup.port: 70000 is not a port/m);
    assert.match(message, /^ {2}probes.startup.httpPath: "x" is not a path/m);
    assert.match(message, /^ {2}probes.startup.httpHeaders: name "a b" is not a header's name/m);
  });

  const canaried = (readiness: object) =>
    registered({ command: start, port: 3000, rollout: { canary: {} }, probes: { readiness } }).then(
      ({ canary }) => canary.containers,
    );

  it("are asked by the canary's check with the port's number", async () => {
    const [own] = await canaried({ httpPath: "/ready", httpHeaders: { Host: "x" } });
    assert.deepStrictEqual(own.startupProbe.httpGet, { path: "/ready", port: 3000, httpHeaders: [{ name: "Host", value: "x" }] });
    const [other] = await canaried({ port: 9090 });
    assert.deepStrictEqual(other.startupProbe.tcpSocket, { port: 9090 });
  });

  it("that are commands are run in the canary's application itself", async () => {
    const [check, app] = await canaried({ command: ["ready", "--now"], timeoutSeconds: 7 });
    assert.deepStrictEqual([check.startupProbe, check.readinessProbe], [undefined, undefined]);
    const { exec, timeoutSeconds } = app.readinessProbe;
    assert.deepStrictEqual(exec.command.slice(-3), ["sh", "ready", "--now"]);
    assert.match(exec.command.at(-4), /started && "\$@" && : >\S+answers$/);
    assert.strictEqual(timeoutSeconds, 7);
    assert.deepStrictEqual(app.startupProbe.exec, { command: ["ready", "--now"] });
  });
});

describe("envFrom", () => {
  it("comes before what is the application's own, in its order", async () => {
    const { app } = await registered({
      env: { A: "1" },
      secretEnv: { B: "2" },
      envFrom: [{ configMap: "shared" }, { secret: "store", prefix: "S3_" }],
    });
    assert.deepStrictEqual(app.envFrom, [
      { configMapRef: { name: "shared" } },
      { prefix: "S3_", secretRef: { name: "store" } },
      { configMapRef: { name: "notes-env-0123abcd" } },
      { secretRef: { name: "notes-secret-env-0123abcd" } },
    ]);
  });

  it("is checked", async () => {
    const envFrom = [{}, { configMap: "a", secret: "b" }, { secret: "S", prefix: "1" }];
    const message = await refusal({ image, envFrom });
    assert.match(message, /^ {2}envFrom\[0\]: names nothing/m);
    assert.match(message, /^ {2}envFrom\[1\]: names a ConfigMap and a Secret/m);
    assert.match(message, /^ {2}envFrom\[2\].secret: "S" is not the name of an object/m);
    assert.match(message, /^ {2}envFrom\[2\].prefix: is not an environment variable's name/m);
  });
});

describe("volumes", () => {
  const uploads = { mountPath: "/app/public/uploads", storage: "5Gi" };

  it("make a claim of a fixed name that is kept and found again, and mount it", async () => {
    const { resources, spec, app } = await registered({ volumes: [{ ...uploads, storageClassName: "fast", subPath: "files" }] });
    const { inputs, options } = resources.get(CLAIM)!;
    assert.deepStrictEqual(inputs.spec, {
      accessModes: ["ReadWriteOnce"],
      storageClassName: "fast",
      resources: { requests: { storage: "5Gi" } },
    });
    assert.strictEqual(inputs.metadata.name, "notes-uploads");
    assert.strictEqual(inputs.metadata.ownerReferences, undefined);
    assert.strictEqual(options.retainOnDelete, true);
    assert.deepStrictEqual(options.ignoreChanges, ["metadata.name"]);
    assert.ok(resources.get(STATEFUL_SET)!.dependencies.includes(CLAIM));
    const mount = { name: "volume-uploads", mountPath: "/app/public/uploads", subPath: "files" };
    assert.deepStrictEqual(app.volumeMounts.at(-1), mount);
    const volume = { name: "volume-uploads", persistentVolumeClaim: { claimName: "notes-uploads" } };
    assert.deepStrictEqual(spec.volumes.at(-1), volume);
    assert.strictEqual(spec.securityContext.fsGroup, 65532);
    assert.strictEqual((await registered({ volumes: [uploads], runAsUser: 7 })).spec.securityContext.fsGroup, 7);
    assert.strictEqual((await registered({})).spec.securityContext.fsGroup, undefined);
  });

  it("go with the database where that is deleted", async () => {
    const { resources } = await registered({ volumes: [uploads], database: { onDelete: "delete" } });
    assert.deepStrictEqual(resources.get(CLAIM)!.inputs.metadata.ownerReferences, [
      { apiVersion: "apps/v1", kind: "StatefulSet", name: "notes-db", uid: "uid-of-notes-db", blockOwnerDeletion: true },
    ]);
  });

  it("are claims, ConfigMaps and Secrets that are there already", async () => {
    const { resources, spec, app } = await registered({
      volumes: [
        { mountPath: "/data", existingClaim: "old", readOnly: true },
        { mountPath: "/etc/app.conf", configMap: "conf", subPath: "app.conf" },
        { mountPath: "/etc/keys", secret: "keys", name: "k" },
      ],
    });
    assert.ok(![...resources.keys()].some((key) => key.includes("ClaimPatch::notes-") && !key.endsWith("notes-db-storage")));
    assert.deepStrictEqual(spec.volumes.slice(-3), [
      { name: "volume-data", persistentVolumeClaim: { claimName: "old" } },
      { name: "volume-app-conf", configMap: { name: "conf" } },
      { name: "volume-k", secret: { secretName: "keys" } },
    ]);
    assert.deepStrictEqual(
      app.volumeMounts.slice(-3).map(({ readOnly }: any) => readOnly),
      [true, true, true],
    );
  });

  it("for one pod are empty in the canary, which runs beside it", async () => {
    const shared = { mountPath: "/shared", storage: "1Gi", accessMode: "ReadWriteMany" as const };
    const { canary } = await registered({ command: start, rollout: { canary: {} }, volumes: [uploads, shared] });
    const volume = (name: string) => canary.volumes.find((each: any) => each.name === name);
    assert.deepStrictEqual(volume("volume-uploads").emptyDir, {});
    assert.strictEqual(volume("volume-shared").persistentVolumeClaim.claimName, "notes-shared");
  });

  it("for one pod are refused with more, with the way out", async () => {
    const path = /^ {2}volumes\[0\].accessMode: "ReadWriteOnce" is for one pod at a time, and (.*)$/gm;
    for (const more of [{ replicas: 2 }, { autoscaling: {} }, { workers: { queue: {} } }, { kind: "Deployment" }]) {
      const [found, ...others] = [...(await refusal({ image, volumes: [uploads], ...more })).matchAll(path)];
      assert.strictEqual(others.length, 0);
      assert.match(found[1], /ReadWriteMany/);
    }
    const shared = { ...uploads, accessMode: "ReadWriteMany" };
    assert.strictEqual(await refusal({ image, volumes: [shared], replicas: 2 }), "");
    const [{ claim }] = resolveVolumes([uploads], { replicas: pulumi.output(2) }, "volumes", new Validation("PostgresApp"));
    const known = (claim!.accessMode as pulumi.Output<string> & { promise(): Promise<string> }).promise();
    await assert.rejects(known, /volumes\[0\].accessMode: "ReadWriteOnce" is for one pod at a time, and replicas is 2/);
  });

  it("are checked", async () => {
    const message = await refusal({
      image,
      volumes: [
        { mountPath: "/tmp", storage: "1Gi" },
        { mountPath: "/a/data", storage: "1 GB", existingClaim: "x" },
        { mountPath: "/b/data" },
        { mountPath: "/", configMap: "c", accessMode: "ReadWriteMany", subPath: "../x" },
      ],
    });
    assert.match(message, /^ {2}volumes\[0\].mountPath: "\/tmp" is that of writablePaths\[0\] too/m);
    assert.match(message, /^ {2}volumes\[1\]: names storage and existingClaim: keep one/m);
    assert.match(message, /^ {2}volumes\[1\].storage: "1 GB" is not a quantity/m);
    assert.match(message, /^ {2}volumes\[2\].name: "data" is that of volumes\[1\] too/m);
    assert.match(message, /^ {2}volumes\[2\]: names nothing to mount/m);
    assert.match(message, /^ {2}volumes\[3\].name: "" is not a name/m);
    assert.match(message, /^ {2}volumes\[3\].accessMode: belongs to a claim/m);
    assert.match(message, /^ {2}volumes\[3\].subPath: "\.\.\/x" is not a path inside/m);
  });
});

describe("sidecars and initContainers", () => {
  const proxy = { name: "proxy", image: "proxy:1", startup: { port: 6000 }, ports: { metrics: 9187 } };
  const prepare = {
    name: "prepare",
    image: "prepare:1",
    appEnv: true,
    env: { PGHOST: "localhost", A: "own" },
    envFrom: [{ secret: "s" }],
    mounts: { "/uploads": "/files", "/tmp": "/app-tmp" },
    runAsUser: 9,
  };
  const both: Partial<PostgresAppArgs> = {
    env: { A: "1" },
    volumes: [{ mountPath: "/uploads", storage: "1Gi" }],
    sidecars: [proxy],
    initContainers: [prepare],
  };

  it("begin before the application, sidecars first, within the restricted standard", async () => {
    const { spec } = await registered(both);
    const [sidecar, init] = spec.initContainers;
    assert.deepStrictEqual(
      [sidecar.name, sidecar.restartPolicy, init.name, init.restartPolicy],
      ["proxy", "Always", "prepare", undefined],
    );
    assert.deepStrictEqual(sidecar.startupProbe.tcpSocket, { port: 6000 });
    assert.deepStrictEqual(sidecar.ports, [{ name: "metrics", containerPort: 9187 }]);
    assert.deepStrictEqual([sidecar.env, sidecar.envFrom], [undefined, undefined]);
    for (const { securityContext, resources } of [sidecar, init]) {
      assert.strictEqual(securityContext.readOnlyRootFilesystem, true);
      assert.deepStrictEqual(securityContext.capabilities, { drop: ["ALL"] });
      assert.deepStrictEqual(resources.requests, { cpu: "10m", memory: "32Mi" });
    }
    assert.strictEqual(init.securityContext.runAsUser, 9);
    const names = spec.volumes.map(({ name }: any) => name);
    assert.strictEqual(new Set(names).size, names.length);
    for (const { volumeMounts } of spec.initContainers)
      for (const { name } of volumeMounts) assert.ok(names.includes(name), name);
  });

  it("have the application's environment where they are given it, under their own, and what they mount of it", async () => {
    const { spec, app } = await registered(both);
    const init = spec.initContainers[1];
    const variable = (name: string) => init.env.filter((each: any) => each.name === name);
    assert.deepStrictEqual(variable("PGHOST"), [{ name: "PGHOST", value: "localhost" }]);
    assert.strictEqual(variable("PGPASSWORD").length, 1);
    assert.deepStrictEqual(init.envFrom, [...app.envFrom, { secretRef: { name: "s" } }]);
    const mounted = (path: string) => init.volumeMounts.find(({ mountPath }: any) => mountPath === path)?.name;
    assert.deepStrictEqual([mounted("/files"), mounted("/app-tmp")], ["volume-uploads", "writable-0"]);
  });

  it("are in the canary, and before what pods that migrate do", async () => {
    const { canary } = await registered({ ...both, command: start, rollout: { canary: {} } });
    const names = (spec: any) => spec.initContainers.map(({ name }: any) => name);
    assert.deepStrictEqual(names(canary), ["tools", "proxy", "prepare"]);
    const { spec } = await registered({ ...both, migration: { strategy: "InitContainer", command: ["migrate"] } });
    assert.deepStrictEqual(names(spec), ["proxy", "prepare", "tools", "guard", "migrate"]);
  });

  it("are not in the migration's Job", async () => {
    const migration = { command: ["migrate"] };
    const job = async (args: Partial<PostgresAppArgs>) =>
      (await registered(args)).resources.get("kubernetes:batch/v1:Job::notes-migration")!.inputs.spec.template;
    assert.deepStrictEqual(
      await job({ ...both, envFrom: [{ secret: "s" }], migration }),
      await job({ env: both.env, migration }),
    );
  });

  it("are checked", async () => {
    const message = await refusal({
      image,
      sidecars: [
        { name: "app", image: "a b", ports: { http: 1, "a--b": 2 }, mounts: { "/none": "/x" } },
        { name: "twice", image: "x:1", startup: {}, env: { A: 1 } },
      ],
      initContainers: [{ name: "twice", image: "x:1", startup: { port: 1 } }, { image: "x:1" }],
    });
    assert.match(message, /^ {2}sidecars\[0\].name: "app" is the name of one of this package's own: choose another$/m);
    assert.match(message, /^ {2}sidecars\[0\].image: "a b" is not an image reference/m);
    assert.match(message, /^ {2}sidecars\[0\].ports\["http"\]: is the application's own/m);
    assert.match(message, /^ {2}sidecars\[0\].ports\["a--b"\]: is not a port's name/m);
    assert.match(
      message,
      /^ {2}sidecars\[0\].mounts\["\/none"\]: is none of the application's volumes and writablePaths: write one of "\/tmp"$/m,
    );
    assert.match(message, /^ {2}sidecars\[1\].startup.port: is missing/m);
    assert.match(message, /^ {2}sidecars\[1\].env: "A" is a number/m);
    assert.match(message, /^ {2}initContainers\[0\].name: "twice" is the name of another container/m);
    assert.match(message, /^ {2}initContainers\[0\].startup: is for sidecars/m);
    assert.match(message, /^ {2}initContainers\[1\].name: is missing/m);
  });
});
