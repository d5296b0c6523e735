import * as pulumi from "@pulumi/pulumi";
import { types } from "@pulumi/kubernetes";
import * as networking from "@pulumi/kubernetes/networking/v1";
import { Child } from "../common/childOptions";
import { Validation } from "../common/validation";
import { ResolvedDestination } from "../database/backupDestination";
import { POSTGRES_PORT } from "../database/embedded";
import {
  checkCidrs,
  checkPeers,
  checkPorts,
  DNS,
  EgressRule,
  hostRules,
  IngressRule,
  NetworkPeerArgs,
  Peer,
  podsOf,
  tcp,
} from "./peers";

/**
 * Who may reach the database, as NetworkPolicies; they need a network plugin that enforces them, and do nothing with one that does not.
 * Policies add up: one of your own for the same pods allows more.
 */
export interface DatabaseNetworkPolicyArgs {
  /**
   * Who may connect to the server, beside the component's own Jobs; with `[]` nobody. With an external server, where there are no
   * pods to shield, it says nothing. A change is made in place.
   */
  clients: NetworkPeerArgs[];
  /**
   * Who may read CloudNativePG's metrics on port 9187. Defaults to nobody.
   */
  monitoring?: NetworkPeerArgs[];
  /**
   * Addresses of an external server, such as "192.0.2.0/24": the Jobs may connect there and nowhere else. While the server moves, name
   * both. Defaults to any address, by the server's ports.
   */
  cidrs?: pulumi.Input<string>[];
  /**
   * Ports of an external server. Defaults to its `port` and `directPort`; needed where only a Secret knows the port.
   */
  ports?: pulumi.Input<number>[];
}

export interface ResolvedDatabaseNetworkPolicy {
  clients: Peer[];
  monitoring: Peer[];
  cidrs?: pulumi.Input<string>[];
  ports?: pulumi.Input<number>[];
}

/** What of the arguments of an external server decides whether its port is known. */
interface External {
  port?: unknown;
  secret?: { portKey?: unknown; uriKey?: unknown; passwordKey?: unknown };
}

export function resolveDatabaseNetworkPolicy(
  args: DatabaseNetworkPolicyArgs,
  external: External | undefined,
  path: string,
  validation: Validation,
): ResolvedDatabaseNetworkPolicy {
  if (args.clients === undefined) validation.missing(`${path}.clients`, "say who may connect; [] is nobody");
  checkExternal({ cidrs: args.cidrs, ports: args.ports }, external, (property) => `${path}.${property}`, validation);
  return {
    clients: checkPeers(args.clients, `${path}.clients`, validation) ?? [],
    monitoring: checkPeers(args.monitoring, `${path}.monitoring`, validation) ?? [],
    cidrs: checkCidrs(args.cidrs, `${path}.cidrs`, validation),
    ports: checkPorts(args.ports, `${path}.ports`, validation),
  };
}

/** What is only for an external server, and what is needed for one. */
export function checkExternal(
  { cidrs, ports }: { cidrs?: unknown; ports?: unknown[] },
  external: External | undefined,
  path: (property: "cidrs" | "ports") => string,
  validation: Validation,
): void {
  for (const [property, given] of [["cidrs", cidrs] as const, ["ports", ports] as const]) {
    if (!external && given !== undefined)
      validation.problem(path(property), "is for an external server: the component's own is found by its pods. Leave it out");
  }
  const { secret, port } = external ?? {};
  const hidden =
    secret?.portKey !== undefined || (secret?.uriKey !== undefined && secret.passwordKey === undefined && port === undefined);
  if (hidden && !ports?.length)
    validation.missing(path("ports"), "the server's port stands in a Secret, which is not read. Name it here, such as [5432]");
}

/** Where the server is, as network policies see it. */
export interface DatabaseLocation {
  /** Labels of the server's pods; none of a server outside the component. */
  pods?: pulumi.Input<Record<string, string>>;
  /** Whether the operator and the other instances have to reach them too. */
  replicated: boolean;
  servers: { host: pulumi.Input<string>; port: pulumi.Input<number> }[];
}

