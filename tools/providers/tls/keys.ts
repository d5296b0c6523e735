// Private keys, and the formats in which one is handed out.
import { createHash, createPrivateKey, createPublicKey, generateKeyPair, type KeyObject, randomBytes } from "node:crypto";
import { promisify } from "node:util";
import type { Properties } from "../rpc/values";
import { pem } from "./der";

const CURVES: Record<string, string | undefined> = {
  P224: "secp224r1",
  P256: "prime256v1",
  P384: "secp384r1",
  P521: "secp521r1",
};
export const curves = Object.keys(CURVES);

const ALGORITHMS: Record<string, string | undefined> = { rsa: "RSA", ec: "ECDSA", ed25519: "ED25519" };
export const algorithms = Object.values(ALGORITHMS) as string[];

const generate = promisify(generateKeyPair) as (type: string, options: object) => Promise<{ privateKey: KeyObject }>;

export async function newKey(args: Properties): Promise<KeyObject> {
  const [type] = Object.entries(ALGORITHMS).find(([, name]) => name === args.algorithm)!;
  const options = { modulusLength: args.rsaBits, namedCurve: CURVES[String(args.ecdsaCurve)] };
  return (await generate(type, options)).privateKey;
}

export function parseKey(pem: unknown): KeyObject {
  try {
    return createPrivateKey(String(pem));
  } catch (error) {
    throw new Error(`failed to parse private key PEM: ${(error as Error).message}`, { cause: error });
  }
}

/** The name that the arguments of a key have for its algorithm. */
export function algorithmOf(key: KeyObject): string {
  const name = ALGORITHMS[String(key.asymmetricKeyType)];
  if (!name) throw new Error(`unsupported private key type: ${key.asymmetricKeyType}`);
  return name;
}

const digest = (algorithm: string, content: Buffer) => createHash(algorithm).update(content);

/** The digest by which a key or a request is known. */
export const hash = (content: Buffer) => digest("sha1", content).digest("hex");

export function describeKey(key: KeyObject): { id: string; outputs: Properties } {
  const own = ({ rsa: "pkcs1", ec: "sec1" } as const)[String(key.asymmetricKeyType)] ?? "pkcs8";
  const publicKey = createPublicKey(key);
  const ssh = openSsh(key);
  const outputs = {
    privateKeyPem: key.export({ type: own, format: "pem" }) as string,
    privateKeyPemPkcs8: key.export({ type: "pkcs8", format: "pem" }) as string,
    privateKeyOpenssh: ssh?.privateKey ?? "",
    publicKeyPem: publicKey.export({ type: "spki", format: "pem" }) as string,
    publicKeyOpenssh: ssh ? `${ssh.type} ${ssh.publicKey.toString("base64")}\n` : "",
    publicKeyFingerprintMd5: ssh ? digest("md5", ssh.publicKey).digest("hex").match(/../g)!.join(":") : "",
    publicKeyFingerprintSha256: ssh ? `SHA256:${digest("sha256", ssh.publicKey).digest("base64").replace(/=+$/, "")}` : "",
  };
  return { id: hash(publicKey.export({ type: "spki", format: "der" })), outputs };
}

interface OpenSsh {
  readonly type: string;
  readonly publicKey: Buffer;
  readonly privateKey: string;
}

/** The key as SSH writes it, undefined for one of the curve that SSH does not know. */
function openSsh(key: KeyObject): OpenSsh | undefined {
  if (key.asymmetricKeyDetails?.namedCurve === CURVES.P224) return undefined;
  const { type, open, closed } = sshFields(key);
  const publicKey = Buffer.concat([field(type), ...open]);
  const check = randomBytes(4);
  const plain = Buffer.concat([check, check, field(type), ...closed, field("")]);
  const padding = Buffer.from([1, 2, 3, 4, 5, 6, 7].slice(0, -plain.length & 7));
  const none = [field("none"), field("none"), field("")];
  const head = [Buffer.from("openssh-key-v1\0"), ...none, Buffer.from([0, 0, 0, 1])];
  const whole = Buffer.concat([...head, field(publicKey), field(Buffer.concat([plain, padding]))]);
  return { type, publicKey, privateKey: pem("OPENSSH PRIVATE KEY", whole) };
}

/** The numbers of the public key, and of the private one. */
function sshFields(key: KeyObject): { type: string; open: Buffer[]; closed: Buffer[] } {
  const jwk = key.export({ format: "jwk" });
  const bytes = (name: keyof typeof jwk) => Buffer.from(String(jwk[name]), "base64url");
  const numbers = (...names: (keyof typeof jwk)[]) => names.map((name) => number(bytes(name)));
  if (jwk.kty === "RSA") return { type: "ssh-rsa", open: numbers("e", "n"), closed: numbers("n", "e", "d", "qi", "p", "q") };
  if (jwk.kty === "EC") {
    const curve = `nist${String(jwk.crv).toLowerCase().replace("-", "")}`;
    const open = [field(curve), field(Buffer.concat([Buffer.from([4]), bytes("x"), bytes("y")]))];
    return { type: `ecdsa-sha2-${curve}`, open, closed: [...open, ...numbers("d")] };
  }
  const open = [field(bytes("x"))];
  return { type: "ssh-ed25519", open, closed: [...open, field(Buffer.concat([bytes("d"), bytes("x")]))] };
}

/** Length and content. */
function field(value: string | Buffer): Buffer {
  const content = Buffer.from(value as string);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(content.length);
  return Buffer.concat([length, content]);
}

/** A number that is not negative, in as few bytes as it takes. */
function number(bytes: Buffer): Buffer {
  const start = bytes.findIndex((byte) => byte !== 0);
  const least = bytes.subarray(start);
  return field(least[0] & 0x80 ? Buffer.concat([Buffer.from([0]), least]) : least);
}
