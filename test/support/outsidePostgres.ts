import { ChildProcess, spawn } from "child_process";
import { chown, mkdtemp, open, readFile, rm } from "fs/promises";
import { createServer } from "net";
import { tmpdir } from "os";
import { join } from "path";
import { restrictedContainer, restrictedPod } from "../../components/common/security";
import { Namespace, Ran, run, sleep, until } from "./kubectl";

const tools = join(__dirname, "..", "..", "tools");
const SUPERUSER = "postgres";

/**
 * A Postgres in $DATA, which is empty: with an authority of its own, whose certificate for $NAMES it shows; over the network TLS and
 * SCRAM only, and a certificate of that authority for members of "certified" (alone) and "certified_too" (beside the password). What its log says is complete: every statement, and who connected from where.
 */
const MAKE = `
set -eu
umask 077
cd "$DATA"
new='-x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2'
openssl req $new -subj '/CN=authority of a test' -keyout ca.key -out ca.crt 2> openssl.log
openssl req $new -CA ca.crt -CAkey ca.key -subj /CN=postgres -extensions usr_cert -addext "subjectAltName=$NAMES" \\
  -keyout server.key -out server.crt 2>> openssl.log || { cat openssl.log >&2; exit 1; }
mkdir clients
initdb -D pg -U ${SUPERUSER} --auth=trust -E UTF8 --locale=C.UTF-8 --no-sync > /dev/null
printf '%s\\n' 'local all all trust' 'hostssl all +certified all cert' 'hostssl all +certified_too all scram-sha-256 clientcert=verify-full' \\
  'hostssl all all all scram-sha-256' > pg/pg_hba.conf
`;
const SERVE = `
cd "$DATA"
exec postgres -D pg -c listen_addresses="$LISTEN" -p "$PORT" -c unix_socket_directories="$DATA" -c fsync=off -c shared_buffers=32MB \\
  -c ssl=on -c ssl_cert_file="$DATA/server.crt" -c ssl_key_file="$DATA/server.key" -c ssl_ca_file="$DATA/ca.crt" -c password_encryption=scram-sha-256 \\
  -c log_connections=on -c log_statement=all -c log_line_prefix='%h '`;

/** What a certificate for the login role $1 is made with; it and its key are what is printed. */
const CERTIFY = `
umask 077
cd "$DATA"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -CA ca.crt -CAkey ca.key -subj "/CN=$1" -extensions usr_cert \\
  -keyout clients/key -out clients/certificate 2> clients/log || { cat clients/log >&2; exit 1; }
cat clients/certificate clients/key`;

