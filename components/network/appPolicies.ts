import * as pulumi from "@pulumi/pulumi";
import { types } from "@pulumi/kubernetes";
import * as networking from "@pulumi/kubernetes/networking/v1";
import { Child } from "../common/childOptions";
import { METRICS_PORT_NAME, PORT_NAME } from "../app/probes";
import { labels, Part, selectorLabels } from "../common/labels";
import { Validation } from "../common/validation";
import { ResolvedDestination } from "../database/backupDestination";
import {
  callersPolicy,
  checkExternal,
  databaseEgress,
  DatabaseLocation,
  DatabaseNetworkPolicyArgs,
  storeEgress,
} from "./databasePolicies";
import {
  checkCidrs,
  checkDestinations,
  checkPeers,
  checkPorts,
  EgressRule,
  everyNamespace,
  IngressRule,
  NetworkDestinationArgs,
  NetworkPeerArgs,
  Peer,
  podsOf,
  tcp,
} from "./peers";

/**
 * Who reaches whom, as NetworkPolicies that follow from the rest of the arguments: nothing but this application reaches its database, Jobs
 * reach the database, DNS and their backup's store alone, and the application is reached on its port alone. `{}` is enough. They need a
 * network plugin that enforces them (Calico, Cilium, most clouds' own as an option) and do nothing with one that does not. Every change is
 * made in place. Policies add up: one of your own for the same pods allows more.
 */
export interface AppNetworkPolicyArgs {
  /**
   * Who may reach the application's port: `[{ namespace: "ingress-nginx" }]`. Beware of load balancers that are no pods (AWS ALB, GCE,
   * NodePorts): they need a `cidr`. Defaults to everybody.
   */
  clients?: NetworkPeerArgs[];
  /**
   * Who may read the metrics: `[{ namespace: "monitoring" }]`. Needs `monitoring`. Defaults to every pod of the cluster; if the metrics
   * come from the application's own port, to its `clients`.
   */
  monitoring?: NetworkPeerArgs[];
  /**
   * Where the application and its workers may connect, beside DNS, the database and each other:
   * `[{ ports: [443] }, { namespace: "redis", ports: [6379] }]`; with `[]` nowhere. Defaults to anywhere: most applications call mail
   * servers, identity providers or stores.
   */
  egress?: NetworkDestinationArgs[];
  /**
   * Where migrations may connect, beside DNS, the database and their backup's store. Defaults to nowhere: one that needs more fails,
   * and the old version stays.
   */
  migrationEgress?: NetworkDestinationArgs[];
  /**
   * Who else may connect to the database: `[{ podLabels: { app: "pgadmin" } }]`. Not for an external one. Defaults to nobody.
   */
  databaseClients?: NetworkPeerArgs[];
  /**
   * Addresses of an external database, such as "192.0.2.0/24": Jobs, and the application if `egress` is given, may connect there and
   * nowhere else. While the server moves, name both. Defaults to any address, by the server's ports.
   */
  databaseCidrs?: pulumi.Input<string>[];
  /**
   * Ports of an external database. Defaults to its `port` and `directPort`; needed where only a Secret knows the port.
   */
  databasePorts?: pulumi.Input<number>[];
}

export interface ResolvedAppNetworkPolicy {
  clients?: Peer[];
  monitoring?: Peer[];
  egress?: EgressRule[];
  migrationEgress: EgressRule[];
  cidrs?: pulumi.Input<string>[];
  ports?: pulumi.Input<number>[];
}

/** What of the other arguments decides about the policies. */
interface PolicyOf {
  database?: { external?: Parameters<typeof checkExternal>[1] };
  monitoring?: { path?: unknown; port?: unknown };
}

export function resolveAppNetworkPolicy(
  args: AppNetworkPolicyArgs,
  { database, monitoring }: PolicyOf,
  path: string,
  validation: Validation,
): ResolvedAppNetworkPolicy {
  const external = database?.external;
  const given = { cidrs: args.databaseCidrs, ports: args.databasePorts };
  const names = { cidrs: "databaseCidrs", ports: "databasePorts" };
  checkExternal(given, external, (property) => `${path}.${names[property]}`, validation);
  if (external && args.databaseClients?.length)
    validation.problem(
      `${path}.databaseClients`,
      "cannot shield an external server: restrict it where it is, and leave this out",
    );
  if (args.monitoring && !monitoring)
    validation.problem(`${path}.monitoring`, "needs monitoring: there are no metrics to read without it");
  if (args.clients && !args.monitoring && monitoring?.path !== undefined && monitoring.port === undefined)
    validation.missing(
      `${path}.monitoring`,
      "the metrics come from the application's own port, which clients keeps Prometheus from. Name its namespace",
    );
  checkPeers(args.databaseClients, `${path}.databaseClients`, validation);
  return {
    clients: checkPeers(args.clients, `${path}.clients`, validation),
    monitoring: checkPeers(args.monitoring, `${path}.monitoring`, validation),
    egress: checkDestinations(args.egress, `${path}.egress`, validation),
    migrationEgress: checkDestinations(args.migrationEgress, `${path}.migrationEgress`, validation) ?? [],
    cidrs: checkCidrs(args.databaseCidrs, `${path}.databaseCidrs`, validation),
    ports: checkPorts(args.databasePorts, `${path}.databasePorts`, validation),
  };
}

