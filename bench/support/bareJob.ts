import { Namespace } from "../../test/support/kubectl";
import { Manifest } from "./kubectlDeploy";
import { plain, Resource, Values } from "./state";

const LIMIT = 120;

interface Container {
  name: string;
  command: string[];
  env: { name: string }[];
  volumeMounts: { name: string }[];
}

export interface Job extends Manifest {
  spec: { template: { spec: { initContainers?: Container[]; containers: Container[]; volumes: { name: string }[] } } };
}

/** What is only there because the migration is watched over. */
const OURS = /^migration-(scripts|tools|run)$|^guard-tmp$/;

/** One of the component's Jobs, by the name it has in the program. */
export const jobOf = (resources: Resource[], name: string) =>
  plain(resources.find((one) => one.name === name && one.type.endsWith(":Job"))!.inputs as Values) as Job;

/** The Job as somebody would write it who only wants the command to run. */
export function byHand(job: Job, command: string[]): Job {
  const hand = structuredClone(job);
  const pod = hand.spec.template.spec;
  const notOurs = ({ name }: { name: string }) => !OURS.test(name);
  delete pod.initContainers;
  pod.containers = pod.containers.slice(-1);
  const [container] = pod.containers;
  container.command = command;
  container.env = container.env.filter(({ name }) => !name.startsWith("POSTGRES_APP_"));
  container.volumeMounts = container.volumeMounts.filter(notOurs);
  pod.volumes = pod.volumes.filter(notOurs);
  return hand;
}

/** Runs a Job under a name of its own to its end. */
export async function complete(namespace: Namespace, job: Job, name: string): Promise<void> {
  await namespace.apply({ ...job, metadata: { name, namespace: namespace.name } });
  await namespace.kubectl(["wait", "--for=condition=complete", `job/${name}`, `--timeout=${LIMIT}s`], { seconds: LIMIT + 10 });
}
