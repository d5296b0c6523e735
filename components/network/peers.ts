import { isIP } from "net";
import * as pulumi from "@pulumi/pulumi";
import { types } from "@pulumi/kubernetes";
import { namespaceName, oneOf, port as portRule } from "../common/rules";
import { isDeferred, Rule, Validation } from "../common/validation";

/**
 * Pods or addresses at the other end of a connection. `namespace`, `namespaceLabels` and `podLabels` have to be met together; `cidr`
 * stands alone.
 */
export interface NetworkPeerArgs {
  /**
   * Name of the namespace of the pods. Defaults to the component's own.
   */
  namespace?: pulumi.Input<string>;
  /**
   * Labels of the namespaces of the pods, in place of a name; `{}` is every namespace.
   */
  namespaceLabels?: pulumi.Input<Record<string, pulumi.Input<string>>>;
  /**
   * Labels of the pods. Defaults to every pod of the namespace.
   */
  podLabels?: pulumi.Input<Record<string, pulumi.Input<string>>>;
  /**
   * Addresses outside the cluster, such as "192.0.2.0/24". Pods' addresses are not meant: they change.
   */
  cidr?: pulumi.Input<string>;
}

/** Protocol of a connection. */
export const NetworkProtocol = {
  TCP: "TCP",
  UDP: "UDP",
} as const;
export type NetworkProtocol = (typeof NetworkProtocol)[keyof typeof NetworkProtocol];

/**
 * Where pods may connect: with `ports` alone, those of every address; with pods or addresses as in NetworkPeerArgs, only there.
 */
export interface NetworkDestinationArgs extends NetworkPeerArgs {
  /**
   * Ports. Those that the pods listen on, which are not always the ports of their Service. Defaults to all.
   */
  ports?: pulumi.Input<number>[];
  /**
   * Protocol of the ports: "TCP" or "UDP". Defaults to "TCP".
   */
  protocol?: NetworkProtocol;
}

export type Peer = types.input.networking.v1.NetworkPolicyPeer;
export type IngressRule = types.input.networking.v1.NetworkPolicyIngressRule;
export type EgressRule = types.input.networking.v1.NetworkPolicyEgressRule;

/** The label that Kubernetes itself gives every namespace. */
export const NAMESPACE_LABEL = "kubernetes.io/metadata.name";
export const everyNamespace: Peer = { namespaceSelector: {} };

export const podsOf = (matchLabels: pulumi.Input<Record<string, pulumi.Input<string>>>): Peer => ({
  podSelector: { matchLabels },
});

/** Any TCP port of these numbers or names. */
export const tcp = (...ports: pulumi.Input<number | string>[]) => ports.map((port) => ({ protocol: "TCP", port }));

/**
 * Name resolution, of any address: with NodeLocal DNSCache or DNS in the host's network there is no pod to select. Most network plugins
 * look at the port that the DNS pod listens on, not at the Service's: 5353 on OpenShift, 8053 on Gardener.
 */
export const DNS: EgressRule = {
  ports: [53, 5353, 8053].flatMap((port) => ["UDP", "TCP"].map((protocol) => ({ protocol, port }))),
};

/**
 * A host that is asked for by name. What port a Service of the cluster leads to is not known here, so that of one any port of its
 * namespace's pods is allowed besides.
 */
export function hostRules(host: string, port: number): EgressRule[] {
  const [, namespace] = /^[^.]+\.([^.]+)\.svc(\.|$)/.exec(host) ?? [];
  const own = host !== "" && !host.includes(".") && !isIP(host) ? [{ to: [{ podSelector: {} }] }] : [];
  return [
    { ports: tcp(port) },
    ...(namespace ? [{ to: [{ namespaceSelector: { matchLabels: { [NAMESPACE_LABEL]: namespace } } }] }] : own),
  ];
}

const address: Rule<string> = (cidr) => {
  const [ip, bits, ...more] = typeof cidr === "string" ? cidr.split("/") : [];
  const longest = isIP(ip ?? "") === 4 ? 32 : isIP(ip ?? "") === 6 ? 128 : -1;
  return more.length === 0 && /^\d{1,3}$/.test(bits ?? "") && Number(bits) <= longest
    ? undefined
    : `${JSON.stringify(cidr)} is not a range of addresses: write for example "192.0.2.0/24", for one address "192.0.2.7/32"`;
};

const labelMap: Rule<unknown> = (map) =>
  typeof map === "object" && map !== null && !Array.isArray(map) ? undefined : "is not a map of labels: write { name: value }";

export function checkCidrs(cidrs: pulumi.Input<string>[] | undefined, path: string, validation: Validation) {
  return validation.list(path, cidrs, (cidr, at) => validation.check(at, cidr, address));
}

export function checkPorts(ports: pulumi.Input<number>[] | undefined, path: string, validation: Validation) {
  return validation.list(path, ports, (port, at) => validation.check(at, port, portRule));
}

export function checkPeers(peers: NetworkPeerArgs[] | undefined, path: string, validation: Validation): Peer[] | undefined {
  return validation.list(path, peers, (peer, at) => {
    const whom = resolvePeer(peer, at, validation);
    if (!whom) validation.problem(at, "says nobody: give namespace, namespaceLabels ({} is every namespace), podLabels or cidr");
    return whom ?? {};
  });
}

export function checkDestinations(
  destinations: NetworkDestinationArgs[] | undefined,
  path: string,
  validation: Validation,
): EgressRule[] | undefined {
  return validation.list(path, destinations, (destination, at) => {
    const whom = resolvePeer(destination, at, validation);
    const { ports, protocol } = destination;
    if (!whom && !ports?.length)
      validation.problem(at, "says nowhere: give ports, namespace, namespaceLabels ({} is every namespace), podLabels or cidr");
    validation.check(`${at}.protocol`, protocol, oneOf(Object.values(NetworkProtocol)));
    const checked = checkPorts(ports, `${at}.ports`, validation);
    return {
      ...(whom ? { to: [whom] } : {}),
      ...(checked?.length ? { ports: checked.map((port) => ({ protocol: protocol ?? "TCP", port })) } : {}),
    };
  });
}

/** None when nothing says whom. */
function resolvePeer(peer: NetworkPeerArgs, at: string, validation: Validation): Peer | undefined {
  const { namespace, namespaceLabels, podLabels, cidr } = peer;
  if (cidr !== undefined) {
    if ([namespace, namespaceLabels, podLabels].some((given) => given !== undefined))
      validation.problem(`${at}.cidr`, "is for addresses outside the cluster: name pods in an entry of their own");
    return { ipBlock: { cidr: validation.check(`${at}.cidr`, cidr, address) } };
  }
  if (namespace !== undefined && namespaceLabels !== undefined)
    validation.problem(`${at}.namespaceLabels`, "is given beside namespace: keep one of the two");
  validation.check(`${at}.namespace`, namespace, namespaceName);
  for (const [property, map] of Object.entries({ namespaceLabels, podLabels })) {
    if (map !== undefined && !isDeferred(map)) validation.check(`${at}.${property}`, map as unknown, labelMap);
  }
  if (namespace === undefined && namespaceLabels === undefined && podLabels === undefined) return undefined;
  const matchLabels = namespace === undefined ? namespaceLabels : { [NAMESPACE_LABEL]: namespace };
  return {
    ...(matchLabels === undefined ? {} : { namespaceSelector: { matchLabels } }),
    ...(podLabels === undefined ? {} : { podSelector: { matchLabels: podLabels } }),
  };
}
