// The random plugin's resources: a value is made once and kept; every other argument asks for a new one.
import * as messages from "@pulumi/pulumi/proto/provider_pb";
import type { EngineLog } from "../rpc/log";
import type { Provider } from "../rpc/server";
import { equal, fromStruct, hasUnknown, markLike, type Properties, reveal, secret, toStruct, unknown } from "../rpc/values";
import { complete, type Made, type RandomType, types } from "./types";

export class RandomProvider implements Provider {
  constructor(private readonly log: EngineLog) {}

  async check(request: messages.CheckRequest): Promise<messages.CheckResponse> {
    const inputs = reveal(fromStruct(request.getNews()));
    const response = new messages.CheckResponse().setInputs(request.getNews());
    if ("number" in inputs) {
      const advice = "**NOTE**: This is deprecated, use `numeric` instead.";
      this.log.warning(request.getUrn(), `[WARNING] property "number" is deprecated: ${advice}`);
    }
    const type = typeOf(request.getType(), request.getUrn());
    const reason = hasUnknown(inputs) ? undefined : type.problem(complete(type, inputs));
    if (reason) response.setFailuresList([new messages.CheckFailure().setReason(reason)]);
    return response;
  }

  async diff(request: messages.DiffRequest): Promise<messages.DiffResponse> {
    const type = typeOf(request.getType(), request.getUrn());
    const old = reveal(fromStruct(request.getOlds()));
    const wanted = complete(type, reveal(fromStruct(request.getNews())));
    const names = new Set([...Object.keys(wanted), ...type.optional]);
    const changed = [...names].filter((name) => !equal(old[name], wanted[name]));
    const { DIFF_NONE, DIFF_SOME } = messages.DiffResponse.DiffChanges;
    const response = new messages.DiffResponse().setChanges(changed.length ? DIFF_SOME : DIFF_NONE);
    response.setDiffsList(changed);
    response.setReplacesList(changed);
    return response;
  }

  async create(request: messages.CreateRequest): Promise<messages.CreateResponse> {
    const type = typeOf(request.getType(), request.getUrn());
    const given = fromStruct(request.getProperties());
    if (request.getPreview()) {
      const outputs = Object.fromEntries(type.outputs.map((name) => [name, unknown]));
      return new messages.CreateResponse().setProperties(toStruct(visible(type, given, outputs)));
    }
    const made = await type.make(complete(type, reveal(given)));
    return new messages.CreateResponse().setId(made.id).setProperties(toStruct(recorded(type, given, made)));
  }

  /** A refresh finds what is recorded; an import makes the record out of the id. */
  async read(request: messages.ReadRequest): Promise<messages.ReadResponse> {
    const response = new messages.ReadResponse();
    if (Object.keys(fromStruct(request.getProperties())).length > 0) {
      return response.setId(request.getId()).setProperties(request.getProperties()).setInputs(request.getInputs());
    }
    const type = typeOf(request.getType(), request.getUrn());
    const { args, ...made } = await type.adopt(request.getId());
    return response
      .setId(made.id)
      .setInputs(toStruct(args))
      .setProperties(toStruct(recorded(type, args, made)));
  }

  async update(): Promise<messages.UpdateResponse> {
    throw new Error("the arguments of a random value cannot change in place");
  }

  async delete(): Promise<void> {}
}

function typeOf(token: string, urn: string): RandomType {
  const name = token || urn.split("::")[2].split("$").pop()!;
  const type = types[name];
  if (!type) throw new Error(`${name} is not part of this stand-in for the random plugin`);
  return type;
}

function visible(type: RandomType, given: Properties, made: Properties): Properties {
  const outputs: Properties = { ...(markLike(complete(type, reveal(given)), given) as Properties), ...made };
  for (const name of type.secrets) outputs[name] = secret(outputs[name]);
  return outputs;
}

/** The outputs, with the book-keeping of the official plugin, so that it can go on with a state this stand-in has written. */
function recorded(type: RandomType, given: Properties, made: Made): Properties {
  const delta: Properties = {};
  for (const name of type.optional) {
    if (!(name in given)) delta[name] = secret({ replace: { raw: null } });
    else if (name === "keepers") delta[name] = { map: {} };
  }
  const outputs = visible(type, given, made.outputs);
  if (!type.secrets.includes("base64")) outputs.id = made.id;
  if (type.schema) outputs.__meta = JSON.stringify({ schema_version: String(type.schema) });
  return { ...outputs, __pulumi_raw_state_delta: { obj: { ps: delta } } };
}
