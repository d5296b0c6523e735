import * as assert from "assert";
import { ChildProcess, spawn } from "child_process";
import { request } from "http";
import { Login, readSecret, Server } from "./database";
import { Namespace, until } from "./kubectl";

/** A request as it comes from an ingress controller that ends TLS for the host. */
export interface Ask {
  method?: string;
  headers?: Record<string, string>;
  /** An object is sent as JSON. */
  body?: object | string;
}

export interface Answer {
  status: number;
  /** What is to be sent back as the header "cookie". */
  cookies: string;
  text: string;
  json(): any;
}

/** Postgres tells in its log who logs in and who changes the schema, and from where. */
export const TELLING = { log_connections: "on", log_statement: "ddl", log_line_prefix: "%m [%p] %h " };

/** A product as it runs in the cluster, of the name that its resources have. */
export class RunningProduct {
  private forward?: { child: ChildProcess; port: number };
  private readonly server: Server;

  constructor(
    readonly namespace: Namespace,
    readonly name: string,
    readonly host: string,
  ) {
    this.server = new Server(namespace, `${name}-db`);
  }

  get pod() {
    return `${this.name}-0`;
  }

  getPod(): Promise<any> {
    return this.namespace.get(`pod/${this.pod}`);
  }

  /** Everything in the Secret that the application has its variables from. */
  async secretEnv(): Promise<Record<string, string>> {
    const { spec } = await this.getPod();
    const names = spec.containers[0].envFrom.flatMap(({ secretRef }: any) => (secretRef ? [secretRef.name] : []));
    return Object.assign({}, ...(await Promise.all(names.map((name: string) => readSecret(this.namespace, name)))));
  }

  async ask(path: string, { method = "GET", headers = {}, body }: Ask = {}): Promise<Answer> {
    this.forward ??= await this.open();
    const { port } = this.forward;
    const content = body === undefined || typeof body === "string" ? body : JSON.stringify(body);
    const behindIngress = { host: this.host, "x-forwarded-proto": "https", "x-forwarded-host": this.host };
    const type =
      content === undefined ? {} : { "content-type": "application/json", "content-length": Buffer.byteLength(content) };
    return new Promise((resolve, reject) => {
      const sent = request(
        {
          host: "127.0.0.1",
          port,
          path,
          method,
          headers: { ...behindIngress, ...type, ...headers },
          timeout: 60_000,
          agent: false,
        },
        (answer) => {
          let text = "";
          answer.setEncoding("utf8").on("data", (part) => (text += part));
          answer.on("end", () =>
            resolve({
              status: answer.statusCode!,
              cookies: (answer.headers["set-cookie"] ?? []).map((cookie) => cookie.split(";")[0]).join("; "),
              text,
              json: () => JSON.parse(text),
            }),
          );
        },
      );
      sent.on("timeout", () => sent.destroy(new Error(`${method} ${path}: no answer in 60 s`)));
      sent.on("error", reject);
      sent.end(content);
    });
  }

  /** One that has to succeed. */
  async get(path: string, ask: Ask = {}): Promise<Answer> {
    const answer = await this.ask(path, ask);
    assert.ok(answer.status < 400, `${ask.method ?? "GET"} ${path}: ${answer.status} ${answer.text.slice(0, 2000)}`);
    return answer;
  }

  /** Ends the way to the pod; the next request makes one to the pod that is there then. */
  close(): void {
    this.forward?.child.kill();
    this.forward = undefined;
  }

  /** Deletes the pod, and waits for the one in its place to be ready. */
  async restart(): Promise<void> {
    const { metadata } = await this.getPod();
    this.close();
    await this.namespace.kubectl(["delete", `pod/${this.pod}`, "--wait=false"]);
    await until("the pod in its place to be ready", 180, async () => {
      const { metadata: now, status } = await this.getPod();
      return now.uid !== metadata.uid && status.conditions.some(({ type, status: is }: any) => type === "Ready" && is === "True");
    });
  }

  /** Runs a shell line in the application's container. */
  exec(line: string) {
    return this.namespace.exec(this.pod, ["sh", "-c", line], { container: "app" });
  }

  /** SQL as the application's own role. */
  async sql(text: string): Promise<string> {
    const { spec } = await this.getPod();
    const [{ valueFrom }] = spec.containers[0].env.filter((variable: any) => variable.valueFrom?.secretKeyRef);
    const login: Login = await readSecret(this.namespace, valueFrom.secretKeyRef.name);
    return this.server.sql(login, text);
  }

  /** What Postgres said of those that logged in from an address. */
  async logins(from: string): Promise<string[]> {
    return (await this.said(from)).filter((message) => message.startsWith("connection authorized: "));
  }

  /** Statements from an address that change the schema. */
  async schemaChanges(from: string): Promise<string[]> {
    return (await this.said(from)).filter((message) => /^(statement|execute [^:]*): /.test(message));
  }

  /** What Postgres has logged of what came from an address. */
  private async said(from: string): Promise<string[]> {
    const log = await this.namespace.kubectl(["logs", this.server.pod, "--tail=-1"]);
    const lines = log.split("\n").map((line) => /^\S+ \S+ \S+ \[\d+\] (\S+) LOG: {2}(.*)/.exec(line));
    return lines.flatMap((line) => (line?.[1] === from ? [line[2]] : []));
  }

  private open(): Promise<{ child: ChildProcess; port: number }> {
    const child = spawn("kubectl", ["--namespace", this.namespace.name, "port-forward", `pod/${this.pod}`, ":http"], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let said = "";
    child.stdout.on("data", (text) => (said += text));
    return until("the forwarded port", 30, async () => {
      assert.strictEqual(child.exitCode, null, "kubectl port-forward ended");
      const port = said.match(/127\.0\.0\.1:(\d+)/)?.[1];
      return port !== undefined && { child, port: Number(port) };
    });
  }
}
