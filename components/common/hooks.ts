import { AsyncResource } from "async_hooks";
import * as pulumi from "@pulumi/pulumi";
import { sent } from "./tell";

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

/** Whether an object was never there: what the API server refuses says itself why. */
export const wasRefused = ({ errors }: Pick<pulumi.ErrorHookArgs, "errors">): boolean =>
  errors.some((error) => error.includes("was not successfully created"));

/** All of these hooks, those of one kind in this order; the first that throws is the last. */
export const together = (...bindings: (pulumi.ResourceHookBinding | undefined)[]): pulumi.ResourceHookBinding | undefined =>
  bindings.reduce<pulumi.CustomResourceOptions>((all, hooks) => pulumi.mergeOptions(all, { hooks }), {}).hooks;

/** Gives these hooks to the Jobs of a component, too. */
export const onJobs =
  (hooks: pulumi.ResourceHookBinding | undefined): pulumi.ResourceTransformation =>
  ({ type, props, opts }) =>
    type === "kubernetes:batch/v1:Job" ? { props, opts: pulumi.mergeOptions(opts, { hooks }) } : undefined;

/** Runs before a resource is created, and keeps it from that by throwing. */
export function beforeCreation(name: string, run: () => Promise<void>): pulumi.ResourceHookBinding | undefined {
  if (!pulumi.runtime.getEngine()) return undefined;
  return { beforeCreate: [new pulumi.ResourceHook(name, AsyncResource.bind(run))] };
}

/** Runs before a resource is created or updated, in a preview too, and keeps it from that by throwing. */
export function beforeChange(name: string, run: () => Promise<void>): pulumi.ResourceHookBinding | undefined {
  if (!pulumi.runtime.getEngine()) return undefined;
  const hook = new pulumi.ResourceHook(name, AsyncResource.bind(run), { onDryRun: true });
  return { beforeCreate: [hook], beforeUpdate: [hook] };
}

/**
 * For hooks: a value, or undefined where it is not known, in previews and, of resources that --target or --exclude leaves out, in `up` too.
 * `apply` would wait for good. The SDK has no public way to ask.
 */
export async function known<T>(value: pulumi.Input<T> | undefined): Promise<pulumi.Unwrap<T> | undefined> {
  const output = pulumi.output(value) as unknown as { isKnown: Promise<boolean>; promise(): Promise<pulumi.Unwrap<T>> };
  return (await output.isKnown) ? output.promise() : undefined;
}

/** What to tell, in a preview too, of a resource that is created. */
export function onCreation(name: string, tell: () => string | undefined): pulumi.ResourceHookBinding | undefined {
  if (!pulumi.runtime.getEngine()) return undefined;
  const bound = AsyncResource.bind(async ({ urn }: pulumi.ResourceHookArgs) => {
    const words = tell();
    if (words) await sent(pulumi.log.info(words, { urn: pulumi.output(urn) } as pulumi.Resource));
  });
  return { beforeCreate: [new pulumi.ResourceHook(name, bound, { onDryRun: true })] };
}

/** What the provider says of what it was waiting for when the deployment was cancelled. */
export const CANCELLED = /operation was cancelled for/;

/** Runs before a resource is updated, in a preview too, and keeps it from that by throwing. */
export function beforeUpdate(
  name: string,
  run: (args: pulumi.ResourceHookArgs) => void | Promise<void>,
): pulumi.ResourceHookBinding | undefined {
  if (!pulumi.runtime.getEngine()) return undefined;
  return { beforeUpdate: [new pulumi.ResourceHook(name, AsyncResource.bind(run), { onDryRun: true })] };
}

/** The same in a preview alone. */
export const beforePreviewedUpdate: typeof beforeUpdate = (name, run) =>
  pulumi.runtime.isDryRun() ? beforeUpdate(name, run) : undefined;

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