/** What a client of the database may reach: that, and DNS. */
export function databaseEgress(
  { pods, servers }: DatabaseLocation,
  { cidrs, ports }: Pick<ResolvedDatabaseNetworkPolicy, "cidrs" | "ports">,
): pulumi.Output<EgressRule[]> {
  if (pods) return pulumi.output([DNS, { to: [podsOf(pods)], ports: tcp(POSTGRES_PORT) }]) as pulumi.Output<EgressRule[]>;
  return pulumi.all([pulumi.all(servers), ports, cidrs]).apply(([known, given, addresses]) => {
    const all = [...new Set(given ?? known.map(({ port }) => port))];
    if (addresses?.length) return [DNS, { to: addresses.map((cidr) => ({ ipBlock: { cidr } })), ports: tcp(...all) }];
    return [DNS, ...unique(known.flatMap(({ host }) => all.flatMap((port) => hostRules(host, port))))];
  });
}

const unique = <T>(rules: T[]) => [...new Map(rules.map((rule) => [JSON.stringify(rule), rule])).values()];

/** What a Job needs that brings something to object stores, or from there. */
export function storeEgress(destinations: (ResolvedDestination | undefined)[]): pulumi.Output<EgressRule[]> {
  const endpoints = destinations.flatMap((destination) =>
    destination?.s3 ? [destination.s3.endpoint ?? "https://s3.amazonaws.com"] : [],
  );
  return pulumi.all(endpoints).apply((urls) =>
    unique(
      urls.flatMap((url) => {
        const { hostname, port, protocol } = new URL(url);
        return hostRules(hostname, Number(port) || (protocol === "http:" ? 80 : 443));
      }),
    ),
  );
}

/** The policy of the server's pods. */
export function serverPolicy(
  { pods, replicated }: DatabaseLocation & { pods: pulumi.Input<Record<string, string>> },
  { clients, monitoring }: ResolvedDatabaseNetworkPolicy,
  jobs: Peer[],
): types.input.networking.v1.NetworkPolicySpec {
  const own: IngressRule = { from: [...jobs, ...clients], ports: tcp(POSTGRES_PORT) };
  const podSelector = { matchLabels: pods };
  // A server of one pod calls nobody. (A policy with the type Egress and no rule for it allows none.)
  if (!replicated) return { podSelector, policyTypes: ["Ingress", "Egress"], ingress: [own] };
  const operator = { namespaceSelector: {}, podSelector: { matchLabels: { "app.kubernetes.io/name": "cloudnative-pg" } } };
  return {
    podSelector,
    // Instances call the API server and the object store, whose addresses are not known here.
    policyTypes: ["Ingress"],
    ingress: [
      own,
      // The operator, in whatever namespace it is installed, and the instances among themselves (CloudNativePG, "Networking").
      { from: [operator, podsOf(pods)], ports: tcp(POSTGRES_PORT, INSTANCE_PORT) },
      ...(monitoring.length ? [{ from: monitoring, ports: tcp(INSTANCE_METRICS_PORT) }] : []),
    ],
  };
}

const INSTANCE_PORT = 8000;
const INSTANCE_METRICS_PORT = 9187;

/** The policy of pods that only call others. */
export const callersPolicy = (
  podSelector: types.input.meta.v1.LabelSelector,
  egress: pulumi.Input<EgressRule[]>,
): types.input.networking.v1.NetworkPolicySpec => ({ podSelector, policyTypes: ["Ingress", "Egress"], egress });

/** The policies of a database: of its server's pods, if they are here, and of its Jobs. */
export function shieldDatabase(
  name: string,
  policy: ResolvedDatabaseNetworkPolicy,
  location: DatabaseLocation,
  {
    metadata,
    jobs,
    stores,
  }: {
    metadata: { namespace: pulumi.Input<string>; labels: Record<string, string> };
    /** Values of app.kubernetes.io/component. */
    jobs: string[];
    stores: (ResolvedDestination | undefined)[];
  },
  child: Child,
): networking.NetworkPolicy[] {
  const jobPods = {
    matchLabels: { "app.kubernetes.io/instance": name },
    matchExpressions: [{ key: "app.kubernetes.io/component", operator: "In", values: jobs }],
  };
  const make = (suffix: string, spec: types.input.networking.v1.NetworkPolicySpec) =>
    new networking.NetworkPolicy(`${name}${suffix}`, { metadata: { ...metadata, name: `${name}${suffix}` }, spec }, child());
  const egress = pulumi
    .all([databaseEgress(location, policy), storeEgress(stores)])
    .apply(([database, store]) => [...database, ...store]);
  const { pods } = location;
  return [
    ...(pods ? [make("", serverPolicy({ ...location, pods }, policy, [{ podSelector: jobPods }]))] : []),
    make("-jobs", callersPolicy(jobPods, egress)),
  ];
}
