import { Cleanup } from "./cleanup";
import { Project } from "./project";
import { say } from "./say";
import { inNamespace, withProject } from "./scratch";
import { Exported, Resource, resourcesOf } from "./state";

/** The application's version that is installed, and the one that it is upgraded to, which has one migration more. */
export const [FIRST, NEXT] = ["1.0.0", "1.1.0"];

/** What the component asks for in a namespace, of either version. */
export interface Versions {
  first(namespace: string): Resource[];
  next(namespace: string): Resource[];
}

/** Reads it out of a stack that is deployed for that alone. */
export async function versionsOf(cleanup: Cleanup): Promise<Versions> {
  say("a stack that says which objects there are, not measured");
  return inNamespace(cleanup, async (namespace) =>
    withProject(cleanup, await Project.ofFile("component.js", namespace.name), async (project) => {
      const resourcesAt = async (version: string) => {
        await project.up("--config", `version=${version}`);
        const state = (await project.export()) as Exported;
        return (other: string) => resourcesOf(state, namespace.name, other);
      };
      return { first: await resourcesAt(FIRST), next: await resourcesAt(NEXT) };
    }),
  );
}
