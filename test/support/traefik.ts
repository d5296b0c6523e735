import { spawn } from "child_process";
import { mkdtemp, open, readFile, rm } from "fs/promises";
import * as http from "http";
import * as https from "https";
import { tmpdir } from "os";
import { join } from "path";
import { until } from "./kubectl";
import { bash, ended, freePort } from "./outsidePostgres";

/** The name by which Traefik knows its own IngressClasses and GatewayClasses. */
export const CONTROLLERS = { ingress: "traefik.io/ingress-controller", gateway: "traefik.io/gateway-controller" };

/** A real Traefik, which serves the Ingresses and Gateways of one namespace. */
export interface Traefik {
  /** Where this machine and the pods reach it; it gives it to Ingresses and Gateways as theirs. */
  address: string;
  /** Ports of its entry points, for plain HTTP and for HTTPS. */
  web: number;
  websecure: number;
  log(): Promise<string>;
  stop(): Promise<void>;
}

/**
 * Starts one as a process of this machine, on the bridge that pods are on. Its settings are those of its Helm chart as far as there is no
 * reason here for others; `more` are added. The definitions of its kinds and of the Gateway API's have to be there.
 */
export async function startTraefik(namespace: string, more: string[] = []): Promise<Traefik> {
  const [kubeconfig, address] = (await bash('source cluster/common.sh; echo "$kubeconfig"; echo "$bridge_address"')).split("\n");
  if (process.env.KUBECONFIG !== kubeconfig) throw new Error("a Traefik on this machine reaches pods of the local cluster only");
  const [web, websecure] = [await freePort(address), await freePort(address)];
  const folder = await mkdtemp(join(tmpdir(), "traefik-"));
  const log = join(folder, "log");
  const output = await open(log, "w");
  const settings = [
    "--global.checkNewVersion=false",
    "--global.sendAnonymousUsage=false",
    `--entryPoints.web.address=${address}:${web}`,
    `--entryPoints.websecure.address=${address}:${websecure}`,
    "--providers.kubernetesCRD",
    "--providers.kubernetesIngress",
    `--providers.kubernetesIngress.ingressEndpoint.ip=${address}`,
    "--providers.kubernetesGateway",
    `--providers.kubernetesGateway.statusAddress.ip=${address}`,
    // Other tests have Ingresses for Traefik too, and answer for it.
    ...["CRD", "Ingress", "Gateway"].map((provider) => `--providers.kubernetes${provider}.namespaces=${namespace}`),
    "--log.level=INFO",
    "--log.noColor=true",
    // What a failed test wants to know.
    "--accessLog=true",
    "--accessLog.filters.statusCodes=500-599",
    ...more,
  ];
  // No fork, so that its id is Traefik's, which ends with the test, however that ends.
  const start = 'exec 3<&0; (cat <&3; kill -KILL $$) > /dev/null 2>&1 & exec traefik "$@"';
  const child = spawn("sh", ["-c", start, "sh", ...settings], { stdio: ["pipe", output.fd, output.fd] });
  const stop = async () => {
    await ended(child, () => child.kill("SIGTERM"));
    await output.close();
    await rm(folder, { recursive: true, force: true });
  };
  const traefik: Traefik = { address, web, websecure, log: () => readFile(log, "utf8"), stop };
  try {
    await until("Traefik's entry points", 30, async () => {
      if (child.exitCode !== null) throw new Error("it ended");
      return Promise.all([request(traefik, "http://unknown/"), request(traefik, "https://unknown/")]);
    });
    return traefik;
  } catch (error) {
    const said = await traefik.log();
    await stop();
    throw new Error(`it did not start: ${said}`, { cause: error });
  }
}

/** What came back for a request. */
export interface Answer {
  status: number;
  headers: http.IncomingHttpHeaders;
  body: string;
}

/**
 * Sends a request to the entry point of the URL's scheme, as a client does for which DNS says Traefik's address. Any certificate will do,
 * unless one is given to trust.
 */
export function request(
  { address, web, websecure }: Traefik,
  url: string,
  {
    method = "GET",
    headers = {},
    body,
    ca,
  }: { method?: string; headers?: http.OutgoingHttpHeaders; body?: string; ca?: string } = {},
): Promise<Answer> {
  const { protocol, host, hostname, pathname, search } = new URL(url);
  const options = { host: address, path: pathname + search, method, headers: { host, ...headers }, agent: false } as const;
  const signal = AbortSignal.timeout(20_000);
  const secure = { ...options, port: websecure, servername: hostname, ca, rejectUnauthorized: ca !== undefined, signal };
  return new Promise((resolve, reject) => {
    const sent = protocol === "https:" ? https.request(secure) : http.request({ ...options, port: web, signal });
    sent.once("error", (error) => reject(new Error(`${method} ${url}: ${error.message}`)));
    sent.once("response", (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk) => (text += chunk));
      response.once("error", reject);
      response.once("end", () => resolve({ status: response.statusCode!, headers: response.headers, body: text }));
    });
    sent.end(body);
  });
}

/** A certificate for a host name, signed by itself, and its key. */
export async function selfSigned(host: string): Promise<{ certificate: string; key: string }> {
  const folder = await mkdtemp(join(tmpdir(), "certificate-"));
  try {
    await bash(
      `cd ${folder}; openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj '/CN=${host}' ` +
        `-addext 'subjectAltName=DNS:${host}' -keyout key -out certificate 2> log || { cat log >&2; exit 1; }`,
    );
    const [certificate, key] = await Promise.all(["certificate", "key"].map((file) => readFile(join(folder, file), "utf8")));
    return { certificate, key };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
