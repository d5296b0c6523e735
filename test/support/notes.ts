import * as pulumi from "@pulumi/pulumi";
import { PostgresApp, PostgresAppArgs } from "../../index";
import { kubectl, Namespace, run } from "./kubectl";

export const image = (version: string) => `docker.io/local/notes:${version}`;

/** The example application as a program of a stack, small and quick. */
export const notes =
  (namespace: Namespace, version: string, more: Partial<PostgresAppArgs> = {}, opts?: pulumi.ComponentResourceOptions) =>
  async () => {
    const app = new PostgresApp(
      "notes",
      {
        image: image(version),
        port: 3000,
        namespace: namespace.name,
        database: { embedded: { version: 17, storage: "1Gi" } },
        migration: { command: ["sequelize-cli", "db:migrate"], timeoutSeconds: 120 },
        preStopSeconds: 3,
        probes: { liveness: { httpPath: "/health" }, readiness: { httpPath: "/ready" } },
        ...more,
      },
      opts,
    );
    return {
      migrationJob: app.migrationJobName,
      postDeployJob: app.postDeployJobName,
      connectionSecret: app.connectionSecretName,
      url: app.url,
    };
  };

/** Talks to the application through the API server, which works with any cluster. */
export const proxied = (namespace: Namespace, path: string) =>
  `/api/v1/namespaces/${namespace.name}/services/http:notes:80/proxy${path}`;

export const getJson = async (namespace: Namespace, path: string) =>
  JSON.parse(await kubectl(["get", "--raw", proxied(namespace, path)]));

/** Writes from inside a pod of the application: `kubectl create --raw` sends no content type, which applications refuse. */
export async function postJson(namespace: Namespace, path: string, body: object): Promise<any> {
  const script = `fetch("http://notes${path}", { method: "POST", headers: { "content-type": "application/json" }, body: require("fs").readFileSync(0) })
    .then(async (r) => { console.log(await r.text()); process.exitCode = r.ok ? 0 : 1; })`;
  const { code, stdout, stderr } = await namespace.exec("notes-0", ["node", "-e", script], { input: JSON.stringify(body) });
  if (code !== 0) throw new Error(`POST ${path}: ${stdout}${stderr}`);
  return JSON.parse(stdout);
}

/** Everything in a Secret, decoded. */
export async function secret(namespace: Namespace, name: string): Promise<Record<string, string>> {
  const { data } = await namespace.get(`secret/${name}`);
  return Object.fromEntries(
    Object.entries<string>(data ?? {}).map(([key, value]) => [key, Buffer.from(value, "base64").toString()]),
  );
}

/** The administrator's Secret, of which Pulumi chose the name. */
export async function adminSecret(namespace: Namespace) {
  const [found] = (await namespace.items("secrets")).filter((s) => /^notes-db-admin-/.test(s.metadata.name));
  return secret(namespace, found.metadata.name);
}

/** Runs SQL in the database's pod over the network, as a role with a password. */
export const psql = (namespace: Namespace, user: string, password: string, sql: string, database = "notes") =>
  namespace.exec(
    "notes-db-0",
    ["sh", "-c", `IFS= read -r PGPASSWORD; export PGPASSWORD; psql -X -A -t -h 127.0.0.1 -U ${user} -d ${database} -c "${sql}"`],
    {
      input: `${password}\n`,
    },
  );

/** Asks again and again until `stop`, which returns every answer: the version, or the error. */
export function watchVersion(namespace: Namespace, every = 200) {
  const seen: { at: number; version?: string; error?: string }[] = [];
  let going = true;
  const done = (async () => {
    while (going) {
      const at = Date.now();
      const { code, stdout, stderr } = await run("kubectl", ["get", "--raw", proxied(namespace, "/api/version")], {
        seconds: 20,
      });
      seen.push(code === 0 ? { at, version: JSON.parse(stdout).version } : { at, error: stderr.trim() });
      await new Promise((resolve) => setTimeout(resolve, every));
    }
  })();
  return {
    stop: async () => {
      going = false;
      await done;
      return seen;
    },
  };
}
