import * as pulumi from "@pulumi/pulumi";
import { resolveProbes } from "./app/probes";
import { ResolvedApp } from "./app/workload";
import { checkResources } from "./common/resources";
import {
  command,
  componentName,
  environmentName,
  imageReference,
  namespaceName,
  oneOf,
  path,
  port,
  text,
  wholeNumber,
} from "./common/rules";
import { isDeferred, Validation } from "./common/validation";
import { checkConnectionEnv } from "./database/connection";
import { resolveDatabase, ResolvedDatabase } from "./database/postgresDatabase";
import { ResolvedMigration, resolveMigration } from "./migration/job";
import { migratesAtStart } from "./migration/knownImages";
import { PostgresAppArgs } from "./postgresAppArgs";

type Env = pulumi.Input<Record<string, pulumi.Input<string>>>;

export interface ResolvedArgs extends ResolvedApp {
  namespace?: pulumi.Input<string>;
  servicePort: pulumi.Input<number>;
  env?: pulumi.Output<Record<string, string>>;
  secretEnv?: Env;
  database: ResolvedDatabase;
  migration?: ResolvedMigration;
}

/** Fills in every default and checks everything that is given; throws one error with all that is wrong. */
export function resolveArgs(name: string, args: PostgresAppArgs): ResolvedArgs {
  const validation = new Validation(`PostgresApp "${name}"`);
  const check: Validation["check"] = (propertyPath, value, rule) => validation.check(propertyPath, value, rule);
  check("name", name, componentName(40));

  const image = validation.required(
    "image",
    args.image,
    imageReference,
    'name the image of the application, such as "registry.example.org/notes:1.0.0"',
  );
  const env = validation.map("env", args.env, environmentName, text);
  const connectionEnv = checkConnectionEnv(validation, "connectionEnv", args.connectionEnv);
  const resolved: ResolvedArgs = {
    image,
    imagePullPolicy: check("imagePullPolicy", args.imagePullPolicy, oneOf(["Always", "IfNotPresent", "Never"])),
    command: check("command", args.command, command),
    args: check("args", args.args, command),
    port: check("port", args.port, port) ?? 8080,
    servicePort: check("servicePort", args.servicePort, port) ?? 80,
    replicas: check("replicas", args.replicas, wholeNumber(0)) ?? 1,
    env: env && validation.withoutSecrets("env", env, "put it into secretEnv"),
    secretEnv: validation.map("secretEnv", args.secretEnv, environmentName, text),
    connectionEnv,
    probes: resolveProbes(args.probes, "probes", validation),
    resources: checkResources(validation, "resources", args.resources, { cpu: "100m", memory: "128Mi" }),
    uid: check("runAsUser", args.runAsUser, wholeNumber(1)),
    writablePaths: (args.writablePaths ?? ["/tmp"]).map((directory, index) => check(`writablePaths[${index}]`, directory, path)),
    namespace: check("namespace", args.namespace, namespaceName),
    // The parts check their arguments themselves too; here it is done so that all that is wrong is said at once.
    database: resolveDatabase(name, args.database ?? {}, "database.", validation),
    migration: args.migration && resolveMigration(args.migration, image, "migration.", validation),
  };
  refuseTwoValues(validation, args);
  refuseTwoMigrations(validation, args);

  validation.throwIfAny();
  return resolved;
}

/** One variable, one value: which of two would win is Kubernetes' rule, and nobody remembers it. */
function refuseTwoValues(validation: Validation, args: PostgresAppArgs): void {
  const names = (map: unknown) => (map === undefined || map === null || isDeferred(map) ? [] : Object.keys(map));
  const sources = { env: args.env, secretEnv: args.secretEnv, connectionEnv: args.connectionEnv };
  const seen = new Map<string, string>();
  for (const [source, map] of Object.entries(sources)) {
    for (const name of names(map)) {
      const other = seen.get(name);
      if (other) validation.problem(`${source}.${name}`, `is in ${other} too: keep one of the two`);
      seen.set(name, source);
    }
  }
}

/** Exactly one place migrates: a Job beside an image that migrates when it starts would be two that race. */
function refuseTwoMigrations(validation: Validation, args: PostgresAppArgs): void {
  if (args.migration === undefined || args.command !== undefined || args.migratesAtStart === false) return;
  const known = typeof args.image === "string" ? migratesAtStart(args.image) : undefined;
  if (!known && !args.migratesAtStart) return;
  const way = known ?? "set command to one that only starts the application";
  validation.problem(
    "command",
    `is missing, and the image migrates when it starts: with migration.command the schema would be migrated twice; ${way}, or leave migration out`,
  );
}
