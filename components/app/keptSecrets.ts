import * as pulumi from "@pulumi/pulumi";
import * as core from "@pulumi/kubernetes/core/v1";
import * as random from "@pulumi/random";
import { Child, holdsData, overrules } from "../common/childOptions";
import { byName } from "../common/environment";
import { labels } from "../common/labels";
import { DataOwner } from "../database/engine";
import { FormerKey } from "../database/keysJob";
import { GeneratedSecret, GeneratedSecrets } from "./generatedSecrets";

const ABOUT =
  "Where the values are that belong to this application's data, such as the keys it can only be read with: written by pulumi-postgres-app. Keep this, and the Secrets that it names, as long as the data.";

/** In which Secret a value is, as the object with the fixed name has it: "<life> <rotation> <Secret>". */
interface Entry {
  life: string;
  rotation: number;
  secret: string;
}

const written = ({ life, rotation, secret }: Entry) => `${life} ${rotation} ${secret}`;

function read(text: string | undefined): Entry | undefined {
  const [, life, rotation, secret] = /^(\S+) (\d+) (\S+)$/.exec(text ?? "") ?? [];
  return secret === undefined ? undefined : { life, rotation: Number(rotation), secret };
}

/** What is to be found again with the data: its keys, and what a migration has written into it, such as the first administrator's password. */
export const isKept = ({ encryptsData, migration }: GeneratedSecret) => encryptsData || migration;

export const only = (secrets: GeneratedSecrets, which: (secret: GeneratedSecret) => boolean): GeneratedSecrets =>
  Object.fromEntries(Object.entries(secrets).filter(([, secret]) => which(secret)));

/** What is known of the keys of an application that was here before. */
export interface KeptSecrets {
  /** The application's secrets; of those that an existing Secret holds, which that is. */
  secrets: GeneratedSecrets;
  /** Writes down which Secret holds the keys, once the data is known to have been written with them. */
  writeDown: (kept: core.Secret, agreed: pulumi.Resource) => void;
}

/**
 * Finds the keys of the data that is there. What a program generates is gone with its state, and the Secrets with the values have names
 * that nobody can guess; so a ConfigMap with a fixed name says which they are. It is applied by the server, which makes it where none
 * is and shows what it says where one is left: two patches of the same object, one that reads and one that writes. Values are never
 * read: the pods take them from the Secrets that it names.
 */
export function findKept(
  name: string,
  secrets: GeneratedSecrets,
  around: { namespace?: pulumi.Input<string>; owner?: DataOwner },
  child: Child,
): KeptSecrets {
  const keys = Object.entries(only(secrets, isKept));
  if (keys.length === 0) return { secrets, writeDown: () => undefined };
  const { namespace, owner } = around;
  const found = new core.ConfigMapPatch(
    `${name}-kept-secrets-found`,
    {
      metadata: {
        name: `${name}-kept-secrets`,
        namespace,
        labels: labels(name, "kept-secrets"),
        annotations: overrules,
        ...(owner ? { ownerReferences: [{ ...owner, blockOwnerDeletion: true }] } : {}),
      },
      data: { about: ABOUT },
    },
    // A component that is given a new name goes on with the same keys. What is to go with the data, Kubernetes deletes with its owner.
    child({ ...holdsData, retainOnDelete: true, ignoreChanges: ["metadata.name", "metadata.labels"] }),
  );
  /** Tells what this stack has written from what one before it has. */
  const life = new random.RandomUuid(`${name}-kept-secrets`, {}, child()).result;
  const before = (variable: string) => found.data.apply((entries) => read(entries?.[variable]));
  const keptIn = (variable: string, { value, rotation }: GeneratedSecret) =>
    // As little known in a preview as the value is. The name of a Secret is none itself.
    pulumi.unsecret(
      pulumi
        .all([before(variable), rotation, value])
        .apply(([entry, wanted]) =>
          entry && wanted <= entry.rotation
            ? life.apply((own) => (own === entry.life ? undefined : entry.secret))
            : pulumi.output<string | undefined>(undefined),
        ),
    );
  const known = Object.fromEntries(
    keys.map(([variable, secret]) => [variable, secret.given ? secret : { ...secret, keptIn: keptIn(variable, secret) }]),
  );
  return {
    secrets: { ...secrets, ...known },
    writeDown: (kept, agreed) => {
      const entries = Object.entries(known).map(([variable, { keptIn, rotation }]) => [
        variable,
        pulumi
          .all([keptIn, before(variable), rotation, life, kept.metadata.name])
          .apply(([former, entry, number, own, secret]) =>
            written(former === undefined ? { life: own, rotation: number, secret } : entry!),
          ),
      ]);
      new core.ConfigMapPatch(
        `${name}-kept-secrets`,
        {
          metadata: { name: found.metadata.name, namespace, annotations: overrules },
          data: Object.fromEntries(entries),
        },
        child({ ...holdsData, retainOnDelete: true, dependsOn: [found, agreed] }),
      );
    },
  };
}

