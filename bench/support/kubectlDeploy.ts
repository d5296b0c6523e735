import { kubectl } from "../../test/support/kubectl";
import { plain, Resource } from "./state";

const LIMIT = 120;

/** How to wait for the kinds that something else waits for. */
const waits: Record<string, (name: string) => string[]> = {
  StatefulSet: (name) => ["rollout", "status", `statefulset/${name}`],
  Job: (name) => ["wait", "--for=condition=complete", `job/${name}`],
};

interface Manifest {
  kind: string;
  metadata: { name: string; namespace: string };
}

/** One `kubectl apply`, and what has to be waited for before the next. */
interface Step {
  manifests: Manifest[];
  wait?: string[];
}

/** The shortest way by hand: first everything that is there at once, then what takes time, each when the one before is done. */
export function stepsOf(resources: Resource[]): Step[] {
  const manifests = resources
    .filter(({ type }) => type.startsWith("kubernetes:"))
    .map(({ inputs }) => plain(inputs) as unknown as Manifest);
  const [slow, quick] = [true, false].map((isSlow) => manifests.filter(({ kind }) => kind in waits === isSlow));
  return [{ manifests: quick }, ...slow.map((manifest) => ({ manifests: [manifest], wait: waitFor(manifest) }))];
}

const waitFor = ({ kind, metadata: { name, namespace } }: Manifest) => [
  "--namespace",
  namespace,
  ...waits[kind](name),
  `--timeout=${LIMIT}s`,
];

export async function deploy(steps: Step[]): Promise<void> {
  for (const { manifests, wait } of steps) {
    await kubectl(["apply", "-f", "-"], { input: JSON.stringify({ apiVersion: "v1", kind: "List", items: manifests }) });
    if (wait) await kubectl(wait, { seconds: LIMIT + 10 });
  }
}
