import { spawn } from "child_process";
import { openSync } from "fs";
import { mkdtemp, rm } from "fs/promises";
import { get } from "https";
import { tmpdir } from "os";
import { join } from "path";
import { kubectl, run, until } from "./kubectl";

const PORT = 14443;
const metadata = { name: "metrics-server", namespace: "kube-system" };
const GROUP = "metrics.k8s.io";
const VERSION = "v1beta1";
const RBAC = "rbac.authorization.k8s.io";

const API = `${VERSION}.${GROUP}`;

/** An API that is announced and does not answer keeps namespaces from being deleted: who dies takes it back too. */
const UNTIL_NOBODY_WANTS_IT = `metrics-server "$@" & cat; kubectl delete --ignore-not-found apiservice ${API}; kill $!`;

/** metrics-server itself, as a process beside the local cluster's others. Returns what removes it. A cluster of yours has one. */
export async function metricsServer(): Promise<() => Promise<void>> {
  if (process.env.CONTEXT) return async () => undefined;
  const [node] = JSON.parse(await kubectl(["get", "nodes", "-o", "json"])).items;
  const { address } = node.status.addresses.find(({ type }: { type: string }) => type === "InternalIP");
  const folder = await mkdtemp(join(tmpdir(), "metrics-server-"));
  const log = openSync(join(folder, "log"), "a");
  const args = ["-c", UNTIL_NOBODY_WANTS_IT, "sh", ...flags(address, folder)];
  const child = spawn("sh", args, { detached: true, stdio: ["pipe", log, log] });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  const input = JSON.stringify({ apiVersion: "v1", kind: "List", items: objects(address) });
  const stop = async () => {
    child.stdin?.end();
    await ended;
    await kubectl(["delete", "--ignore-not-found", "-f", "-"], { input });
  };
  try {
    await until(`metrics-server (see ${folder}/log)`, 60, () => isReady(address));
    await kubectl(["apply", "-f", "-"], { input });
    await until(`metrics of the node (see ${folder}/log)`, 60, async () => {
      const { code, stdout } = await run("kubectl", ["get", "--raw", `/apis/${GROUP}/${VERSION}/nodes`]);
      return code === 0 && JSON.parse(stdout).items.length > 0;
    });
  } catch (error) {
    await stop();
    throw error;
  }
  return async () => {
    await stop();
    await rm(folder, { recursive: true });
  };
}

const flags = (address: string, folder: string) =>
  Object.entries({
    kubeconfig: process.env.KUBECONFIG,
    "authentication-kubeconfig": process.env.KUBECONFIG,
    "authorization-kubeconfig": process.env.KUBECONFIG,
    "bind-address": address,
    "secure-port": PORT,
    "cert-dir": folder,
    "kubelet-insecure-tls": true,
    "kubelet-preferred-address-types": "InternalIP",
    "kubelet-request-timeout": "5s",
    "metric-resolution": "10s", // the least
    "authorization-always-allow-paths": "/livez,/readyz,/openapi/*,/apis,/apis/*",
  }).map(([flag, value]) => `--${flag}=${value}`);

const isReady = (address: string) =>
  new Promise<boolean>((resolve) => {
    get(`https://${address}:${PORT}/readyz`, { rejectUnauthorized: false }, (answer) => {
      answer.resume();
      resolve(answer.statusCode === 200);
    }).on("error", () => resolve(false));
  });

/** The API server of the local cluster forwards requests without saying whose they are: everybody may read the metrics. */
const objects = (address: string) => [
  {
    apiVersion: `${RBAC}/v1`,
    kind: "ClusterRole",
    metadata: { name: metadata.name },
    rules: [{ apiGroups: [GROUP], resources: ["nodes", "pods"], verbs: ["get", "list"] }],
  },
  {
    apiVersion: `${RBAC}/v1`,
    kind: "ClusterRoleBinding",
    metadata: { name: metadata.name },
    roleRef: { apiGroup: RBAC, kind: "ClusterRole", name: metadata.name },
    subjects: [{ apiGroup: RBAC, kind: "User", name: "system:anonymous" }],
  },
  { apiVersion: "v1", kind: "Service", metadata, spec: { ports: [{ name: "https", port: 443, targetPort: PORT }] } },
  {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { ...metadata, labels: { "kubernetes.io/service-name": metadata.name } },
    addressType: "IPv4",
    endpoints: [{ addresses: [address], conditions: { ready: true } }],
    ports: [{ name: "https", port: PORT }],
  },
  {
    apiVersion: "apiregistration.k8s.io/v1",
    kind: "APIService",
    metadata: { name: API },
    spec: {
      group: GROUP,
      version: VERSION,
      service: { ...metadata, port: 443 },
      insecureSkipTLSVerify: true,
      groupPriorityMinimum: 100,
      versionPriority: 100,
    },
  },
];
