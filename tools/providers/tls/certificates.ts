// Certificates and requests for them, put together as the official plugin (Go's crypto/x509) does it.
import { createHash, createPublicKey, type KeyObject, randomBytes, sign, X509Certificate } from "node:crypto";
import { isIPv4, isIPv6 } from "node:net";
import type { Properties } from "../rpc/values";
import * as der from "./der";

/** The bit of each use of a key. */
const KEY_USES: Record<string, number | undefined> = {
  digital_signature: 0,
  content_commitment: 1,
  key_encipherment: 2,
  data_encipherment: 3,
  key_agreement: 4,
  cert_signing: 5,
  crl_signing: 6,
  encipher_only: 7,
  decipher_only: 8,
};

const EXTENDED_USES: Record<string, string | undefined> = {
  any_extended: "2.5.29.37.0",
  server_auth: "1.3.6.1.5.5.7.3.1",
  client_auth: "1.3.6.1.5.5.7.3.2",
  code_signing: "1.3.6.1.5.5.7.3.3",
  email_protection: "1.3.6.1.5.5.7.3.4",
  ipsec_end_system: "1.3.6.1.5.5.7.3.5",
  ipsec_tunnel: "1.3.6.1.5.5.7.3.6",
  ipsec_user: "1.3.6.1.5.5.7.3.7",
  timestamping: "1.3.6.1.5.5.7.3.8",
  ocsp_signing: "1.3.6.1.5.5.7.3.9",
  microsoft_server_gated_crypto: "1.3.6.1.4.1.311.10.3.3",
  netscape_server_gated_crypto: "2.16.840.1.113730.4.1",
  microsoft_commercial_code_signing: "1.3.6.1.4.1.311.2.1.22",
  microsoft_kernel_code_signing: "1.3.6.1.4.1.311.61.1.1",
};

export const allowedUses = [...Object.keys(KEY_USES), ...Object.keys(EXTENDED_USES)].sort();

/** In the order in which a name has them. */
const NAME_PARTS: Record<string, string> = {
  country: "2.5.4.6",
  organization: "2.5.4.10",
  organizationalUnit: "2.5.4.11",
  locality: "2.5.4.7",
  province: "2.5.4.8",
  streetAddresses: "2.5.4.9",
  postalCode: "2.5.4.17",
  commonName: "2.5.4.3",
  serialNumber: "2.5.4.5",
  emailAddress: "1.2.840.113549.1.9.1",
};

const EXTENSION = {
  subjectKeyId: "2.5.29.14",
  keyUsage: "2.5.29.15",
  alternativeNames: "2.5.29.17",
  basicConstraints: "2.5.29.19",
  authorityKeyId: "2.5.29.35",
  extendedKeyUsage: "2.5.29.37",
};
const EXTENSION_REQUEST = der.identifier("1.2.840.113549.1.9.14");

/** Who the certificate is for: parts of it, as they are encoded in a request and in a certificate. */
export interface Subject {
  readonly name: Buffer;
  readonly publicKey: Buffer;
  /** The content of the extension, none where there are no names. */
  readonly alternativeNames?: Buffer;
}

export interface Issuer {
  readonly name: Buffer;
  readonly key: KeyObject;
  readonly keyId?: Buffer;
}

export interface Certificate {
  readonly serial: string;
  readonly pem: string;
  readonly start: Date;
  readonly end: Date;
}

function name(subject: Properties): Buffer {
  const parts = Object.entries(NAME_PARTS).flatMap(([key, id]) => {
    const values = [subject[key] ?? []].flat().map(String);
    if (values.length === 0) return [];
    const encode = key === "emailAddress" ? (value: string) => der.element(0x16, Buffer.from(value)) : der.text;
    return [der.set(...values.map((value) => der.sequence(der.identifier(id), encode(value))))];
  });
  return der.sequence(...parts);
}

