import * as assert from "assert";
import { randomBytes, randomInt } from "crypto";
import { connectionSecretData } from "../../components/database/connection";
import { startPods } from "../support/backupServer";
import { Namespace, until } from "../support/kubectl";
import { image } from "../support/notes";

const START = `
initdb -D /data/pg -U postgres --auth-local=trust --auth-host=scram-sha-256 -E UTF8 --locale=C.UTF-8 --no-sync > /dev/null
exec postgres -D /data/pg -c unix_socket_directories=/tmp -c fsync=off -c shared_buffers=32MB -c max_connections=30`;

const PRINTABLE = Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i));
const random = () => Array.from({ length: randomInt(1, 40) }, () => PRINTABLE[randomInt(PRINTABLE.length)]).join("");
/** Names of roles and databases: those of an external server are what they are. */
const name = () => `${random().slice(0, 20)}${randomBytes(3).toString("hex")}`;

interface Login {
  database: string;
  user: string;
  password: string;
}

/** Each form of the Secret's content, as programs of libpq and of Node.js take it: everybody has to be let in, by every one. */
describe("the forms of a connection", function () {
  this.timeout(240_000);
  let namespace: Namespace;
  const pod = "postgres";
  const container = (which: string) => (command: string[], input: string) =>
    namespace.exec(pod, command, { input, seconds: 180, container: which });
  const psql = ["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", "/tmp", "-U", "postgres"];

  // pg leaves these encoded in the name of a database: brianc/node-postgres takes it through decodeURI. No role, no password is
  // concerned.
  const DATABASES = ["plain", ...[name(), name()].map((database) => database.replace(/[;/?:@&=+$,#]/g, ""))];
  const PINNED = [PRINTABLE.join(""), " ", "  lead and trail  ", "%41%zz", "\\:\\\\:", "'\"'\"", "$HOME`id`", "#?&=/@:", "+%2B"];
  const logins = [...PINNED, ...Array.from({ length: 300 }, random)].map((password, index): Login => ({
    database: DATABASES[index % DATABASES.length],
    user: name(),
    password,
  }));
  /** Three programs are started for each of these, which takes its time. */
  const FEW = PINNED.length + 60;
  const forms = ({ database: dbname, user, password }: Login) =>
    connectionSecretData({ host: "127.0.0.1", port: 5432, dbname, user, password, sslmode: "disable" });

  before(async () => {
    namespace = await Namespace.create("forms");
    const mount = (volume: string, mountPath: string) => ({ name: volume, mountPath });
    const postgres = {
      name: "postgres",
      image: "docker.io/library/postgres:17",
      command: ["sh", "-c", START],
      resources: { requests: { cpu: "200m" } }, // without any it gets next to nothing of a busy machine
      volumeMounts: [mount("data", "/data"), mount("tmp", "/tmp")],
    };
    const node = { name: "node", image: image("1.0.0"), command: ["sleep", "3600"], resources: postgres.resources };
    const volumes = ["data", "tmp"].map((volume) => ({ name: volume, emptyDir: {} }));
    await startPods(namespace, { name: pod, uid: 999, containers: [postgres, node], volumes });
    const sql = async (text: string) => {
      const { code, stderr } = await container("postgres")(psql, text);
      assert.strictEqual(code, 0, stderr);
      return true;
    };
    await until("the server", 60, () => sql("SELECT 1"));
    const literal = (text: string) => `E'${text.replace(/['\\]/g, "\\$&")}'`;
    const identifier = (text: string) => `"${text.replace(/"/g, '""')}"`;
    await sql(
      [
        "SET scram_iterations = 1", // each of the hundreds of logins would take some milliseconds more
        ...DATABASES.map((database) => `CREATE DATABASE ${identifier(database)}`),
        ...logins.map(({ user, password }) => `CREATE ROLE ${identifier(user)} LOGIN PASSWORD ${literal(password)}`),
      ].join(";\n"),
    );
  });
  after(() => namespace?.delete());

  it("let psql in with every printable password: by URI, by variables and by password file", async () => {
    const quoted = (text: string) => `'${text.replace(/'/g, "'\\''")}'`;
    const lines = logins.slice(0, FEW).map((login) => {
      const { uri, pgpass, host, port, dbname, user, password } = forms(login);
      return `try ${[uri, pgpass, host, port, dbname, user, password].map(quoted).join(" ")}`;
    });
    const script = `
      umask 077
      number=0
      ask() { psql -X -q -A -t -w "$@" -c 'SELECT current_user, current_database()' -F '
' < /dev/null 2>&1; }
      same() { [ "$2" = "$wanted" ] || echo "$number by $1: $2"; }
      try() {
        wanted="$6
$5"
        same uri "$(ask -d "$1")"
        same variables "$(PGHOST=$3 PGPORT=$4 PGDATABASE=$5 PGUSER=$6 PGPASSWORD=$7 ask)"
        printf '%s\\n' "$2" > /tmp/pgpass
        same pgpass "$(PGPASSFILE=/tmp/pgpass PGHOST=$3 PGPORT=$4 PGDATABASE=$5 PGUSER=$6 ask)"
        number=$((number + 1))
      }
      ${lines.join("\n")}
      echo "tried $number"`;
    const { stdout, stderr } = await container("postgres")(["sh", "-c", "cat > /tmp/forms.sh; exec sh /tmp/forms.sh"], script);
    const wrong = stdout.trim().split("\n").slice(0, -1);
    const shown = wrong.map((line) => `${line}: ${JSON.stringify(logins[Number(line.split(" ")[0])])}`);
    assert.deepStrictEqual(shown, [], stderr);
    assert.match(stdout, new RegExp(`^tried ${FEW}$`, "m"));
  });

  it("let Node.js' pg in with every printable password, by URI", async () => {
    const script = `
      const { Client } = require("pg");
      (async () => {
        const wrong = [];
        const tried = JSON.parse(require("fs").readFileSync(0));
        for (const { uri, user, database } of tried) {
          const client = new Client({ connectionString: uri });
          try {
            await client.connect();
            const { rows } = await client.query("SELECT current_user AS user, current_database() AS database");
            if (rows[0].user !== user || rows[0].database !== database) wrong.push({ user, database, got: rows[0] });
          } catch (error) {
            wrong.push({ user, database, error: error.message });
          }
          await client.end().catch(() => undefined);
        }
        console.log(JSON.stringify({ wrong, tried: tried.length }));
      })();`;
    const input = JSON.stringify(logins.map((login) => ({ ...login, uri: forms(login).uri })));
    const { stdout, stderr } = await container("node")(["node", "-e", script], input);
    const { wrong, tried } = JSON.parse(stdout || "{}");
    assert.deepStrictEqual(wrong, [], stderr);
    assert.strictEqual(tried, logins.length);
  });
});
