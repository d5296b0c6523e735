import * as pulumi from "@pulumi/pulumi";
import { CustomResource } from "@pulumi/kubernetes/apiextensions";
import * as core from "@pulumi/kubernetes/core/v1";
import * as networking from "@pulumi/kubernetes/networking/v1";
import { Child, notAwaited } from "../../common/childOptions";
import { servicePorts } from "../probes";
import { controllerOf } from "./controllers";
import { explainHttpRoute, explainIngress, explainLoadBalancer, explainService } from "./explainExposure";
import { AppServiceType } from "./exposureArgs";
import { Annotations, CustomObject, IngressPlan, NamespaceOf, ResolvedIngress } from "./plan";
import { ResolvedExposure, ResolvedHttpRoute } from "./resolveExposure";
import { httpRouteSpec, ingressSpec, issuerAnnotations, redirectRouteSpec } from "./specs";
import { MIDDLEWARES } from "./traefik";

type Metadata = { namespace?: pulumi.Input<string>; labels: Record<string, string> };

/** What makes the application reachable, as long as its arguments say so: first the Service, and when the pods are ready the routes to it. */
export class Exposure {
  readonly service: core.Service;
  private readonly plan?: IngressPlan;

  constructor(
    private readonly name: string,
    private readonly exposure: ResolvedExposure,
    private readonly metadata: Metadata,
    selector: Record<string, string>,
    private readonly child: Child,
    metricsPort?: pulumi.Input<number>,
  ) {
    const { service, ingress } = exposure;
    this.plan = ingress && controllerOf(ingress.controller).plan(name, ingress);
    const objects = new CustomObjects(this.plan?.serviceObjects, metadata, child);
    const isLoadBalanced = service.type === AppServiceType.LoadBalancer;
    this.service = new core.Service(
      name,
      {
        metadata: {
          ...metadata,
          name,
          annotations: merged(
            {
              // Waiting for the pods is the workload's part; waiting for the Service's end points too would cost ten seconds more.
              ...(isLoadBalanced ? { "pulumi.com/waitFor": "jsonpath={.status.loadBalancer.ingress}" } : notAwaited),
              ...this.plan?.service?.(objects.namespaceOf),
            },
            service.annotations,
          ),
        },
        spec: { type: service.type, selector, ports: servicePorts(service.port, metricsPort) },
      },
      child({ dependsOn: objects.all, hooks: isLoadBalanced ? explainLoadBalancer(name) : explainService(name) }),
    );
  }

  /** Makes the routes. Before the workload is ready, nobody should be led to it. */
  open(workload: pulumi.Resource): void {
    const { ingress, httpRoute } = this.exposure;
    if (ingress && this.plan) this.makeIngress(ingress, this.plan, workload);
    if (httpRoute) this.makeHttpRoute(httpRoute, workload);
  }

  private makeIngress(ingress: ResolvedIngress, plan: IngressPlan, workload: pulumi.Resource): void {
    const { name, metadata, child } = this;
    const objects = new CustomObjects(plan.objects, metadata, child);
    const wait = waiting(ingress.waitSeconds, () => explainIngress(name, ingress.waitSeconds, ingress.className));
    new networking.Ingress(
      name,
      {
        metadata: {
          ...metadata,
          name,
          annotations: merged(
            {
              ...(ingress.waitSeconds === 0 ? notAwaited : {}),
              ...issuerAnnotations(ingress),
              ...plan.annotations(objects.namespaceOf),
            },
            ingress.annotations,
          ),
        },
        spec: ingressSpec(ingress, this.service.metadata.name),
      },
      child({ dependsOn: [workload, ...objects.all], ...wait }),
    );
    if (!plan.plainHttp) return;
    const plainHttp = `${name}-http`;
    // What is wanted of the application's answers is not wanted of a redirect.
    const given = ingress.httpsRedirect ? undefined : ingress.annotations;
    new networking.Ingress(
      plainHttp,
      {
        metadata: {
          ...metadata,
          name: plainHttp,
          annotations: merged({ ...notAwaited, ...plan.plainHttp(objects.namespaceOf) }, given),
        },
        spec: ingressSpec(ingress, this.service.metadata.name, true),
      },
      child({ dependsOn: [workload, ...objects.all] }),
    );
  }

  private makeHttpRoute(route: ResolvedHttpRoute, workload: pulumi.Resource): void {
    const { name, child } = this;
    const wait = waiting(route.waitSeconds, () => explainHttpRoute(name, route.waitSeconds, route.gateway.name));
    const make = (object: string, spec: pulumi.Inputs, more: pulumi.CustomResourceOptions, annotations?: Annotations) =>
      new CustomResource(
        object,
        {
          apiVersion: "gateway.networking.k8s.io/v1",
          kind: "HTTPRoute",
          metadata: { ...this.metadata, name: object, annotations: annotations && merged(annotations) },
          spec,
        },
        child({ dependsOn: workload, ...more }),
      );
    const port = this.exposure.service.port;
    // A route has one Gateway here, so the first answer is the only one.
    const accepted = { "pulumi.com/waitFor": 'jsonpath={.status.parents[*].conditions[?(@.type=="Accepted")].status}=True' };
    const spec = httpRouteSpec(route, { name: this.service.metadata.name, port });
    make(name, spec, wait, route.waitSeconds === 0 ? undefined : accepted);
    if (route.gateway.httpSectionName !== undefined) make(`${name}-http`, redirectRouteSpec(route), {});
  }
}

/** Options of what is waited for, and what is said when that was in vain. */
function waiting(seconds: number, hooks: () => pulumi.ResourceHookBinding | undefined): pulumi.CustomResourceOptions {
  if (seconds === 0) return {};
  const timeout = `${seconds}s`;
  return { customTimeouts: { create: timeout, update: timeout }, hooks: hooks() };
}

/** Ours, and over them those that are given. */
function merged(
  ours: Annotations,
  given: pulumi.Input<Record<string, pulumi.Input<string>>> = {},
): pulumi.Output<Record<string, string>> {
  const set = Object.fromEntries(Object.entries(ours).filter(([, value]) => value !== undefined)) as Record<
    string,
    pulumi.Input<string>
  >;
  return pulumi.all([pulumi.output(set), pulumi.output(given)]).apply(([mine, theirs]): Record<string, string> => {
    const lists = [theirs[MIDDLEWARES], mine[MIDDLEWARES]].filter(Boolean);
    return { ...mine, ...theirs, ...(lists.length === 2 ? { [MIDDLEWARES]: lists.join(",") } : {}) };
  });
}

/** Objects of a controller's own kinds, made. */
class CustomObjects {
  readonly all: CustomResource[];

  constructor(
    private readonly objects: CustomObject[] = [],
    metadata: Metadata,
    child: Child,
  ) {
    this.all = objects.map(
      ({ name, apiVersion, kind, spec }) =>
        new CustomResource(name, { apiVersion, kind, metadata: { ...metadata, name }, spec }, child()),
    );
  }

  readonly namespaceOf: NamespaceOf = (name) =>
    this.all[this.objects.findIndex((object) => object.name === name)].metadata.namespace;
}