/** The bytes of an address. */
function address(ip: string): Buffer {
  if (isIPv4(ip)) return Buffer.from(ip.split(".").map(Number));
  if (!isIPv6(ip)) throw new Error(`Invalid IP address: Failed to parse "${ip}"`);
  const [left, right] = new URL(`http://[${ip}]`).hostname.slice(1, -1).split("::");
  const groups = (part?: string) => (part ? part.split(":").map((group) => group.padStart(4, "0")) : []);
  const zeros = Array(8 - groups(left).length - groups(right).length).fill("0000");
  return Buffer.from([...groups(left), ...zeros, ...groups(right)].join(""), "hex");
}

function alternativeNames(args: Properties): Buffer | undefined {
  const list = (key: string) => ((args[key] ?? []) as string[]).map(String);
  const names = [
    ...list("dnsNames").map((dns) => der.implicit(2, Buffer.from(dns))),
    ...list("ipAddresses").map((ip) => der.implicit(7, address(ip))),
    ...list("uris").map((uri) => der.implicit(6, Buffer.from(uri))),
  ];
  return names.length ? der.sequence(...names) : undefined;
}

/** The subject that the arguments describe, with a key of its own. */
export function describedBy(args: Properties, key: KeyObject): Subject {
  const publicKey = createPublicKey(key).export({ type: "spki", format: "der" });
  return { name: name((args.subject ?? {}) as Properties), publicKey, alternativeNames: alternativeNames(args) };
}

function extension(id: string, value: Buffer, isCritical = false): Buffer {
  return der.sequence(der.identifier(id), ...(isCritical ? [der.yes] : []), der.octets(value));
}

const isEmpty = (name: Buffer) => der.content(name).length === 0;

/** The subject's names, which matter most where there is no other one. */
function namesOf({ name, alternativeNames: names }: Subject): Buffer[] {
  return names ? [extension(EXTENSION.alternativeNames, names, isEmpty(name))] : [];
}

/** The value of one of a list of extensions. */
function valueOf(extensions: Buffer[], id: string): Buffer | undefined {
  const found = extensions.map(der.elements).find(([first]) => first.equals(der.identifier(id)));
  return found && der.content(found[found.length - 1]);
}

const DIGESTS: Record<string, [digest: string, id: string] | undefined> = {
  secp384r1: ["sha384", "1.2.840.10045.4.3.3"],
  secp521r1: ["sha512", "1.2.840.10045.4.3.4"],
};

/** How a key signs: the digest, and what a signature says about both. */
function signature(key: KeyObject): { digest: string | null; algorithm: Buffer } {
  if (key.asymmetricKeyType === "ed25519") return { digest: null, algorithm: der.sequence(der.identifier("1.3.101.112")) };
  if (key.asymmetricKeyType === "rsa") {
    return { digest: "sha256", algorithm: der.sequence(der.identifier("1.2.840.113549.1.1.11"), der.nothing) };
  }
  const [digest, id] = DIGESTS[String(key.asymmetricKeyDetails?.namedCurve)] ?? ["sha256", "1.2.840.10045.4.3.2"];
  return { digest, algorithm: der.sequence(der.identifier(id)) };
}

function signed(statement: Buffer, key: KeyObject): Buffer {
  const { digest, algorithm } = signature(key);
  return der.sequence(statement, algorithm, der.bits(sign(digest, statement, key)));
}

/** A request, in DER. */
export function request(subject: Subject, key: KeyObject): Buffer {
  const extensions = namesOf(subject);
  const attributes = extensions.length ? [der.sequence(EXTENSION_REQUEST, der.set(der.sequence(...extensions)))] : [];
  return signed(der.sequence(der.integer(0), subject.name, subject.publicKey, der.tagged(0, ...attributes)), key);
}

/** The subject of a request, in PEM. */
export function requestedBy(pem: string): Subject {
  const [statement] = der.elements(der.fromPem("CERTIFICATE REQUEST", pem));
  const [, name, publicKey, attributes] = der.elements(statement);
  const wish = der.elements(attributes ?? der.tagged(0)).map(der.elements);
  const [, values] = wish.find(([id]) => id.equals(EXTENSION_REQUEST)) ?? [];
  const extensions = values ? der.elements(der.elements(values)[0]) : [];
  return { name, publicKey, alternativeNames: valueOf(extensions, EXTENSION.alternativeNames) };
}

