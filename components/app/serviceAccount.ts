import * as pulumi from "@pulumi/pulumi";
import * as core from "@pulumi/kubernetes/core/v1";
import { Child } from "../common/childOptions";
import { labels } from "../common/labels";
import { anyName, kubernetesName, text } from "../common/rules";
import { Validation } from "../common/validation";

/** The ServiceAccount that the application runs as. */
export interface AppServiceAccountArgs {
  /**
   * Name of one that is there already. Defaults to one of the application's own, with its name. A change runs the migration, then
   * rolls the pods.
   */
  name?: pulumi.Input<string>;
  /**
   * Annotations of the application's own, by which clouds give it an identity: `{ "eks.amazonaws.com/role-arn": "arn:aws:iam::…"
   * }`, `{ "iam.gke.io/gcp-service-account": "notes@….iam.gserviceaccount.com" }`. The migration, which is the same program, runs
   * as it then. Defaults to none. The first ones run the migration, then roll the pods; a later change is made in place, for pods
   * that start after it.
   */
  annotations?: pulumi.Input<Record<string, pulumi.Input<string>>>;
  /**
   * Mounts a token with which the application, and nothing beside it, can talk to Kubernetes. What it may do there is up to the
   * Roles that you bind to the account. A cloud's identity does not need it. Defaults to false. A change rolls the pods.
   */
  automountToken?: pulumi.Input<boolean>;
}

export interface ResolvedServiceAccount {
  name: pulumi.Input<string>;
  /** To be made. */
  own: boolean;
  annotations?: pulumi.Input<Record<string, pulumi.Input<string>>>;
  automountToken: pulumi.Input<boolean>;
  /** Whether it is more than a name: then the migration needs it too. */
  isIdentity: boolean;
}

export function resolveServiceAccount(
  name: string,
  args: AppServiceAccountArgs = {},
  path: string,
  validation: Validation,
): ResolvedServiceAccount {
  if (args.name !== undefined && args.annotations !== undefined)
    validation.problem(`${path}.annotations`, `belong to the account that ${path}.name says is there already: annotate it there`);
  return {
    name: validation.check(`${path}.name`, args.name, kubernetesName) ?? name,
    own: args.name === undefined,
    annotations: validation.map(`${path}.annotations`, args.annotations, anyName, text),
    automountToken: args.automountToken ?? false,
    isIdentity: args.name !== undefined || args.annotations !== undefined,
  };
}

/** The account, if it is the application's own. Without a token unless a pod asks for it. */
export function startServiceAccount(
  name: string,
  { own, annotations }: ResolvedServiceAccount,
  namespace: pulumi.Input<string> | undefined,
  child: Child,
): core.ServiceAccount[] {
  if (!own) return [];
  const metadata = { name, namespace, labels: labels(name, "app"), annotations };
  return [new core.ServiceAccount(name, { metadata, automountServiceAccountToken: false }, child())];
}
