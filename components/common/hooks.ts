import { AsyncResource } from "async_hooks";
import * as pulumi from "@pulumi/pulumi";

// Mocks, with which programs are tested, have no engine and know no hooks: registering one would never end.
// What a hook calls is bound to the program that it is of: called by the engine, it would not know to which one to log.

/** Tells something of an operation that failed. Trying again is not asked for. */
export function onFailure(name: string, tell: (failed: pulumi.ErrorHookArgs) => void): pulumi.ResourceHookBinding | undefined {
  if (!pulumi.runtime.getEngine()) return undefined;
  const bound = AsyncResource.bind((failed: pulumi.ErrorHookArgs) => {
    tell(failed);
    return false;
  });
  return { onError: [new pulumi.ErrorHook(name, bound)] };
}

/** Runs before a resource is created, and keeps it from that by throwing. */
export function beforeCreation(name: string, run: () => Promise<void>): pulumi.ResourceHookBinding | undefined {
  if (!pulumi.runtime.getEngine()) return undefined;
  return { beforeCreate: [new pulumi.ResourceHook(name, AsyncResource.bind(run))] };
}
