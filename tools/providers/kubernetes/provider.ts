// The Kubernetes plugin's resources: what the engine asks, answered with requests to the API server.
import * as messages from "@pulumi/pulumi/proto/provider_pb";
import type { EngineLog } from "../rpc/log";
import { InitializationFailed, type Provider } from "../rpc/server";
import { fromStruct, hasUnknown, markLike, type Properties, reveal, toStruct } from "../rpc/values";
import { isReady, pause, readiness, untilGone, untilReady, type Wait } from "./await/await";
import { Cluster, UnknownKind } from "./cluster";
import { compare } from "./compare";
import { type ApiError, isMissing, Unreachable } from "./http";
import { leavingAlone } from "./ignore";
import { connect } from "./kubeconfig";
import { fieldManager } from "./naming";
import { markSecrets, named, normalise, refuse } from "./normalise";
import { annotations, isTrue, namespaceOf, qualifiedName, withMetadata } from "./objects";
import { describe, isForbidden, isSilentInPreview } from "./refusals";
import { adopted, prune, record, recorded } from "./state";
import { diffSettings, type Settings, settingsFrom } from "./settings";
import { type Kind, kindOf } from "./token";
import { apply, handOver, patiently, post, relinquish, remove, type Target } from "./write";

/** An object that the API server has taken. */
interface Written {
  readonly urn: string;
  readonly kind: Kind;
  readonly live: Properties;
  /** The inputs, with secret marks. */
  readonly given: Properties;
  readonly manager: string;
  readonly timeout: number;
  /** How a message about it begins. */
  readonly says: string;
  /** What was recorded before. */
  readonly old?: Properties;
}

export class KubernetesProvider implements Provider {
  private settings: Settings = settingsFrom({});
  private connected?: Cluster;
  private readonly cancelled = new AbortController();

  constructor(private readonly log: EngineLog) {}

  async diffConfig(request: messages.DiffRequest): Promise<messages.DiffResponse> {
    return diffSettings(request);
  }

  async configure(request: messages.ConfigureRequest): Promise<void> {
    this.settings = settingsFrom(reveal(fromStruct(request.getArgs())));
  }

  async cancel(): Promise<void> {
    this.cancelled.abort();
  }

  async check(request: messages.CheckRequest): Promise<messages.CheckResponse> {
    const given = fromStruct(request.getNews());
    const oldInputs = reveal(fromStruct(request.getOlds()));
    const urn = request.getUrn();
    const kind = kindOf(urn, reveal(given));
    const wanted = normalise(reveal(given));
    refuse(wanted, kind.isPatch);
    const inputs = await this.inNamespace(kind, named(wanted, oldInputs, urn));
    const marked = markSecrets(kind.kind, markLike(inputs, given) as Properties);
    return new messages.CheckResponse().setInputs(toStruct(marked));
  }

  async diff(request: messages.DiffRequest): Promise<messages.DiffResponse> {
    const { inputs: before } = recorded(request.getOlds(), request.getOldInputs());
    const after = reveal(fromStruct(request.getNews()));
    const kind = kindOf(request.getUrn(), after);
    const isUnready = kind.kind === "Job" && isTrue(after, annotations.replaceUnready) && (await this.isUnready(kind, before));
    return compare({
      kind,
      before: normalise(before),
      after,
      ignored: request.getIgnorechangesList(),
      settings: this.settings,
      isUnready,
    });
  }

