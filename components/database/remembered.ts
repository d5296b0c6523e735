import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { Validation } from "../common/validation";
import { CLAIM_TEMPLATE } from "./embedded";

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
  /**
   * What the component was called at first, after which its server and claim stay called. It is there where the setup Job makes the names:
   * those are held by `HeldNames` then, and by the memory of a version that did not remember this.
   */
  component?: string;
  version?: pulumi.Input<string | undefined>;
  /** Whether it was made from a backup, where that is possible only when it is made. */
  restored?: string;
}

/**
 * Remembers where the data is, and refuses, at preview, an edit after which the application would find an empty database, or its data
 * be deleted. A program sees only its arguments of today; the memory is two resources of which changes are ignored, so that their
 * outputs are those of a former day.
 * Returns the places where the data is, or fails when the edit is refused. `defaults` are the places that the user did not name: they
 * stay what they were at first, also under another name of the component. `id` is made with the memory and lives as long as it does: another
 * one is another state.
 */
export function remember(
  name: string,
  { engine, onDelete, places: now }: { engine: EngineName; onDelete: string; places: Whereabouts },
  defaults: string[],
  validation: Validation,
  opts: pulumi.CustomResourceOptions,
  /** Of the memory of the places, which is created once. */
  hooks?: pulumi.ResourceHookBinding,
): { places: pulumi.Output<Record<string, string>>; id: pulumi.Output<string> } {
  // Each engine has a memory of its own: a value that is ignored can never be added to one that is there already.
  const places = Object.fromEntries(
    Object.entries(now).map(([key, value]) => [key, pulumi.output(value).apply((known) => known ?? "")]),
  );
  const keys = Object.keys(places);
  const memory = keys.length ? memorize(`${name}-${engine}-whereabouts`, places, keys, { ...opts, hooks }) : undefined;
  const whereabouts = memory ? contentOf(memory) : pulumi.output<Record<string, string>>({});
  const ends = rememberEnd(name, "engines", engine, onDelete, validation, opts);
  const settled = pulumi.all([whereabouts, pulumi.output(places), ends]).apply(([then, today]) => {
    const named = Object.fromEntries(Object.entries(today).filter(([key]) => !defaults.includes(key)));
    const problem = forgotten(engine, then, named, name);
    if (problem) throw validation.late(problem.key, problem.reason);
    return { ...today, ...then, ...namesFor(then, today, defaults) };
  });
  // Mocks, with which programs are tested, need not know of it.
  return { places: settled, id: memory ? memory.result.apply((id) => id ?? "") : pulumi.output("") };
}

/**
 * Remembers what becomes of each engine's data at its end, and fails where the data of an engine that is the engine no longer would be
 * deleted. There are two: one before everything else, for previews, and one of what the server was told, so that an edit of `onDelete` that did
 * not arrive there is not taken for done. A program that fails deletes nothing.
 */
export function rememberEnd(
  name: string,
  what: "engines" | "ends",
  engine: EngineName,
  onDelete: pulumi.Input<string>,
  validation: Validation,
  opts: pulumi.CustomResourceOptions,
): pulumi.Output<void> {
  const former = ENGINES.filter((other) => other !== engine);
  return contentOf(memorize(`${name}-${what}`, { [engine]: onDelete }, former, opts)).apply((ends) => {
    const problem = deleted(ends, engine);
    if (problem) throw validation.late(problem.key, problem.reason);
  });
}

/** What of it was true when it was first registered: changes of what is ignored never come to be. */
const memorize = (
  name: string,
  keepers: Record<string, pulumi.Input<string>>,
  ignored: string[],
  opts: pulumi.CustomResourceOptions,
): random.RandomUuid =>
  new random.RandomUuid(name, { keepers }, pulumi.mergeOptions(opts, { ignoreChanges: ignored.map((key) => `keepers.${key}`) }));

const contentOf = (memory: random.RandomUuid): pulumi.Output<Record<string, string>> =>
  memory.keepers.apply((then) => then ?? {});

/**
 * What an embedded server was first deployed with: the user that its data belongs to, also when another image has another one, and the
 * settings for which it was not stopped.
 */