/** Whether the migration may be given a Secret of another life, which the comparison of keys knows to be there. */
export const migratesWithKept = (secrets: GeneratedSecrets): boolean =>
  Object.values(secrets).some(({ migration, keptIn }) => migration && keptIn !== undefined);

/** By reference: the variables whose values are in a Secret that was there before, and which Secret that is. */
export function references(secrets: GeneratedSecrets): pulumi.Output<Record<string, string>> | undefined {
  const kept = Object.entries(secrets).flatMap(([variable, { keptIn }]) => (keptIn ? [[variable, keptIn] as const] : []));
  if (kept.length === 0) return undefined;
  return pulumi
    .output(Object.fromEntries(kept))
    .apply(
      (all) => Object.fromEntries(Object.entries(all).filter(([, secret]) => secret !== undefined)) as Record<string, string>,
    );
}

/** The same for the Job that compares keys. */
export function formerKeys(secrets: GeneratedSecrets): pulumi.Output<FormerKey[]> | undefined {
  const rotations = Object.fromEntries(Object.entries(secrets).map(([variable, { rotation }]) => [variable, rotation]));
  const names = references(secrets);
  return (
    names &&
    pulumi
      .all([names, rotations])
      .apply(([kept, numbers]) => byName(kept).map(([variable, secret]) => ({ variable, secret, rotation: numbers[variable] })))
  );
}

type SecretEnv = pulumi.Input<Record<string, pulumi.Input<string>>> | undefined;

/** Everything that a Secret of this component's own holds: what was given, and what is generated, but for what another Secret holds. */
export function secretVariables(secretEnv: SecretEnv, secrets: GeneratedSecrets): SecretEnv {
  if (Object.keys(secrets).length === 0) return secretEnv;
  const values = Object.fromEntries(
    Object.entries(secrets).map(([variable, { value, keptIn }]) => [variable, { value, keptIn }]),
  );
  return pulumi.all([secretEnv ?? {}, values]).apply(([given, made]) => {
    const own = Object.entries(made).filter(([, { keptIn }]) => keptIn === undefined);
    return { ...given, ...Object.fromEntries(own.map(([variable, { value }]) => [variable, value])) };
  });
}

/** A migration with the generated secrets that it sees. */
export function withGenerated<T extends { secretEnv?: SecretEnv; existingSecretEnv?: SecretEnv }>(
  run: T | undefined,
  secrets: GeneratedSecrets,
): T | undefined {
  const seen = only(secrets, ({ migration }) => migration);
  const names = references(seen);
  if (!run) return undefined;
  return {
    ...run,
    secretEnv: secretVariables(run.secretEnv, seen),
    ...(names
      ? { existingSecretEnv: pulumi.all([run.existingSecretEnv ?? {}, names]).apply(([given, kept]) => ({ ...given, ...kept })) }
      : {}),
  };
}
