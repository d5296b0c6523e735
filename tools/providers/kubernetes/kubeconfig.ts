// Which cluster to talk to, and as whom.
import { existsSync, readFileSync } from "node:fs";
import type { RequestOptions } from "node:https";
import * as os from "node:os";
import * as path from "node:path";
import type { KubeConfig } from "@kubernetes/client-node";
import { load } from "js-yaml";
import { items, text } from "./objects";
import { isObject, type Properties } from "../rpc/values";

export interface Connection {
  readonly server: string;
  /** The namespace of objects that name none. */
  readonly namespace: string;
  /** What each request needs: certificates, and the token in the headers. Asked every time, because tokens run out. */
  authenticate(): Promise<RequestOptions>;
}

export interface Choice {
  /** A kubeconfig, or the name of a file that holds one. */
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly cluster?: string;
}

interface Source {
  readonly content: string;
  readonly folder: string;
}

function source(given: string | undefined): Source {
  const file = given || process.env.KUBECONFIG || path.join(os.homedir(), ".kube", "config");
  const resolved = file.replace(/^~(?=\/)/, os.homedir());
  if (!given?.includes("\n") && existsSync(resolved)) {
    return { content: readFileSync(resolved, "utf8"), folder: path.dirname(resolved) };
  }
  if (!given) throw new Error(`there is no kubeconfig at ${file} (a list of files is more than this stand-in reads)`);
  return { content: given, folder: process.cwd() };
}

function entry(config: Properties, list: string, member: string, name: string): Properties {
  const found = items(config, list).find((candidate) => candidate.name === name)?.[member];
  if (!isObject(found)) throw new Error(`the kubeconfig has no ${member} "${name}"`);
  return found;
}

function parse(content: string): Properties {
  let parsed: unknown;
  try {
    parsed = load(content);
  } catch (error) {
    throw new Error(`failed to parse kubeconfig: yaml: ${String((error as Error).message).split("\n")[0]}`, { cause: error });
  }
  if (!isObject(parsed)) throw new Error("failed to parse kubeconfig: it is not a map");
  return parsed;
}

/** Base64 in the kubeconfig itself, or a file next to it. */
function certificate(holder: Properties, name: string, folder: string): Buffer | undefined {
  const data = text(holder, `${name}-data`);
  if (data) return Buffer.from(data, "base64");
  const file = text(holder, name);
  return file ? readFileSync(path.resolve(folder, file)) : undefined;
}

/** Certificates, tokens and passwords, which need no library. */
function credentials(cluster: Properties, user: Properties, folder: string): RequestOptions {
  const headers: Record<string, string> = {};
  const token =
    text(user, "token") || (user.tokenFile ? readFileSync(path.resolve(folder, text(user, "tokenFile")), "utf8").trim() : "");
  if (token) headers.authorization = `Bearer ${token}`;
  else if (user.username) {
    headers.authorization = `Basic ${Buffer.from(`${text(user, "username")}:${text(user, "password")}`).toString("base64")}`;
  }
  return {
    headers,
    ca: certificate(cluster, "certificate-authority", folder),
    cert: certificate(user, "client-certificate", folder),
    key: certificate(user, "client-key", folder),
    rejectUnauthorized: cluster["insecure-skip-tls-verify"] !== true,
    servername: text(cluster, "tls-server-name") || undefined,
  };
}

/**
 * Users with a credential plugin. The official client knows how to run those; it takes a second to load, which would be
 * half the time of a `pulumi up` without changes, so it is left alone as long as certificates and tokens do.
 */
async function officialClient(config: Properties, context: string): Promise<KubeConfig> {
  const { KubeConfig } = await import("@kubernetes/client-node");
  const client = new KubeConfig();
  client.loadFromString(JSON.stringify(config));
  client.setCurrentContext(context);
  return client;
}

async function clientOptions(client: Promise<KubeConfig>): Promise<RequestOptions> {
  const options: RequestOptions = {};
  await (await client).applyToHTTPSOptions(options);
  return options;
}

export function connect(choice: Choice): Connection {
  const { content, folder } = source(choice.kubeconfig);
  const config = parse(content);
  const contextName = choice.context || text(config, "current-context");
  const context = entry(config, "contexts", "context", contextName);
  const cluster = entry(config, "clusters", "cluster", choice.cluster || text(context, "cluster"));
  const user = context.user ? entry(config, "users", "user", text(context, "user")) : {};
  const isPlain = !("exec" in user) && !("auth-provider" in user);
  const plain = isPlain ? credentials(cluster, user, folder) : undefined;
  let client: Promise<KubeConfig> | undefined;
  return {
    server: text(cluster, "server"),
    namespace: text(context, "namespace") || "default",
    authenticate: async () => plain ?? clientOptions((client ??= officialClient(config, contextName))),
  };
}
