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

/** By which way the requests come. Each has a pod of its own. */
export interface Way {
  name: string;
  url: string;
  /** Addresses for names that no DNS knows. */
  hostAliases?: { ip: string; hostnames: string[] }[];
  /** The certificate to trust, in PEM. */
  ca?: string;
}

const DIRECT: Way = { name: "load", url: "http://notes" };

/** Constant load on the example application, from a pod beside it: loadGenerator.js says how. */
export class Load {
  private constructor(
    private readonly namespace: Namespace,
    private readonly name: string,
  ) {}

  static async start(namespace: Namespace, phase: string, perSecond = PER_SECOND, way = DIRECT): Promise<Load> {
    const { name, url, hostAliases, ca = "" } = way;
    const metadata = { name, namespace: namespace.name };
    const data = { "loadGenerator.js": readFileSync(join(__dirname, "loadGenerator.js"), "utf8"), "ca.crt": ca };
    await namespace.apply(
      { apiVersion: "v1", kind: "ConfigMap", metadata, data },
      {
        apiVersion: "v1",
        kind: "Pod",
        metadata,
        spec: {
          hostAliases,
          restartPolicy: "Never",
          automountServiceAccountToken: false,
          terminationGracePeriodSeconds: 1,
          securityContext: restrictedPod(1000),
          containers: [
            {
              name: "load",
              image: image("1.0.0"),
              command: ["sh", "-c", `echo '${phase}' > /tmp/phase; exec node /load/loadGenerator.js ${url} ${perSecond} /tmp`],
              env: ca === "" ? [] : [{ name: "NODE_EXTRA_CA_CERTS", value: "/load/ca.crt" }],
              resources: { requests: { cpu: "200m" } }, // what it waits for on a busy machine would count as the application's time
              securityContext: restrictedContainer(),
              volumeMounts: [
                { name: "load", mountPath: "/load" },
                { name: "tmp", mountPath: "/tmp" },
              ],
            },
          ],
          volumes: [
            { name: "load", configMap: { name } },
            { name: "tmp", emptyDir: {} },
          ],
        },
      },
    );
    await namespace.kubectl(["wait", "--for=condition=Ready", `pod/${name}`, "--timeout=60s"], { seconds: 70 });
    return new Load(namespace, name);
  }

  /** From now on requests are counted under another name. */
  async phase(name: string): Promise<void> {
    // Moved into place: the file is never read half-written.
    await this.sh(`echo '${name}' > /tmp/next && mv /tmp/next /tmp/phase`);
  }

  async stop(): Promise<LoadSummary> {
    await this.sh("touch /tmp/stop");
    await until(
      "the end of the load",
      30,
      async () => (await this.namespace.get(`pod/${this.name}`)).status.phase === "Succeeded",
    );
    return JSON.parse(await this.namespace.kubectl(["logs", this.name]));
  }

  private async sh(line: string): Promise<void> {
    const { code, stderr } = await this.namespace.exec(this.name, ["sh", "-c", line]);
    if (code !== 0) throw new Error(`load: ${line}: ${stderr}`);
  }
}
