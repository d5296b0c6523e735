import { chown, cp, mkdtemp, rm } from "fs/promises";
import { tmpdir } from "os";
import { join } from "path";
import { writeFile } from "fs/promises";
import { connectionSecretData } from "../../components/database/connection";
import { Ran, run } from "./kubectl";
import { bash, OutsidePostgres, unpackImage } from "./outsidePostgres";

const USER = 1000;

/** An application of Rails' in the files of an image that has it, and a database of a server. */
export interface RailsPlace {
  /** Runs a command in the application's folder as its user, with the connection's parts in the variables that are named for them. */
  run(command: string[], env: Record<string, string>): Promise<Ran>;
  sql(text: string): Promise<string>;
  remove(): Promise<void>;
}

/** `connectionEnv` as a preset has it; the connection is verified. */
export async function railsPlace(
  postgres: OutsidePostgres,
  fixture: string,
  database: string,
  connectionEnv: Record<string, string>,
): Promise<RailsPlace> {
  await bash("images/build.sh rails >&2", 300);
  const files = await unpackImage("rails");
  const folder = await mkdtemp(join(tmpdir(), "rails-"));
  await cp(join(__dirname, "..", "fixtures", "products", fixture), folder, { recursive: true });
  await writeFile(join(folder, "ca.crt"), postgres.ca);
  await chown(folder, USER, USER); // for the lock file of bundler's
  await postgres.sql(`CREATE ROLE ${database} LOGIN PASSWORD 'of a test'`);
  await postgres.sql(`CREATE DATABASE ${database} OWNER ${database}`);
  const data: Record<string, string> = connectionSecretData({
    ...{ host: postgres.host, port: postgres.port, dbname: database, user: database, password: "of a test" },
    ...{ sslmode: "verify-full", sslrootcert: "/mnt/ca.crt" },
  });
  const connection = Object.entries(connectionEnv).map(([name, part]) => `${name}=${data[part]}`);
  const script =
    'mount --bind /dev "$0/dev"; mount --bind "$1" "$0/mnt"; shift; ' +
    `exec chroot --userspec=${USER}:${USER} "$0" env --ignore-environment --chdir=/mnt "$@"`;
  const base = ["PATH=/usr/bin:/bin", "LANG=C.UTF-8", "HOME=/tmp", "RAILS_ENV=production", ...connection];
  return {
    run: (command, env) => {
      const variables = [...base, ...Object.entries(env).map(([name, value]) => `${name}=${value}`)];
      return run("unshare", ["--mount", "sh", "-euc", script, files, folder, ...variables, ...command], { seconds: 120 });
    },
    sql: (text) => postgres.sql(text, database),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
