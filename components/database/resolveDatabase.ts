import * as pulumi from "@pulumi/pulumi";
import { ClusterRules, resolveClusterRules } from "../common/clusterRules";
import { checkPullSecrets } from "../common/placement";
import { componentName, namespaceName, oneOf, postgresName, wholeNumber } from "../common/rules";
import { isDeferred, Rule, Validation } from "../common/validation";
import { ResolvedDatabaseNetworkPolicy, resolveDatabaseNetworkPolicy } from "../network/databasePolicies";
import { resolveBackups, ResolvedBackups } from "./backup";
import { ResolvedCloudNativePg, resolveCloudNativePg } from "./cloudNativePg";
import { checkConnectionFormats, ConnectionOffer, ownOffer } from "./connection";
import { LONGEST_OWNER, resolveCredentials, ResolvedCredentials, rolesOf } from "./credentials";
import { AppDatabaseArgs, OnDelete, PostgresDatabaseArgs } from "./databaseArgs";
import { ADMIN_USER, ResolvedEmbedded, resolveEmbedded } from "./embedded";
import { externalOffer, ResolvedExternal, resolveExternal } from "./external";
import { EngineName } from "./remembered";
import { resolveRestore, ResolvedRestore } from "./restore";

export interface ResolvedDatabase {
  namespace?: pulumi.Input<string>;
  imagePullSecrets?: pulumi.Input<pulumi.Input<string>[]>;
  rules: ClusterRules;
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
  /** Forms of the connection of the user's own, by their keys of the Secret. */
  connectionFormats?: Record<string, string>;
  networkPolicy?: ResolvedDatabaseNetworkPolicy;
  /** The argument that decides the version of Postgres' programs, for messages. */
  versionArgument: string;
  /** What the application's variables may be made of. */
  offer: ConnectionOffer;
}

const ENGINES = ["embedded", "cloudNativePg", "external"] as const;

/** Fills in what is not given and checks all that is; `path` is where the arguments stand in the caller's, which may have the rules already. */
export function resolveDatabase(
  name: string,
  args: PostgresDatabaseArgs,
  path: string,
  validation: Validation,
  rules = resolveClusterRules(args, path, validation),
): ResolvedDatabase {
  const check: Validation["check"] = (property, value, rule) => validation.check(`${path}${property}`, value, rule);
  const engine = chooseEngine(args, path, validation);
  const given = { databaseName: args.databaseName !== undefined, user: args.user !== undefined };

  const base = args.partOf ?? name;
  const databaseName = args.databaseName ?? base.replace(/-/g, "_");
  // A default is checked like a name that is given, unless it comes from a component's name that is refused anyway.
  if (given.databaseName || (args.partOf !== undefined && path === "") || !componentName(63)(base))
    check("databaseName", databaseName, nameRule(args));
  const ownsLogins = engine !== "external" || args.external?.admin !== undefined;
  const resolved: Omit<ResolvedDatabase, "offer"> = {
    namespace: check("namespace", args.namespace, namespaceName),
    imagePullSecrets: checkPullSecrets(args.imagePullSecrets, path, validation),
    rules,
    databaseName,
    user: besideAdmin(check("user", args.user ?? databaseName, userRule(args, ownsLogins)), args, path, validation),
    engine,
    embedded: engine === "embedded" ? resolveEmbedded(args.embedded ?? {}, `${path}embedded`, validation, rules) : undefined,
    cloudNativePg:
      engine === "cloudNativePg"
        ? resolveCloudNativePg(args.cloudNativePg ?? {}, `${path}cloudNativePg`, validation, rules)
        : undefined,
    external: engine === "external" ? resolveExternal(args.external ?? {}, given, path, validation, rules) : undefined,
    defaults: [...(given.databaseName ? [] : ["databaseName"]), ...(given.user ? [] : ["user"])],
    ownsLogins,
    credentials: resolveCredentials(args.credentials ?? {}, `${path}credentials`, validation),
    extensions: check("extensions", args.extensions, extensionNames) ?? [],
    settings: readable(`${path}settings`, validation.map(`${path}settings`, args.settings, settingName, oneLine), validation),
    onDelete: check("onDelete", args.onDelete, oneOf(Object.values(OnDelete))) ?? "retain",
    backups: args.backups && resolveBackups(args.backups, `${path}backups`, validation, rules),
    restoreFrom: args.restoreFrom && {
      ...resolveRestore(args.restoreFrom, `${path}restoreFrom`, validation, rules),
      archive: engine === "cloudNativePg" && isArchive(args),
    },
    networkPolicy:
      args.networkPolicy && resolveDatabaseNetworkPolicy(args.networkPolicy, args.external, `${path}networkPolicy`, validation),
    versionArgument: `database.${engine}.version`,
    connectTimeoutSeconds: check("connectTimeoutSeconds", args.connectTimeoutSeconds, wholeNumber(1, 3600)) ?? 60,
    connectionFormats: args.connectionFormats,
  };
  refuseForeign(args, resolved, path, validation);
  return { ...resolved, offer: withFormats(args, offer(resolved, given), path, validation) };
}

