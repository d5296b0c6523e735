import * as pulumi from "@pulumi/pulumi";
import * as tls from "@pulumi/tls";

export interface ServerCertificate {
  /** The authority's certificate, which clients verify the server's with. */
  ca: pulumi.Output<string>;
  certificate: pulumi.Output<string>;
  key: pulumi.Output<string>;
}

/** Elliptic curves: made in a moment, and every client of this decade takes them. */
const KEY = { algorithm: "ECDSA", ecdsaCurve: "P256" };
/** Ten years: whoever reads the keys reads the passwords beside them too, so that renewing early would protect nothing. */
const VALIDITY_HOURS = 87600;

/** An authority of the database's own, and a certificate of it for the server's names. All of it is kept in the state, encrypted. */
export function serverCertificate(
  name: string,
  dnsNames: pulumi.Input<string>[],
  opts: pulumi.CustomResourceOptions,
): ServerCertificate {
  const caKey = new tls.PrivateKey(`${name}-ca-key`, KEY, opts);
  const ca = new tls.SelfSignedCert(
    `${name}-ca`,
    {
      privateKeyPem: caKey.privateKeyPem,
      isCaCertificate: true,
      subject: { commonName: "postgres-app authority" }, // not the component's name, of which a change would make another
      validityPeriodHours: VALIDITY_HOURS,
      allowedUses: ["cert_signing", "crl_signing"],
    },
    opts,
  );
  const key = new tls.PrivateKey(`${name}-server-key`, KEY, opts);
  const request = new tls.CertRequest(
    `${name}-server`,
    { privateKeyPem: key.privateKeyPem, subject: { commonName: "postgres" }, dnsNames },
    opts,
  );
  const certificate = new tls.LocallySignedCert(
    `${name}-server`,
    {
      caCertPem: ca.certPem,
      caPrivateKeyPem: caKey.privateKeyPem,
      certRequestPem: request.certRequestPem,
      validityPeriodHours: VALIDITY_HOURS,
      allowedUses: ["digital_signature", "server_auth"],
    },
    opts,
  );
  return { ca: ca.certPem, certificate: certificate.certPem, key: pulumi.secret(key.privateKeyPem) };
}
