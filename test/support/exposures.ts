import { IngressArgs, PostgresAppArgs } from "../../index";

/** One of each controller with everything that it can do, as tests without and with a cluster take them. */
export const everything: Record<"nginx" | "traefik" | "alb" | "gce", IngressArgs> = {
  nginx: {
    controller: "nginx",
    hosts: ["notes.example.org", "*.notes.example.org"],
    paths: ["/", "/api"],
    tls: { clusterIssuer: "letsencrypt" },
    maxBodySize: "50Mi",
    timeoutSeconds: 300,
    stickySessions: true,
  },
  traefik: {
    controller: "traefik",
    hosts: ["notes.example.org"],
    tls: { secretName: "notes-certificate" },
    maxBodySize: "1M",
    timeoutSeconds: 300,
    stickySessions: true,
  },
  alb: {
    controller: "alb",
    hosts: ["notes.example.org"],
    tls: { certificateArn: "arn:aws:acm:eu-central-1:123456789012:certificate/0a1b" },
    timeoutSeconds: 300,
    stickySessions: true,
  },
  gce: { controller: "gce", hosts: ["notes.example.org"], tls: {}, timeoutSeconds: 300, stickySessions: true },
};

export const exposed: PostgresAppArgs = {
  image: "registry.example.org/notes:1.0.0",
  probes: { readiness: { httpPath: "/ready" } },
};
