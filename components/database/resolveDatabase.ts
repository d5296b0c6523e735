import * as pulumi from "@pulumi/pulumi";
import { checkPullSecrets } from "../common/placement";
import { namespaceName, oneOf, postgresName, wholeNumber } from "../common/rules";
import { isDeferred, Rule, Validation } from "../common/validation";
import { ResolvedDatabaseNetworkPolicy, resolveDatabaseNetworkPolicy } from "../network/databasePolicies";
import { resolveBackups, ResolvedBackups } from "./backup";
import { ResolvedCloudNativePg, resolveCloudNativePg } from "./cloudNativePg";
import { ConnectionOffer, ownOffer } from "./connection";
import { LONGEST_OWNER, resolveCredentials, ResolvedCredentials } from "./credentials";
import { AppDatabaseArgs, OnDelete, PostgresDatabaseArgs } from "./databaseArgs";
import { ADMIN_USER, ResolvedEmbedded, resolveEmbedded } from "./embedded";
import { externalOffer, ResolvedExternal, resolveExternal } from "./external";
import { EngineName } from "./remembered";
import { resolveRestore, ResolvedRestore } from "./restore";

export interface ResolvedDatabase {
  namespace?: pulumi.Input<string>;
  imagePullSecrets?: pulumi.Input<pulumi.Input<string>[]>;
  databaseName: pulumi.Input<string>;
  user: pulumi.Input<string>;
  engine: EngineName;
  /** The one of the engine is there. */
  embedded?: ResolvedEmbedded;
  cloudNativePg?: ResolvedCloudNativePg;
  external?: ResolvedExternal;
  /** Which of the places where the data is were not named by the user. */
  defaults: string[];
  /** Whether roles, logins and passwords are ours. */
  ownsLogins: boolean;
  credentials: ResolvedCredentials;
  extensions: pulumi.Input<pulumi.Input<string>[]>;
  settings?: pulumi.Input<Record<string, pulumi.Input<string>>>;
  onDelete: OnDelete;
  backups?: ResolvedBackups;
  restoreFrom?: ResolvedRestore;
  connectTimeoutSeconds: number;
  networkPolicy?: ResolvedDatabaseNetworkPolicy;
  /** The argument that decides the version of Postgres' programs, for messages. */
  versionArgument: string;
  /** What the application's variables may be made of. */
  offer: ConnectionOffer;
}

const ENGINES = ["embedded", "cloudNativePg", "external"] as const;
const PROPERTIES: Record<keyof PostgresDatabaseArgs, true> = {
  databaseName: true,
  user: true,
  embedded: true,
  cloudNativePg: true,
  external: true,
  credentials: true,
  extensions: true,
  settings: true,
  onDelete: true,
  backups: true,
  restoreFrom: true,
  connectTimeoutSeconds: true,
  namespace: true,
  imagePullSecrets: true,
  partOf: true,
  networkPolicy: true,
};

/** Fills in what is not given and checks all that is; `path` is where the arguments stand in the caller's. */
export function resolveDatabase(
  name: string,
  args: PostgresDatabaseArgs,
  path: string,
  validation: Validation,
): ResolvedDatabase {
  const check: Validation["check"] = (property, value, rule) => validation.check(`${path}${property}`, value, rule);
  const engine = chooseEngine(args, path, validation);
  const given = { databaseName: args.databaseName !== undefined, user: args.user !== undefined };

  const databaseName = check("databaseName", args.databaseName, nameRule(args)) ?? (args.partOf ?? name).replace(/-/g, "_");
  const ownsLogins = engine !== "external" || args.external?.admin !== undefined;
  const resolved: Omit<ResolvedDatabase, "offer"> = {
    namespace: check("namespace", args.namespace, namespaceName),
    imagePullSecrets: checkPullSecrets(args.imagePullSecrets, path, validation),
    databaseName,
    user: check("user", args.user ?? databaseName, userRule(args, ownsLogins)),
    engine,
    embedded: engine === "embedded" ? resolveEmbedded(args.embedded ?? {}, `${path}embedded`, validation) : undefined,
    cloudNativePg:
      engine === "cloudNativePg" ? resolveCloudNativePg(args.cloudNativePg ?? {}, `${path}cloudNativePg`, validation) : undefined,
    external: engine === "external" ? resolveExternal(args.external ?? {}, given, path, validation) : undefined,
    defaults: [...(given.databaseName ? [] : ["databaseName"]), ...(given.user ? [] : ["user"])],
    ownsLogins,
    credentials: resolveCredentials(args.credentials ?? {}, `${path}credentials`, validation),
    extensions: check("extensions", args.extensions, extensionNames) ?? [],
    settings: validation.map(`${path}settings`, args.settings, settingName, oneLine),
    onDelete: check("onDelete", args.onDelete, oneOf(Object.values(OnDelete))) ?? "retain",
    backups: args.backups && resolveBackups(args.backups, `${path}backups`, validation),
    restoreFrom: args.restoreFrom && resolveRestore(args.restoreFrom, `${path}restoreFrom`, validation),
    networkPolicy:
      args.networkPolicy && resolveDatabaseNetworkPolicy(args.networkPolicy, args.external, `${path}networkPolicy`, validation),
    versionArgument: `database.${engine}.version`,
    connectTimeoutSeconds: check("connectTimeoutSeconds", args.connectTimeoutSeconds, wholeNumber(1, 3600)) ?? 60,
  };
  refuseForeign(args, resolved, path, validation);
  return { ...resolved, offer: offer(resolved, given) };
}

