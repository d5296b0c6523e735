import { cp, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "fs/promises";
import { tmpdir } from "os";
import { basename, join, resolve } from "path";
import { connectionSecretData } from "../../components/database/connection";
import { Ran, run } from "./kubectl";
import { bash, OutsidePostgres } from "./outsidePostgres";

const fixtures = join(__dirname, "..", "fixtures", "tools");

/**
 * The migration tools at pinned versions, installed once for each content of the lists that name them: a folder with node_modules, venv and
 * bin. No script of a package runs: Prisma's would fetch programs from elsewhere.
 */
export const installTools = () =>
  bash(
    `
    source lib.sh
    from=$root/test/fixtures/tools
    folder=$cache/test/migration-tools-$(content_key "$from"/{package.json,package-lock.json,requirements.txt,go.txt})
    mkdir -p "$cache/test"
    exec 9>"$cache/test/lock"
    flock -w 300 9 || fail "waited 300 s for another process that installs the migration tools"
    if [ ! -e "$folder/complete" ]; then
      find "$cache/test" -maxdepth 1 -name 'migration-tools-*' -mmin +60 -exec rm -rf --one-file-system {} +
      rm -rf --one-file-system "$folder"
      mkdir "$folder"
      cp "$from/package.json" "$from/package-lock.json" "$folder"
      (cd "$folder" && npm ci --ignore-scripts --no-audit --no-fund >&2)
      python3 -m venv "$folder/venv"
      "$folder/venv/bin/pip" install --quiet --no-deps -r "$from/requirements.txt" >&2
      go=$(go_command 1.25.8)
      while read -r package tags; do
        GOBIN=$folder/bin GOFLAGS= GOTOOLCHAIN=local CGO_ENABLED=0 "$go" install -trimpath -tags "$tags" "$package" >&2
      done <"$from/go.txt"
      touch "$folder/complete"
    fi
    echo "$folder"`,
    400,
  );

/** A database of a server, and a working directory with the tools and their projects, as they would be in an application's image. */
export interface ToolPlace {
  database: string;
  /** Hard to carry through a URL. */
  password: string;
  /** Runs a command as Kubernetes would: no shell, nothing but the connection in the environment. */
  run(command: string[]): Promise<Ran>;
  /** Makes it the place of the release before, which has only the first migration of each tool. */
  withoutNewest(): Promise<void>;
  remove(): Promise<void>;
}

export async function toolPlace(postgres: OutsidePostgres, installed: string, database: string): Promise<ToolPlace> {
  const folder = await mkdtemp(join(tmpdir(), "migration-tools-"));
  await cp(fixtures, folder, { recursive: true });
  await symlink(join(installed, "node_modules"), join(folder, "node_modules"));
  await writeFile(join(folder, "ca.crt"), postgres.ca);
  const password = `p%/:@?#&$"'\\ ${database}`;
  await postgres.sql(`CREATE ROLE "${database}" LOGIN PASSWORD '${password.replace(/'/g, "''")}'`);
  await postgres.sql(`CREATE DATABASE "${database}" OWNER "${database}"`);
  const data = connectionSecretData({
    ...{ host: postgres.host, port: postgres.port, dbname: database, user: database, password },
    ...{ sslmode: "verify-full", sslrootcert: join(folder, "ca.crt") },
  });
  const env: Record<string, string> = {
    PATH: [join(installed, "bin"), join(installed, "venv", "bin"), process.env.PATH].join(":"),
    HOME: join(folder, "home"), // not there, as it is read-only in a pod
    NODE_ENV: "production",
    DATABASE_URL: data.uri,
    PGHOST: data.host,
    PGPORT: data.port,
    PGDATABASE: data.dbname,
    PGUSER: data.user,
    PGPASSWORD: data.password,
    PGSSLMODE: data.sslmode,
    PGSSLROOTCERT: data.sslrootcert,
    NODE_EXTRA_CA_CERTS: data.sslrootcert,
  };
  return {
    database,
    password,
    run: (command) => {
      const [program, ...words] = command.map((word) => expanded(word, env));
      return run(program.includes("/") ? resolve(folder, program) : program, words, { cwd: folder, env, seconds: 60 });
    },
    withoutNewest: async () => {
      const files = (await readdir(folder, { recursive: true })).filter((file) => /^\d+[_-]body(\.|$)/.test(basename(file)));
      await Promise.all(files.map((file) => rm(join(folder, file), { recursive: true, force: true })));
      const journal = join(folder, "drizzle", "migrations", "meta", "_journal.json");
      const { entries, ...rest } = JSON.parse(await readFile(journal, "utf8"));
      await writeFile(journal, JSON.stringify({ ...rest, entries: entries.slice(0, 1) }));
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

/** As Kubernetes replaces $(NAME): once, no other form, and an unknown name stays as it is. */
const expanded = (word: string, env: Record<string, string>) => word.replace(/\$\(([^)]*)\)/g, (all, name) => env[name] ?? all);
