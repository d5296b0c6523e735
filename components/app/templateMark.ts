import * as pulumi from "@pulumi/pulumi";
import { types } from "@pulumi/kubernetes";
import * as apps from "@pulumi/kubernetes/apps/v1";
import { contentHash } from "../common/contentHash";
import { withoutEmpty } from "../common/withoutEmpty";

/** Label by which pods are told from those of the same controller that were made of another template. */
export const TEMPLATE = "pulumi-postgres-app/template";

type Template = types.input.core.v1.PodTemplateSpec & { metadata: { labels: Record<string, string> } };

/**
 * A template of which the pods say so: Kubernetes has labels for that, but of a Deployment it tells nobody the value of today. It is a hash of the
 * rest of the template, so that by itself it never replaces a pod.
 */
export function marked(template: Template): types.input.core.v1.PodTemplateSpec {
  const mark = (pulumi.output(withoutEmpty(template)) as pulumi.Output<unknown>).apply(contentHash);
  return { ...template, metadata: { ...template.metadata, labels: { ...template.metadata.labels, [TEMPLATE]: mark } } };
}

/** What the pods of a workload are known by. */
export const markOf = (workload: apps.StatefulSet | apps.Deployment): pulumi.Output<string> =>
  templateOf(workload).apply(({ metadata }) => metadata.labels?.[TEMPLATE] ?? "");

/** What the pods of a workload are made of. */
export const templateOf = ({ spec }: apps.StatefulSet | apps.Deployment): pulumi.Output<types.output.core.v1.PodTemplateSpec> =>
  (spec as pulumi.Output<Pick<types.output.apps.v1.DeploymentSpec, "template">>).apply(({ template }) => template);

/** What those of a template in the program will be known by. */
export const markIn = (template: pulumi.Input<types.input.core.v1.PodTemplateSpec>): pulumi.Output<string> =>
  pulumi.unsecret(pulumi.output(template)).apply(({ metadata }) => metadata?.labels?.[TEMPLATE] ?? "");
