// The resource types of the tls plugin: their arguments, and how a value is made.
import type { Properties } from "../rpc/values";
import {
  allowedUses,
  certificate,
  describedBy,
  isAuthority,
  type Issuer,
  issuer,
  request,
  requestedBy,
  type Subject,
} from "./certificates";
import { pem } from "./der";
import { algorithmOf, algorithms, curves, describeKey, hash, newKey, parseKey } from "./keys";

export interface TlsType {
  /** Arguments that must be given. */
  readonly required: readonly string[];
  /** Arguments that stay absent when they are not given. */
  readonly optional: readonly string[];
  /** Arguments that are recorded with these values when they are not given. */
  readonly defaults: Properties;
  /** What is recorded beside the arguments, unknown before the value is made. */
  readonly outputs: readonly string[];
  /** Outputs that are secret. */
  readonly secrets: readonly string[];
  /** The version of the recorded attributes, for a type that has had more than one. */
  readonly schema?: number;
  /** The values that an argument, or each entry of a list, may have. */
  readonly allowed?: Record<string, readonly string[]>;
  make(args: Properties, warn: (message: string) => void): Promise<Made>;
}

export interface Made {
  readonly id: string;
  readonly outputs: Properties;
}

const privateKey: TlsType = {
  required: ["algorithm"],
  optional: [],
  defaults: { rsaBits: 2048, ecdsaCurve: "P224" },
  outputs: [
    "privateKeyOpenssh",
    "privateKeyPem",
    "privateKeyPemPkcs8",
    "publicKeyFingerprintMd5",
    "publicKeyFingerprintSha256",
    "publicKeyOpenssh",
    "publicKeyPem",
  ],
  secrets: ["privateKeyOpenssh", "privateKeyPem", "privateKeyPemPkcs8"],
  schema: 1,
  allowed: { algorithm: algorithms, ecdsaCurve: curves },
  async make(args) {
    return describeKey(await newKey(args));
  },
};

const NAMES = ["subject", "dnsNames", "ipAddresses", "uris"];

const certRequest: TlsType = {
  required: ["privateKeyPem"],
  optional: NAMES,
  defaults: {},
  outputs: ["keyAlgorithm", "certRequestPem"],
  secrets: ["privateKeyPem"],
  async make(args) {
    const key = parseKey(args.privateKeyPem);
    const made = request(describedBy(args, key), key);
    return { id: hash(made), outputs: { keyAlgorithm: algorithmOf(key), certRequestPem: pem("CERTIFICATE REQUEST", made) } };
  },
};

/** What both kinds of certificates have. */
const common = {
  defaults: { earlyRenewalHours: 0, isCaCertificate: false, setSubjectKeyId: false },
  outputs: ["certPem", "readyForRenewal", "validityStartTime", "validityEndTime"],
  allowed: { allowedUses },
};

function issued(args: Properties, subject: Subject, by: Issuer): Made {
  const { serial, pem, start, end } = certificate(args, subject, by);
  const validity = { validityStartTime: start.toISOString(), validityEndTime: end.toISOString() };
  return { id: serial, outputs: { certPem: pem, readyForRenewal: false, ...validity } };
}

const selfSignedCert: TlsType = {
  ...common,
  required: ["privateKeyPem", "allowedUses", "validityPeriodHours"],
  optional: [...NAMES, "maxPathLength"],
  defaults: { ...common.defaults, setAuthorityKeyId: false },
  outputs: [...common.outputs, "keyAlgorithm"],
  secrets: ["privateKeyPem"],
  async make(args) {
    const key = parseKey(args.privateKeyPem);
    const subject = describedBy(args, key);
    const { id, outputs } = issued(args, subject, { name: subject.name, key });
    return { id, outputs: { ...outputs, keyAlgorithm: algorithmOf(key) } };
  },
};

const locallySignedCert: TlsType = {
  ...common,
  required: ["certRequestPem", "caCertPem", "caPrivateKeyPem", "allowedUses", "validityPeriodHours"],
  optional: ["maxPathLength"],
  outputs: [...common.outputs, "caKeyAlgorithm"],
  secrets: ["caPrivateKeyPem"],
  async make(args, warn) {
    const key = parseKey(args.caPrivateKeyPem);
    const authority = String(args.caCertPem);
    if (!isAuthority(authority)) {
      warn(
        "Potentially Invalid Certificate Authority: Certificate provided as Authority does not appear to be a valid " +
          "Certificate Authority. The resulting certificate might fail certificate validation.",
      );
    }
    const { id, outputs } = issued(args, requestedBy(String(args.certRequestPem)), issuer(authority, key));
    return { id, outputs: { ...outputs, caKeyAlgorithm: algorithmOf(key) } };
  },
};

export const types: Record<string, TlsType | undefined> = {
  "tls:index/privateKey:PrivateKey": privateKey,
  "tls:index/certRequest:CertRequest": certRequest,
  "tls:index/selfSignedCert:SelfSignedCert": selfSignedCert,
  "tls:index/locallySignedCert:LocallySignedCert": locallySignedCert,
};
