import * as pulumi from "@pulumi/pulumi";
import { isDeferred } from "./validation";

/** Maps of texts. Any other empty object can be a statement: `podSelector: {}` is every pod, `emptyDir: {}` a directory. */
const MAPS = ["annotations", "data", "labels", "limits", "matchLabels", "nodeSelector", "parameters", "requests"];

/**
 * Empty lists and maps are left out of what is sent to Kubernetes, and so is the empty value of a container's variable. To
 * Kubernetes both are the same, but controllers and the API server drop what is empty when they write an object, and after a
 * refresh it would be a change in every preview. Entries of lists and values in maps stay: `egress: [{}]` allows everything, and
 * an annotation may be empty.
 */
export function withoutEmpty<T>(value: T): T {
  if (isDeferred(value)) return later(value, withoutEmpty) as T;
  if (Array.isArray(value)) return value.map(withoutEmpty) as T;
  if (typeof value !== "object" || value === null) return value;
  // What is undefined stays under its name: of a resource it is an output, and is not sent.
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, field(key, one)])) as T;
}

function field(key: string, value: unknown): unknown {
  if (key === "stringData" && value !== undefined) return content(value);
  if (isDeferred(value)) return later(value, (known) => field(key, known));
  if (Array.isArray(value)) return value.length ? value.map(key === "env" ? variable : withoutEmpty) : undefined;
  if (typeof value !== "object" || value === null) return value;
  if (MAPS.includes(key)) return Object.keys(value).length ? value : undefined;
  return withoutEmpty(value);
}

/** Of a Secret. Nothing is no secret: sent as one, it would be a change of its content, and with it of its name. */
const content = (value: unknown): unknown =>
  pulumi
    .unsecret(pulumi.output(value) as pulumi.Output<unknown>)
    .apply((known) => (Object.keys(known ?? {}).length ? pulumi.secret(known) : undefined));

/** To a program a variable without a value is one that is set to "". */
function variable(one: unknown): unknown {
  if (isDeferred(one)) return later(one, variable);
  const { value, ...rest } = one as { value?: unknown };
  return withoutEmpty({ ...rest, value: isDeferred(value) ? later(value, (known) => known || undefined) : value || undefined });
}

const later = (value: unknown, known: (value: unknown) => unknown) =>
  (pulumi.output(value) as pulumi.Output<unknown>).apply(known);

/** Of nested components each passes it on. */
const done = new WeakSet<object>();

/** Does so with a child of a component that is an object of Kubernetes. */
export const leaveOutEmpty: pulumi.ResourceTransformation = ({ type, props, opts }) => {
  if (!type.startsWith("kubernetes:") || done.has(props)) return undefined;
  const sent = withoutEmpty(props);
  done.add(sent);
  return { props: sent, opts };
};
