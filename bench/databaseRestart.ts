import { readFileSync } from "fs";
import { join } from "path";
import { Namespace } from "../test/support/kubectl";
import { Cleanup } from "./support/cleanup";
import { table } from "./support/report";
import { difference, pairs } from "./support/samples";

const GOAL = 0.5;

const scripts = {
  "start.sh": join(__dirname, "..", "components", "database", "scripts", "start.sh"),
  "pg_hba.conf": join(__dirname, "..", "components", "database", "scripts", "pg_hba.conf"),
  "restart.sh": join(__dirname, "restart.sh"),
};

/** A pod like the component's, in which servers are started by hand. */
const pod = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "postgres" },
  spec: {
    automountServiceAccountToken: false,
    shareProcessNamespace: true, // so that something reaps what a server leaves behind
    terminationGracePeriodSeconds: 1,
    securityContext: {
      runAsNonRoot: true,
      runAsUser: 999,
      runAsGroup: 999,
      fsGroup: 999,
      seccompProfile: { type: "RuntimeDefault" },
    },
    containers: [
      {
        name: "postgres",
        image: "docker.io/library/postgres:17",
        command: ["sleep", "3600"],
        env: [
          { name: "PGDATA", value: "/data/pgdata" },
          { name: "ADMIN_USER", value: "postgres" },
          { name: "ADMIN_PASSWORD_FILE", value: "/secrets/password" },
          { name: "HBA_FILE", value: "/scripts/pg_hba.conf" },
          { name: "SOCKET_DIRECTORY", value: "/var/run/postgresql" },
        ],
        securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ["ALL"] } },
        volumeMounts: [
          { name: "data", mountPath: "/data" },
          { name: "scripts", mountPath: "/scripts" },
          { name: "secrets", mountPath: "/secrets" },
          { name: "sockets", mountPath: "/var/run/postgresql" },
          { name: "tmp", mountPath: "/tmp" },
        ],
      },
    ],
    volumes: [
      { name: "data", emptyDir: {} },
      { name: "scripts", configMap: { name: "scripts" } },
      { name: "secrets", secret: { secretName: "admin", defaultMode: 0o440 } },
      { name: "sockets", emptyDir: {} },
      { name: "tmp", emptyDir: {} },
    ],
  },
};

/** A restart of the database with our start script beside Postgres' own command, on the same data. */
export async function databaseRestart(cleanup: Cleanup, rounds: number): Promise<string> {
  const namespace = await Namespace.create("bench");
  const remove = cleanup.add(() => namespace.delete());
  const data = Object.fromEntries(Object.entries(scripts).map(([name, path]) => [name, readFileSync(path, "utf8")]));
  const inNamespace = { namespace: namespace.name };
  await namespace.apply(
    { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "scripts", ...inNamespace }, data },
    { apiVersion: "v1", kind: "Secret", metadata: { name: "admin", ...inNamespace }, stringData: { password: "of-a-benchmark" } },
    { ...pod, metadata: { ...pod.metadata, ...inNamespace } },
  );
  await namespace.kubectl(["wait", "--for=condition=Ready", "pod/postgres", "--timeout=90s"], { seconds: 100 });

  const { code, stdout, stderr } = await namespace.exec("postgres", ["sh", "/scripts/restart.sh", String(rounds)], {
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
