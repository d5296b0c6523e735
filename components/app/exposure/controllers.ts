import { alb } from "./alb";
import { FROM_SECRETS, OF_TRAEFIK } from "./cannot";
import { IngressController } from "./exposureArgs";
import { gce } from "./gce";
import { nginx } from "./nginx";
import { Controller } from "./plan";
import { traefik } from "./traefik";

const NEEDS_CONTROLLER =
  "is no part of Ingress, each controller has its own way: name the controller, or say it in that one's annotations";

/** One of which nothing is known. */
const other: Controller = {
  cannot: {
    httpsRedirect: NEEDS_CONTROLLER,
    maxBodySize: NEEDS_CONTROLLER,
    timeoutSeconds: NEEDS_CONTROLLER,
    stickySessions: NEEDS_CONTROLLER,
    internal: NEEDS_CONTROLLER,
    healthCheckPath: NEEDS_CONTROLLER,
    safeNaming: OF_TRAEFIK,
  },
  cannotTls: FROM_SECRETS,
  plan: () => ({ annotations: () => ({}) }),
};

const controllers: Record<IngressController, Controller> = { nginx, traefik, alb, gce };

export const controllerOf = (name: IngressController | undefined): Controller =>
  name !== undefined && Object.hasOwn(controllers, name) ? controllers[name] : other;
