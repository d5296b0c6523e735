import * as pulumi from "@pulumi/pulumi";
import * as core from "@pulumi/kubernetes/core/v1";
import * as random from "@pulumi/random";
import { answered } from "../common/answers";
import { wholeNumber } from "../common/rules";
import { Validation } from "../common/validation";
import { DatabaseCredentialsArgs } from "./databaseArgs";

export interface ResolvedCredentials {
  rotation: pulumi.Input<number>;
  lockFormerLogin: pulumi.Input<boolean>;
  adminRotation: pulumi.Input<number>;
  separateMigrator: boolean;
}

export function resolveCredentials(args: DatabaseCredentialsArgs, path: string, validation: Validation): ResolvedCredentials {
  return {
    rotation: validation.check(`${path}.rotation`, args.rotation, wholeNumber(0)) ?? 0,
    lockFormerLogin: args.lockFormerLogin ?? false,
    adminRotation: validation.check(`${path}.adminRotation`, args.adminRotation, wholeNumber(0)) ?? 0,
    separateMigrator: args.separateMigrator ?? false,
  };
}

/** Frozen: any change here would generate new passwords in every stack. Letters and digits only, so no form of it needs quotes. */
const PASSWORD = { length: 32, special: false };

/** A password that stays until its number is another one. */
export function generatedPassword(
  name: string,
  rotation: pulumi.Input<number>,
  opts: pulumi.CustomResourceOptions,
): pulumi.Output<string> {
  const keepers = { rotation: pulumi.output(rotation).apply(String) };
  return answered(new random.RandomPassword(name, { ...PASSWORD, keepers }, opts).result, name);
}

/** One login role, or two that take turns. */
export interface Login {
  user: pulumi.Output<string>;
  password: pulumi.Output<string>;
}

/** The logins of a database whose roles are ours. */
export interface Logins {
  a: Login;
  b: Login;
  /** The one of a and b that the application has now. */
  current: pulumi.Output<"a" | "b">;
  /** Where migrations have a login of their own. */
  migrator?: Login;
  /** Its name, there or not: one that was there before is locked out. */
  migratorUser: pulumi.Output<string>;
  /** The role that has the rights to read and write rows, where migrations have a login of their own. */
  runtimeRole: pulumi.Output<string>;
  /** The role that backups act as where policies would keep rows from the owner. */
  backupRole: pulumi.Output<string>;
}

/** Suffixes of the roles that are made beside the owner. The owner's name leaves room for the longest. */
const MIGRATOR = "_migrator";
const RUNTIME = "_runtime";
const BACKUP = "_backup";
export const LONGEST_OWNER = 63 - MIGRATOR.length;
/** All roles that the component may make. */
export const rolesOf = (owner: string): string[] => [owner, `${owner}_a`, `${owner}_b`, owner + MIGRATOR, owner + RUNTIME];

/**
 * Two logins alternate: even numbers are a's, odd ones b's. A number gives its login a new password and leaves the other's alone,
 * so that pods with the former login go on; the number after it takes that one's password away.
 */
export function generateLogins(
  name: string,
  owner: pulumi.Input<string>,
  { rotation, separateMigrator }: ResolvedCredentials,
  opts: pulumi.CustomResourceOptions,
): Logins {
  const number = pulumi.output(rotation);
  const named = (suffix: string) => pulumi.interpolate`${owner}${suffix}`;
  const login = (slot: string, at: pulumi.Output<number>, suffix = `_${slot}`): Login => ({
    user: named(suffix),
    password: generatedPassword(`${name}-password-${slot}`, at, opts),
  });
  return {
    a: login(
      "a",
      number.apply((n) => n - (n % 2)),
    ),
    b: login(
      "b",
      number.apply((n) => n - ((n + 1) % 2)),
    ),
    current: number.apply((n) => (n % 2 === 0 ? "a" : "b")),
    // No run of a migration outlasts its `pulumi up`, so one login is enough.
    ...(separateMigrator ? { migrator: login("migrator", number, MIGRATOR) } : {}),
    migratorUser: named(MIGRATOR),
    runtimeRole: named(RUNTIME),
    backupRole: named(BACKUP),
  };
}

/** The login that the application has now. */
export function currentLogin({ a, b, current }: Logins): Login {
  const pick = (field: keyof Login) =>
    pulumi.all([current, a[field], b[field]]).apply(([slot, ofA, ofB]) => (slot === "a" ? ofA : ofB));
  return { user: pick("user"), password: pick("password") };
}

/** What the setup Job is given of the logins: new content, new name, and the Job runs again. */
export function loginsSecret(
  name: string,
  { a, b, migrator }: Logins,
  metadata: object,
  opts: pulumi.CustomResourceOptions,
): core.Secret {
  return new core.Secret(
    name,
    {
      metadata,
      stringData: { a: a.password, b: b.password, ...(migrator ? { migrator: migrator.password } : {}) },
    },
    opts,
  );
}
