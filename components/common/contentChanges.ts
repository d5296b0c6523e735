import * as pulumi from "@pulumi/pulumi";

const HOLDERS = ["kubernetes:core/v1:ConfigMap", "kubernetes:core/v1:Secret"];

/**
 * How ConfigMaps and Secrets change, whatever the provider and the component are told.
 *
 * Those without a name of their own are immutable: new content is a new object under a new name, which is what rolls the pods. By default
 * that is what Pulumi's provider does with all of them; with `enableSecretMutable` or `enableConfigMapMutable` it would update them in
 * place, and pods would go on with what they began with.
 *
 * Those with a fixed name are replaced by deleting them first, or updated in place; they are read by what begins afterwards, so that both
 * are right. Left behind by `retainOnDelete` the former one would be in the way of the new one.
 */
export const contentChanges: pulumi.ResourceTransformation = ({ type, props, opts }) => {
  if (!HOLDERS.includes(type)) return undefined;
  return props.metadata?.name === undefined
    ? { props: { ...props, immutable: props.immutable ?? true }, opts }
    : { props, opts: { ...opts, retainOnDelete: false } };
};
