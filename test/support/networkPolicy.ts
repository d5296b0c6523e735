import { BlockList, isIPv6 } from "net";

// What a network plugin would do with NetworkPolicies, as kubernetes.io/docs/concepts/services-networking/network-policies says. For
// clusters whose plugin enforces none: admitted policies are read back from the API server and held against real pods.

/** One end of a connection: a pod as the API server has it, or an address that is none. */
export type End = { pod: any } | { ip: string };

export interface Attempt {
  from: End;
  to: End;
  /** As the pod listens on it, not as a Service calls it. */
  port: number;
  protocol?: "TCP" | "UDP" | "SCTP";
}

/** Undefined when it is let through; else who is against it. */
export type Refusal = string | undefined;

export class NetworkPolicies {
  private readonly namespaceLabels: Map<string, Record<string, string>>;

  constructor(
    private readonly policies: any[],
    namespaces: any[],
  ) {
    this.namespaceLabels = new Map(namespaces.map(({ metadata }) => [metadata.name, metadata.labels ?? {}]));
  }

  /** The same without some, or with others in place: to see that it makes a difference. */
  edited(edit: (policy: any) => any): NetworkPolicies {
    const copies = this.policies.map((policy) => edit(structuredClone(policy))).filter(Boolean);
    const namespaces = [...this.namespaceLabels].map(([name, labels]) => ({ metadata: { name, labels } }));
    return new NetworkPolicies(copies, namespaces);
  }

  /** A connection takes the sender's consent and the receiver's; answers to it need none. */
  refusal(attempt: Attempt): Refusal {
    const { from, to } = attempt;
    if (isPod(from) && isPod(to) && from.pod.metadata.uid === to.pod.metadata.uid) return undefined; // a pod cannot be kept from itself
    return this.against("Egress", from, to, attempt) ?? this.against("Ingress", to, from, attempt);
  }

  allowed(attempt: Attempt): boolean {
    return this.refusal(attempt) === undefined;
  }

  private against(type: "Ingress" | "Egress", own: End, other: End, attempt: Attempt): Refusal {
    // Pods in the host's network are the host, which no policy is for.
    if (!isPod(own)) return undefined;
    if (addressesOf(other).some((ip) => hostsOf(own.pod).includes(ip))) return undefined; // the pod's own node is always let through
    const selecting = this.policies.filter(
      ({ metadata, spec }) =>
        metadata.namespace === own.pod.metadata.namespace &&
        typesOf(spec).includes(type) &&
        selects(spec.podSelector, own.pod.metadata.labels),
    );
    if (selecting.length === 0) return undefined;
    const target = type === "Ingress" ? own : other;
    const lets = ({ metadata, spec }: any) =>
      (type === "Ingress" ? (spec.ingress ?? []) : (spec.egress ?? [])).some(
        (rule: any) =>
          this.isPeer(type === "Ingress" ? rule.from : rule.to, other, metadata.namespace) && isPort(rule.ports, target, attempt),
      );
    if (selecting.some(lets)) return undefined;
    return `${type} of ${selecting.map(({ metadata }) => metadata.name).join(", ")}`;
  }

  /** No list, and an empty one, are for everybody. */
  private isPeer(peers: any[] | undefined, end: End, policyNamespace: string): boolean {
    if (!peers?.length) return true;
    return peers.some(({ podSelector, namespaceSelector, ipBlock }) => {
      if (ipBlock)
        return addressesOf(end).some((ip) => isIn(ipBlock.cidr, ip) && !(ipBlock.except ?? []).some((c: string) => isIn(c, ip)));
      if (!isPod(end)) return false;
      const { namespace, labels } = end.pod.metadata;
      const there = namespaceSelector
        ? selects(namespaceSelector, this.namespaceLabels.get(namespace) ?? {})
        : namespace === policyNamespace;
      return there && (!podSelector || selects(podSelector, labels));
    });
  }
}

const isPod = (end: End): end is { pod: any } => "pod" in end && !end.pod.spec?.hostNetwork;

const hostsOf = (pod: any): string[] =>
  [pod.status?.hostIP, ...(pod.status?.hostIPs ?? []).map(({ ip }: any) => ip)].filter(Boolean);

function addressesOf(end: End): string[] {
  if ("ip" in end) return [end.ip];
  const { podIP, podIPs = [] } = end.pod.status ?? {};
  return [podIP, ...podIPs.map(({ ip }: any) => ip)].filter(Boolean);
}

/** Ingress unless said otherwise, Egress too where there are rules for it. */
const typesOf = (spec: any): string[] => spec.policyTypes ?? ["Ingress", ...(spec.egress?.length ? ["Egress"] : [])];

export function selects({ matchLabels = {}, matchExpressions = [] }: any = {}, labels: Record<string, string> = {}): boolean {
  return (
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    matchExpressions.every(({ key, operator, values = [] }: any) => {
      switch (operator) {
        case "In":
          return key in labels && values.includes(labels[key]);
        case "NotIn":
          return !(key in labels) || !values.includes(labels[key]);
        case "Exists":
          return key in labels;
        case "DoesNotExist":
          return !(key in labels);
        default:
          throw new Error(`no such operator: ${operator}`);
      }
    })
  );
}

function isPort(ports: any[] | undefined, target: End, { port, protocol = "TCP" }: Attempt): boolean {
  if (!ports?.length) return true;
  return ports.some((rule) => {
    if ((rule.protocol ?? "TCP") !== protocol) return false;
    if (rule.port === undefined) return true;
    if (typeof rule.port === "string") return isPod(target) && named(target.pod, rule.port, protocol).includes(port);
    return port >= rule.port && port <= (rule.endPort ?? rule.port);
  });
}

/** What a name stands for in a pod: another number in each, maybe. */
const named = (pod: any, name: string, protocol: string): number[] =>
  [...(pod.spec.containers ?? []), ...(pod.spec.initContainers ?? [])]
    .flatMap(({ ports = [] }: any) => ports)
    .filter((port: any) => port.name === name && (port.protocol ?? "TCP") === protocol)
    .map(({ containerPort }: any) => containerPort);

function isIn(cidr: string, ip: string): boolean {
  const family = isIPv6(ip) ? "ipv6" : "ipv4";
  const [network, bits] = cidr.split("/");
  if (isIPv6(network) !== (family === "ipv6")) return false;
  const block = new BlockList();
  block.addSubnet(network, Number(bits), family);
  return block.check(ip, family);
}