/** A Postgres that is not of the package, and that pods reach by a name with a certificate. */
export interface OutsidePostgres {
  /** Host name, in the namespace for which it was started. */
  host: string;
  /** Its numeric address, for which the certificate is good too. */
  address: string;
  port: number;
  /** Certificate of the authority, in PEM. */
  ca: string;
  /** SQL as the superuser, past the network. */
  sql(sql: string, database?: string): Promise<string>;
  /** A client's certificate for a login role, and its key, both in PEM. */
  certify(user: string): Promise<{ certificate: string; key: string }>;
  log(): Promise<string>;
  /** Every one of its processes is killed (SIGKILL), and it is started again on the same data after `seconds`. */
  crash(seconds?: number): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Starts one. On the local cluster it is a process of this machine, outside of Kubernetes, which listens on the bridge that pods are
 * on; elsewhere, or with `inPod`, it is a pod of another namespace. `names`: more host names for the certificate.
 */
export async function startOutsidePostgres(
  namespace: Namespace,
  major: number,
  { names = [], inPod = false }: { names?: string[]; inPod?: boolean } = {},
): Promise<OutsidePostgres> {
  const [kubeconfig, bridge] = (await bash('source cluster/common.sh; echo "$kubeconfig"; echo "$bridge_address"')).split("\n");
  if (inPod || process.env.KUBECONFIG !== kubeconfig) return startPod(major, names);
  const port = await freePort(bridge);
  const host = await nameAddress(namespace, `outside-${major}`, bridge, port);
  return startProcess(major, { host, address: bridge, port, names: [host, ...names] });
}

/** Starts one as a process of this machine that only this machine reaches. It needs the image's layers, but no cluster. */
export async function startPostgres(major: number): Promise<OutsidePostgres> {
  const address = "127.0.0.1";
  return startProcess(major, { host: address, address, port: await freePort(address), names: ["localhost"] });
}

/** Runs lines of bash in the folder of the tools, and gives what they print. */
export async function bash(script: string, seconds = 120): Promise<string> {
  const { code, stdout, stderr } = await run("bash", ["-euc", script], { cwd: tools, seconds });
  if (code !== 0) throw new Error(`${script}: ${stderr}${stdout}`);
  return stdout.trim();
}

const subjects = (names: string[], address: string) => [...names.map((name) => `DNS:${name}`), `IP:${address}`].join(",");

/** What CERTIFY prints. */
function inTwo(printed: string): { certificate: string; key: string } {
  const at = printed.indexOf("-----BEGIN PRIVATE KEY-----");
  return { certificate: printed.slice(0, at), key: printed.slice(at) };
}

const psql = (folder: string, port: number, database: string) => [
  ...["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", folder, "-p", String(port)],
  ...["-U", SUPERUSER, "-d", database],
];

const outputOf = ({ code, stdout, stderr }: Ran, what: string) => {
  if (code !== 0) throw new Error(`${what}: ${stderr}${stdout}`);
  return stdout.trim();
};

// --- a process of this machine ---

/** The image's files, unpacked once for each content of its layers. */
export const unpackImage = (name: string) =>
  bash(`
    source images/images.sh
    files=$cache/test/${name}-$(image_key ${name})
    if [ ! -d "$files" ]; then
      mkdir -p "$cache/test"
      work=$(mktemp -d "$cache/test/work.XXXXXX")
      chmod 0755 "$work"
      trap 'rm -rf --one-file-system "$work"' EXIT
      for layer in $(layers ${name}); do
        path=$(layer_path "$layer")
        [ -e "$path" ] || fail "the layer $layer of the image ${name} is not built: run tools/images/build.sh"
        tar -xpf "$path" -C "$work" --numeric-owner
      done
      find "$cache/test" -maxdepth 1 -name '${name}-*' -mmin +60 -exec rm -rf --one-file-system {} +
      mv --no-target-directory "$work" "$files" 2>/dev/null || [ -d "$files" ]
    fi
    echo "$files"`);

/** Arguments of unshare for a program of the image, as its user and with $DATA as /mnt; its mounts are its own and are gone with it. */
const inFiles = (files: string, major: number, data: string, command: string[]) => [
  ...["--mount", "sh", "-euc"],
  'mount --bind /dev "$0/dev"; mount --bind "$1" "$0/mnt"; shift; exec chroot --userspec=999:999 "$0" env -i "$@"',
  ...[files, data, `PATH=/usr/lib/postgresql/${major}/bin:/usr/bin:/bin`, "LC_ALL=C.UTF-8", ...command],
];

/** One that nobody listens on. */
export const freePort = (address: string) =>
  new Promise<number>((resolve, reject) => {
    const server = createServer().once("error", reject);
    server.listen(0, address, () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });

async function startProcess(
  major: number,
  { host, address, port, names }: { host: string; address: string; port: number; names: string[] },
): Promise<OutsidePostgres> {
  const files = await unpackImage(`postgres-${major}`);
  const data = await mkdtemp(join(tmpdir(), "outside-postgres-"));
  const log = join(data, "log");
  const output = await open(log, "w");
  await chown(data, 999, 999);
  const inside = (command: string[], variables: string[] = []) => inFiles(files, major, data, [...variables, ...command]);
  const variables = ["DATA=/mnt", `NAMES=${subjects(names, address)}`, `LISTEN=${address}`, `PORT=${port}`];
  // No fork, so that its id is the server's, which ends with the test, however that ends.
  const spawned = (script: string) => {
    const start = `exec 3<&0; (cat <&3; kill -QUIT $$) > /dev/null 2>&1 & ${script}`;
    return spawn("unshare", inside(["sh", "-c", start], variables), { stdio: ["pipe", output.fd, output.fd] });
  };
  let child = spawned(MAKE + SERVE);
  const stop = async () => {
    await ended(child, () => child.kill("SIGQUIT"));
    await output.close();
    await rm(data, { recursive: true, force: true });
  };
  const said = () => readFile(log, "utf8");
  const sql = async (text: string, database = "postgres") =>
    outputOf(await run("unshare", inside(psql("/mnt", port, database)), { input: text, seconds: 30 }), text);
  const certify = async (user: string) =>
    inTwo(outputOf(await run("unshare", inside(["sh", "-euc", CERTIFY, "sh", user], ["DATA=/mnt"])), "a client's certificate"));
  const ready = () =>
    until("the Postgres outside of the cluster", 40, async () => {
      if (child.exitCode !== null) throw new Error(`it ended: ${await said()}`);
      return sql("SELECT 1");
    });
  const crash = async (seconds = 0) => {
    const children = (await readFile(`/proc/${child.pid}/task/${child.pid}/children`, "utf8")).split(" ").filter(Boolean);
    const gone = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    for (const pid of children)
      try {
        process.kill(Number(pid), "SIGKILL");
      } catch {
        // it ended by itself
      }
    await gone;
    await sleep(seconds * 1000);
    child = spawned(SERVE);
    await ready();
  };
  try {
    await ready();
    return { host, address, port, ca: await readFile(join(data, "ca.crt"), "utf8"), sql, certify, log: said, crash, stop };
  } catch (error) {
    const log = await said();
    await stop();
    throw new Error(`it did not start: ${log}`, { cause: error });
  }
}

/** Ends a process, and waits for that; ten seconds later by force. */
export async function ended(child: ChildProcess, kill: () => void): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once("exit", resolve));
  kill();
  const last = setTimeout(() => child.kill("SIGKILL"), 10_000);
  await gone;
  clearTimeout(last);
}

