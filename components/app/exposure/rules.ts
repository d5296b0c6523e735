import { bytes, quantity } from "../../common/rules";
import { Rule } from "../../common/validation";

/** Rules for single values of an exposure. */

const show = (value: unknown) => JSON.stringify(value);
const LABEL = "[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?";

/** Part of a DNS name, as a Gateway's listeners are named by. */
export const label: Rule<string> = (name) =>
  typeof name === "string" && name.length <= 253 && new RegExp(`^${LABEL}(\\.${LABEL})*$`).test(name)
    ? undefined
    : `${show(name)} is not a listener's name: use lower-case letters, digits, "-" and "."`;

/** What Ingress and HTTPRoute take as a host: a DNS name, or one of which the first part is "*". */
export const hostName: Rule<string> = (host) => {
  const wayOut = 'write a DNS name such as "notes.example.org", or "*.example.org", without "https://", port and path';
  if (typeof host !== "string" || host.length > 253 || !new RegExp(`^(\\*\\.)?${LABEL}(\\.${LABEL})*$`).test(host))
    return `${show(host)} is not a host: ${wayOut}, in lower case`;
  return /^[\d.]+$/.test(host) ? `${show(host)} is an IP address, for which no route can be: ${wayOut}` : undefined;
};

/** The beginning of a path, as Kubernetes, ingress-nginx (strict-validate-path-type) and the Gateway API all take it. */
export const routePath: Rule<string> = (path) =>
  typeof path === "string" && /^\/[\w.\-/]*$/.test(path) && !/\/\/|\/\.\.?(\/|$)/.test(path) && path.length <= 1024
    ? undefined
    : `${show(path)} is not the beginning of a path: begin it with /, and use letters, digits, "_", "-", "." and single "/"`;

export const arn: Rule<string> = (value) =>
  typeof value === "string" && value.split(",").every((one) => /^arn:aws[\w-]*:(acm|iam):\S*$/.test(one))
    ? undefined
    : `${show(value)} is not the ARN of a certificate: write arn:aws:acm:<region>:<account>:certificate/<id>`;

/** A quantity of bytes. What ends in "m" is one too for Kubernetes: thousandths. */
export const bodySize: Rule<string> = (value) =>
  quantity(value) ?? (bytes(value) < 1 ? `${show(value)} is less than a byte: write for example "50Mi"` : undefined);
