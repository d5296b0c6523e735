// The resource types of the random plugin: their arguments, how a value is made, and how one is imported.
import { randomBytes, randomInt, randomUUID } from "node:crypto";
import { isUnknown, type Properties } from "../rpc/values";
import { problem, randomString } from "./characters";

export interface RandomType {
  /** Arguments that are recorded with these values when they are not given. */
  readonly defaults: Properties;
  /** Arguments that stay absent when they are not given. */
  readonly optional: readonly string[];
  /** What is recorded beside the arguments, unknown before the value is made. */
  readonly outputs: readonly string[];
  /** Outputs that are secret. */
  readonly secrets: readonly string[];
  /** The version of the recorded attributes, for types that have had more than one. */
  readonly schema?: number;
  problem(args: Properties): string | undefined;
  make(args: Properties): Promise<Made>;
  /** From the id of an `import`: the arguments that lead to the value, and the value. */
  adopt(id: string): Promise<{ args: Properties } & Made>;
}

export interface Made {
  readonly id: string;
  readonly outputs: Properties;
}

/** `number` is the former name of `numeric`; whichever is given stands for both. */
export function complete(type: RandomType, args: Properties): Properties {
  const all: Properties = { ...type.defaults, ...args };
  if (!("numeric" in type.defaults)) return all;
  if (args.number === undefined) all.number = all.numeric;
  else if (args.numeric === undefined) all.numeric = all.number;
  return all;
}

const CLASSES = { lower: true, number: true, numeric: true, special: true, upper: true };
const characters = {
  defaults: { ...CLASSES, minLower: 0, minNumeric: 0, minSpecial: 0, minUpper: 0 },
  optional: ["keepers", "overrideSpecial"],
  problem,
};
const requiredNumber = (name: string) => (args: Properties) => {
  return typeof args[name] === "number" || isUnknown(args[name]) ? undefined : `\`${name}\` must be a number`;
};

async function bcrypt(text: string): Promise<string> {
  const { genSalt, hash } = await import("bcryptjs");
  const salt = await genSalt(10);
  const read = Buffer.from(text).subarray(0, 72).toString(); // bcrypt reads no more than 72 bytes
  return hash(read, salt.replace("$2b$", "$2a$")); // the same algorithm, by the name that the official plugin gives it
}

const password: RandomType = {
  ...characters,
  outputs: ["result", "bcryptHash"],
  secrets: ["result", "bcryptHash"],
  schema: 3,
  async make(args) {
    const result = randomString(args);
    return { id: "none", outputs: { result, bcryptHash: await bcrypt(result) } };
  },
  async adopt(id) {
    const outputs = { result: id, bcryptHash: await bcrypt(id) };
    return { id: "none", args: { ...CLASSES, length: id.length }, outputs };
  },
};

const string: RandomType = {
  ...characters,
  outputs: ["result"],
  secrets: [],
  schema: 2,
  async make(args) {
    const result = randomString(args);
    return { id: result, outputs: { result } };
  },
  async adopt(id) {
    return { id, args: { ...CLASSES, length: id.length }, outputs: { result: id } };
  },
};

function idOutputs(bytes: Buffer, prefix: string): Made {
  const hex = bytes.toString("hex");
  const url = bytes.toString("base64url");
  const outputs = {
    b64Std: prefix + bytes.toString("base64"),
    b64Url: prefix + url,
    dec: prefix + BigInt(`0x${hex}`).toString(),
    hex: prefix + hex,
  };
  return { id: url, outputs };
}

const id: RandomType = {
  defaults: {},
  optional: ["keepers", "prefix"],
  outputs: ["b64Std", "b64Url", "dec", "hex"],
  secrets: [],
  problem: requiredNumber("byteLength"),
  async make(args) {
    return idOutputs(randomBytes(Number(args.byteLength)), String(args.prefix ?? ""));
  },
  /** `<prefix>,<base64url>` or the latter alone. */
  async adopt(text) {
    const [url, prefix] = text.split(",").reverse();
    const bytes = Buffer.from(url, "base64url");
    const args: Properties = { byteLength: bytes.length, ...(prefix === undefined ? {} : { prefix }) };
    return { args, ...idOutputs(bytes, prefix ?? "") };
  },
};

const bytes: RandomType = {
  defaults: {},
  optional: ["keepers"],
  outputs: ["base64", "hex"],
  secrets: ["base64", "hex"],
  problem: requiredNumber("length"),
  async make(args) {
    return this.adopt(randomBytes(Number(args.length)).toString("base64"));
  },
  async adopt(base64) {
    const value = Buffer.from(base64, "base64");
    return { id: base64, args: { length: value.length }, outputs: { base64, hex: value.toString("hex") } };
  },
};

const uuid: RandomType = {
  defaults: {},
  optional: ["keepers"],
  outputs: ["result"],
  secrets: [],
  problem: () => undefined,
  async make() {
    return this.adopt(randomUUID());
  },
  async adopt(result) {
    return { id: result, args: {}, outputs: { result } };
  },
};

const integer: RandomType = {
  defaults: {},
  optional: ["keepers", "seed"],
  outputs: ["result"],
  secrets: [],
  problem: (args) => requiredNumber("min")(args) ?? requiredNumber("max")(args),
  async make(args) {
    if (args.seed !== undefined) throw new Error("`seed` of RandomInteger is not part of this stand-in");
    const result = randomInt(Number(args.min), Number(args.max) + 1);
    return { id: String(result), outputs: { result } };
  },
  /** `<result>,<min>,<max>` */
  async adopt(text) {
    const [result, min, max] = text.split(",").map(Number);
    return { id: String(result), args: { min, max }, outputs: { result } };
  },
};

export const types: Record<string, RandomType | undefined> = {
  "random:index/randomPassword:RandomPassword": password,
  "random:index/randomString:RandomString": string,
  "random:index/randomId:RandomId": id,
  "random:index/randomBytes:RandomBytes": bytes,
  "random:index/randomUuid:RandomUuid": uuid,
  "random:index/randomInteger:RandomInteger": integer,
};