export function rememberFirst(
  name: string,
  now: { uid: pulumi.Input<number>; settings: pulumi.Input<string> },
  opts: pulumi.CustomResourceOptions,
): { uid: pulumi.Output<number>; settings: pulumi.Output<string> } {
  const keepers = { uid: pulumi.output(now.uid).apply(String), settings: now.settings };
  const then = contentOf(memorize(`${name}-embedded-first`, keepers, Object.keys(keepers), opts));
  return { uid: then.apply(({ uid }) => Number(uid)), settings: then.apply(({ settings }) => settings) };
}

/**
 * Where on an existing claim's volume the data is, once a server was ready on it, after which `opts` has this come. Until then a wrong
 * guess has changed nothing there, and can be corrected.
 */
export const rememberSubPath = (
  name: string,
  { existingClaim, subPath }: { existingClaim: string; subPath: string },
  validation: Validation,
  opts: pulumi.CustomResourceOptions,
): pulumi.Output<void> =>
  contentOf(memorize(`${name}-adopted`, { subPath }, ["subPath"], opts)).apply((then) => {
    if (then.subPath === subPath) return;
    throw validation.late(
      "embedded.subPath",
      `the data is in ${JSON.stringify(then.subPath)} on claim ${JSON.stringify(existingClaim)}; in ${JSON.stringify(subPath)} the application would find other data or none. ${ONCE_MORE}`,
    );
  });

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

/** Whether a memory is of names that were there already, or of what was asked for before anything was called so. */
const holdsNames = (then: Record<string, string>) => then.component === undefined;

/**
 * The names to go on with: what is written counts, what is not stays what it was at first. The owner is called like the database, and so
 * like another one that is written. Pure, and exported for its tests.
 */
export function namesFor(
  then: Record<string, string>,
  today: Record<string, string>,
  defaults: string[],
): Record<string, string> {
  if (holdsNames(then)) return {};
  const first = (key: string) => then[key] ?? today[key];
  const databaseName = defaults.includes("databaseName") ? first("databaseName") : today.databaseName;
  const follows = !defaults.includes("user") || databaseName !== first("databaseName");
  return { databaseName, user: follows ? today.user : first("user") };
}

/** Which of the names is another one than that of the data, if any; what is not known is not. Pure, and exported for its tests. */
export function renamed(
  then: Record<string, string | undefined>,
  now: Record<string, string | undefined>,
): { key: string; reason: string } | undefined {
  const key = ["databaseName", "user"].find(
    (name) => then[name] !== undefined && now[name] !== undefined && then[name] !== now[name],
  );
  return key === undefined
    ? undefined
    : {
        key,
        reason: `the data belongs to ${JSON.stringify(then[key])}; with ${JSON.stringify(now[key])} the application would not find it. Set it back, or rename it in the server first and begin anew. ${ONCE_MORE}`,
      };
}

/**
 * What an edit would make the application lose sight of, if anything. `name` is the component's of today. A claim of its own, taken over by its name, is
 * the same volume, on which the start script makes no second database. Pure, and exported for its tests.
 */
export function forgotten(
  engine: EngineName,
  then: Record<string, string>,
  now: Record<string, string>,
  name = "",
): { key: string; reason: string } | undefined {
  const ownClaim = `${CLAIM_TEMPLATE}-${then.component ?? name}-0`;
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
  const other = holdsNames(then) ? renamed(then, now) : undefined;
  if (other) return other;
  // Former versions wrote the directory on it behind the claim's name; see rememberSubPath.
  const claims = [then.claim, now.claim].map((claim) => claim?.split("/")[0]);
  if (differs("claim") && claims[0] !== claims[1] && !(then.claim === "" && claims[1] === ownClaim)) {
    return {
      key: "embedded.existingClaim",
      reason: then.claim
        ? `the data is on claim ${JSON.stringify(claims[0])}; without it the application would start with an empty database. ${ONCE_MORE}`
        : `the data is on a claim of the component's own; on ${JSON.stringify(claims[1])} the application would find other data or none. ${ONCE_MORE}`,
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
