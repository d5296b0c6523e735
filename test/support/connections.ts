import { readdir, readFile, readlink } from "fs/promises";
import { Namespace, sleep } from "./kubectl";
import { Attempt, End } from "./networkPolicy";

// Which connections the pods of a namespace really make: what Postgres logs of each (log_connections), and what stands in /proc/net of
// their network namespaces, looked at again and again, where the test runs on the node as root. On a cluster elsewhere that is the running
// pods' own /proc/net alone.

/** One connection, from the side that opened it. */
export interface Flow {
  from: string;
  to: string;
  port: number;
  protocol: "TCP" | "UDP";
}

const key = ({ from, to, port, protocol }: Flow) => `${from} ${to} ${port} ${protocol}`;
const LISTENS = "0A";

export class Connections {
  private readonly flows = new Map<string, Flow>();
  private readonly pods = new Map<string, any>();
  private going = true;
  private readonly loops: Promise<void>[];

  constructor(private readonly namespace: Namespace) {
    this.loops = [this.repeat(400, () => this.lookAtNode()), this.repeat(1500, () => this.lookAtPods())];
  }

  /** Ends the looking, and returns every pod that there was. */
  async stop(): Promise<any[]> {
    this.going = false;
    await Promise.all(this.loops);
    await this.lookAtPods();
    return [...this.pods.values()];
  }

  /** What the database logged of those that came to it. */
  async addLogged(pod: string): Promise<void> {
    const { status } = await this.namespace.get(`pod/${pod}`);
    const log = await this.namespace.kubectl(["logs", pod]);
    for (const [, host] of log.matchAll(/connection received: host=([0-9a-f.:]+) port=\d+/g))
      if (!host.startsWith("127.")) this.add({ from: host, to: status.podIP, port: 5432, protocol: "TCP" });
  }

  /** What a running pod sees itself. */
  async addOf(pod: string, container?: string): Promise<void> {
    const files = TABLES.map(([file]) => `/proc/net/${file}`);
    const { stdout } = await this.namespace.exec(
      pod,
      ["sh", "-c", `for f in ${files.join(" ")}; do echo "== $f"; cat $f; done`],
      {
        container,
      },
    );
    const texts = Object.fromEntries(stdout.split(/^== \/proc\/net\//m).map((part) => [part.split("\n")[0], part]));
    for (const flow of flowsOf((file) => texts[file] ?? "")) this.add(flow);
  }

  /** All of them, with pods in place of addresses, and those behind a Service in place of it. */
  async attempts(): Promise<{ flow: Flow; attempt: Attempt }[]> {
    const [services, slices] = [await this.namespace.items("services"), await this.namespace.items("endpointslices")];
    const pods = [...this.pods.values()];
    const end = (ip: string): End => {
      const pod = pods.find(({ status }) => status.podIP === ip);
      return pod ? { pod } : { ip };
    };
    return [...this.flows.values()].flatMap((flow) => {
      const service = services.find(({ spec }) => spec.clusterIP === flow.to);
      const behind = service ? endpointsOf(service, slices, flow.port) : [{ ip: flow.to, port: flow.port }];
      return behind.map(({ ip, port }) => ({
        flow,
        attempt: { from: end(flow.from), to: end(ip), port, protocol: flow.protocol },
      }));
    });
  }

  private add(flow: Flow): void {
    this.flows.set(key(flow), flow);
  }

  private async repeat(every: number, look: () => Promise<void>): Promise<void> {
    while (this.going) {
      await look().catch(() => undefined); // the next look
      await sleep(every);
    }
  }

  private async lookAtPods(): Promise<void> {
    for (const pod of await this.namespace.items("pods")) if (pod.status.podIP) this.pods.set(pod.metadata.uid, pod);
  }

  private async lookAtNode(): Promise<void> {
    const own = await readlink("/proc/self/ns/net");
    const seen = new Set([own]);
    for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
      const net = await readlink(`/proc/${pid}/ns/net`).catch(() => own);
      if (seen.has(net)) continue;
      seen.add(net);
      const texts = await Promise.all(TABLES.map(([file]) => readFile(`/proc/${pid}/net/${file}`, "utf8").catch(() => "")));
      for (const flow of flowsOf((file) => texts[TABLES.findIndex(([name]) => name === file)])) this.add(flow);
    }
  }
}

const TABLES: [file: string, protocol: Flow["protocol"]][] = [
  ["tcp", "TCP"],
  ["tcp6", "TCP"],
  ["udp", "UDP"],
  ["udp6", "UDP"],
];

function endpointsOf(service: any, slices: any[], port: number): { ip: string; port: number }[] {
  const { name } = service.spec.ports.find((one: any) => one.port === port) ?? {};
  return slices
    .filter(({ metadata }) => metadata.labels?.["kubernetes.io/service-name"] === service.metadata.name)
    .flatMap(({ ports, endpoints }) => {
      const target = (ports ?? []).find((one: any) => (one.name ?? "") === (name ?? ""))?.port;
      return (endpoints ?? []).flatMap(({ addresses }: any) => addresses.map((ip: string) => ({ ip, port: target })));
    });
}

/** What the tables of one network namespace say; a port that somebody listens on there is the server's. */
export function flowsOf(table: (file: string) => string): Flow[] {
  return TABLES.filter(([file]) => !file.endsWith("6")).flatMap(([file, protocol]) => {
    const rows = [...rowsOf(table(file)), ...rowsOf(table(`${file}6`))];
    const listening = new Set(rows.filter(({ state }) => state === LISTENS).map(({ local }) => local.port));
    return rows
      .filter(({ local, remote, state }) => state !== LISTENS && remote.port !== 0 && !/^127\./.test(local.ip))
      .map(({ local, remote }) =>
        listening.has(local.port)
          ? { from: remote.ip, to: local.ip, port: local.port, protocol }
          : { from: local.ip, to: remote.ip, port: remote.port, protocol },
      );
  });
}

/** proc(5): addresses are words of four bytes in the machine's order, which is little-endian where Kubernetes runs. */
function rowsOf(text: string) {
  return [...text.matchAll(/^\s*\d+: ([0-9A-F]+):([0-9A-F]{4}) ([0-9A-F]+):([0-9A-F]{4}) ([0-9A-F]{2})/gm)].flatMap(
    ([, local, localPort, remote, remotePort, state]) => {
      const [here, there] = [addressOf(local), addressOf(remote)];
      return here && there
        ? [{ local: { ip: here, port: parseInt(localPort, 16) }, remote: { ip: there, port: parseInt(remotePort, 16) }, state }]
        : [];
    },
  );
}

/** IPv4, also as IPv6 has it; what is neither is left out: these tests' pods have IPv4 addresses. */
function addressOf(hex: string): string | undefined {
  if (hex.length === 32 && !/^(0{24}|0{16}FFFF0000)/.test(hex)) return undefined;
  return Buffer.from(hex.slice(-8), "hex").reverse().join(".");
}
