import {
  directus,
  educard,
  heimdall,
  labelStudio,
  listmonk,
  mastodon,
  miniflux,
  n8n,
  outline,
  PostgresAppArgs,
  PresetOptions,
  strapi,
  unleash,
  vikunja,
  vulcan,
} from "../../index";

/** A preset, and what the tests that hold for all of them have to know of it. */
export interface PresetCase {
  name: string;
  /** The preset; where it asks for services beside Postgres, with such as are enough. */
  preset: (options?: PresetOptions) => PostgresAppArgs;
  /** Its official image. */
  repository: string;
  /** Versions whose facts were read and differ, the first being the one that is taken when none is given. */
  versions: string[];
  /** One that is too old. */
  tooOld: string;
  /** What liveness asks, by version where that differs; an empty path is an accepted connection. None of them needs the database. */
  liveness: string | Record<string, string>;
  /** Variable with the address that browsers see, or what makes it up; undefined where the product wants none. */
  urlVariable?: string;
}

const redis = { host: "redis.cache.svc" };
const s3 = { bucket: "media", accessKeyId: "key", secretAccessKey: "not to be seen" };

export const presets: PresetCase[] = [
  {
    name: "heimdall",
    preset: heimdall,
    repository: "docker.io/mitre/heimdall2",
    versions: ["2.13.1", "2.12.6", "2.10.0"],
    tooOld: "2.9.6",
    liveness: { "2.13.1": "/server", "2.12.6": "/server", "2.10.0": "" },
    urlVariable: "EXTERNAL_URL",
  },
  {
    name: "vulcan",
    preset: vulcan,
    repository: "docker.io/mitre/vulcan",
    versions: ["2.3.7", "2.4.0", "2.3.1", "2.2.1", "2.1.6"],
    tooOld: "2.1.5",
    liveness: { "2.3.7": "/up", "2.4.0": "/up", "2.3.1": "/up", "2.2.1": "/robots.txt", "2.1.6": "/robots.txt" },
    urlVariable: "VULCAN_APP_URL",
  },
  {
    name: "educard",
    preset: educard,
    repository: "docker.io/tyifan/educard",
    versions: ["1.0.0"],
    tooOld: "0.9.0",
    liveness: "/robots.txt",
    urlVariable: "SITE_URL",
  },
  {
    name: "directus",
    preset: directus,
    repository: "docker.io/directus/directus",
    versions: ["12.4.1"],
    tooOld: "10.13.0",
    liveness: "/server/ping",
    urlVariable: "PUBLIC_URL",
  },
  {
    name: "labelStudio",
    preset: labelStudio,
    repository: "docker.io/heartexlabs/label-studio",
    versions: ["1.23.2"],
    tooOld: "1.12.0",
    liveness: "/health/",
    urlVariable: "LABEL_STUDIO_HOST",
  },
  {
    name: "listmonk",
    preset: listmonk,
    repository: "docker.io/listmonk/listmonk",
    versions: ["6.2.0"],
    tooOld: "4.1.0",
    liveness: "/health",
  },
  {
    name: "mastodon",
    preset: (options) => mastodon({ redis, s3, localDomain: "example.org", ...options }),
    repository: "ghcr.io/mastodon/mastodon",
    versions: ["4.6.3", "4.3.0"],
    tooOld: "4.2.17",
    liveness: "",
    urlVariable: "WEB_DOMAIN",
  },
  {
    name: "miniflux",
    preset: miniflux,
    repository: "docker.io/miniflux/miniflux",
    versions: ["2.3.3"],
    tooOld: "2.1.0",
    liveness: "/liveness",
    urlVariable: "BASE_URL",
  },
  {
    name: "n8n",
    preset: n8n,
    repository: "docker.io/n8nio/n8n",
    versions: ["2.41.3", "2.0.0"],
    tooOld: "1.120.0",
    liveness: "/healthz",
    urlVariable: "N8N_EDITOR_BASE_URL",
  },
  {
    name: "outline",
    preset: (options) => outline({ redis, ...options }),
    repository: "docker.io/outlinewiki/outline",
    versions: ["1.9.2"],
    tooOld: "0.87.0",
    liveness: "",
    urlVariable: "URL",
  },
  {
    name: "strapi",
    preset: (options) => strapi({ image: `registry.example.org/cms:${options?.version ?? "5.55.1"}`, ...options }),
    repository: "registry.example.org/cms",
    versions: ["5.55.1"],
    tooOld: "4.25.0",
    liveness: "/_health",
    urlVariable: "PUBLIC_URL",
  },
  {
    name: "unleash",
    preset: unleash,
    repository: "docker.io/unleashorg/unleash-server",
    versions: ["8.2.0", "7.4.1"],
    tooOld: "7.2.0",
    liveness: "/health",
    urlVariable: "UNLEASH_URL",
  },
  {
    name: "vikunja",
    preset: vikunja,
    repository: "docker.io/vikunja/vikunja",
    versions: ["2.5.0", "1.0.0"],
    tooOld: "0.24.6",
    liveness: "/robots.txt",
    urlVariable: "VIKUNJA_SERVICE_PUBLICURL",
  },
];
