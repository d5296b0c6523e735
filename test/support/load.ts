import { readFileSync } from "fs";
import { join } from "path";
import { restrictedContainer, restrictedPod } from "../../components/common/security";
import { Namespace, until } from "./kubectl";
import { image } from "./notes";

const PER_SECOND = 50;

interface Counted {
  sent: number;
  ok: number;
  failed: number;
  /** How many came with which status. */
  answers: Record<string, number>;
  /** Milliseconds from when a request was due to its answer. */
  p50: number;
  p99: number;
  max: number;
}

export interface LoadSummary {
  sent: number;
  ok: number;
  failed: number;
  /** Writes that were answered with success. */
  acknowledged: number;
  /** By what failed and why: how often, when, and how long the last one took. */
  failures: Record<string, { times: number; first: string; last: string; milliseconds: number }>;
  phases: Record<string, Counted>;
}

/** Constant load on the example application, from a pod beside it: loadGenerator.js says how. */
export class Load {
  private constructor(private readonly namespace: Namespace) {}

  static async start(namespace: Namespace, phase: string, perSecond = PER_SECOND): Promise<Load> {
    const data = { "loadGenerator.js": readFileSync(join(__dirname, "loadGenerator.js"), "utf8") };
    await namespace.apply(
      { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "load", namespace: namespace.name }, data },
      {
        apiVersion: "v1",
        kind: "Pod",
        metadata: { name: "load", namespace: namespace.name },
        spec: {
          restartPolicy: "Never",
          automountServiceAccountToken: false,
          terminationGracePeriodSeconds: 1,
          securityContext: restrictedPod(1000),
          containers: [
            {
              name: "load",
              image: image("1.0.0"),
              command: [
                "sh",
                "-c",
                `echo '${phase}' > /tmp/phase; exec node /load/loadGenerator.js http://notes ${perSecond} /tmp`,
              ],
              resources: { requests: { cpu: "200m" } }, // what it waits for on a busy machine would count as the application's time
              securityContext: restrictedContainer(),
              volumeMounts: [
                { name: "load", mountPath: "/load" },
                { name: "tmp", mountPath: "/tmp" },
              ],
            },
          ],
          volumes: [
            { name: "load", configMap: { name: "load" } },
            { name: "tmp", emptyDir: {} },
          ],
        },
      },
    );
    await namespace.kubectl(["wait", "--for=condition=Ready", "pod/load", "--timeout=60s"], { seconds: 70 });
    return new Load(namespace);
  }

  /** From now on requests are counted under another name. */
  async phase(name: string): Promise<void> {
    // Moved into place: the file is never read half-written.
    await this.sh(`echo '${name}' > /tmp/next && mv /tmp/next /tmp/phase`);
  }

  async stop(): Promise<LoadSummary> {
    await this.sh("touch /tmp/stop");
    await until("the end of the load", 30, async () => (await this.namespace.get("pod/load")).status.phase === "Succeeded");
    return JSON.parse(await this.namespace.kubectl(["logs", "load"]));
  }

  private async sh(line: string): Promise<void> {
    const { code, stderr } = await this.namespace.exec("load", ["sh", "-c", line]);
    if (code !== 0) throw new Error(`load: ${line}: ${stderr}`);
  }
}