/** A name in the cluster's DNS for an address outside of it. */
async function nameAddress(namespace: Namespace, name: string, address: string, port: number): Promise<string> {
  const metadata = { name, namespace: namespace.name };
  await namespace.apply(
    { apiVersion: "v1", kind: "Service", metadata, spec: { clusterIP: "None", ports: [{ port }] } },
    {
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      metadata: { ...metadata, labels: { "kubernetes.io/service-name": name } },
      addressType: "IPv4",
      endpoints: [{ addresses: [address] }],
      ports: [{ port }],
    },
  );
  return `${name}.${namespace.name}.svc`;
}

// --- a pod of another namespace ---

async function startPod(major: number, names: string[]): Promise<OutsidePostgres> {
  const own = await Namespace.create("outside");
  const [name, port] = ["postgres", 5432];
  const host = `${name}.${own.name}.svc`;
  const metadata = { name, namespace: own.name, labels: { app: name } };
  try {
    await own.apply(
      { apiVersion: "v1", kind: "Service", metadata, spec: { selector: { app: name }, ports: [{ port }] } },
      {
        apiVersion: "v1",
        kind: "Pod",
        metadata,
        spec: {
          automountServiceAccountToken: false,
          terminationGracePeriodSeconds: 1,
          securityContext: restrictedPod(999),
          containers: [
            {
              name,
              image: `docker.io/library/postgres:${major}`,
              command: ["sh", "-c", MAKE + SERVE],
              env: [
                { name: "POD_ADDRESS", valueFrom: { fieldRef: { fieldPath: "status.podIP" } } },
                { name: "NAMES", value: subjects([host, ...names], "$(POD_ADDRESS)") },
                { name: "LISTEN", value: "*" },
                { name: "PORT", value: String(port) },
                { name: "DATA", value: "/data" },
              ],
              resources: { requests: { cpu: "200m" } }, // without any it gets next to nothing of a busy machine
              readinessProbe: { exec: { command: ["pg_isready", "-q", "-h", "/data"] }, periodSeconds: 1 },
              securityContext: restrictedContainer(),
              volumeMounts: ["/data", "/tmp"].map((mountPath) => ({ name: "data", subPath: mountPath.slice(1), mountPath })),
            },
          ],
          volumes: [{ name: "data", emptyDir: {} }],
        },
      },
    );
    await own.kubectl(["wait", "--for=condition=Ready", `pod/${name}`, "--timeout=90s"], { seconds: 100 });
    const { status } = await own.get(`pod/${name}`);
    const sql = async (text: string, database = "postgres") =>
      outputOf(await own.exec(name, psql("/data", port, database), { input: text, seconds: 30 }), text);
    const ca = outputOf(await own.exec(name, ["cat", "/data/ca.crt"]), "the authority's certificate");
    // Nothing in a container can kill its first process, but that one ends and starts all others when one of them is killed.
    const crash = async () => {
      const kill = "read -r pid < /data/pg/postmaster.pid; set -- $(cat /proc/$pid/task/$pid/children); kill -9 $1";
      outputOf(await own.exec(name, ["sh", "-c", kill]), "killing the server");
      await until("the server after its crash", 40, () => sql("SELECT 1"));
    };
    const certify = async (user: string) =>
      inTwo(outputOf(await own.exec(name, ["sh", "-euc", CERTIFY, "sh", user]), "a client's certificate"));
    const log = () => own.kubectl(["logs", name]);
    return { host, address: status.podIP, port, ca, sql, certify, log, crash, stop: () => own.delete() };
  } catch (error) {
    await own.delete();
    throw error;
  }
}