  async create(request: messages.CreateRequest): Promise<messages.CreateResponse> {
    const given = fromStruct(request.getProperties());
    const inputs = reveal(given);
    const urn = request.getUrn();
    const isPreview = request.getPreview();
    const kind = kindOf(urn, inputs);
    const asGiven = () => new messages.CreateResponse().setProperties(toStruct(given));
    if (isPreview && (hasUnknown(inputs) || kind.isPatch)) return asGiven();
    const manager = fieldManager(inputs, {});
    let live: Properties;
    try {
      const target = this.target(kind, inputs, manager, isPreview);
      live = await this.createObject(target, urn);
    } catch (error) {
      if (isPreview && isSilentInPreview(error)) return asGiven();
      if (error instanceof Unreachable) throw error;
      throw new Error(`resource "${urn}" was not successfully created by the Kubernetes API server: ${describe(error)}`, {
        cause: error,
      });
    }
    const response = new messages.CreateResponse().setId(isPreview ? "" : qualifiedName(live));
    if (isPreview) return response.setProperties(toStruct(record(live, given, manager)));
    const says = `resource "${urn}" was successfully created, but the Kubernetes API server reported that it`;
    const written = { urn, kind, live, given, manager, timeout: request.getTimeout(), says };
    return response.setProperties(toStruct(await this.settled(written)));
  }

  async update(request: messages.UpdateRequest): Promise<messages.UpdateResponse> {
    const old = recorded(request.getOlds(), request.getOldInputs());
    const given = fromStruct(request.getNews());
    const isPreview = request.getPreview();
    const urn = request.getUrn();
    const kind = kindOf(urn, reveal(given));
    const response = new messages.UpdateResponse();
    const manager = fieldManager(reveal(given), old.state);
    if (isPreview && hasUnknown(given)) return response.setProperties(toStruct(given));
    const live = await this.liveForUpdate(kind, reveal(given), urn);

    const sent = leavingAlone(reveal(given), live, request.getIgnorechangesList(), manager);
    const marked = markLike(sent, given) as Properties;
    const target = this.target(kind, sent, manager, isPreview);
    const says = `the Kubernetes API server reported that "${qualifiedName(live)}"`;
    let updated: Properties;
    try {
      if (!isPreview && !kind.isPatch) await handOver(target);
      updated = await apply({ ...target, force: target.force || isPreview });
    } catch (error) {
      if (isPreview && isForbidden(error)) return response.setProperties(toStruct(given));
      if (error instanceof Unreachable) throw error;
      const reason = `${says} failed to fully initialize or become live: ${describe(error)}`;
      const kept = record(live, old.marked, manager, old.state);
      throw new InitializationFailed(request.getId(), kept, old.marked, [reason]);
    }
    if (isPreview) return response.setProperties(toStruct(record(updated, marked, manager, old.state)));
    const written = { urn, kind, live: updated, given: marked, manager, timeout: request.getTimeout(), says, old: old.state };
    return response.setProperties(toStruct(await this.settled(written)));
  }

  async delete(request: messages.DeleteRequest): Promise<void> {
    const { state, inputs } = recorded(request.getProperties(), request.getOldInputs());
    const kind = kindOf(request.getUrn(), inputs);
    const target = this.target(kind, inputs, fieldManager(inputs, state), false);
    try {
      if (kind.isPatch) return await relinquish(target);
      const object = await this.cluster.get(await this.cluster.path(kind, inputs));
      await remove(target);
      if (isTrue(inputs, annotations.skipAwait)) return;
      await untilGone(this.wait(request.getUrn(), kind, object, request.getTimeout()));
    } catch (error) {
      const isGone = isMissing(error) && !kind.isPatch;
      if (!isGone && !(error instanceof UnknownKind)) throw error;
    }
  }

  /** A refresh, or with nothing but an id an import. */
  async read(request: messages.ReadRequest): Promise<messages.ReadResponse> {
    const old = recorded(request.getProperties(), request.getInputs());
    const [name, namespace] = request.getId().split("/").reverse();
    const kind = kindOf(request.getUrn(), old.inputs);
    const wanted = { metadata: { name, ...(namespace ? { namespace } : {}) } };
    const response = new messages.ReadResponse();
    let live: Properties;
    try {
      live = await this.cluster.get(await this.cluster.path(kind, wanted));
    } catch (error) {
      if (isMissing(error) || error instanceof UnknownKind) return response;
      throw error;
    }
    const isImport = Object.keys(old.inputs).length === 0;
    const inputs = markLike(isImport ? adopted(live) : prune(live, old.inputs), old.marked) as Properties;
    const marked = markSecrets(kind.kind, inputs);
    const outputs = record(live, inputs, fieldManager(old.inputs, old.state), old.state);
    const reasons = isImport ? [] : await readiness(this.wait(request.getUrn(), kind, live, 0));
    if (reasons.length) throw new InitializationFailed(request.getId(), outputs, marked, reasons);
    return response.setId(request.getId()).setProperties(toStruct(outputs)).setInputs(toStruct(marked));
  }

