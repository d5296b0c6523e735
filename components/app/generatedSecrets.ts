import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { answered } from "../common/answers";
import { environmentName, oneOf, text, wholeNumber } from "../common/rules";
import { Rule, Validation } from "../common/validation";

/** What a generated secret is made of. */
export const SecretFormat = {
  /** Letters and digits. */
  Alphanumeric: "alphanumeric",
  /** Hexadecimal digits in lower case, two for a byte. */
  Hex: "hex",
  /** Base64 text, with its padding: 44 characters are a key of 32 bytes, 24 one of 16, 88 one of 64. */
  Base64: "base64",
} as const;
export type SecretFormat = (typeof SecretFormat)[keyof typeof SecretFormat];

/** A secret of the application that is generated once and kept. */
export interface GeneratedSecretArgs {
  /**
   * Number of characters: from 16 to 1024, with base64 a multiple of 4. Defaults to 64.
   * A change makes a new value, for which `rotation` has to be raised where stored data depends on it, and rolls the pods.
   */
  length?: pulumi.Input<number>;
  /**
   * What it is made of: "alphanumeric", "hex" or "base64". Defaults to "alphanumeric". A change makes a new value, as with `length`.
   */
  format?: SecretFormat;
  /**
   * Raise this number for a new value, on purpose: what was encrypted with the former one can no longer be read, unless the application
   * itself is given both. Rolls the pods. Defaults to 0.
   */
  rotation?: pulumi.Input<number>;
  /**
   * Value to use instead of a generated one: a former value, or that of an application which has one already. With
   * `config.getSecret("secretKeyBase")` it is generated until it is set by `pulumi config set --secret secretKeyBase`. `length` and
   * `format` do not apply. Defaults to none. A change rolls the pods.
   */
  value?: pulumi.Input<string>;
  /**
   * Whether stored data can only be read with it. If so, the database remembers which value it was (not the value itself), the
   * deployment stops before the migration when it is another one and `rotation` was not raised, and a copy of the value outlives
   * `pulumi destroy` as the data does, from which the next deployment takes it. Set it to false for what may be lost, such as a key that
   * signs sessions. Defaults to true.
   */
  encryptsData?: boolean;
  /**
   * Whether the migration sees it too: for tools that start the whole application (Rails, Django), or a seed that makes the first
   * administrator. Then a new value runs the migration again, and a copy is kept as with `encryptsData`. Defaults to false.
   */
  migration?: boolean;
}

export interface ResolvedGeneratedSecret {
  length: pulumi.Input<number>;
  format: SecretFormat;
  rotation: pulumi.Input<number>;
  value?: pulumi.Input<string>;
  encryptsData: boolean;
  migration: boolean;
}

/** By environment variable. */
export type ResolvedGeneratedSecrets = Record<string, ResolvedGeneratedSecret>;

const DEFAULT_LENGTH = 64;

export function resolveGeneratedSecrets(
  secrets: Record<string, GeneratedSecretArgs> | undefined,
  path: string,
  validation: Validation,
): ResolvedGeneratedSecrets {
  return Object.fromEntries(
    Object.entries(secrets ?? {}).map(([variable, args]) => [variable, resolveOne(variable, args, path, validation)]),
  );
}

function resolveOne(variable: string, args: GeneratedSecretArgs, path: string, validation: Validation): ResolvedGeneratedSecret {
  const reason = environmentName(variable);
  if (reason) validation.problem(`${path}["${variable}"]`, reason);
  const check: Validation["check"] = (property, value, rule) => validation.check(`${path}.${variable}.${property}`, value, rule);
  const format = check("format", args.format, oneOf(Object.values(SecretFormat))) ?? "alphanumeric";
  return {
    format,
    length: check("length", args.length, lengthOf(format)) ?? DEFAULT_LENGTH,
    rotation: check("rotation", args.rotation, wholeNumber(0)) ?? 0,
    value: check("value", args.value, notEmpty),
    encryptsData: args.encryptsData ?? true,
    migration: args.migration ?? false,
  };
}

const lengthOf =
  (format: SecretFormat): Rule<number> =>
  (length) =>
    wholeNumber(16, 1024)(length) ??
    (format === "base64" && length % 4 !== 0
      ? `${length} characters are no base64: write a multiple of 4, such as 44 for 32 bytes`
      : undefined);

/** Does not show the value. */
const notEmpty: Rule<string> = (value) =>
  value === "" ? "is empty: leave it out to have a value generated" : value === undefined ? "is undefined" : text(value);

/** A secret with its value, generated or given. */
export type GeneratedSecret = Pick<ResolvedGeneratedSecret, "rotation" | "encryptsData" | "migration"> & {
  value: pulumi.Output<string>;
  /** Whether the program says what it is. */
  given: boolean;
  /** The Secret of a former life of the application that has the value that counts, if there is one: `value` is used for nothing then. */
  keptIn?: pulumi.Output<string | undefined>;
};

/** By environment variable. */
export type GeneratedSecrets = Record<string, GeneratedSecret>;

export function generateSecrets(
  name: string,
  secrets: ResolvedGeneratedSecrets,
  opts: pulumi.CustomResourceOptions,
): GeneratedSecrets {
  return Object.fromEntries(
    Object.entries(secrets).map(([variable, { value, ...secret }]) => [
      variable,
      {
        ...secret,
        given: value !== undefined,
        value: value === undefined ? generate(`${name}-secret-${variable}`, secret, opts) : pulumi.secret(value),
      },
    ]),
  );
}

/** Frozen, like the resources' names: any change here would generate other values in every stack, and data would be lost with them. */
function generate(
  name: string,
  { format, length, rotation }: Pick<ResolvedGeneratedSecret, "format" | "length" | "rotation">,
  opts: pulumi.CustomResourceOptions,
): pulumi.Output<string> {
  const keepers = { rotation: pulumi.output(rotation).apply(String) };
  if (format === "alphanumeric")
    return answered(new random.RandomPassword(name, { length, special: false, keepers }, opts).result, name);
  const characters = pulumi.output(length);
  const byteCount = characters.apply(format === "hex" ? (count) => Math.ceil(count / 2) : bytesOfBase64);
  const bytes = new random.RandomBytes(name, { length: byteCount, keepers }, opts);
  return format === "hex"
    ? pulumi.all([answered(bytes.hex, name), characters]).apply(([hex, count]) => hex.slice(0, count))
    : answered(bytes.base64, name);
}

/** Of the numbers of bytes that make so many characters the one that ciphers want, a multiple of 8, or else the largest. */
function bytesOfBase64(characters: number): number {
  const most = (characters / 4) * 3;
  const even = most - (most % 8);
  return Math.ceil(even / 3) * 4 === characters ? even : most;
}