/** The application's parts that connect to the database, by the component whose labels their pods have. */
const CLIENTS: [suffix: string, parts: Part[]][] = [
  ["", ["app", "worker", "canary", "keys"]],
  ["-migration", ["migration", "migration-start", "migration-plan", "restore"]],
  ["-post-deploy", ["migration", "migration-start", "migration-plan", "restore"]],
];

/** What the application's database is told. All parts are named, whether they are there or not, so that none is locked out on its way. */
export const databasePolicyOf = (name: string, args: AppNetworkPolicyArgs, monitored: boolean): DatabaseNetworkPolicyArgs => ({
  clients: [
    ...CLIENTS.flatMap(([suffix, parts]) => parts.map((part) => ({ podLabels: selectorLabels(`${name}${suffix}`, part) }))),
    ...(args.databaseClients ?? []),
  ],
  ...(monitored ? { monitoring: args.monitoring ?? [{ namespaceLabels: {} }] } : {}),
  cidrs: args.databaseCidrs,
  ports: args.databasePorts,
});

const pods = (instances: string[], parts: Part[]): types.input.meta.v1.LabelSelector => ({
  matchExpressions: [
    { key: "app.kubernetes.io/instance", operator: "In", values: instances },
    { key: "app.kubernetes.io/component", operator: "In", values: parts },
  ],
});

/** Ports are named, so that pods of a version that listens on another number are reached too while they are replaced. */
export function appPolicy(
  name: string,
  { clients, monitoring, egress }: Pick<ResolvedAppNetworkPolicy, "clients" | "monitoring" | "egress">,
  /** On a port of their own, or on the application's. */
  metrics: "own" | "app" | "none",
  database: EgressRule[],
): types.input.networking.v1.NetworkPolicySpec {
  const readers = metrics === "own" ? (monitoring ?? [everyNamespace]) : [];
  const from = clients && [...clients, ...(metrics === "app" ? (monitoring ?? []) : [])];
  const ingress: IngressRule[] = [
    // A rule without `from` is for everybody, one with an empty list too: so none at all for nobody.
    ...(from?.length === 0 ? [] : [{ ...(from ? { from } : {}), ports: tcp(PORT_NAME) }]),
    ...(readers.length ? [{ from: readers, ports: tcp(METRICS_PORT_NAME) }] : []),
    { from: [{ podSelector: pods([name], ["app", "worker"]) }] },
  ];
  const podSelector = { matchLabels: selectorLabels(name, "app") };
  if (!egress) return { podSelector, policyTypes: ["Ingress"], ingress };
  return { podSelector, policyTypes: ["Ingress", "Egress"], ingress, egress: outwards(name, database, egress) };
}

/** The database, the application's own pods, and what else is allowed. */
const outwards = (name: string, database: EgressRule[], egress: EgressRule[]): EgressRule[] => [
  ...database,
  { to: [podsOf(selectorLabels(name, "app"))] },
  ...egress,
];

/** The policy of workers and the canary: nobody calls them. */
export function workersPolicy(
  name: string,
  { egress }: Pick<ResolvedAppNetworkPolicy, "egress">,
  database: EgressRule[],
): types.input.networking.v1.NetworkPolicySpec {
  const podSelector = {
    matchLabels: { "app.kubernetes.io/instance": name },
    matchExpressions: [{ key: "app.kubernetes.io/component", operator: "In", values: ["worker", "canary"] }],
  };
  return egress ? callersPolicy(podSelector, outwards(name, database, egress)) : { podSelector, policyTypes: ["Ingress"] };
}

interface Store {
  destination: ResolvedDestination;
}

/** What of the application's other arguments the policies follow from. */
interface Shielded {
  namespace?: pulumi.Input<string>;
  monitoring?: { path?: unknown; port?: unknown };
  migration?: { run?: { backup?: Store }; postDeploy?: { ownBackup?: Store } };
}

/**
 * The application's own policies; those of its database are the database's. They are there before the Jobs that need them where a
 * namespace denies everything by default, and let the running version's pods through, which have the same labels.
 */
export function shieldApp(
  name: string,
  { namespace, monitoring, migration }: Shielded,
  policy: ResolvedAppNetworkPolicy,
  location: DatabaseLocation,
  child: Child,
): networking.NetworkPolicy[] {
  const metadata = { namespace, labels: labels(name, "app") };
  const make = (suffix: string, spec: pulumi.Input<types.input.networking.v1.NetworkPolicySpec>) =>
    new networking.NetworkPolicy(`${name}${suffix}`, { metadata: { ...metadata, name: `${name}${suffix}` }, spec }, child());
  const database = databaseEgress(location, policy);
  const metrics = monitoring?.path === undefined ? "none" : monitoring.port === undefined ? "app" : "own";
  const jobs = pods(
    CLIENTS.map(([suffix]) => `${name}${suffix}`),
    ["keys", "migration", "migration-start", "migration-plan", "restore"],
  );
  const beside = pulumi
    .all([database, storeEgress([migration?.run?.backup?.destination, migration?.postDeploy?.ownBackup?.destination])])
    .apply((rules) => [...rules.flat(), ...policy.migrationEgress]);
  return [
    make(
      "",
      database.apply((rules) => appPolicy(name, policy, metrics, rules)),
    ),
    make(
      "-workers",
      database.apply((rules) => workersPolicy(name, policy, rules)),
    ),
    make("-jobs", callersPolicy(jobs, beside as pulumi.Output<EgressRule[]>)),
  ];
}