  /** Connects at the first need: a preview of a program whose cluster is not there yet must work. */
  private get cluster(): Cluster {
    this.connected ??= new Cluster(connect(this.settings));
    return this.connected;
  }

  private target(kind: Kind, object: Properties, manager: string, dryRun: boolean): Target {
    const force = this.settings.enablePatchForce || isTrue(object, annotations.patchForce);
    return { cluster: this.cluster, kind, object, manager, force, dryRun };
  }

  private wait(urn: string, kind: Kind, object: Properties, timeout: number): Wait {
    const status = (message: string) => this.log.status(urn, message);
    return { cluster: this.cluster, kind, object, timeout, isUpdate: true, signal: this.cancelled.signal, status };
  }

  /** The namespace that objects without one are in, made explicit. A kind that is not known yet is taken for a namespaced one. */
  private async inNamespace(kind: Kind, inputs: Properties): Promise<Properties> {
    if (namespaceOf(inputs) || typeof inputs.metadata === "string") return inputs;
    try {
      const { namespaced } = await this.cluster.resolve(kind);
      if (!namespaced) return inputs;
    } catch (error) {
      if (!(error instanceof UnknownKind) && !(error instanceof Unreachable)) throw error;
    }
    return withMetadata(inputs, { namespace: this.settings.namespace ?? this.cluster.connection.namespace });
  }

  private async isUnready(kind: Kind, inputs: Properties): Promise<boolean> {
    try {
      return !isReady(kind, await this.cluster.get(await this.cluster.path(kind, inputs)));
    } catch {
      return false; // a Job that is gone, deleted by its TTL for instance, has had its time
    }
  }

  private createObject(target: Target, urn: string): Promise<Properties> {
    const upserts = this.settings.upsertExistingObjects && !target.kind.isPatch;
    if (target.kind.isPatch) return apply(target);
    const attempt = () => (upserts ? apply({ ...target, force: target.force || target.dryRun }) : post(target));
    if (target.dryRun) return attempt();
    return patiently(
      attempt,
      (message) => this.log.status(urn, message),
      (ms) => pause(ms, this.cancelled.signal),
    );
  }

  private async liveForUpdate(kind: Kind, inputs: Properties, urn: string): Promise<Properties> {
    try {
      return await this.cluster.get(await this.cluster.path(kind, inputs));
    } catch (error) {
      if (!isMissing(error)) throw error;
      const reason = (error as ApiError).message;
      throw new Error(`update of resource "${urn}" failed: ${reason}\nunable to get cluster state: ${reason}`, { cause: error });
    }
  }

  /** Waits, and returns what to record; an object that does not get ready is recorded too, with the reasons. */
  private async settled({ urn, kind, live, given, manager, timeout, says, old }: Written): Promise<Properties> {
    const wait = { ...this.wait(urn, kind, live, timeout), isUpdate: old !== undefined };
    const { object, reasons } = await untilReady(wait).catch((error) => ({ object: live, reasons: [describe(error)] }));
    const outputs = record(object, given, manager, old);
    if (reasons.length === 0) return outputs;
    const [first, ...rest] = reasons;
    const all = [`${says} failed to fully initialize or become live: ${first}`, ...rest];
    throw new InitializationFailed(qualifiedName(live), outputs, given, all);
  }
}
