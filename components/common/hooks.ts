import { AsyncResource } from "async_hooks";
import * as pulumi from "@pulumi/pulumi";

// Mocks, with which programs are tested, have no engine and know no hooks: registering one would never end.
// What a hook calls is bound to the program that it is of: called by the engine, it would not know to which one to log.

/** What to tell of an operation that failed, beside the provider's words, if anything. Trying again is not asked for. */
export function onFailure(
  name: string,
  tell: (failed: pulumi.ErrorHookArgs) => string | undefined,
): pulumi.ResourceHookBinding | undefined {
  if (!pulumi.runtime.getEngine()) return undefined;
  const bound = AsyncResource.bind((failed: pulumi.ErrorHookArgs) => {
    const words = tell(failed);
    // The resource itself is not there yet for the program, but its name is all that the log asks for.
    if (words) pulumi.log.error(words, { urn: pulumi.output(failed.urn) } as pulumi.Resource);
    return false;
  });
  return { onError: [new pulumi.ErrorHook(name, bound)] };
}

/** Runs before a resource is created, and keeps it from that by throwing. */
export function beforeCreation(name: string, run: () => Promise<void>): pulumi.ResourceHookBinding | undefined {
  if (!pulumi.runtime.getEngine()) return undefined;
  return { beforeCreate: [new pulumi.ResourceHook(name, AsyncResource.bind(run))] };
}

/** What of an object the words about its failure name. */
export interface Named {
  metadata?: { name?: string; namespace?: string };
}

/** For kubectl, where the namespace is known. */
export const inNamespace = (namespace: string | undefined) => (namespace ? ` --namespace ${namespace}` : "");

/** Says what to install when the cluster does not know a kind, or has ceased to meanwhile. */
export const onUnknownKind = (name: string, words: string) =>
  onFailure(name, ({ errors }) =>
    errors.some((error) => /no matches for kind|the server could not find the requested resource/.test(error))
      ? words
      : undefined,
  );
