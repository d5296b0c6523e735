import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import * as pulumi from "@pulumi/pulumi";
import { MockMonitor } from "@pulumi/pulumi/runtime/mocks";

// The SDK's own entry for every resource that is constructed; the namespace object of an import could not be patched.
// eslint-disable-next-line @typescript-eslint/no-require-imports
const sdk = require("@pulumi/pulumi/runtime/resource");
// eslint-disable-next-line @typescript-eslint/no-require-imports -- internal, so without a type
const { waitForRPCs } = require("@pulumi/pulumi/runtime/settings");

/** What reached the engine for one resource. */
export interface Registered {
  type: string;
  name: string;
  parent: string;
  inputs: any;
  dependencies: string[];
  options: {
    protect?: boolean;
    retainOnDelete?: boolean;
    ignoreChanges: string[];
    replaceOnChanges: string[];
    customTimeouts?: { create: string; update: string; delete: string };
  };
}

const shortUrn = (urn: string) => {
  if (!urn) return "";
  const [, , types, name] = urn.split("::");
  return `${types.split("$").pop()}::${name}`;
};

/** What every RandomUuid generates. */
export const RANDOM_UUID = "0f1e2d3c-0000-4000-8000-000000000000";

/** What a provider would add to the inputs: generated values and names. */
function outputs(args: pulumi.runtime.MockResourceArgs) {
  if (args.type === "random:index/randomPassword:RandomPassword")
    return { ...args.inputs, result: pulumi.secret(`pw-of-${args.name}`) };
  if (args.type === "random:index/randomBytes:RandomBytes") {
    const made = pulumi.secret(`bytes-of-${args.name}`);
    return { ...args.inputs, base64: made, hex: made };
  }
  if (args.type === "random:index/randomUuid:RandomUuid") return { ...args.inputs, result: RANDOM_UUID };
  if (args.type === "tls:index/privateKey:PrivateKey")
    return { ...args.inputs, privateKeyPem: pulumi.secret(`key-of-${args.name}`) };
  if (args.type.startsWith("tls:")) return { ...args.inputs, certPem: `certificate-of-${args.name}` };
  if (!args.type.startsWith("kubernetes:")) return args.inputs;
  const metadata = {
    namespace: "default",
    uid: `uid-of-${args.name}`,
    ...args.inputs.metadata,
    name: args.inputs.metadata?.name ?? `${args.name}-0123abcd`,
  };
  return { ...args.inputs, metadata };
}

/** A value as it went over the wire, with what was marked as secret replaced by "[secret]", unless secrets are to be shown. */
function plain(value: any, showSecrets: boolean): any {
  const inner = (one: any) => plain(one, showSecrets);
  if (pulumi.runtime.isRpcSecret(value)) return showSecrets ? inner(pulumi.runtime.unwrapRpcSecret(value)) : "[secret]";
  if (Array.isArray(value)) return value.map(inner);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, inner(one)]));
}

/**
 * Runs a program against mocks and returns everything it registered, by "type::name" and in order. `onRegister` sees each resource
 * while it is being created, and may delay it; `state` has what of a resource is in the cluster already. `late` are those that were not constructed while the program itself ran.
 */
export async function graph<T>(
  program: () => T,
  options: {
    preview?: boolean;
    showSecrets?: boolean;
    onRegister?: (key: string) => Promise<void>;
    state?: Record<string, object>;
  } = {},
) {
  const resources = new Map<string, Registered>();
  const order: string[] = [];
  const late: string[] = [];
  let running = true;
  const originalMonitor = MockMonitor.prototype.registerResource;
  const originalSdk = sdk.registerResource;
  sdk.registerResource = (...args: any[]) => {
    if (!running) late.push(`${args[2]}::${args[3]}`);
    return originalSdk(...args);
  };
  MockMonitor.prototype.registerResource = async function (this: MockMonitor, request: any, callback: any) {
    const key = `${request.getType()}::${request.getName()}`;
    const timeouts = request.getCustomtimeouts();
    order.push(key);
    resources.set(key, {
      type: request.getType(),
      name: request.getName(),
      parent: shortUrn(request.getParent()),
      inputs: plain(pulumi.runtime.deserializeProperties(request.getObject(), true), options.showSecrets ?? false),
      dependencies: request.getDependenciesList().map(shortUrn).sort(),
      options: {
        protect: request.hasProtect() ? request.getProtect() : undefined,
        retainOnDelete: request.hasRetainondelete() ? request.getRetainondelete() : undefined,
        ignoreChanges: request.getIgnorechangesList(),
        replaceOnChanges: request.getReplaceonchangesList(),
        customTimeouts: timeouts && { create: timeouts.getCreate(), update: timeouts.getUpdate(), delete: timeouts.getDelete() },
      },
    });
    await options.onRegister?.(key);
    return originalMonitor.call(this, request, callback);
  };
  // The SDK's own mocks know error hooks, and have no answer to one that is registered.
  (MockMonitor.prototype as any).registerErrorHook = (_request: any, callback: any) => callback(null, new Empty());
  try {
    await pulumi.runtime.setMocks(
      {
        newResource: (args) => {
          const there = options.state?.[`${args.type}::${args.name}`];
          return { id: `${args.name}-id`, state: there ? { ...outputs(args), ...there } : outputs(args) };
        },
        call: (args) => args.inputs,
      },
      "project",
      "stack",
      options.preview,
    );
    const result = program();
    running = false;
    await waitForRPCs();
    return { resources, order, late, result };
  } finally {
    sdk.registerResource = originalSdk;
    MockMonitor.prototype.registerResource = originalMonitor;
  }
}
