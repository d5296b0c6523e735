import { readFileSync } from "fs";
import { join } from "path";
import { accessRules, passwd, settings } from "../../components/database/embedded";
import { Namespace } from "./kubectl";

const scripts = join(__dirname, "..", "..", "components", "database", "scripts");

/**
 * A pod as the component makes it, in which servers are started by hand: the database's scripts in /scripts, beside more files by
 * name and path; volumes as folders of /volumes, on a claim if one is named; a Secret, where one is named, in /secrets. Returns its
 * name, when it is ready.
 */
export async function postgresPod(
  namespace: Namespace,
  major: number,
  more: {
    files?: Record<string, string>;
    secret?: string;
    env?: Record<string, string>;
    name?: string;
    claim?: string;
    uid?: number;
  } = {},
): Promise<string> {
  const { name = `postgres-${major}`, uid = 999 } = more;
  const files = { "start.sh": join(scripts, "start.sh"), ...more.files };
  const data = {
    // Volumes are in other places here: nothing of theirs is included.
    "postgresql.conf": "",
    "pg_hba.conf": accessRules("off"),
    settings: settings("off", {}),
    passwd: passwd(uid),
    ...Object.fromEntries(Object.entries(files).map(([file, path]) => [file, readFileSync(path, "utf8")])),
  };
  const secret = more.secret && { name: "secret", secret: { secretName: more.secret, defaultMode: 0o440 } };
  await namespace.apply(
    { apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace: namespace.name }, data },
    {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name, namespace: namespace.name },
      spec: {
        automountServiceAccountToken: false,
        shareProcessNamespace: true, // so that something reaps what is killed, as a pod's end does
        terminationGracePeriodSeconds: 1,
        securityContext: {
          runAsNonRoot: true,
          runAsUser: uid,
          runAsGroup: uid,
          fsGroup: uid,
          seccompProfile: { type: "RuntimeDefault" },
        },
        containers: [
          {
            name: "postgres",
            image: `docker.io/library/postgres:${major}`,
            command: ["sleep", "3600"],
            resources: { requests: { cpu: "200m" } }, // without any it gets next to nothing of a busy machine
            env: Object.entries(more.env ?? {}).map(([variable, value]) => ({ name: variable, value })),
            securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ["ALL"] } },
            volumeMounts: [
              { name: "volumes", mountPath: "/volumes" },
              { name: "scripts", mountPath: "/scripts" },
              { name: "scripts", mountPath: "/etc/passwd", subPath: "passwd" },
              { name: "sockets", mountPath: "/var/run/postgresql" },
              { name: "tmp", mountPath: "/tmp" },
              ...(secret ? [{ name: secret.name, mountPath: "/secrets" }] : []),
            ],
          },
        ],
        volumes: [
          { name: "volumes", ...(more.claim ? { persistentVolumeClaim: { claimName: more.claim } } : { emptyDir: {} }) },
          { name: "scripts", configMap: { name } },
          { name: "sockets", emptyDir: {} },
          { name: "tmp", emptyDir: {} },
          ...(secret ? [secret] : []),
        ],
      },
    },
  );
  await namespace.kubectl(["wait", "--for=condition=Ready", `pod/${name}`, "--timeout=90s"], { seconds: 100 });
  return name;
}
