import { readFileSync } from "fs";
import { join } from "path";
import { Namespace } from "../test/support/kubectl";
import { Cleanup } from "./support/cleanup";
import { Manifest, manifestsOf } from "./support/kubectlDeploy";
import { Row, table } from "./support/report";
import { alternate, difference, pairs, ratio, timed } from "./support/samples";
import { Resource } from "./support/state";

const GOAL = 0.5;
const LIMIT = 120;

/**
 * Published figures of CloudNativePG were looked for. The nearest is of a volume with data, by people who run it with a storage and a
 * plugin of their own, https://speakerdeck.com/tsg/from-20s-to-sub-second-speeding-up-cloudnativepg-wake-up-times (2026); of a new
 * cluster there are words only: two pods in turn, one for initdb (https://github.com/cloudnative-pg/cloudnative-pg/pull/11231).
 */
const CLOUD_NATIVE_PG = [
  "No comparable published figure of CloudNativePG was found. The nearest: 20 s and more to wake a hibernated one, with Xata's storage",
  "(speakerdeck.com/tsg/from-20s-to-sub-second-speeding-up-cloudnativepg-wake-up-times).",
];

const plainStart = readFileSync(join(__dirname, "plainStart.sh"), "utf8");

const WAYS = ["script", "plain"] as const;
type Way = (typeof WAYS)[number];
const VOLUMES = ["empty volume", "volume with data"] as const;
type Volume = (typeof VOLUMES)[number];

/** Seconds of a start, all of it and the part that is no matter of Kubernetes. */
interface Start {
  ready: number;
  accepting: number;
}

interface StatefulSet extends Manifest {
  spec: { replicas: number; template: { spec: { containers: { command: string[] }[] } } };
}

/**
 * From a pod that is asked for to one that is Ready: the database as the component makes it, beside the same StatefulSet in which
 * Postgres is started plainly; on a new volume, and on that volume again.
 */
export async function databaseReady(cleanup: Cleanup, rounds: number, resourcesIn: (namespace: string) => Resource[]) {
  const starts = Object.fromEntries(
    WAYS.map((way) => [way, { "empty volume": [], "volume with data": [] }]),
  ) as unknown as Record<Way, Record<Volume, Start[]>>;

  /** Both starts in a namespace of their own. */
  const measure = async (way: Way) => {
    const namespace = await Namespace.create("bench");
    const remove = cleanup.add(() => namespace.delete());
    const server = await applyStopped(namespace, resourcesIn(namespace.name), way);
    for (const volume of VOLUMES) {
      starts[way][volume].push(await start(namespace, server));
      await stop(namespace, server);
    }
    await remove();
    return VOLUMES.reduce((sum, volume) => sum + starts[way][volume].at(-1)!.ready, 0);
  };
  await alternate(rounds, { script: () => measure("script"), plain: () => measure("plain") });

  const rows = VOLUMES.flatMap((volume): Row[] => {
    const seconds = (way: Way, part: keyof Start) => starts[way][volume].map((start) => start[part]);
    const [script, plain] = [seconds("script", "ready"), seconds("plain", "ready")];
    const [scriptAlone, plainAlone] = [seconds("script", "accepting"), seconds("plain", "accepting")];
    return [
      { what: `${volume}: the component's, Ready`, values: script, unit: " s" },
      { what: `${volume}: initdb and postgres, Ready`, values: plain, unit: " s" },
      { what: `${volume}: difference`, values: pairs(script, plain, difference), unit: " s", goal: GOAL },
      { what: `${volume}: ratio`, values: pairs(script, plain, ratio) },
      { what: `${volume}: the component's, container alone`, values: scriptAlone, unit: " s" },
      { what: `${volume}: initdb and postgres, container alone`, values: plainAlone, unit: " s" },
      {
        what: `${volume}: difference, container alone`,
        values: pairs(scriptAlone, plainAlone, difference),
        unit: " s",
        goal: GOAL,
      },
    ];
  });
  return table("The database from its pod to Ready, over the same image started plainly", rows, [
    "Ready comes in steps of a second, the startup probe's. Container alone: from its first process to the server's word that it takes",
    "connections.",
    ...CLOUD_NATIVE_PG,
  ]);
}

/** Everything of the database but its pod. Returns the StatefulSet's name. */
async function applyStopped(namespace: Namespace, resources: Resource[], way: Way): Promise<string> {
  const manifests = manifestsOf(resources).filter(
    ({ metadata }) => metadata.labels["app.kubernetes.io/component"] === "database",
  );
  const server = manifests.find(({ kind }) => kind === "StatefulSet") as StatefulSet;
  server.spec.replicas = 0;
  if (way === "plain") server.spec.template.spec.containers[0].command = ["sh", "-c", plainStart];
  await namespace.apply(...manifests);
  return server.metadata.name;
}

const scale = (namespace: Namespace, server: string, replicas: number) =>
  namespace.kubectl(["scale", `statefulset/${server}`, `--replicas=${replicas}`]);

async function start(namespace: Namespace, server: string): Promise<Start> {
  const ready = await timed(async () => {
    await scale(namespace, server, 1);
    await namespace.kubectl(["rollout", "status", `statefulset/${server}`, `--timeout=${LIMIT}s`], { seconds: LIMIT + 10 });
  });
  return { ready, accepting: await acceptedAfter(namespace, `${server}-0`) };
}

async function stop(namespace: Namespace, server: string): Promise<void> {
  await scale(namespace, server, 0);
  await namespace.kubectl(["wait", "--for=delete", `pod/${server}-0`, `--timeout=${LIMIT}s`], { seconds: LIMIT + 10 });
}

/** Seconds from the container's first process until Postgres accepted connections, both by the node's clock. */
async function acceptedAfter(namespace: Namespace, pod: string): Promise<number> {
  const { code, stdout, stderr } = await namespace.exec(pod, ["sh", "-c", "date +%s.%N; cat /proc/uptime /proc/1/stat"]);
  if (code !== 0) throw new Error(`when ${pod} started: exit ${code}\n${stdout}${stderr}`);
  const [now, uptime, stat] = stdout.split("\n");
  const ticks = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19]); // proc(5): 22nd, in hundredths of a second
  const begun = Number(now) - Number(uptime.split(" ")[0]) + ticks / 100;

  const log = await namespace.kubectl(["logs", pod, "--timestamps"]);
  const accepted = log.split("\n").findLast((line) => line.includes("database system is ready to accept connections"));
  if (!accepted) throw new Error(`${pod} does not say when it accepted connections:\n${log}`);
  return Date.parse(accepted.split(" ")[0]) / 1000 - begun;
}
