import { PostgresAppArgs } from "../postgresAppArgs";
import { asks, preset, PresetOptions, Product } from "./preset";
import { LIBPQ } from "./clientCertificate";

/**
 * Read from label-studio 1.23.2 (PyPI): core/settings, core/urls.py, locked_migrate; HumanSignal/charts (app-deployment, job-migrate);
 * HumanSignal/label-studio: Dockerfile, deploy/docker-entrypoint.sh.
 */
const LABEL_STUDIO: Product = {
  name: "labelStudio",
  options: "LabelStudioOptions",
  repository: "docker.io/heartexlabs/label-studio",
  newest: "1.23.2",
  oldest: "1.13.0",
  clientCertificate: LIBPQ,
};

/** A tool for labelling data. */
export interface LabelStudioOptions extends PresetOptions {
  /**
   * Whether only who has an invitation's link may sign up. The first account cannot be made then but by one that is open: leave it out for
   * the first deployment. Defaults to false.
   */
  closeSignup?: boolean;
  /**
   * Size of the volume for uploads. Defaults to "10Gi". It is for one replica.
   */
  storage?: string;
}

const ENTRYPOINT = "/label-studio/deploy/docker-entrypoint.sh";

/** Label Studio: `new PostgresApp("labels", labelStudio({ host: "labels.example.org" }))`. */
export function labelStudio(options: LabelStudioOptions = {}): PostgresAppArgs {
  return preset(LABEL_STUDIO, options, ({ options, image, url, tls }) => {
    // It starts as a whole for the migration too, which sees no volume: its directories are made anew there.
    const shared = { DJANGO_DB: "default", DJANGO_SETTINGS_MODULE: "core.settings.label_studio" };
    return {
      image,
      port: 8000,
      runAsUser: 1001,
      // uWSGI alone: the image's nginx would only serve files faster.
      command: [ENTRYPOINT, "label-studio-uwsgi"],
      writablePaths: ["/tmp", "/opt/heartex/instance-data/etc"],
      connectionEnv: {
        POSTGRE_HOST: "host",
        POSTGRE_PORT: "port",
        POSTGRE_NAME: "dbname",
        POSTGRE_USER: "user",
        POSTGRE_PASSWORD: "password",
        // It says nothing of TLS to its driver, which so listens to libpq's own variables.
        PGSSLMODE: "sslmode",
        ...(tls === "verified" ? { PGSSLROOTCERT: "sslrootcert" } : {}),
      },
      env: {
        ...shared,
        LABEL_STUDIO_BASE_DATA_DIR: DATA,
        SKIP_DB_MIGRATIONS: "true",
        USE_NGINX_FOR_UPLOADS: "false",
        ...(options.closeSignup ? { DISABLE_SIGNUP_WITHOUT_LINK: "true" } : {}),
        ...(url === undefined
          ? {}
          : { LABEL_STUDIO_HOST: url, CSRF_TRUSTED_ORIGINS: url, SESSION_COOKIE_SECURE: "1", CSRF_COOKIE_SECURE: "1" }),
      },
      // Signs sessions and tokens.
      generatedSecrets: { SECRET_KEY: { encryptsData: false, migration: true } },
      migration: {
        command: [ENTRYPOINT, "label-studio-migrate"],
        env: { ...shared, LABEL_STUDIO_BASE_DATA_DIR: "/tmp/label-studio" },
        resources: { requests: { cpu: "200m", memory: "384Mi" } },
      },
      // core/views.py:74: it asks nothing, and the session before it is a signed cookie (core/settings/label_studio.py:29).
      probes: asks({ readiness: "/health/", liveness: "/health/" }),
      resources: { requests: { cpu: "250m", memory: "768Mi" } },
      ingressNeeds: { maxBodySize: "250Mi", timeoutSeconds: 300 }, // DATA_UPLOAD_MAX_MEMORY_SIZE
      volumes: [{ mountPath: DATA, storage: options.storage ?? "10Gi" }],
    };
  });
}

const DATA = "/label-studio/data";
