import * as assert from "assert";
import { PostgresDatabaseArgs } from "../../index";
import { Namespace, Ran, until } from "./kubectl";
import { Outcome } from "./stack";

/** The text of a program with databases, each of which exports the names of its Secrets. */
export const databases = (
  namespace: Namespace,
  all: Record<string, Partial<PostgresDatabaseArgs> & { options?: string }>,
): string =>
  Object.entries(all)
    .map(([name, { options = "{}", ...args }]) => {
      const given = JSON.stringify({ namespace: namespace.name, ...args });
      return `{ const database = new PostgresDatabase("${name}", ${given}, ${options});
        exports["${name}"] = { secret: database.connectionSecretName, databaseName: database.databaseName, user: database.user }; }`;
    })
    .join("\n");

export const succeeded = (outcome: Outcome) => {
  assert.ok(outcome.ok, outcome.output);
  return outcome;
};

export interface Login {
  uri: string;
  host: string;
  dbname: string;
  user: string;
  password: string;
  sslmode: string;
  sslrootcert?: string;
}

/** Everything in a Secret, decoded. */
export async function readSecret(namespace: Namespace, name: string): Promise<any> {
  const { data } = await namespace.get(`secret/${name}`);
  return Object.fromEntries(Object.entries<string>(data).map(([key, value]) => [key, Buffer.from(value, "base64").toString()]));
}

/** One embedded server: what there is of it in the cluster, and clients in its pod that come over the network. */
export class Server {
  constructor(
    readonly namespace: Namespace,
    readonly name: string,
  ) {}

  get pod() {
    return `${this.name}-0`;
  }

  getPod(): Promise<any> {
    return this.namespace.get(`pod/${this.pod}`);
  }

  getClaim(): Promise<any> {
    return this.namespace.get(`pvc/data-${this.pod}`);
  }

  /** The identities of what must not be replaced. */
  async uids(): Promise<Record<string, string>> {
    const there = await this.namespace.items(
      `statefulset/${this.name}`,
      `service/${this.name}`,
      `pod/${this.pod}`,
      `pvc/data-${this.pod}`,
    );
    return Object.fromEntries(there.map(({ kind, metadata }) => [kind, metadata.uid]));
  }

  /** What a program with the login says of SQL. `settings` are more of libpq's, such as "sslmode=disable". */
  async ask({ user, password, dbname, host }: Login, sql: string, settings = "sslmode=prefer"): Promise<Ran> {
    const line = `IFS= read -r PGPASSWORD; export PGPASSWORD; psql -X -q -A -t -v ON_ERROR_STOP=1 "host=${host} user=${user} dbname=${dbname} ${settings}"`;
    return this.namespace.exec(this.pod, ["sh", "-c", line], { input: `${password}\n${sql}`, seconds: 60 });
  }

  async sql(login: Login, sql: string, settings?: string): Promise<string> {
    const { code, stdout, stderr } = await this.ask(login, sql, settings);
    assert.strictEqual(code, 0, `${sql}: ${stderr}`);
    return stdout.trim();
  }

  async gone(): Promise<void> {
    await until(
      `pod ${this.pod} to be gone`,
      60,
      async () => (await this.namespace.items("pods", "--field-selector", `metadata.name=${this.pod}`)).length === 0,
    );
  }
}