/** The holder of a certificate, in PEM, as an issuer of others. */
export function issuer(pem: string, key: KeyObject): Issuer {
  const certificate = new X509Certificate(pem);
  if (!certificate.checkPrivateKey(key)) throw new Error("x509: provided PrivateKey doesn't match parent's PublicKey");
  const [statement] = der.elements(certificate.raw);
  const fields = der.elements(statement);
  const list = fields.find((field) => field[0] === 0xa3);
  const keyId = list && valueOf(der.elements(der.elements(list)[0]), EXTENSION.subjectKeyId);
  return { name: fields[5], key, keyId: keyId && der.content(keyId) };
}

export const isAuthority = (pem: string) => new X509Certificate(pem).ca;

function keyIdOf({ publicKey }: Subject): Buffer {
  const [, bits] = der.elements(publicKey);
  return createHash("sha1").update(der.content(bits).subarray(1)).digest();
}

function uses(args: Properties): Buffer[] {
  const wishes = args.allowedUses as string[];
  const key = wishes.map((use) => KEY_USES[use]).filter((bit) => bit !== undefined);
  const extended = wishes.map((use) => EXTENDED_USES[use]).filter((id) => id !== undefined);
  return [
    ...(key.length ? [extension(EXTENSION.keyUsage, der.flags(key), true)] : []),
    ...(extended.length ? [extension(EXTENSION.extendedKeyUsage, der.sequence(...extended.map(der.identifier)))] : []),
  ];
}

/** As with the official plugin a `maxPathLength` of 0 is none. */
function constraints(args: Properties): Buffer {
  const length = Number(args.maxPathLength ?? 0);
  const authority = args.isCaCertificate ? [der.yes, ...(length > 0 ? [der.integer(length)] : [])] : [];
  return extension(EXTENSION.basicConstraints, der.sequence(...authority), true);
}

const HOUR = 3_600_000;

/** A certificate for the subject; one who is the issuer too signs for itself. */
export function certificate(args: Properties, subject: Subject, by: Issuer): Certificate {
  if (args.isCaCertificate && isEmpty(subject.name)) {
    throw new Error(
      "Invalid Certificate Subject: Must contain at least one Distinguished Name when creating Certificate Authority (CA)",
    );
  }
  const own = args.isCaCertificate || args.setSubjectKeyId ? keyIdOf(subject) : undefined;
  const isSelfSigned = subject.name.equals(by.name);
  if (args.setAuthorityKeyId && !own)
    throw new Error("Invalid Certificate Authority: Could not determine Authority Key Identifier");
  const issuerId = isSelfSigned ? (args.setAuthorityKeyId ? own : undefined) : by.keyId;
  const extensions = [
    ...uses(args),
    constraints(args),
    ...(own ? [extension(EXTENSION.subjectKeyId, der.octets(own))] : []),
    ...(issuerId ? [extension(EXTENSION.authorityKeyId, der.sequence(der.implicit(0, issuerId)))] : []),
    ...namesOf(subject),
  ];
  const serial = BigInt(`0x${randomBytes(16).toString("hex")}`);
  const start = new Date(Math.floor(Date.now() / 1000) * 1000);
  const end = new Date(start.getTime() + Number(args.validityPeriodHours) * HOUR);
  const statement = der.sequence(
    der.tagged(0, der.integer(2)), // version 3
    der.integer(serial),
    signature(by.key).algorithm,
    by.name,
    der.sequence(der.time(start), der.time(end)),
    subject.name,
    subject.publicKey,
    der.tagged(3, der.sequence(...extensions)),
  );
  return { serial: serial.toString(), pem: der.pem("CERTIFICATE", signed(statement, by.key)), start, end };
}
