import * as assert from "assert";
import { spawn } from "child_process";
import { join } from "path";
import { Namespace, run, until } from "../support/kubectl";

const app = join(__dirname, "..", "..", "examples", "notes", "app");

/** The example application's own tests, against a Postgres of the cluster under test. */
describe("the example application", function () {
  this.timeout(400_000);
  let namespace: Namespace;
  let forward: ReturnType<typeof spawn>;

  before(async () => {
    namespace = await Namespace.create("app");
    await namespace.apply({
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "postgres", namespace: namespace.name },
      spec: {
        securityContext: { runAsNonRoot: true, runAsUser: 999, runAsGroup: 999, seccompProfile: { type: "RuntimeDefault" } },
        containers: [
          {
            name: "postgres",
            image: "docker.io/library/postgres:15",
            command: [
              "sh",
              "-c",
              "initdb -U tests --auth=trust -D /tmp/data > /dev/null && exec postgres -D /tmp/data -c unix_socket_directories=/tmp",
            ],
            readinessProbe: { exec: { command: ["pg_isready", "-q", "-h", "127.0.0.1"] }, periodSeconds: 1 },
            securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } },
          },
        ],
      },
    });
    await namespace.kubectl(["wait", "--for=condition=Ready", "pod/postgres", "--timeout=90s"], { seconds: 100 });
    const { code, stderr } = await run("npm", ["ci", "--no-audit", "--no-fund", "--prefer-offline"], { cwd: app, seconds: 120 });
    assert.strictEqual(code, 0, stderr);
  });
  after(async () => {
    forward?.kill();
    await namespace?.delete();
  });

  it("passes its own tests against a real database", async () => {
    forward = spawn("kubectl", ["--namespace", namespace.name, "port-forward", "pod/postgres", ":5432"], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let said = "";
    forward.stdout!.on("data", (text) => (said += text));
    const port = await until("the forwarded port", 20, async () => said.match(/127\.0\.0\.1:(\d+)/)?.[1]);
    const env = { ...process.env, DATABASE_URL: `postgresql://tests@127.0.0.1:${port}/postgres` };
    const { code, stdout, stderr } = await run("npm", ["test"], { cwd: app, env, seconds: 300 });
    assert.strictEqual(code, 0, stdout + stderr);
    assert.match(stdout, /# fail 0|ℹ fail 0/);
  });
});