/** Exactly one engine; none named is the embedded one. */
function chooseEngine(args: AppDatabaseArgs, path: string, validation: Validation): EngineName {
  const named = ENGINES.filter((engine) => args[engine] !== undefined);
  const choice =
    "choose exactly one of embedded (in the cluster, one pod), cloudNativePg (replicated) and external (a server elsewhere)";
  for (const engine of named.slice(1)) validation.problem(`${path}${engine}`, `is given beside ${named[0]}: ${choice}`);
  return named[0] ?? "embedded";
}

/** Names in a server of somebody else's are what they are; ours need no quotes. */
const nameRule =
  (args: AppDatabaseArgs): Rule<string> =>
  (name) => {
    if (args.external && !args.external.admin) return notEmpty(name);
    return /^template[01]$/.test(name)
      ? `"${name}" is what new databases are copied from: give the application another one`
      : postgresName(name);
  };

/** Settings stand in a ConfigMap, and in a catalog that every role of the server reads. */
const readable = (path: string, settings: ResolvedDatabase["settings"], validation: Validation) =>
  validation.readable(path, settings, "every role of the server can read it too, so give it to the application in secretEnv");

/** With the administrator's name the application would have its rights, or take its login away. */
function besideAdmin(
  user: pulumi.Input<string>,
  { external }: AppDatabaseArgs,
  path: string,
  validation: Validation,
): pulumi.Input<string> {
  if (external?.admin?.user === undefined) return user;
  return validation.checkBeside(`${path}user`, user, external.admin.user, (owner, admin) =>
    rolesOf(owner).includes(admin)
      ? `is ${JSON.stringify(owner)}, and the component makes roles ${rolesOf(owner).join(", ")}: external.admin.user is one of them, and the application would have an administrator's rights. Write another user`
      : undefined,
  );
}

function userRule(args: AppDatabaseArgs, ownsLogins: boolean): Rule<string> {
  if (!ownsLogins) return notEmpty;
  return (user) => {
    // A role that is not named is called like the database, whose name may be one that Postgres keeps for roles of its own.
    const reserved = [
      ADMIN_USER,
      "public",
      "none",
      ...(args.cloudNativePg ? ["streaming_replica", "cnpg_pooler_pgbouncer"] : []),
    ];
    if (typeof user === "string" && (reserved.includes(user) || user.startsWith("pg_")))
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

/** On CloudNativePG, whether restoreFrom is what its own backups left in an object store, and no dump. */
const isArchive = ({ restoreFrom }: AppDatabaseArgs) => restoreFrom?.s3 !== undefined && restoreFrom.backup === undefined;

/** CloudNativePG's backups are its own: physical ones in an object store. */
function refuseLogical(args: AppDatabaseArgs, path: string, validation: Validation): void {
  if (args.backups?.destination?.claim !== undefined)
    validation.problem(`${path}backups.destination.claim`, "CloudNativePG keeps its backups in an object store: give s3");
  const unused: [string, unknown][] = [
    ["backups.timeZone", args.backups?.timeZone],
    ["backups.timeoutSeconds", args.backups?.timeoutSeconds],
    ["backups.resources", args.backups?.resources],
    ["restoreFrom.s3.image", isArchive(args) ? args.restoreFrom?.s3?.image : undefined],
    ["restoreFrom.timeoutSeconds", isArchive(args) ? args.restoreFrom?.timeoutSeconds : undefined],
  ];
  for (const [property, given] of unused) {
    if (given !== undefined)
      validation.problem(
        `${path}${property}`,
        "is not for CloudNativePG, whose operator decides that (schedules are in its own time zone, UTC in its image): leave it out",
      );
  }
  if (isArchive(args) && args.cloudNativePg?.restoreServerName === undefined)
    validation.missing(
      `${path}cloudNativePg.restoreServerName`,
      "name the archive that restoreFrom takes, a directory of the bucket such as notes-db-1a2b3c4d; " +
        'for a dump set restoreFrom.backup to its name or to "newest"; and if the database is there already, take restoreFrom out',
    );
}

/** The forms of the user's own are offered to the application's variables like ours, where the Secret is ours. */
function withFormats(
  { connectionFormats, external }: AppDatabaseArgs,
  offer: ConnectionOffer,
  path: string,
  validation: Validation,
): ConnectionOffer {
  if (connectionFormats === undefined) return offer;
  if (external?.secret)
    validation.problem(
      `${path}connectionFormats`,
      "would need to read external.secret, which is only used by reference: put the whole text into a Secret of yours, and name that in envFrom and migration.envFrom",
    );
  else checkConnectionFormats(validation, `${path}connectionFormats`, connectionFormats, offer.parts);
  return { ...offer, parts: [...offer.parts, ...Object.keys(connectionFormats)] };
}

function offer(
  { embedded, external }: Pick<ResolvedDatabase, "embedded" | "external">,
  given: { databaseName: boolean; user: boolean },
): ConnectionOffer {
  if (external) return externalOffer(external, given);
  const tls = embedded?.tls !== "off";
  return ownOffer(tls, { ca: tls });
}
