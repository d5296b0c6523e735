import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { Validation } from "../common/validation";

/** Which server holds the data. */
export type EngineName = "embedded" | "cloudNativePg" | "external";

const ENGINES: EngineName[] = ["embedded", "cloudNativePg", "external"];

/** Where the data is. All of it is text, because Pulumi's keepers are. */
export interface Whereabouts {
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
 * Remembers where the data is, and refuses, at preview, an edit after which the application would find an empty database, or its data
 * be deleted. A program sees only its arguments of today; the memory is two resources of which changes are ignored, so that their
 * outputs are those of a former day. Returns the places where the data is, or fails when the edit is refused. `defaults` are the
 * places that the user did not name: they stay what they were, also under another name of the component.
 */
export function remember(
  name: string,
  now: { engine: EngineName; onDelete: string; places: Whereabouts },
  defaults: string[],
  validation: Validation,
  opts: pulumi.CustomResourceOptions,
): pulumi.Output<Record<string, string>> {
  const { engine } = now;
  const memory = (what: string, keepers: Record<string, pulumi.Input<string>>, ignored: string[]) =>
    new random.RandomUuid(
      `${name}-${what}`,
      { keepers },
      pulumi.mergeOptions(opts, { ignoreChanges: ignored.map((key) => `keepers.${key}`) }),
    ).keepers.apply((then) => then ?? {});
  // What becomes of the engine's data at its end may change. For an engine that is the engine no longer it is what was applied last.
  const former = ENGINES.filter((other) => other !== engine);
  const ends = memory("engines", { [engine]: now.onDelete }, former);
  // Each engine has a memory of its own: a value that is ignored can never be added to one that is there already.
  const places = Object.fromEntries(
    Object.entries(now.places).map(([key, value]) => [key, pulumi.output(value).apply((known) => known ?? "")]),
  );
  const keys = Object.keys(places);
  const whereabouts = keys.length ? memory(`${engine}-whereabouts`, places, keys) : pulumi.output<Record<string, string>>({});
  return pulumi.all([ends, whereabouts, pulumi.output(places)]).apply(([ends, then, today]) => {
    const named = Object.fromEntries(Object.entries(today).filter(([key]) => !defaults.includes(key)));
    const problem = deleted(ends, engine) ?? forgotten(engine, then, named);
    if (problem) throw validation.late(problem.key, problem.reason);
    return { ...today, ...then };
  });
}

/** Whether an edit of the engine would delete the data of the one before. Pure, and exported for its tests. */
export function deleted(ends: Record<string, string>, now: EngineName): { key: string; reason: string } | undefined {
  const former = ENGINES.find((engine) => engine !== now && ends[engine] === "delete");
  return (
    former && {
      key: "onDelete",
      reason: `was "delete" when the ${former} database was last deployed, so that its data would be deleted now that it is no longer the engine. First set it to "retain" and run \`pulumi up\` with the ${former} database, then change the engine`,
    }
  );
}

const ONCE_MORE =
  "To begin anew on purpose: remove the component and run `pulumi up` (its data stays where it is, unless onDelete says otherwise), then add it with the new value";

/** What an edit would make the application lose sight of, if anything. Pure, and exported for its tests. */
export function forgotten(
  engine: EngineName,
  then: Record<string, string>,
  now: Record<string, string>,
): { key: string; reason: string } | undefined {
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
      key: `${engine}.version`,
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
      key: `${engine}.storageClassName`,
      reason: `the volume is of ${then.storageClassName ? `class ${was("storageClassName")}` : "the class that was the default"}, which cannot be changed. To move the data: ${move}`,
    };
  }
  return undefined;
}
