// Serves one resource provider to the engine: what is the same for every provider of this folder.
import * as grpc from "@grpc/grpc-js";
import { Any } from "google-protobuf/google/protobuf/any_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { PluginInfo } from "@pulumi/pulumi/proto/plugin_pb";
import * as messages from "@pulumi/pulumi/proto/provider_pb";
import { ResourceProviderService } from "@pulumi/pulumi/proto/provider_grpc_pb";
import { Status } from "@pulumi/pulumi/proto/status_pb";
import { endWithEngine } from "../../pulumi/lifetime";
import { EngineLog } from "./log";
import { type Properties, toStruct } from "./values";

/** The methods of `pulumirpc.ResourceProvider` that a provider implements; the others answer "unimplemented". */
export interface Provider {
  checkConfig?(request: messages.CheckRequest): Promise<messages.CheckResponse>;
  diffConfig?(request: messages.DiffRequest): Promise<messages.DiffResponse>;
  configure?(request: messages.ConfigureRequest): Promise<void>;
  check(request: messages.CheckRequest): Promise<messages.CheckResponse>;
  diff(request: messages.DiffRequest): Promise<messages.DiffResponse>;
  create(request: messages.CreateRequest): Promise<messages.CreateResponse>;
  read(request: messages.ReadRequest): Promise<messages.ReadResponse>;
  update(request: messages.UpdateRequest): Promise<messages.UpdateResponse>;
  delete(request: messages.DeleteRequest): Promise<void>;
  cancel?(): Promise<void>;
}

/** The object exists, but is not as it should be: the engine records it together with the reasons. */
export class InitializationFailed extends Error {
  constructor(
    readonly id: string,
    readonly properties: Properties,
    readonly inputs: Properties,
    readonly reasons: string[],
  ) {
    super(reasons.join("\n"));
  }
}

/** A failure as the engine wants it. Partial failures travel in the metadata, as Go's gRPC does it. */
function toServiceError(error: unknown): Partial<grpc.StatusObject> {
  const message = error instanceof Error ? error.message : String(error);
  const metadata = new grpc.Metadata();
  if (error instanceof InitializationFailed) {
    const detail = new messages.ErrorResourceInitFailed();
    detail.setId(error.id);
    detail.setProperties(toStruct(error.properties));
    detail.setInputs(toStruct(error.inputs));
    detail.setReasonsList(error.reasons);
    const packed = new Any();
    packed.pack(detail.serializeBinary(), "pulumirpc.ErrorResourceInitFailed");
    const status = new Status();
    status.setCode(grpc.status.UNKNOWN);
    status.setMessage(message);
    status.addDetails(packed);
    metadata.add("grpc-status-details-bin", Buffer.from(status.serializeBinary()));
  }
  return { code: grpc.status.UNKNOWN, details: message, metadata };
}

type Method = (request: never) => Promise<object | void>;

function answer(method: Method): grpc.handleUnaryCall<never, object> {
  return (call, reply) => {
    method(call.request).then(
      (response) => reply(null, response ?? new Empty()),
      (error) => reply(toServiceError(error)),
    );
  };
}

async function handshake(): Promise<messages.ProviderHandshakeResponse> {
  const response = new messages.ProviderHandshakeResponse();
  response.setAcceptSecrets(true);
  return response;
}

function configured(provider: Provider): Method {
  return async (request: messages.ConfigureRequest) => {
    await provider.configure?.(request);
    const response = new messages.ConfigureResponse();
    response.setAcceptsecrets(true);
    response.setSupportspreview(true);
    return response;
  };
}

/** Without an answer of its own a provider takes every setting, and changes of it are never a reason to replace. */
const defaults = {
  checkConfig: async (request: messages.CheckRequest) => new messages.CheckResponse().setInputs(request.getNews()),
  diffConfig: async () => new messages.DiffResponse(),
};

/** Starts the provider that `make` builds and tells the engine, which has started this process, the port. */
export function serve(version: string, make: (log: EngineLog) => Provider): void {
  const address = process.argv.slice(2).find((argument) => !argument.startsWith("-"));
  const provider = make(new EngineLog(address));
  const methods: Record<string, Method | undefined> = {
    handshake,
    checkConfig: (provider.checkConfig ?? defaults.checkConfig).bind(provider),
    diffConfig: (provider.diffConfig ?? defaults.diffConfig).bind(provider),
    configure: configured(provider),
    check: provider.check.bind(provider),
    diff: provider.diff.bind(provider),
    create: provider.create.bind(provider),
    read: provider.read.bind(provider),
    update: provider.update.bind(provider),
    delete: provider.delete.bind(provider),
    cancel: async () => provider.cancel?.(),
    getPluginInfo: async () => new PluginInfo().setVersion(version),
  };
  const unimplemented = (name: string): grpc.handleUnaryCall<never, object> => {
    return (_, reply) => reply({ code: grpc.status.UNIMPLEMENTED, details: `${name} is not part of this stand-in` });
  };
  const handlers = Object.keys(ResourceProviderService).map((name) => {
    const method = methods[name];
    return [name, method ? answer(method) : unimplemented(name)];
  });
  // Large objects (a ConfigMap may hold a mebibyte) travel twice in one message.
  const server = new grpc.Server({ "grpc.max_receive_message_length": -1, "grpc.max_send_message_length": -1 });
  server.addService(ResourceProviderService, Object.fromEntries(handlers) as grpc.UntypedServiceImplementation);
  server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) => {
    if (error) throw error;
    console.log(port);
  });
  endWithEngine();
}