/** Exactly one engine; none named is the embedded one. */
function chooseEngine(args: AppDatabaseArgs, path: string, validation: Validation): EngineName {
  const named = ENGINES.filter((engine) => args[engine] !== undefined);
  const choice =
    "choose exactly one of embedded (in the cluster, one pod), cloudNativePg (replicated) and external (a server elsewhere)";
  for (const engine of named.slice(1)) validation.problem(`${path}${engine}`, `is given beside ${named[0]}: ${choice}`);
  for (const property of Object.keys(args)) {
    if (!(property in PROPERTIES)) validation.problem(`${path}${property}`, `is neither an argument nor an engine: ${choice}`);
  }
  return named[0] ?? "embedded";
}

/** Names in a server of somebody else's are what they are; ours need no quotes. */
const nameRule = (args: AppDatabaseArgs): Rule<string> => (args.external && !args.external.admin ? notEmpty : postgresName);

function userRule(args: AppDatabaseArgs, ownsLogins: boolean): Rule<string> {
  if (!ownsLogins) return notEmpty;
  return (user) => {
    // A role that is not named is called like the database, whose name may be one that Postgres keeps for roles of its own.
    if (user === ADMIN_USER || (typeof user === "string" && user.startsWith("pg_")))
      return `"${user}" is a role of Postgres' own: give the application another one`;
    if (typeof user === "string" && user.length > LONGEST_OWNER)
      return `${JSON.stringify(user)} is too long: logins are named after it, so use at most ${LONGEST_OWNER} characters`;
    return args.user === undefined ? undefined : postgresName(user);
  };
}

const notEmpty: Rule<string> = (name) =>
  typeof name === "string" && /^[^\0\n]{1,63}$/.test(name)
    ? undefined
    : `${JSON.stringify(name)} is not a name: write 1 to 63 characters`;

const extensionNames: Rule<unknown> = (names) => {
  if (!Array.isArray(names)) return 'is not a list: write ["pgcrypto", "vector"]';
  const wrong = names.filter((name) => !isDeferred(name) && !(typeof name === "string" && /^[a-z_][a-z0-9_-]*$/.test(name)));
  return wrong.length ? `${JSON.stringify(wrong)} cannot name extensions: use the names of pg_available_extensions` : undefined;
};

const settingName: Rule<string> = (name) =>
  /^[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)?$/i.test(name)
    ? undefined
    : "is not the name of a setting: write for example statement_timeout";

const oneLine: Rule<string> = (value) =>
  typeof value === "string" && !/[\n\r\0]/.test(value)
    ? undefined
    : `is ${JSON.stringify(value)}: write it as a string of one line, such as "30s"`;

/** What does not go together with somebody else's server. */
function refuseForeign(
  args: AppDatabaseArgs,
  { engine, ownsLogins }: Pick<ResolvedDatabase, "engine" | "ownsLogins">,
  path: string,
  validation: Validation,
): void {
  if (engine === "external" && args.onDelete === "delete")
    validation.problem(
      `${path}onDelete`,
      'is "delete", but the data is in an external server, which is never touched: leave it out, and drop the database there',
    );
  if (engine !== "embedded" && args.credentials?.adminRotation !== undefined)
    validation.problem(
      `${path}credentials.adminRotation`,
      "is for the embedded database, whose administrator is ours: leave it out",
    );
  if (engine === "cloudNativePg") refuseLogical(args, path, validation);
  if (ownsLogins) return;
  for (const property of ["credentials", "settings"] as const) {
    if (args[property] !== undefined)
      validation.problem(
        `${path}${property}`,
        "needs external.admin: without an administrator the server is used as it is. Give one, or leave it out",
      );
  }
}

/** CloudNativePG's backups are its own: physical ones in an object store. */
function refuseLogical(args: AppDatabaseArgs, path: string, validation: Validation): void {
  const store = "CloudNativePG keeps its backups in an object store: give s3";
  if (args.backups?.destination?.claim !== undefined) validation.problem(`${path}backups.destination.claim`, store);
  const unused: [string, unknown][] = [
    ["backups.timeZone", args.backups?.timeZone],
    ["backups.timeoutSeconds", args.backups?.timeoutSeconds],
    ["backups.resources", args.backups?.resources],
    ["backups.destination.s3.image", args.backups?.destination?.s3?.image],
    ["restoreFrom.s3.image", args.restoreFrom?.s3?.image],
    ["restoreFrom.timeoutSeconds", args.restoreFrom?.timeoutSeconds],
  ];
  for (const [property, given] of unused) {
    if (given !== undefined)
      validation.problem(
        `${path}${property}`,
        "is not for CloudNativePG, whose operator decides that (schedules are in its own time zone, UTC in its image): leave it out",
      );
  }
  if (args.restoreFrom?.claim !== undefined) validation.problem(`${path}restoreFrom.claim`, store);
  if (args.restoreFrom?.backup !== undefined)
    validation.problem(
      `${path}restoreFrom.backup`,
      "is for dumps: CloudNativePG restores up to the last transaction that is in the store",
    );
}

function offer(
  { embedded, external }: Pick<ResolvedDatabase, "embedded" | "external">,
  given: { databaseName: boolean; user: boolean },
): ConnectionOffer {
  if (external) return externalOffer(external, given);
  const tls = embedded?.tls !== "off";
  return ownOffer(tls, tls);
}
