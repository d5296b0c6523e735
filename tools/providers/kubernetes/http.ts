// Authenticated requests to the API server, by path.
import { Agent as PlainAgent, type ClientRequest, type IncomingMessage, request as httpRequest } from "node:http";
import { Agent, request as httpsRequest } from "node:https";
import { createInterface } from "node:readline";
import { isObject, type Properties } from "../rpc/values";
import type { Connection } from "./kubeconfig";
import { items, text } from "./objects";

/** The API server has answered and refused. */
export class ApiError extends Error {
  constructor(
    message: string,
    readonly status: number,
    readonly reason: string,
    /** The kind of the object that the refusal is about, `namespaces` for instance. */
    readonly about: string,
    /** What is wrong with it, one by one. */
    readonly causes: Properties[],
  ) {
    super(message);
  }
}

export const isMissing = (error: unknown) => error instanceof ApiError && error.status === 404;
export const isConflict = (error: unknown) => error instanceof ApiError && error.status === 409;
export const alreadyExists = (error: unknown) => isConflict(error) && (error as ApiError).reason === "AlreadyExists";

/** There is no API server where the kubeconfig says. */
export class Unreachable extends Error {
  constructor(cause: Error) {
    super(`configured Kubernetes cluster is unreachable: ${cause.message}`, { cause });
  }
}

const LIMIT = 30_000; // ms that a single request may take

interface Sending {
  readonly method: string;
  readonly path: string;
  readonly content?: string;
  readonly type?: string;
}

export class Http {
  private readonly agent: Agent | PlainAgent;

  constructor(readonly connection: Connection) {
    this.agent = connection.server.startsWith("https:") ? new Agent({ keepAlive: true }) : new PlainAgent({ keepAlive: true });
  }

  async request(method: string, path: string, body?: Properties | Properties[], type?: string): Promise<Properties> {
    const content = body === undefined ? undefined : JSON.stringify(body);
    const response = await this.send({ method, path, content, type });
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    return answerOf(response.statusCode ?? 0, Buffer.concat(chunks).toString());
  }

  get(path: string): Promise<Properties> {
    return this.request("GET", path);
  }

  /** Calls back with each object of a list, and again when it changes, until the signal or the end of the connection. */
  async watch(path: string, seen: (object: Properties) => void, signal: AbortSignal): Promise<void> {
    const response = await this.send({ method: "GET", path: `${path}&watch=true` }, signal);
    for await (const line of createInterface({ input: response })) {
      const { type, object } = JSON.parse(line) as { type: string; object: Properties };
      if (type === "ADDED" || type === "MODIFIED" || type === "DELETED") seen(object);
    }
  }

  private async send(sending: Sending, signal?: AbortSignal): Promise<IncomingMessage> {
    const { headers, ...options } = await this.connection.authenticate();
    const { method, path, content, type = "application/json" } = sending;
    const url = new URL(path, this.connection.server.replace(/\/*$/, "/"));
    const all = {
      accept: "application/json",
      "user-agent": "pulumi-kubernetes-stand-in",
      ...(content === undefined ? {} : { "content-type": type, "content-length": Buffer.byteLength(content) }),
      ...(headers as Record<string, string>),
    };
    const start = url.protocol === "https:" ? httpsRequest : httpRequest;
    const request = start(url, { agent: this.agent, ...options, method, headers: all, signal });
    try {
      return await answered(request, content, signal ? 0 : LIMIT);
    } catch (error) {
      // The server may close an idle connection at the very moment in which it is used again; nothing has been processed then.
      if (request.reusedSocket && (error as NodeJS.ErrnoException).code === "ECONNRESET") return this.send(sending, signal);
      throw new Unreachable(error as Error);
    }
  }
}

function answered(request: ClientRequest, content: string | undefined, limit: number): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.setTimeout(limit, () => request.destroy(new Error(`no answer in ${limit / 1000} s`)));
    request.on("response", resolve);
    request.on("error", reject);
    request.end(content);
  });
}

function answerOf(status: number, content: string): Properties {
  let parsed: unknown;
  try {
    parsed = JSON.parse(content);
  } catch {
    parsed = { message: content.trim() };
  }
  const answer = isObject(parsed) ? parsed : {};
  if (status < 300) return answer;
  const message = text(answer, "message") || `the API server answered with status ${status}`;
  throw new ApiError(
    message,
    status,
    text(answer, "reason"),
    text(answer, "details", "kind"),
    items(answer, "details", "causes"),
  );
}
