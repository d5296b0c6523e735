import { kubectl } from "../../test/support/kubectl";
import { everyString, plain, Resource } from "./state";

const LIMIT = 120;

/** How to wait for the kinds that something else waits for. */
const waits: Record<string, (name: string) => string[]> = {
  StatefulSet: (name) => ["rollout", "status", `statefulset/${name}`],
  Job: (name) => ["wait", "--for=condition=complete", `job/${name}`],
};

export interface Manifest {
  kind: string;
  metadata: { name: string; namespace: string; labels: Record<string, string> };
}

/** One `kubectl apply`, and what has to be waited for before the next. */
interface Step {
  manifests: Manifest[];
  wait?: string[];
}

/** What is applied: without what is only read, and without the patch of a claim, which has its size from the StatefulSet already. */
export function manifestsOf(resources: Resource[]): Manifest[] {
  return resources
    .filter(({ type, read }) => type.startsWith("kubernetes:") && !type.endsWith("Patch") && read === undefined)
    .map(({ inputs }) => {
      const { namespace } = inputs.metadata as { namespace: string };
      // The server's certificate is for the namespace in which it was made, but also for the Service's name alone.
      return plain(everyString(inputs, (text) => text.replaceAll(`.${namespace}.svc`, ""))) as unknown as Manifest;
    });
}

/** The shortest way by hand: first everything that is there at once, then what takes time, each when the one before is done. */
export function stepsOf(resources: Resource[]): Step[] {
  const manifests = manifestsOf(resources);
  const [slow, quick] = [true, false].map((isSlow) => manifests.filter(({ kind }) => kind in waits === isSlow));
  return [{ manifests: quick }, ...slow.map((manifest) => ({ manifests: [manifest], wait: waitFor(manifest) }))];
}

const waitFor = ({ kind, metadata: { name, namespace } }: Manifest) => [
  "--namespace",
  namespace,
  ...waits[kind](name),
  `--timeout=${LIMIT}s`,
];

const listOf = (manifests: Manifest[]) => JSON.stringify({ apiVersion: "v1", kind: "List", items: manifests });

export async function deploy(steps: Step[]): Promise<void> {
  for (const { manifests, wait } of steps) {
    await kubectl(["apply", "-f", "-"], { input: listOf(manifests) });
    if (wait) await kubectl(wait, { seconds: LIMIT + 10 });
  }
}

/** All of it in one command, which ends when the pods are gone too: the controllers' objects outlive them. */
export async function remove(manifests: Manifest[]): Promise<void> {
  await kubectl(["delete", "-f", "-", "--cascade=foreground", `--timeout=${LIMIT}s`], {
    input: listOf(manifests),
    seconds: LIMIT + 10,
  });
}
