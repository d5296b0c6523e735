import { join } from "path";
import { Namespace } from "../test/support/kubectl";
import { postgresPod } from "../test/support/postgresPod";
import { Cleanup } from "./support/cleanup";
import { Table, table } from "./support/report";
import { difference, pairs } from "./support/samples";

const GOAL = 0.5;

/** Where the start script finds what it needs. */
const env = {
  VOLUME: "/volumes",
  PGDATA: "/volumes/pgdata",
  CONFIG_FILE: "/scripts/postgresql.conf",
  SETTINGS_FILE: "/scripts/settings",
  ADMIN_USER: "postgres",
  ADMIN_PASSWORD_FILE: "/secrets/password",
  HBA_FILE: "/scripts/pg_hba.conf",
  SOCKET_DIRECTORY: "/var/run/postgresql",
};

/** A restart of the database with our start script beside Postgres' own command, on the same data. */
export async function databaseRestart(cleanup: Cleanup, rounds: number): Promise<Table> {
  const namespace = await Namespace.create("bench");
  const remove = cleanup.add(() => namespace.delete());
  await namespace.apply({
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: "admin", namespace: namespace.name },
    stringData: { password: "of-a-benchmark" },
  });
  const pod = await postgresPod(namespace, 17, { env, secret: "admin", files: { "restart.sh": join(__dirname, "restart.sh") } });

  const { code, stdout, stderr } = await namespace.exec(pod, ["sh", "/scripts/restart.sh", String(rounds)], {
    seconds: 240,
  });
  if (code !== 0) throw new Error(`restart.sh: exit ${code}\n${stdout}${stderr}`);
  await remove();

  const seconds = (how: string) =>
    [...stdout.matchAll(new RegExp(`^${how} (\\d+)$`, "gm"))].map(([, milliseconds]) => Number(milliseconds) / 1000);
  const [script, plain] = [seconds("script"), seconds("plain")];
  return table("Restart of the database, with the start script over Postgres' own command", [
    { what: "start script", values: script, unit: " s" },
    { what: "postgres", values: plain, unit: " s" },
    { what: "difference", values: pairs(script, plain, difference), unit: " s", goal: GOAL },
  ]);
}
