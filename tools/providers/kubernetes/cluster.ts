// The Kubernetes API: which path an object has.
import type { Properties } from "../rpc/values";
import { Http, isMissing } from "./http";
import { items, nameOf, namespaceOf, text } from "./objects";
import type { Kind } from "./token";

/** The API server does not know this kind, or not yet. */
export class UnknownKind extends Error {
  constructor({ apiVersion, kind }: Kind) {
    super(`no matches for kind "${kind}" in version "${apiVersion}"`);
  }
}

export interface ResourceKind {
  readonly plural: string;
  readonly namespaced: boolean;
}

export class Cluster extends Http {
  private readonly kinds = new Map<string, Promise<Properties[]>>();

  /** The kind's name in paths, from the API's own description of itself. Asked again for a kind that is not there yet. */
  async resolve(kind: Kind): Promise<ResourceKind> {
    const { apiVersion } = kind;
    const known = this.kinds.get(apiVersion) ?? this.describe(apiVersion);
    this.kinds.set(apiVersion, known);
    const resources = await known.catch((error) => {
      this.kinds.delete(apiVersion);
      throw error;
    });
    const found = resources.find((resource) => resource.kind === kind.kind && !text(resource, "name").includes("/"));
    if (!found) {
      this.kinds.delete(apiVersion);
      throw new UnknownKind(kind);
    }
    return { plural: text(found, "name"), namespaced: found.namespaced === true };
  }

  /** Where objects of the kind are created. */
  async collection(kind: Kind, namespace: string): Promise<string> {
    const { plural, namespaced } = await this.resolve(kind);
    const scope = namespaced ? `/namespaces/${namespace || this.connection.namespace}` : "";
    return `${groupPath(kind.apiVersion)}${scope}/${plural}`;
  }

  /** Where one object is. */
  async path(kind: Kind, object: Properties): Promise<string> {
    return `${await this.collection(kind, namespaceOf(object))}/${nameOf(object)}`;
  }

  private async describe(apiVersion: string): Promise<Properties[]> {
    try {
      return items(await this.get(groupPath(apiVersion)), "resources");
    } catch (error) {
      if (isMissing(error)) return [];
      throw error;
    }
  }
}

/** Paths are relative, so that a server behind a path of its own works. */
function groupPath(apiVersion: string): string {
  return apiVersion.includes("/") ? `apis/${apiVersion}` : `api/${apiVersion}`;
}

/** The query part of a path, without the settings that are not set. */
export function query(settings: Record<string, string | boolean | undefined>): string {
  const set = Object.entries(settings).flatMap(([name, value]): [string, string][] => (value ? [[name, String(value)]] : []));
  return set.length ? `?${new URLSearchParams(set)}` : "";
}
