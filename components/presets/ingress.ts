import * as pulumi from "@pulumi/pulumi";

/** The part of an Ingress that presets have a word in; the arguments of PostgresApp's `ingress` take its place. */
export interface PresetIngress {
  hosts: pulumi.Input<string>[];
  controller?: string;
  tls?: object;
  maxBodySize?: pulumi.Input<string>;
  timeoutSeconds?: pulumi.Input<number>;
  stickySessions?: boolean;
}

/** What a product needs of the Ingress before it. */
export type IngressNeeds = Pick<PresetIngress, "maxBodySize" | "timeoutSeconds" | "stickySessions">;

/** What a controller cannot do, and where it is refused therefore. Without a controller nothing but the standard can be asked for. */
const cannot: Record<string, (keyof IngressNeeds)[]> = {
  nginx: [],
  traefik: ["timeoutSeconds"],
  alb: ["maxBodySize"],
  gce: ["maxBodySize"],
};
const unknown: (keyof IngressNeeds)[] = ["maxBodySize", "timeoutSeconds", "stickySessions"];

/**
 * The Ingress of a product that has a host: HTTPS, since the product is told so, what it needs as far as the controller can do it, and
 * over it what the user says.
 */
export function ingressFor(
  host: pulumi.Input<string> | undefined,
  needs: IngressNeeds,
  given: Partial<PresetIngress> | undefined,
): { ingress?: PresetIngress } {
  if (host === undefined) return {};
  const left = cannot[given?.controller ?? ""] ?? unknown;
  const asked = Object.fromEntries(Object.entries(needs).filter(([need]) => !left.includes(need as keyof IngressNeeds)));
  return { ingress: { hosts: [host], tls: {}, ...asked, ...given } };
}
