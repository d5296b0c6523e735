import { Namespace } from "../../test/support/kubectl";
import { Cleanup } from "./cleanup";
import { Project } from "./project";

/** Something in a namespace of its own, which goes when that is done. */
export async function inNamespace<T>(cleanup: Cleanup, use: (namespace: Namespace) => Promise<T>): Promise<T> {
  const namespace = await Namespace.create("bench");
  const remove = cleanup.add(() => namespace.delete());
  const result = await use(namespace);
  await remove();
  return result;
}

/** Something with a project, which goes when that is done. */
export async function withProject<T>(cleanup: Cleanup, project: Project, use: (project: Project) => Promise<T>): Promise<T> {
  const remove = cleanup.add(() => project.remove());
  const result = await use(project);
  await remove();
  return result;
}
