import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { Validation } from "../common/validation";

/** Which server holds the data. */
export type EngineName = "embedded" | "cloudNativePg" | "external";

/** Where the data is. All of it is text, because Pulumi's keepers are. */
export interface Whereabouts {
  engine: EngineName;
  onDelete: string;
  namespace?: pulumi.Input<string>;
  databaseName?: pulumi.Input<string>;
  user?: pulumi.Input<string>;
  storageClassName?: pulumi.Input<string | undefined>;
  claim?: string;
  version?: pulumi.Input<string | undefined>;
  /** Whether it was made from a backup, where that is possible only when it is made. */
  restored?: string;
}

/**
 * Remembers where the data is, and refuses, at preview, an edit after which the application would find an empty database.
 * A program sees only its arguments of today; the memory is a resource of which changes are ignored, so that its outputs
 * are those of the day when the database was made. Returns them, or fails when the edit is refused. `defaults` are the places that the
 * user did not name: they stay what they were, also under another name of the component.
 */
export function remember(
  name: string,
  now: Whereabouts,
  defaults: string[],
  validation: Validation,
  opts: pulumi.CustomResourceOptions,
): pulumi.Output<Record<string, string>> {
  const { engine, onDelete, ...places } = now;
  const text = (value: pulumi.Input<string | undefined> | undefined) => pulumi.output(value).apply((known) => known ?? "");
  const keepers = {
    engine,
    onDelete,
    ...Object.fromEntries(Object.entries(places).map(([key, value]) => [key, text(value)])),
  };
  // What becomes of the data at destroy may change, and counts as it was last applied; with an external server nothing
  // of ours holds data, and what an engine before it left has to stay known.
  const ignored = engine === "external" ? [] : Object.keys(keepers).filter((key) => key !== "onDelete");
  const memory = new random.RandomUuid(
    name,
    { keepers },
    pulumi.mergeOptions(opts, { ignoreChanges: ignored.length ? ignored.map((key) => `keepers.${key}`) : ["keepers"] }),
  );
  return pulumi.all([memory.keepers, pulumi.output(keepers)]).apply(([then, today]) => {
    const remembered = (then ?? {}) as Record<string, string>;
    const named = Object.fromEntries(Object.entries(today as Record<string, string>).filter(([key]) => !defaults.includes(key)));
    const problem = forgotten(remembered, named);
    if (problem) throw validation.late(problem.key, problem.reason);
    return remembered.engine === engine ? { ...today, ...remembered } : (today as Record<string, string>);
  });
}

const ONCE_MORE =
  "To begin anew on purpose: remove the component and run `pulumi up` (its data stays where it is, unless onDelete says otherwise), then add it with the new value";

/** What an edit would make the application lose sight of, if anything. Pure, and exported for its tests. */
export function forgotten(
  then: Record<string, string>,
  now: Record<string, string>,
): { key: string; reason: string } | undefined {
  if (then.engine !== now.engine) {
    return then.engine !== undefined && then.engine !== "external" && then.onDelete === "delete"
      ? {
          key: "onDelete",
          reason: `was "delete" when the ${then.engine} database was last deployed, so that its data would be deleted now that it is no longer the engine. First set it to "retain" and run \`pulumi up\` with the ${then.engine} database, then change the engine`,
        }
      : undefined;
  }
  const was = (key: string) => JSON.stringify(then[key]);
  const differs = (key: string) => then[key] !== undefined && now[key] !== undefined && then[key] !== now[key];
  const move = "back it up, remove the component and run `pulumi up`, then add it with the new value and restoreFrom";
  if (differs("namespace")) {
    return {
      key: "namespace",
      reason: `the data is in namespace ${was("namespace")}; in ${JSON.stringify(now.namespace)} the application would start with an empty database. To move it: ${move}`,
    };
  }
  // An empty text is "not known": of an image of unknown version, for one.
  if (differs("version") && then.version && now.version) {
    return {
      key: `${now.engine}.version`,
      reason: `the data is Postgres ${then.version}, and Postgres ${now.version} cannot read it. To move it: back it up, remove the component and run \`pulumi up\`, delete its claim when the backup is safe, then add it with the new version and restoreFrom`,
    };
  }
  for (const key of ["databaseName", "user"]) {
    if (differs(key)) {
      return {
        key,
        reason: `the data belongs to ${was(key)}; with ${JSON.stringify(now[key])} the application would not find it. Set it back, or rename it in the server first and begin anew. ${ONCE_MORE}`,
      };
    }
  }
  if (differs("claim")) {
    return then.claim
      ? {
          key: "embedded.existingClaim",
          reason: `the data is on claim ${was("claim")}; without it the application would start with an empty database. ${ONCE_MORE}`,
        }
      : {
          key: "embedded.existingClaim",
          reason: `the data is on a claim of the component's own; on ${JSON.stringify(now.claim)} the application would find other data or none. ${ONCE_MORE}`,
        };
  }
  if (differs("restored") && now.restored === "yes") {
    return {
      key: "restoreFrom",
      reason: `is read only when the database is made, and this one is there already: take it out. ${ONCE_MORE}`,
    };
  }
  if (differs("storageClassName")) {
    return {
      key: `${now.engine}.storageClassName`,
      reason: `the volume is of class ${was("storageClassName")}, which cannot be changed. To move the data: ${move}`,
    };
  }
  return undefined;
}
