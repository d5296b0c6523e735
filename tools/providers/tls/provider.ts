// The tls plugin's resources: a value is made once and kept; nearly every other argument asks for a new one.
import * as messages from "@pulumi/pulumi/proto/provider_pb";
import type { EngineLog } from "../rpc/log";
import type { Provider } from "../rpc/server";
import { equal, fromStruct, isUnknown, markLike, type Properties, reveal, secret, toStruct, unknown } from "../rpc/values";
import { type TlsType, types } from "./types";

/** The one argument that is about the time after the value is made. */
const IN_PLACE = "earlyRenewalHours";
const HOUR = 3_600_000;

export class TlsProvider implements Provider {
  constructor(private readonly log: EngineLog) {}

  async check(request: messages.CheckRequest): Promise<messages.CheckResponse> {
    const type = typeOf(request.getType(), request.getUrn());
    const failures = problems(type, reveal(fromStruct(request.getNews())));
    const response = new messages.CheckResponse().setInputs(request.getNews());
    response.setFailuresList(failures.map(({ name, reason }) => new messages.CheckFailure().setProperty(name).setReason(reason)));
    return response;
  }

  async diff(request: messages.DiffRequest): Promise<messages.DiffResponse> {
    const type = typeOf(request.getType(), request.getUrn());
    const old = reveal(fromStruct(request.getOlds()));
    const wanted: Properties = { ...type.defaults, ...reveal(fromStruct(request.getNews())) };
    const changed = argumentsOf(type).filter((name) => !equal(old[name], wanted[name]));
    if (isDue(old, wanted)) changed.push("readyForRenewal");
    const { DIFF_NONE, DIFF_SOME } = messages.DiffResponse.DiffChanges;
    const response = new messages.DiffResponse().setChanges(changed.length ? DIFF_SOME : DIFF_NONE);
    response.setDiffsList(changed);
    response.setReplacesList(changed.filter((name) => name !== IN_PLACE));
    return response;
  }

  async create(request: messages.CreateRequest): Promise<messages.CreateResponse> {
    const urn = request.getUrn();
    const type = typeOf(request.getType(), urn);
    const given = fromStruct(request.getProperties());
    const response = new messages.CreateResponse();
    if (request.getPreview()) {
      const outputs = Object.fromEntries(type.outputs.map((name) => [name, unknown]));
      return response.setProperties(toStruct(recorded(type, given, outputs)));
    }
    const warn = (message: string) => this.log.warning(urn, message);
    const { id, outputs } = await type.make({ ...type.defaults, ...reveal(given) }, warn);
    return response.setId(id).setProperties(toStruct(recorded(type, given, { ...outputs, id })));
  }

  /** What is recorded is all there is. */
  async read(request: messages.ReadRequest): Promise<messages.ReadResponse> {
    const type = typeOf(request.getType(), request.getUrn());
    const state = fromStruct(request.getProperties());
    if (Object.keys(state).length === 0) throw new Error("resources of the tls plugin cannot be imported");
    if (isDue(reveal(state), { ...type.defaults, ...reveal(state) })) state.readyForRenewal = true;
    return new messages.ReadResponse().setId(request.getId()).setProperties(toStruct(state)).setInputs(request.getInputs());
  }

  async update(request: messages.UpdateRequest): Promise<messages.UpdateResponse> {
    const type = typeOf(request.getType(), request.getUrn());
    const news = reveal(fromStruct(request.getNews()));
    const state = { ...fromStruct(request.getOlds()), [IN_PLACE]: news[IN_PLACE] ?? type.defaults[IN_PLACE] };
    return new messages.UpdateResponse().setProperties(toStruct(state));
  }

  async delete(): Promise<void> {}
}

function typeOf(token: string, urn: string): TlsType {
  const name = token || urn.split("::")[2].split("$").pop()!;
  const type = types[name];
  if (!type) throw new Error(`${name} is not part of this stand-in for the tls plugin`);
  return type;
}

function argumentsOf(type: TlsType): string[] {
  return [...type.required, ...type.optional, ...Object.keys(type.defaults)];
}

function problems(type: TlsType, args: Properties): { name: string; reason: string }[] {
  const known = argumentsOf(type);
  const missing = type.required.filter((name) => args[name] === undefined);
  const foreign = Object.keys(args).filter((name) => !known.includes(name) && !name.startsWith("__"));
  const wrong = Object.entries(type.allowed ?? {}).filter(([name, values]) => {
    const given = [args[name] ?? []].flat().filter((value) => !isUnknown(value));
    return !given.every((value) => values.includes(String(value)));
  });
  return [
    ...missing.map((name) => ({ name, reason: `Missing required property '${name}'` })),
    ...foreign.map((name) => ({ name, reason: `'${name}' is not part of this stand-in for the tls plugin` })),
    ...wrong.map(([name, values]) => ({ name, reason: `Invalid Attribute Value Match. '${name}' takes: ${values.join(", ")}` })),
  ];
}

/** Whether a certificate has come to its end, or to the hours before it in which it is to be renewed. */
function isDue(old: Properties, wanted: Properties): boolean {
  if (typeof old.validityEndTime !== "string" || isUnknown(old.validityEndTime)) return false;
  return Date.parse(old.validityEndTime) - Number(wanted[IN_PLACE]) * HOUR <= Date.now();
}

function recorded(type: TlsType, given: Properties, made: Properties): Properties {
  const outputs: Properties = { ...type.defaults, ...(markLike(reveal(given), given) as Properties), ...made };
  for (const name of type.secrets) outputs[name] = secret(outputs[name]);
  if (type.schema) outputs.__meta = JSON.stringify({ schema_version: String(type.schema) });
  return outputs;
}
