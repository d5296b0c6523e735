/** Reads what a program asked for out of an exported state, to ask for the same without the component. */

/** A value that the state marks as secret. */
export class SecretValue {
  constructor(readonly value: Value) {}
}

export type Value = null | boolean | number | string | SecretValue | Value[] | Values;
export type Values = { [key: string]: Value };

export interface Resource {
  urn: string;
  /** As in "kubernetes:core/v1:Secret". */
  type: string;
  name: string;
  inputs: Values;
  /** What is only known when there is the resource, and others may contain: values by the path of the output. */
  generated: Record<string, string>;
  /** Under which id it was found, if it is only read. */
  read?: string;
  dependencies: string[];
  ignoreChanges: string[];
  retainOnDelete: boolean;
  /** Seconds by operation. */
  customTimeouts: Record<string, number>;
}

/** What is read of `pulumi stack export`. */
export interface Exported {
  deployment: {
    resources: {
      urn: string;
      type: string;
      custom: boolean;
      /** Of resources that are read. */
      external?: boolean;
      id: string;
      inputs?: object;
      outputs?: object;
      dependencies?: string[];
      ignoreChanges?: string[];
      retainOnDelete?: boolean;
      customTimeouts?: Record<string, number>;
    }[];
  };
}

/** Outputs that are generated, by type and path. Names that Pulumi generates are not among them. */
const GENERATED: Record<string, string[]> = {
  "random:index/randomPassword:RandomPassword": ["result"],
  "tls:index/privateKey:PrivateKey": ["privateKeyPem"],
  "tls:index/selfSignedCert:SelfSignedCert": ["certPem"],
  "tls:index/certRequest:CertRequest": ["certRequestPem"],
  "tls:index/locallySignedCert:LocallySignedCert": ["certPem"],
  "kubernetes:core/v1:PersistentVolumeClaim": ["metadata.uid"],
};

/** Every resource of a provider in the order in which they were made, as it would be in another namespace. */
export function resourcesOf(exported: Exported, from: string, to: string): Resource[] {
  const moved = (value: Value): Value => everyString(value, (text) => text.replaceAll(from, to));
  return exported.deployment.resources
    .filter(({ custom, type }) => custom && !type.startsWith("pulumi:"))
    .map(({ urn, type, external, id, inputs = {}, outputs = {}, customTimeouts = {}, ...options }) => {
      const values = fromJson(inputs) as Values;
      const made = plain(fromJson(outputs)) as Values;
      return {
        urn,
        type,
        name: urn.split("::")[3],
        inputs: moved(type === "kubernetes:core/v1:Secret" ? readable(values) : values) as Values,
        generated: Object.fromEntries((GENERATED[type] ?? []).map((path) => [path, at(made, path) as string])),
        ...(external ? { read: moved(id) as string } : {}),
        dependencies: options.dependencies ?? [],
        ignoreChanges: options.ignoreChanges ?? [],
        retainOnDelete: options.retainOnDelete ?? false,
        customTimeouts,
      };
    });
}

const at = (value: Value, path: string): Value => path.split(".").reduce((inner, key) => (inner as Values)[key], value);

/** The same without the marks of secrets. */
export function plain(value: Value): unknown {
  if (value instanceof SecretValue) return plain(value.value);
  return isCollection(value) ? mapped(value, plain) : value;
}

/** The same list or object with other values. */
export function mapped<T>(value: Value[] | Values, map: (value: Value) => T): T[] | Record<string, T> {
  if (Array.isArray(value)) return value.map(map);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, map(inner)]));
}

export const isCollection = (value: Value): value is Value[] | Values =>
  typeof value === "object" && value !== null && !(value instanceof SecretValue);

export function everyString(value: Value, map: (text: string) => string): Value {
  if (value instanceof SecretValue) return new SecretValue(everyString(value.value, map));
  if (typeof value === "string") return map(value);
  return isCollection(value) ? mapped(value, (inner) => everyString(inner, map)) : value;
}

/** Marks a secret in the state's JSON; the value stands beside it, as JSON of its own. */
const SECRET_MARK = "4dabf18193072939515e22adb298388d";

function fromJson(json: unknown): Value {
  if (json === null || typeof json !== "object") return json as Value;
  if (SECRET_MARK in json) return new SecretValue(fromJson(JSON.parse((json as unknown as { plaintext: string }).plaintext)));
  return mapped(json as Values, fromJson);
}

/** A Secret's content as it was written: text in which names and passwords can be found, not base64. */
function readable({ data, ...others }: Values): Values {
  const text = mapped(plain(data) as Values, (value) => Buffer.from(String(value), "base64").toString());
  return { ...others, stringData: new SecretValue(text) };
}
