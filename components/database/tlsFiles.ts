import * as pulumi from "@pulumi/pulumi";
import { types } from "@pulumi/kubernetes";
import { kubernetesName, secretKey } from "../common/rules";
import { filesGroup } from "../common/security";
import { Validation } from "../common/validation";

/** Where containers find the authority of the server's certificate. */
const CA_DIRECTORY = "/etc/postgres-app/tls";
const CA_KEY = "ca.crt";
export const CA_FILE = `${CA_DIRECTORY}/${CA_KEY}`;

/** ... and the client's own certificate, with its key. */
const CLIENT_DIRECTORY = "/etc/postgres-app/client";
const [CERTIFICATE_FILE, KEY_FILE] = ["tls.crt", "tls.key"];

/** Which files a connection needs, and the Secrets that they come from. */
export interface TlsFiles {
  /** Secret whose ca.crt signs the server's certificate. */
  caSecretName?: pulumi.Input<string>;
  clientCertificate?: ClientCertificateArgs;
}

/** A client certificate, in a Secret that is there already, as cert-manager makes it. */
export interface ClientCertificateArgs {
  /**
   * Name of the Secret, in the application's namespace. Pods see a renewed certificate within a minute or so; whether a program that runs
   * reads it again is the program's affair. A change runs the migration, then rolls the pods.
   */
  secretName: pulumi.Input<string>;
  /**
   * Key of the certificate, in PEM. Defaults to "tls.crt". A change runs the migration, then rolls the pods.
   */
  certificateKey?: pulumi.Input<string>;
  /**
   * Key of its private key, in PEM and without a passphrase. Defaults to "tls.key". A change runs the migration, then rolls the pods.
   */
  privateKeyKey?: pulumi.Input<string>;
}

export function checkClientCertificate(
  { secretName, certificateKey, privateKeyKey }: ClientCertificateArgs,
  path: string,
  validation: Validation,
): void {
  validation.required(`${path}.secretName`, secretName, kubernetesName, "name the Secret with the certificate");
  validation.check(`${path}.certificateKey`, certificateKey, secretKey);
  validation.check(`${path}.privateKeyKey`, privateKeyKey, secretKey);
}

/** Parts of a connection that are paths of such files. */
export const tlsPaths = ({ caSecretName, clientCertificate }: TlsFiles) => ({
  ...(caSecretName === undefined ? {} : { sslrootcert: CA_FILE }),
  ...(clientCertificate === undefined
    ? {}
    : { sslcert: `${CLIENT_DIRECTORY}/${CERTIFICATE_FILE}`, sslkey: `${CLIENT_DIRECTORY}/${KEY_FILE}` }),
});

export const withDefaults = ({ secretName, certificateKey, privateKeyKey }: ClientCertificateArgs) => ({
  secretName,
  certificateKey: certificateKey ?? CERTIFICATE_FILE,
  privateKeyKey: privateKeyKey ?? KEY_FILE,
});

/**
 * The volumes with these files, for containers that log in. A pod does not begin, and nothing says why, while a Secret that it mounts is
 * missing: with `optional` the one with the client's certificate may be, for who says so himself.
 */
export function tlsVolumes(
  { caSecretName, clientCertificate }: TlsFiles,
  optional = false,
): {
  volumes: types.input.core.v1.Volume[];
  volumeMounts: types.input.core.v1.VolumeMount[];
} {
  const files: [string, string, types.input.core.v1.SecretVolumeSource][] = [];
  // One key only: CloudNativePG keeps the authority's private key beside it.
  if (caSecretName !== undefined)
    files.push(["database-ca", CA_DIRECTORY, { secretName: caSecretName, items: [{ key: CA_KEY, path: CA_KEY }] }]);
  if (clientCertificate !== undefined) {
    const { secretName, certificateKey, privateKeyKey } = withDefaults(clientCertificate);
    const items = [
      { key: certificateKey, path: CERTIFICATE_FILE },
      { key: privateKeyKey, path: KEY_FILE },
    ];
    // libpq takes no key that others can read (https://www.postgresql.org/docs/current/libpq-ssl.html): root's, that its group may read.
    files.push([
      "database-client",
      CLIENT_DIRECTORY,
      { secretName, items, defaultMode: 0o440, ...(optional ? { optional } : {}) },
    ]);
  }
  return {
    volumes: files.map(([name, , secret]) => ({ name, secret })),
    volumeMounts: files.map(([name, mountPath]) => ({ name, mountPath, readOnly: true })),
  };
}

/** For a pod's security context: a client's key is its group's to read. */
export const keyGroup = ({ clientCertificate }: TlsFiles, uid: pulumi.Input<number> | undefined) =>
  clientCertificate === undefined ? {} : filesGroup(uid);
