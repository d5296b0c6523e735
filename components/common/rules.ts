import { Rule } from "./validation";

/** Rules for single values. Each says what is wrong and what to write instead. */

const show = (value: unknown) => JSON.stringify(value);

/** Whether a number was written as a text, as configuration has it. */
const isQuoted = (value: unknown) => typeof value === "string" && /^-?\d+$/.test(value);

const unquoted = (value: unknown) => `${show(value)} is not a number: write it without quotes (Number() makes one of a text)`;

/** `longest` leaves room for the suffixes of the component's objects: a Job's name, with Pulumi's 8 digits, ends at 63 characters. */
export const componentName =
  (longest: number): Rule<string> =>
  (name) =>
    typeof name === "string" && /^[a-z]([-a-z0-9]*[a-z0-9])?$/.test(name) && name.length <= longest
      ? undefined
      : `${show(name)} cannot name Kubernetes objects: use at most ${longest} lower-case letters, digits and "-", beginning with a letter`;

export const namespaceName: Rule<string> = (name) =>
  typeof name === "string" && /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(name)
    ? undefined
    : `${show(name)} is not a namespace's name: use at most 63 lower-case letters, digits and "-"`;

/** Names that need no quotes in SQL, connection strings and shells. */
export const postgresName: Rule<string> = (name) =>
  typeof name === "string" && /^[a-z_][a-z0-9_]{0,62}$/.test(name) && !name.startsWith("pg_")
    ? undefined
    : `${show(name)} would need quotes everywhere: use at most 63 lower-case letters, digits and "_", not beginning with a digit or "pg_"`;

/** An image's registry and repository, without its tag and digest. */
export const withoutTag = (image: string) => image.replace(/@.*$/, "").replace(/:[^:/]*$/, "");

/** An image without its registry's name, which has a dot or a port. */
export const withoutRegistry = (image: string) => image.replace(/^[^/]*[.:][^/]*\//, "");

export const imageReference: Rule<string> = (image) => {
  if (typeof image !== "string" || !/^[^\s:@]+(:\d+\/[^\s:@]+)?(:[\w][\w.-]{0,127})?(@sha256:[a-f0-9]{64})?$/.test(image))
    return `${show(image)} is not an image reference: write registry/repository:tag, best with @sha256:<64 hex digits>`;
  const repository = withoutRegistry(withoutTag(image));
  return repository === repository.toLowerCase()
    ? undefined
    : `${show(image)} has capitals in its repository: registries take lower case only`;
};

export const port: Rule<number> = (value) =>
  Number.isInteger(value) && value >= 1 && value <= 65535
    ? undefined
    : isQuoted(value)
      ? unquoted(value)
      : `${show(value)} is not a port: write a whole number from 1 to 65535`;

/** Names of most objects of Kubernetes: DNS subdomains. */
export const kubernetesName: Rule<string> = (name) =>
  typeof name === "string" && /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/.test(name)
    ? undefined
    : `${show(name)} is not the name of an object: use lower-case letters, digits, "-" and "."`;

/** Names of containers, ports and volumes. */
export const label =
  (longest: number): Rule<string> =>
  (name) =>
    typeof name === "string" && /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(name) && name.length <= longest
      ? undefined
      : `${show(name)} is not a name: use at most ${longest} lower-case letters, digits and "-"`;

/** Kubernetes' quantities: apimachinery/pkg/api/resource. */
export const quantity: Rule<string> = (value) =>
  typeof value === "string" && /^(\d+(\.\d*)?|\.\d+)(m|k|[MGTPE]|[KMGTPE]i|[eE][-+]?\d+)?$/.test(value) && parseFloat(value) > 0
    ? undefined
    : typeof value === "number" && value > 0
      ? `${show(value)} is not a quantity: write it in quotes`
      : `${show(value)} is not a quantity: write for example "500m" for CPU, "512Mi" or "10Gi" for bytes ("GB" and "gi" are not units)`;

/** Of a volume. A number without its unit is as many bytes. */
export const volumeSize: Rule<string> = (value) =>
  quantity(value) ??
  (bytes(value) < 2 ** 20 ? `${show(value)} is less than a volume can be: write the unit, such as "10Gi"` : undefined);

/** What a quantity of bytes comes to. */
export function bytes(value: string): number {
  const [, number, unit] = /^([\d.]+)(.*)$/.exec(value) ?? [];
  // No unit is found nowhere among these, and is the power of none.
  const power = ["k", "M", "G", "T", "P", "E"].indexOf(unit.charAt(0).replace("K", "k")) + 1;
  if (unit === "m") return Number(number) / 1000;
  if (/^[eE][-+]?\d+$/.test(unit)) return Number(value);
  return Number(number) * (unit.endsWith("i") ? 1024 : 1000) ** power;
}

/** Kubernetes takes nearly anything; shells and most programs do not. */
export const environmentName: Rule<string> = (name) =>
  /^[A-Za-z_][A-Za-z0-9_]*$/.test(name)
    ? undefined
    : "is not an environment variable's name: use letters, digits and _, not beginning with a digit";

/** Does not show the value, which may be a secret one. */
export const text: Rule<string> = (value) =>
  typeof value === "string" ? undefined : `is ${value === null ? "null" : `a ${typeof value}`}: write it as a string, in quotes`;

export const path: Rule<string> = (value) =>
  typeof value === "string" && /^\/[^\s]*$/.test(value) ? undefined : `${show(value)} is not a path: begin it with /`;

export const command: Rule<unknown> = (value) =>
  Array.isArray(value) && value.length > 0 && value.every((word) => typeof word !== "number" && word !== "")
    ? shellLine(value[0])
    : `${show(value)} is not a command: write its words as a list, such as ["npm", "run", "migrate"]; for a shell line ["sh", "-c", "…"]`;

/** No program has a name of several words: whoever writes one expects a shell. */
const shellLine = (program: unknown) =>
  typeof program === "string" && /\S\s+\S/.test(program)
    ? `${show(program)} is no program's name: write each word for itself, such as ${JSON.stringify(program.trim().split(/\s+/))}; for a shell line ["sh", "-c", "…"]`
    : undefined;

export const wholeNumber =
  (least: number, most = Number.MAX_SAFE_INTEGER): Rule<number> =>
  (value) =>
    Number.isInteger(value) && value >= least && value <= most
      ? undefined
      : isQuoted(value)
        ? unquoted(value)
        : `${show(value)} is ${typeof value === "number" ? "out of range" : "not a number"}: write a whole number of at least ${least}${most === Number.MAX_SAFE_INTEGER ? "" : ` and at most ${most}`}`;

export const oneOf =
  (allowed: readonly string[]): Rule<string> =>
  (value) =>
    allowed.includes(value) ? undefined : `is ${show(value)}: write one of ${allowed.map(show).join(", ")}`;

export const pullPolicy = oneOf(["Always", "IfNotPresent", "Never"]);

/** Names of a map that are somebody else's to judge: of labels, annotations, resources. */
export const anyName: Rule<string> = () => undefined;

/** A text of this pattern; `what` says what is not. */
export const matching =
  (pattern: RegExp, what: string): Rule<string> =>
  (value) =>
    typeof value === "string" && pattern.test(value) ? undefined : `${JSON.stringify(value)} is not ${what}`;

/** A key of a Secret or ConfigMap. */
export const secretKey = matching(/^[-._a-zA-Z0-9]{1,253}$/, 'a key of a Secret: use letters, digits, "-", "_" and "."');
