import * as pulumi from "@pulumi/pulumi";
import { Rule } from "../../common/validation";
import { IngressArgs, IngressController, IngressTlsArgs } from "./exposureArgs";

/** An Ingress with everything checked and filled in. */
export interface ResolvedIngress {
  hosts: pulumi.Input<string>[];
  paths: pulumi.Input<string>[];
  controller?: IngressController;
  className?: pulumi.Input<string>;
  tls?: IngressTlsArgs;
  httpsRedirect: boolean;
  maxBodyBytes?: pulumi.Output<number>;
  timeoutSeconds?: pulumi.Input<number>;
  stickySessions: boolean;
  safeNaming: boolean;
  internal: boolean;
  healthCheckPath?: pulumi.Input<string>;
  waitSeconds: number;
  annotations?: pulumi.Input<Record<string, pulumi.Input<string>>>;
}

/** By name; what is undefined is not set. */
export type Annotations = Record<string, pulumi.Input<string> | undefined>;

/** An object of a controller's own kinds. */
export interface CustomObject {
  name: string;
  apiVersion: string;
  kind: string;
  spec: pulumi.Inputs;
}

/** In which namespace an object of the plan is: known only once it is made, where the application's is the provider's default. */
export type NamespaceOf = (name: string) => pulumi.Output<string>;

/** What one controller needs for what an Ingress asks of it. */
export interface IngressPlan {
  annotations(namespaceOf: NamespaceOf): Annotations;
  /** Annotations of a second Ingress for plain HTTP, for a controller that cannot do both with one. */
  plainHttp?(namespaceOf: NamespaceOf): Annotations;
  service?(namespaceOf: NamespaceOf): Annotations;
  /** What the Service's annotations name. */
  serviceObjects?: CustomObject[];
  /** What the Ingress' annotations name. */
  objects?: CustomObject[];
}

/** What is to be known of one controller. */
export interface Controller {
  className?: string;
  /** Arguments that it cannot follow: why, and what to do instead. */
  cannot: Partial<Record<keyof IngressArgs, string>>;
  cannotTls: Partial<Record<keyof IngressTlsArgs, string>>;
  /** Asks the pods itself, over HTTP, instead of going by their readiness. */
  asksPods?: boolean;
  longestTimeout?: number;
  /** Hosts that it could not serve with these arguments. */
  host?(args: IngressArgs): Rule<string> | undefined;
  plan(name: string, ingress: ResolvedIngress): IngressPlan;
}

/** Annotations with the controller's prefix. */
export const prefixed = (prefix: string, annotations: Annotations): Annotations =>
  Object.fromEntries(Object.entries(annotations).map(([name, value]) => [`${prefix}/${name}`, value]));

export const textOf = (value: pulumi.Input<number> | undefined) =>
  value === undefined ? undefined : pulumi.output(value).apply(String);
