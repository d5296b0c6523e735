import { Validation } from "../common/validation";
import { AppDatabaseArgs } from "../database/databaseArgs";
import { PresetArgs } from "./preset";

/** Which of a product's variables are the paths of its client certificate and of the key. */
export type CertificateVariables = Record<string, "sslcert" | "sslkey">;

/** For what reads libpq's own variables beside its settings. */
export const LIBPQ: CertificateVariables = { PGSSLCERT: "sslcert", PGSSLKEY: "sslkey" };
/** For what has the whole URI, where they stand too. */
export const IN_URI: CertificateVariables = {};

/** Tells the product of the client certificate that its database asks for, or that it cannot show one. */
export function withClientCertificate(
  args: PresetArgs,
  variables: CertificateVariables | undefined,
  { external }: AppDatabaseArgs = {},
  validation: Validation,
): PresetArgs {
  if (external?.tls?.clientCertificate === undefined) return args;
  const path = "database.external";
  if (variables === undefined)
    validation.problem(
      `${path}.tls.clientCertificate`,
      "is nothing that the product can show: leave it out, with a server that lets it in by its password alone",
    );
  else if (variables !== IN_URI && [external.password, external.secret, external.admin].every((way) => way === undefined))
    validation.problem(path, "does not say how to log in: beside the certificate the product wants password, secret or admin");
  return { ...args, connectionEnv: { ...args.connectionEnv, ...variables } };
}
